/*
 * What a run owes to the runs before it: the first one, a missed one, a failed one, the
 * same one again.
 */
#include "scene.h"

#define BROKEN "INSERT INTO log (name) VALUES ('broken'); SELECT no_such_column;\n"

static void first_run_records_the_base_as_baseline(void **state)
{
    struct scene *s = *state;
    struct rt_oid base;

    scene_step(s, "V1");
    base = scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_log(s, "V3");
    assert_ledger(s, "baseline V1, baseline V2, applied V3");
    assert_warned(s, "the ledger is empty");
    assert_warned(s, "baseline");
    assert_said(s, "migrations/V1.sql");
    assert_production(s,
                      "SELECT DISTINCT commit_oid FROM revtwin.ledger WHERE "
                      "kind = 'baseline' AND statements = 0",
                      base.hex);
}

static void first_run_says_in_the_plan_what_is_baseline(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_untouched(s, 0, "plan");
    assert_warned(s, "the ledger is empty");
    assert_said(s, "baseline  migrations/V1.sql");
    assert_said(s, "apply     migrations/V2.sql");
}

static void first_run_of_the_root_commit_has_no_baseline(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
}

static void first_run_refuses_a_file_that_the_step_changes(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;");
    scene_step(s, "V2");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql was changed");
}

static void ledger_needs_a_start(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "ledger is empty");
    assert_warned(s, "revtwin baseline REV");
    assert_warned(s, "--base REV");
    scene_untouched(s, 3, "plan", "--ledger");
}

static void base_on_an_empty_ledger_is_a_start(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--base", "HEAD~2");
    assert_ledger(s, "baseline V1, applied V2, applied V3");
    assert_log(s, "V2 V3");
}

/* What no revision can name: before the first commit of all. */
static void base_none_starts_with_the_first_commit(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_untouched(s, 0, "plan", "--base", "none");
    assert_said(s, "2 migrations to apply");
    scene_run(s, 0, "apply", "--base", "none");
    assert_ledger(s, "applied V1, applied V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--base", "none");
    assert_log(s, "V1 V2 V3");
    repo_git(&s->repo, "branch", "none", NULL);
    scene_untouched(s, 2, "apply", "--base", "none");
    assert_warned(s, "refs/heads/none");
    scene_run(s, 0, "apply", "--base", "refs/heads/none");
}

/* A hint is only worth something when it can be followed. */
static void gap_on_an_empty_ledger_has_a_way_out(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql", BROKEN);
    repo_commit(&s->repo, "the first commit of all");
    scene_run(s, 4, "apply");
    scene_step(s, "V2");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql");
    assert_lacks(s->run.err, "--ledger");
    assert_warned(s, "--base none");
    scene_migration(s, "V1");
    repo_commit(&s->repo, "mend V1");
    scene_run(s, 0, "apply", "--base", "none");
    assert_log(s, "V1 V2");
}

static void baseline_is_a_start(void **state)
{
    struct scene *s = *state;
    struct rt_oid second;

    scene_step(s, "V1");
    second = scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "baseline", "HEAD~1");
    assert_ledger(s, "baseline V1, baseline V2");
    assert_production(s, "SELECT DISTINCT commit_oid FROM revtwin.ledger", second.hex);
    assert_log(s, "");
    scene_untouched(s, 0, "baseline", "HEAD~1");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "baseline V1, baseline V2, applied V3");
    assert_log(s, "V3");
}

static void baseline_records_what_was_done_by_hand(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V2.sql", "\\echo for psql\nSELECT 1;");
    repo_commit(&s->repo, "by hand");
    scene_untouched(s, 3, "apply");
    scene_run(s, 0, "baseline", "HEAD");
    assert_ledger(s, "applied V1, baseline V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, baseline V2, applied V3");
}

static void baseline_of_a_changed_file_is_refused(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V1.sql", "SELECT 1;");
    scene_step(s, "V2");
    scene_untouched(s, 3, "baseline", "HEAD");
    assert_warned(s, "migrations/V1.sql");
}

static void gap_is_refused_with_its_files(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_step(s, "V4");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "migrations/V3.sql");
    assert_warned(s, "--ledger");
    assert_lacks(s->run.err, "migrations/V4.sql");
    scene_untouched(s, 3, "apply", "--base", "HEAD~2");
    assert_warned(s, "migrations/V2.sql");
    assert_lacks(s->run.err, "migrations/V3.sql");
    scene_untouched(s, 3, "plan");
    assert_warned(s, "migrations/V2.sql");
    assert_ledger(s, "applied V1");
}

static void long_gap_is_cut(void **state)
{
    struct scene *s = *state;
    char name[32];

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    for (int i = 100; i < 150; i++) {
        snprintf(name, sizeof(name), "V%d", i);
        scene_migration(s, name);
    }
    repo_commit(&s->repo, "many");
    scene_step(s, "V900");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "50 migrations");
    assert_warned(s, "migrations/V100.sql");
    assert_warned(s, "30 more");
}

static void same_run_again_is_a_no_op(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to apply");
    scene_untouched(s, 0, "apply", "--ledger");
    scene_untouched(s, 0, "apply", "--base", "HEAD~1");
    assert_ledger(s, "baseline V1, applied V2");
    assert_log(s, "V2");
}

