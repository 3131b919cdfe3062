/* revtwin and Prisma at the same time: the lock of Prisma, and what Prisma does without.
 */
#include <signal.h>

#include "pgbouncer.h"
#include "prisma.h"
#include "sleeper.h"

#define LOCK "SELECT pg_advisory_lock(72707369)"

/* A session of Prisma's that holds its lock. */
static PGconn *prisma_at_work(struct scene *s)
{
    PGconn *conn = cluster_connect(&scene_server, s->db);

    PQclear(PQexec(conn, "SET application_name = 'prisma'"));
    PQclear(PQexec(conn, LOCK));
    return conn;
}

static void prismas_lock_is_waited_for(void **state)
{
    struct scene *s = *state;
    PGconn *prisma;
    char pid[16];

    prisma_project(s, "1_a");
    prisma = prisma_at_work(s);
    snprintf(pid, sizeof(pid), "pid %d", PQbackendPID(prisma));
    scene_untouched(s, 8, "apply", "--wait", "1");
    assert_warned(s, "waiting for Prisma, which is at work on production");
    assert_warned(s, "Prisma holds production's lock (waited 1 s)");
    assert_warned(s, pid);
    assert_warned(s, "application prisma");
    assert_warned(s, "Nothing was changed");
    scene_untouched(s, 8, "baseline", "HEAD", "--wait", "0");

    /* Those who only look do not wait, and another layout does not care. */
    scene_run(s, 0, "plan");
    scene_run(s, 0, "status");

    scene_start(s, "apply", "--wait", "30");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND "
                 "(classid::bigint << 32 | objid::bigint) = 8243124935563243008");
    sql(s, PRISMA_TABLE); /* it deploys what we were about to */
    prisma_deploys(s, "1_a");
    PQfinish(prisma);
    scene_finish(s, 0);
    assert_log(s, "1_a/migration");
    assert_ledger(s, "baseline 1_a/migration");
    assert_rows(s, "1_a done");
}

static void prisma_waits_for_ours(void **state)
{
    struct scene *s = *state;
    PGconn *prisma = cluster_connect(&scene_server, s->db);
    PGresult *got;

    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE hold (); INSERT INTO hold DEFAULT VALUES");
    prisma_project(s, "1_a");
    scene_file(s, "2_b/migration", SLEEP);
    folder(s, "3_c");
    repo_commit(&s->repo, "sleeps");
    scene_start(s, "apply", "--base", "none");
    wait_for(s, "%pg_sleep%");
    PQclear(PQexec(prisma, "SET statement_timeout = '1s'")); /* its own ten are long */
    got = PQexec(prisma, LOCK);
    assert_int_equal(PQresultStatus(got), PGRES_FATAL_ERROR);
    PQclear(got);
    kill(s->run.pid, SIGTERM);
    scene_finish(s, 143);
    assert_rows(s, "1_a done");
    prisma_expects(s, "2_b 3_c");
    PQclear(PQexec(prisma, "RESET statement_timeout"));
    got = PQexec(prisma, LOCK);
    assert_int_equal(PQresultStatus(got), PGRES_TUPLES_OK);
    PQclear(got);
    PQfinish(prisma);
}

/* ------------------------------------------------------------------ without its lock */

/* Where Prisma's lock is disabled, or means nothing because of a pooler, it may be at
 * work while we are. Here somebody holds back a run that has made its plan. */
static PGconn *hold_back(struct scene *s)
{
    PGconn *other = cluster_connect(&scene_server, s->db);

    PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8243124935563243009)"));
    scene_start(s, "apply", "--lock-timeout", "60s");
    wait_for(s, "%pg_advisory_xact_lock%");
    return other;
}

static void prisma_applies_what_we_are_about_to(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    folder_step(s, "2_b");
    other = hold_back(s);
    prisma_deploys(s, "2_b");
    PQfinish(other);
    scene_finish(s, 8);
    assert_warned(s, "migrations/2_b/migration.sql: Prisma was at work meanwhile: "
                     "public._prisma_migrations has 2_b, or a migration that is not "
                     "finished");
    assert_warned(s, "0 of 1 migrations are in");
    assert_log(s, "1_a/migration 2_b/migration");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied 1_a/migration, baseline 2_b/migration");
    assert_prisma_has_nothing_to_do(s);
}

