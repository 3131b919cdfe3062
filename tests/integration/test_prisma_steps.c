/* Files that run without a transaction, with Prisma beside: while one is under way, or
 * has stopped, Prisma sees a migration that is not finished, as with one of its own; and
 * its lock is free, because who waits for it would deadlock with CREATE INDEX
 * CONCURRENTLY. */
#include "prisma.h"
#include "sleeper.h"

#define NO_TRANSACTION "-- revtwin: no-transaction\n"
#define INDEX "CREATE INDEX CONCURRENTLY i ON log (name);\n"
#define STOPS INDEX "CREATE INDEX CONCURRENTLY j ON log (missing);\n"

/* 1_a is in, 2_b has stopped at its second statement. */
static void stopped(struct scene *s)
{
    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    scene_file(s, "2_b/migration", STOPS);
    repo_commit(&s->repo, "stops");
    scene_run(s, 4, "apply");
    assert_rows(s, "1_a done, 2_b failed");
}

static void under_way(void **state)
{
    struct scene *s = *state;
    PGconn *prisma;
    PGresult *got;

    prisma_project(s, "1_a");
    cluster_exec(&scene_server, s->db, "CREATE TABLE gate ()");
    scene_file(s, "2_b/migration", NO_TRANSACTION "SELECT FROM gate;\n" INDEX);
    folder(s, "3_c");
    repo_commit(&s->repo, "an index");
    prisma = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(prisma, "BEGIN; LOCK TABLE gate"));
    scene_start(s, "apply", "--base", "none", "--lock-timeout", "60s");
    wait_for(s, "SELECT FROM gate%");
    assert_rows(s, "1_a done, 2_b failed");
    assert_production(s, "SELECT logs FROM _prisma_migrations WHERE finished_at IS NULL",
                      "revtwin: under way; revtwin status tells more");
    got = PQexec(prisma, "SELECT pg_try_advisory_xact_lock(72707369)");
    assert_string_equal(PQgetvalue(got, 0, 0), "t");
    PQclear(got);
    PQfinish(prisma);
    scene_finish(s, 0);
    assert_rows(s, "1_a done, 2_b done, 3_c done");
    assert_production(s,
                      "SELECT bool_and(applied_steps_count = 1 AND logs IS NULL AND "
                      "started_at < finished_at) FROM _prisma_migrations",
                      "t");
    assert_prisma_has_nothing_to_do(s);
}

static void the_first_of_all(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_file(s, "1_a/migration", INDEX);
    repo_commit(&s->repo, "an index");
    scene_run(s, 0, "apply", "--base", "none");
    assert_rows(s, "1_a done");
    assert_prisma_has_nothing_to_do(s);
}

static void going_on(void **state)
{
    struct scene *s = *state;

    stopped(s);
    scene_untouched(s, 0, "plan", "HEAD");
    assert_lacks(s->run.err, "did not finish");
    scene_untouched(s, 0, "status");
    scene_file(s, "2_b/migration", INDEX);
    repo_commit(&s->repo, "mended");
    folder_step(s, "3_c");
    scene_run(s, 0, "apply", "--ledger");
    assert_rows(s, "1_a done, 2_b done, 3_c done");
    assert_prisma_has_nothing_to_do(s);
}

static void going_past(void **state)
{
    struct scene *s = *state;

    stopped(s);
    folder_step(s, "3_c");
    scene_run(s, 0, "apply", "--ledger", "--skip-stopped");
    assert_rows(s, "1_a done, 2_b failed, 3_c done");
}

static void settled_by_hand(void **state)
{
    struct scene *s = *state;

    stopped(s);
    scene_run(s, 0, "resolve", "migrations/2_b/migration.sql", "--forget");
    assert_rows(s, "1_a done, 2_b rolled back");
    prisma_expects(s, "2_b");
    cluster_exec(&scene_server, s->db, "DROP INDEX i");
    scene_run(s, 4, "apply", "--ledger");
    assert_rows(s, "1_a done, 2_b rolled back, 2_b failed");
    scene_run(s, 0, "resolve", "migrations/2_b/migration.sql", "--applied");
    assert_rows(s, "1_a done, 2_b rolled back, 2_b done");
    assert_prisma_has_nothing_to_do(s);
    assert_ledger(s, "applied 1_a/migration, forgotten 2_b/migration, resolved "
                     "2_b/migration");
}

static void settled_by_prisma(void **state)
{
    struct scene *s = *state;

    stopped(s);
    prisma_rolls_back(s, "2_b"); /* resolve --applied does both */
    prisma_starts(s, "2_b");
    prisma_finishes(s, "2_b");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied 1_a/migration, baseline 2_b/migration");
    assert_production(s, "SELECT count(*) FROM revtwin.step", "0");
    assert_rows(s, "1_a done, 2_b rolled back, 2_b done");
}

/* Prisma's table was left out of it in between. */
static void finished_in_another_layout(void **state)
{
    struct scene *s = *state;

    stopped(s);
    scene_file(s, "2_b/migration", INDEX);
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger", "--layout", "plain");
    assert_rows(s, "1_a done, 2_b failed");
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "1 migration that the ledger has has no row");
    assert_rows(s, "1_a done, 2_b done");
    assert_prisma_has_nothing_to_do(s);
}

/* With its lock disabled: it begins the file that we have not come to. */
static void prisma_begins_it_meanwhile(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    folder(s, "2_b");
    scene_file(s, "3_c/migration", INDEX);
    repo_commit(&s->repo, "an index");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; LOCK TABLE log"));
    scene_start(s, "apply", "--lock-timeout", "60s");
    wait_for(s, "INSERT INTO log%");
    prisma_starts(s, "3_c");
    PQfinish(other);
    scene_finish(s, 8);
    assert_warned(s, "migrations/3_c/migration.sql: Prisma was at work meanwhile");
    assert_warned(s, "1 of 2 migrations are in");
    assert_production(s, "SELECT to_regclass('i') IS NULL", "t");
    prisma_finishes(s, "3_c");
    scene_run(s, 0, "apply", "--ledger");
    assert_prisma_has_nothing_to_do(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(under_way),
        scene_test(the_first_of_all),
        scene_test(going_on),
        scene_test(going_past),
        scene_test(settled_by_hand),
        scene_test(settled_by_prisma),
        scene_test(finished_in_another_layout),
        scene_test(prisma_begins_it_meanwhile),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
