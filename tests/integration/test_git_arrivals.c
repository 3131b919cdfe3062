/* What becomes of a range's files on the way: edits, deletions, renames, returns. */
#include "fixture.h"

static void expect_step_of(struct rt_range range, size_t i, struct rt_oid commit)
{
    assert_true(i < range.count);
    assert_string_equal(range.arrivals[i].step.hex, commit.hex);
}

/* The arrival's name and its earlier ones, newest first. */
static void expect_names(struct rt_range range, size_t i, const char *wanted)
{
    size_t skip = strlen(FOLDER "/");
    char *got;

    assert_true(i < range.count);
    got = check_printf("%s", range.arrivals[i].path + skip);
    for (const struct rt_name *name = range.arrivals[i].before; name;
         name = name->before) {
        char *longer = check_printf("%s %s", got, name->path + skip);

        free(got);
        got = longer;
    }
    assert_text_equal(got, wanted);
    free(got);
}

static void edits_and_deletions_are_told(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "0.sql"), added;
    struct rt_range range;

    write_sql(f, "a.sql");
    write_sql(f, "b.sql");
    added = commit_sql(f, "c.sql");
    write_sql(f, "0.sql");
    write_sql(f, "a.sql");
    delete_sql(f, "b.sql");
    repo_commit(&f->repo, "later");
    range = range_since(f, base);
    expect_arrivals(range, "a.sql! b.sql- c.sql");
    expect_step_of(range, 1, added);
}

static void an_edit_taken_back_is_no_edit(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    repo_write(&f->repo, FOLDER "/a.sql", "1");
    repo_commit(&f->repo, "1");
    repo_write(&f->repo, FOLDER "/a.sql", "2");
    repo_commit(&f->repo, "2");
    repo_write(&f->repo, FOLDER "/a.sql", "1");
    repo_commit(&f->repo, "1 again");
    expect_arrivals(range_since(f, base), "a.sql");
}

static void the_first_introduction_counts(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base"), first = commit_sql(f, "z.sql");
    struct rt_range range;

    delete_sql(f, "z.sql");
    repo_commit(&f->repo, "without");
    expect_arrivals(range_since(f, base), "z.sql-");
    commit_sql(f, "a.sql");
    commit_sql(f, "z.sql");
    range = range_since(f, base);
    expect_arrivals(range, "z.sql! a.sql");
    expect_step_of(range, 0, first);
}

static void a_file_of_the_base_never_arrives(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "a.sql");

    delete_sql(f, "a.sql");
    repo_commit(&f->repo, "without");
    write_sql(f, "a.sql");
    commit_sql(f, "b.sql");
    expect_arrivals(range_since(f, base), "b.sql");
    move_sql(f, "b.sql", "a.sql"); /* over a file of the base */
    repo_commit(&f->repo, "over");
    expect_arrivals(range_since(f, base), "b.sql-");
}

static void a_rename_keeps_place_and_origin(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base"), first = commit_sql(f, "a.sql");
    struct rt_range range;

    commit_sql(f, "b.sql");
    move_sql(f, "a.sql", "z.sql");
    repo_commit(&f->repo, "rename");
    range = range_since(f, base);
    expect_arrivals(range, "z.sql<a.sql b.sql");
    expect_step_of(range, 0, first);
    move_sql(f, "z.sql", "2024/y.sql");
    repo_commit(&f->repo, "again");
    commit_sql(f, "a.sql"); /* the old name, by another file */
    expect_arrivals(range_since(f, base), "2024/y.sql<a.sql b.sql a.sql");
    write_sql(f, "2024/y.sql");
    delete_sql(f, "a.sql");
    repo_commit(&f->repo, "edit and delete");
    expect_arrivals(range_since(f, base), "2024/y.sql<a.sql! b.sql a.sql-");
    move_sql(f, "2024/y.sql", "a.sql");
    repo_commit(&f->repo, "home");
    expect_arrivals(range_since(f, base), "a.sql! b.sql a.sql-");
}

