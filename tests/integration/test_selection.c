/* Selection and order: which files a step or a range brings, and in which order. */
#include "scene.h"

static void expect_commit(struct scene *s, const char *path, struct rt_oid commit)
{
    char *sql = check_printf("SELECT commit_oid FROM revtwin.ledger "
                             "WHERE path = 'migrations/%s.sql'",
                             path);

    assert_production(s, sql, commit.hex);
    free(sql);
}

/* A pull request of two commits, V2 and V3, on the branch "feature"; main has V1. */
static void open_pull_request(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_branch(&s->repo, "feature");
    scene_step(s, "V2");
    scene_step(s, "V3");
    repo_switch(&s->repo, "main");
}

static void merge_commit_is_one_step(void **state)
{
    struct scene *s = *state;
    struct rt_oid merge;

    open_pull_request(s);
    merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    expect_commit(s, "V2", merge);
    expect_commit(s, "V3", merge);
    assert_log(s, "V1 V2 V3");
}

static void squash_is_one_step(void **state)
{
    struct scene *s = *state;
    struct rt_oid squash;

    open_pull_request(s);
    squash = repo_merge(&s->repo, REPO_SQUASH, "feature");
    scene_run(s, 0, "apply");
    expect_commit(s, "V2", squash);
    expect_commit(s, "V3", squash);
    assert_log(s, "V1 V2 V3");
}

static void each_commit_of_a_rebase_is_a_step(void **state)
{
    struct scene *s = *state;
    struct rt_oid last;

    open_pull_request(s);
    last = repo_merge(&s->repo, REPO_REBASE, "feature");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "--ledger");
    scene_run(s, 0, "apply", "HEAD~1");
    assert_log(s, "V1 V2");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3");
    expect_commit(s, "V2", repo_resolve(&s->repo, "HEAD~1"));
    expect_commit(s, "V3", last);
}

static void ledger_catches_up_with_a_rebase(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    repo_merge(&s->repo, REPO_REBASE, "feature");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3");
}

static void commit_chooses_the_step(void **state)
{
    struct scene *s = *state;
    struct rt_oid second;

    scene_step(s, "V1");
    second = scene_step(s, "V2");
    scene_step(s, "V3");
    repo_git(&s->repo, "tag", "-a", "-m", "first", "v1", second.hex, NULL);
    scene_run(s, 0, "apply", "main~2");
    assert_log(s, "V1");
    scene_run(s, 0, "apply", "v1"); /* an annotated tag */
    assert_log(s, "V1 V2");
    scene_run(s, 0, "plan", repo_resolve(&s->repo, "HEAD").hex);
    assert_said(s, "migrations/V3.sql");
    assert_lacks(s->run.out, "migrations/V2.sql");
}

static void base_takes_every_step_after_it(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    repo_branch(&s->repo, "feature");
    scene_step(s, "V3");
    scene_step(s, "V4");
    repo_switch(&s->repo, "main");
    repo_merge(&s->repo, REPO_MERGE, "feature");
    scene_step(s, "V5");
    scene_run(s, 0, "apply", "--base", "HEAD~3", "HEAD~1");
    assert_log(s, "V1 V2 V3 V4");
    scene_run(s, 0, "apply", "--base=main~1");
    assert_log(s, "V1 V2 V3 V4 V5");
}

static void base_has_to_be_an_ancestor(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_untouched(s, 3, "apply", "--base", "HEAD", "HEAD~1");
    assert_warned(s, "ancestor");
    scene_untouched(s, 2, "apply", "--base", "HEAD~1", "--ledger");
    assert_warned(s, "--ledger");
}

static void steps_come_oldest_first(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V9");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    scene_step(s, "V2");
    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V9 V3 V2 V1");
}

/* Digit runs compare as numbers, in every part of the path. */
static void natural_order_inside_a_step(void **state)
{
    static const char *const names[] = {"V10__b",  "V9__a",   "V0100__d", "V11.2__c",
                                        "V11.1",   "2/V1",    "10/V1",    "2/sub/V1",
                                        "2/V10/a", "V2/down", NULL};
    struct scene *s = *state;

    for (size_t i = 0; names[i]; i++)
        scene_migration(s, names[i]);
    repo_commit(&s->repo, "many");
    scene_run(s, 0, "apply");
    assert_log(s, "2/V1 2/V10/a 2/sub/V1 10/V1 V9__a V10__b V11.1 V11.2__c V0100__d");
}

