/* revtwin amend accepts an applied file as it is by now: by another row of the ledger,
 * never by changing one. */
#include "scene.h"

#define V1 "migrations/V1.sql"

/* V1 and V2 are applied, and V1 is another text since. */
static void change_first(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_file(s, "V1", "-- why\nINSERT INTO log (name) VALUES ('V1');\n");
    repo_commit(&s->repo, "a comment");
}

static void changed_file_is_accepted(void **state)
{
    struct scene *s = *state;
    struct rt_oid commit;

    change_first(s);
    commit = repo_resolve(&s->repo, "HEAD");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "revtwin amend '" V1 "' --reason TEXT");
    cluster_exec(&scene_server, s->db, "CREATE TABLE kept AS TABLE revtwin.ledger");
    scene_run(s, 0, "amend", V1, "--reason", "only a \x1b[31mcomment\x1b[0m");
    assert_said(s, "amended   " V1);
    assert_said(s, "accepted as it is in commit ");
    assert_said(s, "ledger head: ");
    assert_ledger(s, "applied V1, applied V2, amended V1");
    assert_production(
        s,
        "SELECT reason || ' ' || statements || ' ' || applied_by || ' ' "
        "|| (client LIKE '%@%') || (applied_at > now() - interval '1 hour') "
        "FROM revtwin.ledger WHERE seq = 3",
        "only a \x1b[31mcomment\x1b[0m 0 postgres truetrue");
    assert_production(s, "SELECT commit_oid FROM revtwin.ledger WHERE seq = 3",
                      commit.hex);
    assert_production(
        s, "SELECT count(*) FROM (TABLE kept EXCEPT TABLE revtwin.ledger) x", "0");
    assert_log(s, "V1 V2"); /* nothing ran */

    scene_untouched(s, 0, "plan");
    scene_untouched(s, 0, "verify");
    assert_said(s, "(rows: 3)");
    assert_said(s, "(files: 2)");
    scene_untouched(s, 0, "status");
    assert_said(s, "amended    " V1 "  because: only a \\x1b[31mcomment\\x1b[0m");
    assert_said(s, "0 pending");
    scene_untouched(s, 0, "apply");
    assert_string_equal(s->run.err, "");
    scene_untouched(s, 0, "baseline", "HEAD");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3");
}

static void what_is_changed_again_is_amended_again(void **state)
{
    struct scene *s = *state;

    change_first(s);
    scene_run(s, 0, "amend", V1, "--reason", "first", "--json");
    assert_said(s, "\"action\": \"amended\"");
    assert_said(s, "\"state\": \"amended\"");
    scene_file(s, "V1", "SELECT 'a third text';\n");
    repo_commit(&s->repo, "again");
    scene_untouched(s, 3, "apply");
    assert_warned(s, V1 " was changed after it was applied");
    scene_untouched(s, 7, "verify");
    scene_run(s, 0, "amend", "./migrations//V1.sql", "--reason", "second");
    scene_run(s, 0, "verify");
    scene_run(s, 0, "status", "--json");
    assert_said(s, "\"reason\": \"first\"");
    assert_said(s, "\"reason\": \"second\"");

    /* As it ran: nobody needs to be asked. */
    scene_migration(s, "V1");
    repo_commit(&s->repo, "restored");
    scene_untouched(s, 0, "verify");
    assert_warned(s, "note: " V1 " is as it was applied, before it was amended");
    scene_untouched(s, 0, "apply");
    scene_untouched(s, 0, "baseline", "HEAD");
    assert_ledger(s, "applied V1, applied V2, amended V1, amended V1");
}

static void baseline_can_be_amended(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, applied V2");
    scene_file(s, "V1", "SELECT 2;\n");
    repo_commit(&s->repo, "changed");
    scene_run(s, 0, "amend", V1, "--reason", "x");
    scene_run(s, 0, "verify");
    assert_ledger(s, "baseline V1, applied V2, amended V1");
}

/* ------------------------------------------------------------------ refusals */

static void a_reason_is_needed(void **state)
{
    static const char *const bad[] = {"", " \t\n", "\xff\xfe"};
    struct scene *s = *state;

    change_first(s);
    scene_untouched(s, 2, "amend", V1);
    assert_warned(s, "amend needs --reason");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        scene_untouched(s, 2, "amend", V1, "--reason", bad[i]);
        assert_warned(s, "--reason");
    }
    scene_untouched(s, 2, "amend", "--reason", "x");
    assert_warned(s, "amend needs PATH");
}

static void what_is_not_changed_is_nothing_to_do(void **state)
{
    struct scene *s = *state;

    change_first(s);
    scene_untouched(s, 0, "amend", "migrations/V2.sql", "--reason", "x");
    assert_said(s, "nothing to do: migrations/V2.sql has the checksum of its row");
    scene_run(s, 0, "amend", V1, "--reason", "x");
    scene_untouched(s, 0, "amend", V1, "--reason", "x", "--json");
    assert_said(s, "\"nothing_to_do\"");
    /* What is only in the checkout does not count. */
    scene_file(s, "V1", "SELECT 'not committed';\n");
    scene_untouched(s, 0, "amend", V1, "--reason", "x");
}

