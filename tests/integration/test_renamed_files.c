/*
 * A renamed file is not applied again, and another one with the text of a deleted file is
 * a migration of its own: whichever the run, history tells the two apart.
 */
#include "scene.h"

#define INSERT_V1 "INSERT INTO log (name) VALUES ('V1');\n"

/* V1 is applied, with this content; V2 is only in the checkout. */
static void apply_first(struct scene *s, const char *text)
{
    repo_write(&s->repo, "migrations/V1.sql", text);
    repo_commit(&s->repo, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
}

static void renamed_file_is_not_applied_again(void **state)
{
    struct scene *s = *state;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');");
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/old/V001__first.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2");
    assert_warned(s, "migrations/old/V001__first.sql was applied as migrations/V1.sql");
    assert_lacks(s->run.err, "no longer in the tree");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3");
    scene_run(s, 0, "verify");
}

static void renamed_file_is_not_applied_again_by_the_first_run(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V001.sql");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_log(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_log(s, "V2 V3");
}

static void renamed_before_it_was_applied_it_keeps_its_place(void **state)
{
    struct scene *s = *state;
    struct rt_oid second;

    apply_first(s, "SELECT 1;");
    second = repo_commit(&s->repo, "V2");
    scene_step(s, "V3");
    repo_rename(&s->repo, "migrations/V2.sql", "migrations/V9.sql");
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V2 V3 V4");
    assert_ledger(s, "applied V1, applied V9, applied V3, applied V4");
    assert_production(s, "SELECT commit_oid FROM revtwin.ledger WHERE seq = 2",
                      second.hex);
    scene_untouched(s, 0, "apply");
}

static void new_file_under_a_renamed_files_name_is_refused(void **state)
{
    struct scene *s = *state;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');");
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V0.sql");
    repo_write(&s->repo, "migrations/V1.sql", "INSERT INTO log (name) VALUES ('new');");
    repo_commit(&s->repo, "V2");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed");
}

/* A copy is a migration of its own, as long as the first one is there. */
static void copied_file_is_applied(void **state)
{
    struct scene *s = *state;

    apply_first(s, "INSERT INTO log (name) VALUES ('V1');");
    repo_delete(&s->repo, "migrations/V2.sql");
    repo_write(&s->repo, "migrations/V3.sql", "INSERT INTO log (name) VALUES ('V1');");
    repo_commit(&s->repo, "again");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V1");
    assert_ledger(s, "applied V1, applied V3");
}

static void renamed_file_with_other_line_ends_is_not_applied_again(void **state)
{
    static const char *const texts[] = {INSERT_V1 "SELECT 2;\n",
                                        "INSERT INTO log (name) VALUES ('V1');\r\n"
                                        "SELECT 2;\r\n"};
    struct scene *s = *state;

    for (size_t i = 0; i < 2; i++) {
        apply_first(s, texts[i]);
        repo_delete(&s->repo, "migrations/V1.sql");
        repo_write(&s->repo, "migrations/V001.sql", texts[1 - i]);
        repo_commit(&s->repo, "V2");
        scene_run(s, 0, "apply");
        assert_warned(s, "V001.sql was applied as migrations/V1.sql: renamed, only the "
                         "line ends differ");
        assert_log(s, "V1 V2");
        scene_step(s, "V3");
        scene_run(s, 0, "apply");
        scene_untouched(s, 0, "apply", "--base", "HEAD~2");
        assert_log(s, "V1 V2 V3");
        scene_run(s, 0, "verify");
        scene_new_production(s);
        scene_run(s, 0, "apply", "--base", "HEAD~2");
        assert_ledger(s, "baseline V1, applied V2, applied V3");
        repo_git(&s->repo, "rm", "-q", "-r", "migrations", NULL);
        repo_commit(&s->repo, "the other way round");
        scene_new_production(s);
    }
}

/* Every command knows it long afterwards, also after another rename. */
static void renamed_file_is_known_ever_after(void **state)
{
    struct scene *s = *state;

    apply_first(s, INSERT_V1);
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V01.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    repo_rename(&s->repo, "migrations/V01.sql", "migrations/V001.sql");
    scene_step(s, "V4");
    scene_run(s, 0, "apply");
    assert_warned(s, "migrations/V001.sql was applied as migrations/V1.sql");
    scene_step(s, "V5");
    scene_untouched(s, 0, "plan");
    scene_run(s, 0, "apply");
    scene_untouched(s, 0, "status");
    assert_said(s, "0 pending");
    scene_untouched(s, 0, "verify");
    scene_untouched(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3 V4 V5");
}

/* The commit of the ledger's row need not be in the repository any more. */
static void renamed_file_is_known_after_history_was_rewritten(void **state)
{
    struct scene *s = *state;

    apply_first(s, INSERT_V1);
    repo_git(&s->repo, "commit", "-q", "--amend", "-m", "another name", NULL);
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V01.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3");
}

static void shallow_clone_that_cannot_tell_is_refused(void **state)
{
    struct scene *s = *state;
    struct repo origin = s->repo;

    apply_first(s, INSERT_V1);
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V01.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    repo_clone(&s->repo, &origin, "--depth=2", NULL);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "fetch-depth: 0");
    repo_clear(&s->repo);
    s->repo = origin;
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3");
}

static void renamed_and_then_changed_file_is_refused(void **state)
{
    struct scene *s = *state;

    apply_first(s, INSERT_V1);
    repo_rename(&s->repo, "migrations/V1.sql", "migrations/V01.sql");
    repo_commit(&s->repo, "V2");
    repo_write(&s->repo, "migrations/V01.sql", "SELECT 1;");
    repo_commit(&s->repo, "edit");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "V01.sql was changed after it was applied as migrations/V1.sql");
}