static void prisma_folders_come_in_order(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "20240209_b/migration");
    scene_migration(s, "20231231_a/migration");
    repo_write(&s->repo, "migrations/migration_lock.toml", "provider = \"postgresql\"\n");
    repo_commit(&s->repo, "prisma");
    scene_run(s, 0, "apply");
    assert_log(s, "20231231_a/migration 20240209_b/migration");
}

static void down_files_are_never_applied(void **state)
{
    static const char *const names[] = {"V1__users",      "U1__users", "2_orders.up",
                                        "2_orders.down",  "3/up",      "3/down",
                                        "V4__down_train", "Users",     NULL};
    struct scene *s = *state;

    for (size_t i = 0; names[i]; i++)
        scene_migration(s, names[i]);
    repo_commit(&s->repo, "with their way back");
    scene_run(s, 0, "plan");
    assert_warned(s, "migrations/U1__users.sql");
    assert_warned(s, "migrations/2_orders.down.sql");
    assert_warned(s, "migrations/3/down.sql");
    assert_warned(s, "down migration");
    scene_run(s, 0, "apply");
    assert_log(s, "2_orders.up 3/up Users V1__users V4__down_train");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "2_orders.up 3/up Users V1__users V4__down_train");
}

static void baseline_leaves_down_files_out(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_step(s, "V1.down");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, applied V2");
    scene_new_production(s);
    scene_run(s, 0, "baseline", "HEAD");
    assert_ledger(s, "baseline V1, baseline V2");
}

static void files_outside_of_the_path_are_never_applied(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "setup.sql", "INSERT INTO log (name) VALUES ('root');");
    repo_write(&s->repo, "db/migrations/V1.sql", "INSERT INTO log (name) VALUES ('db');");
    repo_write(&s->repo, "migrations2/V1.sql", "INSERT INTO log (name) VALUES ('2');");
    repo_write(&s->repo, "migrations/notes.sql.txt", "not SQL");
    repo_write(&s->repo, "migrations/seed.psql", "not ours");
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
}

/* A pull request into which main was merged, and which main then only followed. */
static void fast_forward_is_caught_up_by_ledger(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    repo_switch(&s->repo, "feature");
    repo_git(&s->repo, "merge", "-q", "-m", "catch up", "main", NULL);
    repo_switch(&s->repo, "main");
    repo_git(&s->repo, "merge", "-q", "--ff-only", "feature", NULL);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V0 V2 V3");
}

/* Of which --ledger knows no start, and a single step warns. */
static void rewritten_history_is_not_silent(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    repo_git(&s->repo, "reset", "-q", "--hard", "HEAD~1", NULL);
    scene_step(s, "V3");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "ledger");
    assert_warned(s, "ancestor");
    scene_run(s, 0, "apply");
    assert_warned(s, "no longer in the tree");
    assert_warned(s, "migrations/V2.sql");
    assert_ledger(s, "baseline V1, applied V2, applied V3");
}

static void step_without_migrations_is_nothing_to_do(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "README", "words");
    repo_commit(&s->repo, "words");
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to apply");
    scene_untouched(s, 0, "apply", "--ledger");
    assert_said(s, "nothing to apply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(merge_commit_is_one_step),
        scene_test(squash_is_one_step),
        scene_test(each_commit_of_a_rebase_is_a_step),
        scene_test(ledger_catches_up_with_a_rebase),
        scene_test(commit_chooses_the_step),
        scene_test(base_takes_every_step_after_it),
        scene_test(base_has_to_be_an_ancestor),
        scene_test(steps_come_oldest_first),
        scene_test(natural_order_inside_a_step),
        scene_test(prisma_folders_come_in_order),
        scene_test(down_files_are_never_applied),
        scene_test(baseline_leaves_down_files_out),
        scene_test(files_outside_of_the_path_are_never_applied),
        scene_test(fast_forward_is_caught_up_by_ledger),
        scene_test(rewritten_history_is_not_silent),
        scene_test(step_without_migrations_is_nothing_to_do),
    };

    return cmocka_run_group_tests_name("selection", tests, scene_start_server,
                                       scene_stop_server);
}