static void what_is_not_applied_is_refused(void **state)
{
    struct scene *s = *state;

    change_first(s);
    scene_migration(s, "V3");
    scene_file(s, "V1.down", "SELECT 1;\n");
    repo_commit(&s->repo, "V3");
    scene_untouched(s, 3, "amend", "migrations/V3.sql", "--reason", "x");
    assert_warned(s, "migrations/V3.sql does not count as applied");
    assert_warned(s, "Nothing was changed");
    scene_untouched(s, 3, "amend", "migrations/V1.down.sql", "--reason", "x");
    scene_untouched(s, 3, "amend", "V1.sql", "--reason", "x");
    assert_warned(s, "there is no migration \"V1.sql\" in commit ");
    assert_warned(s, "from the repository's root");
    scene_untouched(s, 2, "amend", "../migrations/V1.sql", "--reason", "x");
    repo_delete(&s->repo, V1);
    repo_commit(&s->repo, "gone");
    scene_untouched(s, 3, "amend", V1, "--reason", "x");
    assert_warned(s, "the file was deleted since");
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_run(s, 2, "amend", V1, "--reason", "x");
}

static void only_what_is_merged_is_accepted(void **state)
{
    struct scene *s = *state;

    change_first(s);
    repo_branch(&s->repo, "feature");
    scene_file(s, "V1", "SELECT 'on a branch';\n");
    repo_commit(&s->repo, "not merged");
    scene_untouched(s, 3, "amend", V1, "--reason", "x");
    assert_warned(s, "is not on branch main");
    repo_switch(&s->repo, "main");
    repo_merge(&s->repo, REPO_MERGE, "feature");
    scene_run(s, 0, "amend", V1, "--reason", "x");
    scene_run(s, 0, "verify");
}

static void failure_leaves_the_ledger_as_it_was(void **state)
{
    struct scene *s = *state;

    change_first(s);
    cluster_exec(&scene_server, s->db,
                 "ALTER TABLE revtwin.ledger ADD CHECK (kind <> 'amended')");
    scene_run(s, 4, "amend", V1, "--reason", "x");
    assert_warned(s, "cannot write the ledger");
    assert_warned(s, "No row was written: the ledger is as it was.");
    assert_ledger(s, "applied V1, applied V2");
    scene_tamper(s, "UPDATE revtwin.ledger SET client = 'x' WHERE seq = 1");
    scene_untouched(s, 7, "amend", V1, "--reason", "x");
    assert_warned(s, "tampered");
}

/* ------------------------------------------------------------------ history */

/* The row is at HEAD, but pending steps before HEAD are not skipped. */
static void catching_up_starts_where_it_did(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    scene_file(s, "V1", "SELECT 'changed';\n");
    repo_commit(&s->repo, "change V1");
    scene_step(s, "V3");
    scene_run(s, 0, "amend", V1, "--reason", "x");
    scene_untouched(s, 0, "plan", "--ledger");
    assert_said(s, "2 migrations to apply");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, amended V1, applied V2, applied V3");
    scene_untouched(s, 0, "apply", "--ledger");
}

/* Commits from before the change have the text that was applied. */
static void branches_from_before_the_change_are_fine(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_git(&s->repo, "branch", "feature", NULL);
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_file(s, "V1", "SELECT 'changed';\n");
    repo_commit(&s->repo, "change V1");
    scene_run(s, 0, "amend", V1, "--reason", "x");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    repo_switch(&s->repo, "feature");
    scene_step(s, "V9");
    scene_untouched(s, 0, "plan");
    assert_said(s, "1 migration to apply");
    assert_warned(s, "is as it was applied, before it was amended");
    assert_lacks(s->run.err, "no longer in the tree"); /* V2 and V3 come later */

    /* So has an old run that is started again. */
    repo_switch(&s->repo, "main");
    scene_untouched(s, 0, "apply", "HEAD~3");
    assert_said(s, "nothing to apply");
    assert_lacks(s->run.err, "no longer in the tree");
    scene_untouched(s, 0, "verify", "HEAD~2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(changed_file_is_accepted),
        scene_test(what_is_changed_again_is_amended_again),
        scene_test(baseline_can_be_amended),
        scene_test(a_reason_is_needed),
        scene_test(what_is_not_changed_is_nothing_to_do),
        scene_test(what_is_not_applied_is_refused),
        scene_test(only_what_is_merged_is_accepted),
        scene_test(failure_leaves_the_ledger_as_it_was),
        scene_test(catching_up_starts_where_it_did),
        scene_test(branches_from_before_the_change_are_fine),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
