/* Files that were changed or deleted, after or before they were applied. */
#include "scene.h"

/* The checksum that b2sum finds; for the caller to free. */
static char *b2sum(const struct scene *s, const char *path)
{
    const char *argv[] = {"b2sum", "-l", "256", path, NULL};
    struct run r = {0};
    char *sum;

    run_program(&r, s->repo.dir, NULL, argv);
    run_expect(&r, 0);
    sum = check_printf("%.64s", r.out);
    run_clear(&r);
    return sum;
}

/* V1 is applied, with this content; V2 is only in the checkout. */
static void apply_first(struct scene *s, const char *text)
{
    repo_write(&s->repo, "migrations/V1.sql", text);
    repo_commit(&s->repo, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
}

static void changed_file_is_refused_with_both_checksums(void **state)
{
    struct scene *s = *state;
    char *was, *now;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');\n");
    was = b2sum(s, "migrations/V1.sql");
    assert_production(s, "SELECT checksum FROM revtwin.ledger", was);
    repo_write(&s->repo, "migrations/V1.sql", "INSERT INTO log (name) VALUES ('other');");
    now = b2sum(s, "migrations/V1.sql");
    repo_commit(&s->repo, "V2");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed after it was applied");
    assert_warned(s, was);
    assert_warned(s, now);
    scene_untouched(s, 3, "apply", "--ledger");
    scene_untouched(s, 3, "plan");
    assert_ledger(s, "applied V1");
    free(was);
    free(now);
}

/* Also long before the step that is applied. */
static void old_change_is_refused_with_every_step(void **state)
{
    struct scene *s = *state;

    apply_first(s, "SELECT 1;\n");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 2;\n");
    repo_commit(&s->repo, "edit V1");
    scene_untouched(s, 3, "apply");
    scene_step(s, "V3");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\n");
    repo_commit(&s->repo, "restore V1");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

static void other_line_ends_are_accepted_and_said(void **state)
{
    static const char *const texts[] = {
        "SELECT 1;\nSELECT 2;\n",
        "SELECT 1;\r\nSELECT 2;\r\n",
    };
    struct scene *s = *state;

    for (size_t i = 0; i < 2; i++) {
        apply_first(s, texts[i]);
        repo_write(&s->repo, "migrations/V1.sql", texts[1 - i]);
        repo_commit(&s->repo, "V2");
        scene_run(s, 0, "apply");
        assert_warned(s, "migrations/V1.sql");
        assert_warned(s, "line ends");
        assert_ledger(s, "applied V1, applied V2");
        scene_run(s, 0, "verify");
        repo_git(&s->repo, "rm", "-q", "-r", "migrations", NULL);
        repo_commit(&s->repo, "the other way round");
        scene_new_production(s);
    }
}

static void other_line_ends_do_not_hide_a_change(void **state)
{
    struct scene *s = *state;

    apply_first(s, "SELECT 1;\nSELECT 2;\n");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\r\nSELECT 3;\r\n");
    repo_commit(&s->repo, "V2");
    scene_untouched(s, 3, "apply");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\rSELECT 2;\r"); /* no line end */
    repo_commit(&s->repo, "V2");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "was changed");
}

/* An editor that finds both kinds in a file makes them one: which content that was, no
 * checksum tells, but the commit that was applied does. */
static void mixed_line_ends_made_one_are_accepted(void **state)
{
    static const char *const ends[] = {"\n", "\r\n"};
    struct scene *s = *state;

    apply_first(s, "SELECT 1;\r\nSELECT 2;\nSELECT 3;\r\n");
    for (size_t i = 0; i < 2; i++) {
        char *text =
            check_printf("SELECT 1;%sSELECT 2;%sSELECT 3;%s", ends[i], ends[i], ends[i]);

        repo_write(&s->repo, "migrations/V1.sql", text);
        repo_commit(&s->repo, "V2");
        scene_run(s, 0, "apply", "--ledger");
        assert_warned(s, "line ends");
        scene_run(s, 0, "verify");
        free(text);
    }
    assert_ledger(s, "applied V1, applied V2");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\nSELECT 2;\nSELECT 4;\n");
    scene_step(s, "V3");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed");
}

static void mixed_line_ends_in_the_first_run_are_accepted(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\r\nSELECT 2;\n");
    repo_commit(&s->repo, "V1");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\nSELECT 2;\n");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_warned(s, "line ends");
    assert_ledger(s, "baseline V1, applied V2");
}

static void other_line_ends_in_the_first_run_are_accepted(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\r\n");
    repo_commit(&s->repo, "V1");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;\n");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_warned(s, "line ends");
    assert_ledger(s, "baseline V1, applied V2");
    scene_untouched(s, 0, "apply");
}

static void deleted_file_is_a_warning(void **state)
{
    struct scene *s = *state;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');");
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    assert_warned(s, "warning");
    assert_warned(s, "no longer in the tree");
    assert_warned(s, "migrations/V1.sql");
    assert_log(s, "V1 V2");
}

static void deleted_file_that_comes_back_is_applied_once(void **state)
{
    struct scene *s = *state;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');");
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V1.sql", "INSERT INTO log (name) VALUES ('V1');");
    repo_commit(&s->repo, "back");
    scene_untouched(s, 0, "apply");
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_commit(&s->repo, "gone again");
    repo_write(&s->repo, "migrations/V1.sql", "INSERT INTO log (name) VALUES ('other');");
    repo_commit(&s->repo, "back, but another one");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed");
}

static void edited_before_it_was_applied_the_last_content_counts(void **state)
{
    struct scene *s = *state;
    char *sum;

    apply_first(s, "SELECT 1;");
    repo_commit(&s->repo, "V2");
    scene_step(s, "V3");
    repo_write(&s->repo, "migrations/V2.sql",
               "INSERT INTO log (name) VALUES ('V2 edited');");
    scene_step(s, "V4");
    sum = b2sum(s, "migrations/V2.sql");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V2 edited V3 V4");
    assert_warned(s, "warning");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "edited");
    assert_production(s, "SELECT checksum FROM revtwin.ledger WHERE seq = 2", sum);
    scene_run(s, 0, "verify");
    free(sum);
}

static void deleted_before_it_was_applied_it_is_skipped(void **state)
{
    struct scene *s = *state;

    apply_first(s, "SELECT 1;");
    repo_commit(&s->repo, "V2");
    repo_delete(&s->repo, "migrations/V2.sql");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V3");
    assert_ledger(s, "applied V1, applied V3");
    assert_warned(s, "warning");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "skipped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(changed_file_is_refused_with_both_checksums),
        scene_test(old_change_is_refused_with_every_step),
        scene_test(other_line_ends_are_accepted_and_said),
        scene_test(other_line_ends_do_not_hide_a_change),
        scene_test(other_line_ends_in_the_first_run_are_accepted),
        scene_test(mixed_line_ends_made_one_are_accepted),
        scene_test(mixed_line_ends_in_the_first_run_are_accepted),
        scene_test(deleted_file_is_a_warning),
        scene_test(deleted_file_that_comes_back_is_applied_once),
        scene_test(edited_before_it_was_applied_the_last_content_counts),
        scene_test(deleted_before_it_was_applied_it_is_skipped),
    };

    return cmocka_run_group_tests_name("changed files", tests, scene_start_server,
                                       scene_stop_server);
}