/* ------------------------------------------------------------------ the same text */

/* V1 is applied, and deleted by the step of V2; the step of V3 adds its text again. */
static void repeat_deleted_file(struct scene *s)
{
    apply_first(s, INSERT_V1);
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V3.sql", INSERT_V1);
    repo_commit(&s->repo, "once more");
}

static void text_of_a_deleted_file_is_applied(void **state)
{
    struct scene *s = *state;

    repeat_deleted_file(s);
    scene_untouched(s, 0, "plan");
    assert_said(s, "apply     migrations/V3.sql");
    assert_warned(s, "migrations/V3.sql has the text of migrations/V1.sql");
    assert_warned(s, "a migration of its own");
    scene_untouched(s, 0, "status");
    assert_said(s, "1 pending");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V1");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_untouched(s, 0, "apply");
    assert_lacks(s->run.err, "has the text of");
    scene_untouched(s, 0, "verify");
}

static void text_of_a_deleted_file_is_applied_by_ledger(void **state)
{
    struct scene *s = *state;

    repeat_deleted_file(s);
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V1 V4");
    /* all of it in one range, from before the deletion */
    scene_new_production(s);
    scene_run(s, 0, "baseline", "HEAD~3");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V2 V1 V4");
    scene_new_production(s);
    scene_run(s, 0, "apply", "--base", "HEAD~3");
    assert_log(s, "V2 V1 V4");
}

static void text_of_a_deleted_file_that_was_missed_is_a_gap(void **state)
{
    struct scene *s = *state;

    repeat_deleted_file(s);
    scene_step(s, "V4");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "neither in the ledger nor in this range");
    assert_warned(s, "migrations/V3.sql");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V1 V4");
}

/* As one run after each merge would have done it. */
static void copy_whose_first_one_is_deleted_later_is_applied(void **state)
{
    struct scene *s = *state;

    apply_first(s, INSERT_V1);
    repo_write(&s->repo, "migrations/V3.sql", INSERT_V1);
    repo_commit(&s->repo, "a copy");
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_commit(&s->repo, "without the first one");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V1");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(renamed_file_is_not_applied_again),
        scene_test(renamed_file_is_not_applied_again_by_the_first_run),
        scene_test(renamed_file_with_other_line_ends_is_not_applied_again),
        scene_test(renamed_file_is_known_ever_after),
        scene_test(renamed_file_is_known_after_history_was_rewritten),
        scene_test(shallow_clone_that_cannot_tell_is_refused),
        scene_test(renamed_and_then_changed_file_is_refused),
        scene_test(renamed_before_it_was_applied_it_keeps_its_place),
        scene_test(new_file_under_a_renamed_files_name_is_refused),
        scene_test(copied_file_is_applied),
        scene_test(text_of_a_deleted_file_is_applied),
        scene_test(text_of_a_deleted_file_is_applied_by_ledger),
        scene_test(text_of_a_deleted_file_that_was_missed_is_a_gap),
        scene_test(copy_whose_first_one_is_deleted_later_is_applied),
    };

    return cmocka_run_group_tests_name("renamed files", tests, scene_start_server,
                                       scene_stop_server);
}
