/* Prisma itself and revtwin on one database, in turn and at the same time: what either
 * has done is done for the other. tests/integration/test_prisma*.c has the rest. */
#include "sleeper.h"
#include "tool.h"

#define LOCK_FILE "migrations/migration_lock.toml"

static void project(struct scene *s)
{
    repo_write(&s->repo, LOCK_FILE, "provider = \"postgresql\"\n");
}

/* It has nothing to do, in its own words. */
static void expect_up_to_date(struct scene *s)
{
    tool(s, 0, PRISMA, "status", CONFIG);
    assert_said(s, "Database schema is up to date!");
    tool(s, 0, PRISMA, "deploy", CONFIG);
    assert_said(s, "No pending migrations to apply.");
}

static void in_turn(void **state)
{
    struct scene *s = *state;

    project(s);
    scene_step(s, "20240101000000_a/migration");
    scene_step(s, "20240102000000_b b/migration");
    scene_run(s, 0, "apply", "--base", "none");
    expect_up_to_date(s);

    scene_file(s, "20240103000000_c/migration",
               "INSERT INTO log (name)\r\nVALUES ('c');\r\n");
    repo_commit(&s->repo, "c");
    tool(s, 0, PRISMA, "deploy", CONFIG);
    assert_said(s, "20240103000000_c/");
    scene_run(s, 0, "apply");
    scene_step(s, "20240104000000_d/migration");
    scene_run(s, 0, "apply");
    expect_up_to_date(s);
    assert_ledger(s, "applied 20240101000000_a/migration, applied 20240102000000_b "
                     "b/migration, baseline 20240103000000_c/migration, applied "
                     "20240104000000_d/migration");
    assert_log(s, "20240101000000_a/migration 20240102000000_b b/migration c "
                  "20240104000000_d/migration");
    scene_run(s, 0, "verify");
}

static void what_failed(void **state)
{
    struct scene *s = *state;

    project(s);
    scene_step(s, "1_a/migration");
    scene_run(s, 0, "apply");
    scene_file(s, "2_b/migration", "SELECT 1/0;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply"); /* leaves nothing */
    tool(s, 1, PRISMA, "deploy", CONFIG);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "2_b, started ");
    assert_warned(s, "division by zero");
    tool(s, 0, PRISMA, "resolve", CONFIG, "--rolled-back", "2_b");
    scene_migration(s, "2_b/migration");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger");
    expect_up_to_date(s);

    scene_file(s, "3_c/migration", "SELECT 1/0;\n");
    repo_commit(&s->repo, "fails, too");
    tool(s, 1, PRISMA, "deploy", CONFIG);
    tool(s, 0, PRISMA, "resolve", CONFIG, "--applied", "3_c");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied 1_a/migration, applied 2_b/migration, baseline "
                     "3_c/migration");
    expect_up_to_date(s);
}

/* Only revtwin was used, and by a layout that Prisma had no part in. */
static void a_ledger_that_was_there_before(void **state)
{
    struct scene *s = *state;

    project(s);
    scene_step(s, "1_a/migration");
    scene_step(s, "2_b/migration");
    scene_run(s, 0, "apply", "--base", "none", "--layout", "plain");
    tool(s, 1, PRISMA, "status", CONFIG);
    scene_run(s, 0, "apply");
    expect_up_to_date(s);
    assert_log(s, "1_a/migration 2_b/migration");

    scene_step(s, "3_c/migration");
    scene_run(s, 0, "baseline", "HEAD");
    expect_up_to_date(s);
    assert_log(s, "1_a/migration 2_b/migration");
}

/* Half-way in a file without a transaction: for Prisma one that failed. */
static void what_has_stopped(void **state)
{
    struct scene *s = *state;

    project(s);
    scene_step(s, "1_a/migration");
    scene_run(s, 0, "apply");
    scene_file(s, "2_b/migration", "CREATE INDEX CONCURRENTLY i ON log (missing);\n");
    repo_commit(&s->repo, "stops");
    scene_run(s, 4, "apply");
    tool(s, 1, PRISMA, "deploy", CONFIG);
    assert_warned(s, "P3009");
    scene_file(s, "2_b/migration", "CREATE INDEX CONCURRENTLY i ON log (name);\n");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger");
    expect_up_to_date(s);
}

/* Its table and ours are the same. */
static void the_table(void **state)
{
    struct scene *s = *state;
    char *ours, *theirs;

    project(s);
    scene_file(s, "1_a/migration", "SELECT 1;\n");
    repo_commit(&s->repo, "a");
    cluster_exec(&scene_server, s->db, "DROP TABLE log"); /* or Prisma does not begin */
    scene_run(s, 0, "apply");
    ours = cluster_dump(&scene_server, s->db, "--schema-only",
                        "--table=_prisma_migrations", NULL);
    cluster_exec(&scene_server, s->db, "DROP TABLE _prisma_migrations");
    tool(s, 0, PRISMA, "deploy", CONFIG);
    theirs = cluster_dump(&scene_server, s->db, "--schema-only",
                          "--table=_prisma_migrations", NULL);
    assert_text_equal(ours, theirs);
    free(ours);
    free(theirs);
}

/* Prisma waits for our lock, and then finds that all is done. */
static void at_the_same_time(void **state)
{
    struct scene *s = *state;
    struct run prisma = {0};
    PGconn *other;

    project(s);
    cluster_exec(&scene_server, s->db, "CREATE TABLE gate ()");
    scene_step(s, "1_a/migration");
    scene_file(s, "2_b/migration", "LOCK TABLE gate;\n");
    scene_migration(s, "3_c/migration");
    repo_commit(&s->repo, "more");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; LOCK TABLE gate"));
    scene_start(s, "apply", "--base", "none", "--lock-timeout", "60s");
    wait_for(s, "LOCK TABLE gate%");
    start_tool(s, &prisma, (const char *const[]){PRISMA, "deploy", CONFIG, NULL});
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT "
                 "granted AND objid = 72707369");
    PQfinish(other);
    scene_finish(s, 0);
    run_finish(&prisma);
    run_expect(&prisma, 0);
    assert_contains(prisma.out, "No pending migrations to apply.");
    run_clear(&prisma);
    assert_log(s, "1_a/migration 3_c/migration");
    expect_up_to_date(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tool_test(in_turn),          tool_test(what_failed),
        tool_test(what_has_stopped), tool_test(a_ledger_that_was_there_before),
        tool_test(the_table),        tool_test(at_the_same_time),
    };

    return cmocka_run_group_tests(tests, tool_start_server, scene_stop_server);
}