static void prisma_fails_meanwhile(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    folder_step(s, "2_b");
    folder_step(s, "3_c");
    prisma_deploys(s, "2_b"); /* to be recorded, which looks, too */
    other = hold_back(s);
    prisma_fails(s, "3_c");
    PQfinish(other);
    scene_finish(s, 8);
    assert_warned(s, "a migration that is not finished");
    assert_ledger(s, "applied 1_a/migration");
    scene_untouched(s, 3, "apply");
}

static void prisma_makes_the_table_meanwhile(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    prisma_project(s, "1_a");
    scene_run(s, 0, "baseline", "HEAD", "--layout", "plain"); /* the ledger is there */
    scene_tamper(s, "TRUNCATE revtwin.ledger");
    other = hold_back(s);
    sql(s, PRISMA_TABLE);
    PQfinish(other);
    scene_finish(s, 8);
    assert_warned(s, "Prisma made its table public._prisma_migrations meanwhile");
    assert_log(s, "");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done");
}

/* ------------------------------------------------------------------ behind a pooler */

/* Locks of the session mean nothing there; those of the transaction do. */
static void behind_a_pooler(void **state)
{
    char url[CLUSTER_URL_SIZE];
    struct scene *s = *state;
    struct pgbouncer pooler;
    PGconn *prisma, *other;

    pgbouncer_start(&pooler, &scene_server);
    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done");
    assert_production(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
                      "0");

    prisma = prisma_at_work(s);
    folder_step(s, "2_b");
    scene_untouched(s, 8, "apply", "--wait", "0");
    assert_warned(s, "Prisma holds production's lock");
    assert_warned(s, "application prisma");
    PQfinish(prisma);

    other = hold_back(s);
    prisma = prisma_at_work(s);
    PQfinish(other);
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT "
                 "granted AND objid = 72707369");
    prisma_deploys(s, "2_b");
    PQfinish(prisma);
    scene_finish(s, 8);
    assert_warned(s, "Prisma was at work meanwhile");
    assert_log(s, "1_a/migration 2_b/migration");

    folder_step(s, "3_c");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s,
                  "applied 1_a/migration, baseline 2_b/migration, applied 3_c/migration");
    assert_prisma_has_nothing_to_do(s);

    pgbouncer_stop(&pooler);
}

static void a_pooler_and_a_lock_that_stays(void **state)
{
    char url[CLUSTER_URL_SIZE];
    struct scene *s = *state;
    struct pgbouncer pooler;
    PGconn *prisma, *other;

    pgbouncer_start(&pooler, &scene_server);
    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    folder_step(s, "2_b");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8243124935563243009)"));
    scene_start(s, "apply", "--lock-timeout", "2s", "--retries", "0");
    wait_for(s, "%pg_advisory_xact_lock%");
    prisma = prisma_at_work(s);
    PQfinish(other);
    scene_finish(s, 8);
    assert_warned(s, "another revtwin or Prisma is in the middle of a migration");
    PQfinish(prisma);
    pgbouncer_stop(&pooler);
}

/* ------------------------------------------------------------------ runners */

static void two_runners(void **state)
{
    enum { RUNNERS = 3 };
    struct scene *s = *state;
    struct run runs[RUNNERS] = {0};

    prisma_project(s, "1_a");
    for (int i = 2; i <= 9; i++) {
        char *name = check_printf("%d_x", i);

        folder(s, name);
        free(name);
    }
    repo_commit(&s->repo, "files");
    for (int i = 0; i < RUNNERS; i++)
        run_start_revtwin(&runs[i], s->repo.dir, s->env,
                          (const char *const[]){"apply", NULL});
    for (int i = 0; i < RUNNERS; i++) {
        run_finish(&runs[i]);
        run_expect(&runs[i], 0);
        run_clear(&runs[i]);
    }
    assert_production(s, "SELECT count(*) || ' ' || count(DISTINCT name) FROM log",
                      "8 8");
    assert_production(s,
                      "SELECT count(*) || ' ' || count(DISTINCT migration_name) FROM "
                      "_prisma_migrations",
                      "9 9");
    assert_prisma_has_nothing_to_do(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(prismas_lock_is_waited_for),
        scene_test(prisma_waits_for_ours),
        scene_test(prisma_applies_what_we_are_about_to),
        scene_test(prisma_fails_meanwhile),
        scene_test(prisma_makes_the_table_meanwhile),
        scene_test(behind_a_pooler),
        scene_test(a_pooler_and_a_lock_that_stays),
        scene_test(two_runners),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