static void a_rename_onto_a_deleted_path_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base"), first = commit_sql(f, "a.sql");
    struct rt_oid third;
    struct rt_range range;

    delete_sql(f, "a.sql");
    commit_sql(f, "b.sql");
    third = commit_sql(f, "c.sql");
    move_sql(f, "c.sql", "a.sql");
    repo_commit(&f->repo, "rename");
    range = range_since(f, base);
    expect_arrivals(range, "a.sql- b.sql a.sql<c.sql");
    expect_step_of(range, 0, first);
    expect_step_of(range, 2, third);
    delete_sql(f, "a.sql");
    repo_commit(&f->repo, "without");
    expect_arrivals(range_since(f, base), "a.sql- b.sql a.sql<c.sql-");
    commit_sql(f, "a.sql");
    expect_arrivals(range_since(f, base), "a.sql- b.sql a.sql<c.sql!");
    move_sql(f, "a.sql", "d.sql");
    repo_commit(&f->repo, "away");
    expect_arrivals(range_since(f, base), "a.sql- b.sql d.sql<c.sql!");
    commit_sql(f, "a.sql");
    expect_arrivals(range_since(f, base), "a.sql- b.sql d.sql<c.sql! a.sql");
}

static void a_rename_with_an_edit_is_another_file(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    commit_sql(f, "a.sql");
    delete_sql(f, "a.sql");
    commit_sql(f, "b.sql");
    expect_arrivals(range_since(f, base), "a.sql- b.sql");
}

static void a_renamed_file_of_the_base_arrives(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "a.sql");

    move_sql(f, "a.sql", "b.sql");
    repo_commit(&f->repo, "rename");
    expect_arrivals(range_since(f, base), "b.sql");
    expect_names(range_since(f, base), 0, "b.sql a.sql");
    move_sql(f, "b.sql", "c.sql");
    repo_commit(&f->repo, "again");
    expect_arrivals(range_since(f, base), "c.sql<b.sql");
    expect_names(range_since(f, base), 0, "c.sql b.sql a.sql");
}

static void a_file_that_comes_back_changed_is_no_rename(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "a.sql");

    move_sql(f, "a.sql", "b.sql");
    repo_commit(&f->repo, "rename");
    delete_sql(f, "b.sql");
    repo_commit(&f->repo, "without");
    repo_git(&f->repo, "revert", "--no-edit", "HEAD", NULL);
    expect_names(range_since(f, base), 0, "b.sql a.sql");
    delete_sql(f, "b.sql");
    repo_commit(&f->repo, "without");
    commit_sql(f, "b.sql");
    expect_names(range_since(f, base), 0, "b.sql");
}

/* Content of its own in these line ends; a mixture of both for NULL. */
static void write_lines(struct fixture *f, const char *name, const char *end)
{
    char *path = check_printf(FOLDER "/%s", name);
    char *text = check_printf("SELECT 1;%sSELECT 2;%sSELECT 3;", end ? end : "\r\n",
                              end ? end : "\n");

    repo_write(&f->repo, path, text);
    free(path);
    free(text);
}

static void a_rename_may_change_line_ends(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", NULL};
    struct fixture *f = *state;
    struct rt_oid base;

    for (size_t i = 0; i < 3; i++) {
        write_lines(f, "a.sql", ends[i]);
        base = repo_commit(&f->repo, "base");
        delete_sql(f, "a.sql");
        write_lines(f, "b.sql", ends[(i + 1) % 3]);
        repo_commit(&f->repo, "rename");
        expect_names(range_since(f, base), 0, "b.sql a.sql");
        delete_sql(f, "b.sql");
    }
    write_lines(f, "a.sql", "\n");
    base = repo_commit(&f->repo, "base");
    delete_sql(f, "a.sql");
    write_lines(f, "b.sql", "\r"); /* no line end */
    repo_commit(&f->repo, "another one");
    expect_names(range_since(f, base), 0, "b.sql");
}

