/* Which files a range of steps brings, in which order, and from which clone. */
#include "fixture.h"

static void expect_step_of(struct rt_range range, size_t i, struct rt_oid commit)
{
    assert_true(i < range.count);
    assert_string_equal(range.arrivals[i].step.hex, commit.hex);
}

static void a_merge_is_one_step(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base, merge, blob;
    struct rt_range range;

    commit_sql(f, "V1.sql");
    repo_branch(&f->repo, "feature");
    commit_sql(f, "V10.sql");
    commit_sql(f, "V9.sql");
    repo_switch(&f->repo, "main");
    base = commit_sql(f, "V5.sql");
    merge = repo_merge(&f->repo, REPO_MERGE, "feature");
    range = range_step(f, merge);
    expect_arrivals(range, "V9.sql V10.sql");
    expect_step_of(range, 0, merge);
    expect_step_of(range, 1, merge);
    blob = repo_resolve(&f->repo, "HEAD:" FOLDER "/V9.sql");
    assert_string_equal(range.arrivals[0].oid.hex, blob.hex);
    assert_string_equal(range.base.hex, base.hex);
    assert_string_equal(range.tip.hex, merge.hex);
    assert_int_equal(range.steps, 1);
}

static void a_squash_is_one_step_and_a_rebase_one_each(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "1.sql"), squash, rebase, first;
    struct rt_range range;

    for (int i = 0; i < 2; i++) {
        repo_switch(&f->repo, "main");
        repo_branch(&f->repo, i ? "two" : "one");
        commit_sql(f, i ? "b2.sql" : "a2.sql");
        commit_sql(f, i ? "b1.sql" : "a1.sql");
    }
    repo_switch(&f->repo, "main");
    squash = repo_merge(&f->repo, REPO_SQUASH, "one");
    rebase = repo_merge(&f->repo, REPO_REBASE, "two");
    first = repo_resolve(&f->repo, "HEAD~1");
    range = range_since(f, base);
    expect_arrivals(range, "a1.sql a2.sql b2.sql b1.sql");
    expect_step_of(range, 0, squash);
    expect_step_of(range, 1, squash);
    expect_step_of(range, 2, first);
    expect_step_of(range, 3, rebase);
    assert_int_equal(range.steps, 3);
    expect_arrivals(range_step(f, squash), "a1.sql a2.sql");
    expect_arrivals(range_step(f, rebase), "b1.sql");
}

static void a_root_commit_is_a_step(void **state)
{
    struct fixture *f = *state;
    struct rt_oid none = {""}, root, second;
    struct rt_range range;

    write_sql(f, "b.sql");
    root = commit_sql(f, "a.sql");
    second = commit_sql(f, "0.sql");
    range = range_step(f, root);
    expect_arrivals(range, "a.sql b.sql");
    assert_string_equal(range.base.hex, "");
    range = range_since(f, none);
    expect_arrivals(range, "a.sql b.sql 0.sql");
    expect_step_of(range, 2, second);
    assert_int_equal(range.steps, 2);
}

static void a_range_may_be_empty(void **state)
{
    struct fixture *f = *state;
    struct rt_oid tip = commit_sql(f, "a.sql"), empty = repo_commit(&f->repo, "empty");

    expect_arrivals(range_step(f, empty), "");
    assert_int_equal(range_since(f, tip).steps, 1);
    assert_int_equal(range_since(f, empty).steps, 0);
    expect_arrivals(range_since(f, empty), "");
}

static void only_sql_files_of_the_folder_count(void **state)
{
    struct fixture *f = *state;
    struct rt_oid tip;

    repo_write(&f->repo, "root.sql", "1");
    repo_write(&f->repo, "db/other.sql", "2");
    repo_write(&f->repo, FOLDER "2/a.sql", "3");
    repo_write(&f->repo, FOLDER "/notes.txt", "4");
    repo_write(&f->repo, FOLDER "/sql", "5");
    repo_write(&f->repo, FOLDER "/a.SQL", "6");
    repo_write(&f->repo, FOLDER "/2024/01/b.sql", "7");
    repo_write(&f->repo, FOLDER "/x.sql/migration.sql", "8");
    repo_write(&f->repo, FOLDER "/x.sql/README", "9");
    repo_symlink(&f->repo, FOLDER "/link.sql", "a.SQL");
    tip = repo_commit(&f->repo, "all");
    expect_arrivals(range_step(f, tip),
                    "2024/01/b.sql a.SQL link.sql x.sql/migration.sql");
}