/* A workflow run of last week that somebody starts again. */
static void old_run_again_is_a_no_op(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--base", "HEAD~2");
    scene_untouched(s, 0, "apply", "HEAD~1");
    assert_lacks(s->run.err, "no longer in the tree");
    scene_untouched(s, 0, "apply", "--ledger", "HEAD~1");
    assert_lacks(s->run.err, "no longer in the tree");
    assert_log(s, "V2 V3");
}

/* Two merges within a minute, and only the second one's run took place. */
static void evicted_run_is_a_gap_that_ledger_catches_up(void **state)
{
    struct scene *s = *state;
    struct rt_oid evicted;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    evicted = scene_step(s, "V2");
    scene_step(s, "V3");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3");
    assert_production(s,
                      "SELECT commit_oid FROM revtwin.ledger "
                      "WHERE path = 'migrations/V2.sql'",
                      evicted.hex);
}

static void failed_run_is_caught_up_by_ledger(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
    repo_write(&s->repo, "migrations/V3.sql", BROKEN);
    scene_migration(s, "V4");
    repo_commit(&s->repo, "one of three is broken");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V3.sql:1");
    assert_log(s, "V1 V2");
    assert_ledger(s, "applied V1, applied V2");

    /* The next pull request mends the file; its own step has no new one but V5. */
    scene_migration(s, "V3");
    scene_step(s, "V5");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V3.sql");
    assert_warned(s, "migrations/V4.sql");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3 V4 V5");
    assert_warned(s, "migrations/V3.sql");
    assert_warned(s, "edited");
    scene_run(s, 0, "verify");
}

/* The file before the broken one is in, and is renamed by the pull request that mends. */
static void failed_run_is_caught_up_after_a_rename(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
    repo_write(&s->repo, "migrations/V3.sql", BROKEN);
    repo_commit(&s->repo, "broken");
    scene_run(s, 4, "apply");
    repo_rename(&s->repo, "migrations/V2.sql", "migrations/V2__users.sql");
    repo_delete(&s->repo, "migrations/V3.sql");
    scene_step(s, "V3__orders");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3__orders");
    assert_warned(s, "migrations/V2__users.sql was applied as migrations/V2.sql");
    assert_warned(s, "skipped");
}

static void failed_run_is_caught_up_by_itself(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
    repo_write(&s->repo, "migrations/V3.sql",
               "INSERT INTO log (name) SELECT 'V3' FROM mended;");
    repo_commit(&s->repo, "production is not ready");
    scene_run(s, 4, "apply");
    cluster_exec(&scene_server, s->db, "CREATE TABLE mended AS SELECT 1");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

static void failed_first_run_is_caught_up(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_write(&s->repo, "migrations/V2.sql", BROKEN);
    repo_commit(&s->repo, "broken");
    scene_run(s, 4, "apply");
    assert_ledger(s, "baseline V1");
    assert_log(s, "");
    scene_migration(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V2 V3");
}

/* The first file of all fails: the ledger is there, and empty. */
static void failed_first_file_is_never_assumed_to_be_applied(void **state)
{
    struct scene *s = *state;
    struct rt_oid start;

    start = repo_commit(&s->repo, "no migrations yet");
    repo_write(&s->repo, "migrations/V1.sql", BROKEN);
    repo_commit(&s->repo, "V1");
    scene_run(s, 4, "apply");
    assert_lacks(s->run.err, "--ledger"); /* which would be refused */
    assert_production(s, "SELECT count(*) FROM revtwin.ledger", "0");
    assert_log(s, "");

    scene_step(s, "V2"); /* the next pull request knows nothing of it */
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql");
    assert_warned(s, "--base");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "ledger is empty");

    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--base", start.hex);
    assert_log(s, "V1 V2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(first_run_records_the_base_as_baseline),
        scene_test(first_run_says_in_the_plan_what_is_baseline),
        scene_test(first_run_of_the_root_commit_has_no_baseline),
        scene_test(first_run_refuses_a_file_that_the_step_changes),
        scene_test(ledger_needs_a_start),
        scene_test(base_on_an_empty_ledger_is_a_start),
        scene_test(base_none_starts_with_the_first_commit),
        scene_test(gap_on_an_empty_ledger_has_a_way_out),
        scene_test(baseline_is_a_start),
        scene_test(baseline_records_what_was_done_by_hand),
        scene_test(baseline_of_a_changed_file_is_refused),
        scene_test(gap_is_refused_with_its_files),
        scene_test(long_gap_is_cut),
        scene_test(same_run_again_is_a_no_op),
        scene_test(old_run_again_is_a_no_op),
        scene_test(evicted_run_is_a_gap_that_ledger_catches_up),
        scene_test(failed_run_is_caught_up_by_ledger),
        scene_test(failed_run_is_caught_up_after_a_rename),
        scene_test(failed_run_is_caught_up_by_itself),
        scene_test(failed_first_run_is_caught_up),
        scene_test(failed_first_file_is_never_assumed_to_be_applied),
    };

    return cmocka_run_group_tests_name("catching up", tests, scene_start_server,
                                       scene_stop_server);
}