/* An arrival that was renamed so keeps its place. */
static void an_arrival_that_changes_its_line_ends_too(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    write_lines(f, "z.sql", "\n");
    repo_commit(&f->repo, "arrives");
    commit_sql(f, "b.sql");
    delete_sql(f, "z.sql");
    write_lines(f, "y.sql", "\r\n");
    repo_symlink(&f->repo, FOLDER "/link.sql", "y.sql");
    repo_commit(&f->repo, "renamed");
    expect_arrivals(range_since(f, base), "y.sql<z.sql! b.sql link.sql");
}

static void equal_contents_are_paired_in_natural_order(void **state)
{
    struct fixture *f = *state;
    const char *names[] = {"a9.sql", "a10.sql", "a11.sql"};
    struct rt_oid base = repo_commit(&f->repo, "base");

    for (size_t i = 0; i < RT_COUNT(names); i++) {
        char *path = check_printf(FOLDER "/%s", names[i]);

        repo_write(&f->repo, path, "SELECT 1;");
        free(path);
    }
    repo_commit(&f->repo, "same");
    move_sql(f, "a11.sql", "b8.sql");
    move_sql(f, "a9.sql", "b10.sql");
    delete_sql(f, "a10.sql");
    repo_commit(&f->repo, "rename");
    expect_arrivals(range_since(f, base), "b8.sql<a9.sql b10.sql<a10.sql a11.sql-");
}

static void a_whole_folder_may_move(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    write_sql(f, "old/2.sql");
    write_sql(f, "old/10.sql");
    commit_sql(f, "old/deep/1.sql");
    move_sql(f, "old", "new");
    repo_commit(&f->repo, "move");
    expect_arrivals(range_since(f, base), "new/2.sql<old/2.sql new/10.sql<old/10.sql "
                                          "new/deep/1.sql<old/deep/1.sql");
}

static void a_file_becomes_a_folder(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    commit_sql(f, "x.sql");
    delete_sql(f, "x.sql");
    commit_sql(f, "x.sql/up.sql");
    expect_arrivals(range_since(f, base), "x.sql- x.sql/up.sql");
    delete_sql(f, "x.sql");
    commit_sql(f, "x.sql");
    expect_arrivals(range_since(f, base), "x.sql! x.sql/up.sql-");
}

static void the_folder_may_come_and_go(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = repo_commit(&f->repo, "base");

    repo_write(&f->repo, "db", "a file where the folder will be");
    repo_commit(&f->repo, "file");
    repo_delete(&f->repo, "db");
    commit_sql(f, "a.sql");
    repo_rename(&f->repo, FOLDER, "db/elsewhere");
    repo_commit(&f->repo, "away");
    expect_arrivals(range_since(f, base), "a.sql-");
    repo_rename(&f->repo, "db/elsewhere", FOLDER);
    repo_commit(&f->repo, "back");
    expect_arrivals(range_since(f, base), "a.sql");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(edits_and_deletions_are_told),
        fixture_test(an_edit_taken_back_is_no_edit),
        fixture_test(the_first_introduction_counts),
        fixture_test(a_file_of_the_base_never_arrives),
        fixture_test(a_rename_keeps_place_and_origin),
        fixture_test(a_rename_onto_a_deleted_path_keeps_its_place),
        fixture_test(a_rename_with_an_edit_is_another_file),
        fixture_test(a_renamed_file_of_the_base_arrives),
        fixture_test(a_file_that_comes_back_changed_is_no_rename),
        fixture_test(a_rename_may_change_line_ends),
        fixture_test(an_arrival_that_changes_its_line_ends_too),
        fixture_test(equal_contents_are_paired_in_natural_order),
        fixture_test(a_whole_folder_may_move),
        fixture_test(a_file_becomes_a_folder),
        fixture_test(the_folder_may_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