static void the_whole_tree_can_be_the_folder(void **state)
{
    struct fixture *f = *state;
    const char *names[] = {"", ".", "./", "/", "./."};
    struct rt_oid tip;

    repo_write(&f->repo, "a.sql", "");
    tip = commit_sql(f, "b.sql");
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        struct rt_range range;

        expect_ok(f, rt_range_step(&range, &f->arena, f->git, &tip, names[i], &f->err));
        assert_int_equal(range.count, 2);
        assert_string_equal(range.arrivals[0].path, "a.sql");
        assert_string_equal(range.arrivals[1].path, FOLDER "/b.sql");
    }
}

static void names_pass_as_they_are(void **state)
{
    struct fixture *f = *state;
    const char *names[] = {"a b.sql",
                           "'q\"uo\\te`.sql",
                           "new\nline.sql",
                           "tab\t.sql",
                           "\xC3\xBC\xE2\x82\xAC.sql",
                           "\xFF\xFE.sql",
                           "-dash.sql",
                           "$(x) & %s;.sql",
                           "*?[a].sql",
                           "caf\xC3\xA9/\xE9.sql"};
    struct rt_range range;
    bool found[RT_COUNT(names)] = {false};

    for (size_t i = 0; i < RT_COUNT(names); i++)
        write_sql(f, names[i]);
    range = range_step(f, repo_commit(&f->repo, "names"));
    assert_int_equal(range.count, RT_COUNT(names));
    for (size_t i = 0; i < range.count; i++) {
        for (size_t k = 0; k < RT_COUNT(names); k++) {
            if (strcmp(range.arrivals[i].path + strlen(FOLDER "/"), names[k]) == 0)
                found[k] = true;
        }
    }
    for (size_t k = 0; k < RT_COUNT(names); k++)
        assert_true(found[k]);
}

static void a_bare_clone_serves(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "a.sql");
    struct repo bare;

    commit_sql(f, "b.sql");
    repo_clone(&bare, &f->repo, "--bare", NULL);
    fixture_open(f, &bare);
    expect_arrivals(range_since(f, base), "b.sql");
    repo_clear(&bare);
}

static void a_packed_repository_serves(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base = commit_sql(f, "a.sql");

    commit_sql(f, "b.sql");
    repo_git(&f->repo, "gc", "-q", NULL);
    expect_arrivals(range_since(f, base), "b.sql");
}

/* Main goes on, is merged into the branch, and the branch goes on. */
static void a_branch_that_main_was_merged_into(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base, merged;
    struct rt_range range;

    commit_sql(f, "0.sql");
    for (int i = 0; i < 5; i++)
        repo_commit(&f->repo, "long before");
    repo_branch(&f->repo, "feature");
    commit_sql(f, "f1.sql");
    repo_switch(&f->repo, "main");
    commit_sql(f, "m1.sql");
    base = commit_sql(f, "m2.sql");
    repo_switch(&f->repo, "feature");
    merged = repo_merge(&f->repo, REPO_MERGE, "main");
    commit_sql(f, "f2.sql");
    range = range_since(f, base);
    expect_arrivals(range, "f1.sql f2.sql");
    assert_int_equal(range.steps, 3);
    for (int i = 0; i < 6; i++)
        repo_commit(&f->repo, "long after");
    assert_int_equal(range_since(f, base).steps, 9);
    expect_arrivals(range_step(f, merged), "m1.sql m2.sql");
}

static void a_base_with_another_root(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base;

    base = commit_sql(f, "m.sql");
    repo_git(&f->repo, "switch", "-q", "--orphan", "other", NULL);
    commit_sql(f, "o1.sql");
    repo_git(&f->repo, "merge", "-q", "--allow-unrelated-histories", "-m", "m", "main",
             NULL);
    commit_sql(f, "o2.sql");
    expect_arrivals(range_since(f, base), "o1.sql o2.sql");
}

static void a_base_that_is_no_ancestor_is_refused(void **state)
{
    struct fixture *f = *state;
    struct rt_oid root = commit_sql(f, "a.sql"), side, tip;
    struct rt_range range;

    repo_branch(&f->repo, "side");
    side = commit_sql(f, "b.sql");
    repo_switch(&f->repo, "main");
    tip = commit_sql(f, "c.sql");
    expect_error(f,
                 rt_range_since(&range, &f->arena, f->git, &side, &tip, FOLDER, &f->err),
                 RT_EREFUSED, "is not an ancestor of");
    expect_error(f,
                 rt_range_since(&range, &f->arena, f->git, &tip, &root, FOLDER, &f->err),
                 RT_EREFUSED, "is not an ancestor of");
}

static void a_folder_outside_is_refused(void **state)
{
    struct fixture *f = *state;
    struct rt_oid tip = commit_sql(f, "a.sql");
    struct rt_range range;

    expect_error(f, rt_range_step(&range, &f->arena, f->git, &tip, "../x", &f->err),
                 RT_EUSAGE, "the folder \"../x\" is not below the repository's root");
}

static void a_shallow_clone_has_the_steps_that_it_has(void **state)
{
    struct fixture *f = *state;
    struct rt_oid first = commit_sql(f, "1.sql"), second = commit_sql(f, "2.sql"),
                  third = commit_sql(f, "3.sql"), none = {""};
    struct repo shallow;
    struct rt_range range;

    repo_clone(&shallow, &f->repo, "--depth=2", NULL);
    fixture_open(f, &shallow);
    expect_arrivals(range_step(f, third), "3.sql");
    expect_arrivals(range_since(f, second), "3.sql");
    expect_error(f, rt_range_step(&range, &f->arena, f->git, &second, FOLDER, &f->err),
                 RT_EREFUSED, first.hex);
    assert_contains(f->err.message, "commit");
    expect_shallow_hint(f);
    expect_error(
        f, rt_range_since(&range, &f->arena, f->git, &first, &third, FOLDER, &f->err),
        RT_EREFUSED, "is missing from the repository");
    expect_shallow_hint(f);
    expect_error(
        f, rt_range_since(&range, &f->arena, f->git, &none, &third, FOLDER, &f->err),
        RT_EREFUSED, "is missing from the repository");
    expect_shallow_hint(f);
    repo_clear(&shallow);
}

static void a_missing_tree_is_named(void **state)
{
    struct fixture *f = *state;
    struct rt_oid tip, tree;
    struct rt_range range;

    commit_sql(f, "a.sql");
    tip = commit_sql(f, "b.sql");
    tree = repo_resolve(&f->repo, "HEAD:" FOLDER);
    lose_object(f, tree);
    expect_error(f, rt_range_step(&range, &f->arena, f->git, &tip, FOLDER, &f->err),
                 RT_EINTERNAL, tree.hex);
    assert_contains(f->err.message, "tree");
    assert_non_null(f->err.hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(a_merge_is_one_step),
        fixture_test(a_squash_is_one_step_and_a_rebase_one_each),
        fixture_test(a_root_commit_is_a_step),
        fixture_test(a_range_may_be_empty),
        fixture_test(only_sql_files_of_the_folder_count),
        fixture_test(the_whole_tree_can_be_the_folder),
        fixture_test(names_pass_as_they_are),
        fixture_test(a_bare_clone_serves),
        fixture_test(a_packed_repository_serves),
        fixture_test(a_branch_that_main_was_merged_into),
        fixture_test(a_base_with_another_root),
        fixture_test(a_base_that_is_no_ancestor_is_refused),
        fixture_test(a_folder_outside_is_refused),
        fixture_test(a_shallow_clone_has_the_steps_that_it_has),
        fixture_test(a_missing_tree_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
