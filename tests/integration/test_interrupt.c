/* What comes in the way of a run: locks, limits, another runner, a lost connection, a
 * signal. Every end is told truthfully, and nothing is left half-done. */
#include "scene.h"

#include <signal.h>
#include <time.h>

/* Sleeps as long as production has the table "hold". */
#define SLEEP "SELECT pg_sleep(60) FROM hold;\n"
#define COPY "COPY log (name) FROM stdin;\ncopied\n\\.\n"

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Three files, of which the second does something, then sleeps. */
static void three_files(struct scene *s, const char *second)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE hold (); INSERT INTO hold DEFAULT VALUES");
    scene_migration(s, "V1");
    scene_file(s, "V2", second);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
}

/* Wait until a session of this test's database runs a statement like this one. */
static void wait_for(struct scene *s, const char *like)
{
    char *sql = check_printf(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND "
        "pid <> pg_backend_pid() AND datname = '%s' AND query LIKE '%s'",
        s->db, like);

    cluster_wait(&scene_server, "postgres", sql);
    free(sql);
}

static void expect_nobody(struct scene *s)
{
    char *sql = check_printf(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '%s'", s->db);

    cluster_wait(&scene_server, "postgres", sql);
    free(sql);
}

/* Only V1 went in; and with the sleep over, the rest goes in too. */
static void expect_only_the_first(struct scene *s)
{
    expect_nobody(s);
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    cluster_exec(&scene_server, s->db, "TRUNCATE hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

/* ------------------------------------------------------------------ signals */

static void interrupt(struct scene *s, const char *second, const char *waiting_for,
                      int sig, int status)
{
    double start;

    three_files(s, second);
    scene_start(s, "apply");
    wait_for(s, waiting_for);
    start = seconds_now();
    kill(s->run.pid, sig);
    scene_finish(s, status);
    assert_true(seconds_now() - start < 2);
    assert_warned(s, "cancelled by SIG");
    assert_warned(s, "rolled back");
    assert_warned(s, "1 of 3 migrations");
    assert_warned(s, "revtwin apply --ledger");
    expect_only_the_first(s);
}

static void sigint_in_a_statement(void **state)
{
    interrupt(*state, "INSERT INTO log (name) VALUES ('half');\n" SLEEP, "%pg_sleep%",
              SIGINT, 130);
}

static void sigterm_in_a_statement(void **state)
{
    interrupt(*state, SLEEP, "%pg_sleep%", SIGTERM, 143);
}

static void sigint_in_a_file_with_copy(void **state)
{
    interrupt(*state, COPY SLEEP, "%pg_sleep%", SIGINT, 130);
}

/* The server does not read on while a trigger of the first row sleeps. */
static void sigterm_while_copy_data_wait(void **state)
{
    struct scene *s = *state;
    size_t size = 16 << 20;
    char *rows = check_alloc(size + 1), *sql;

    for (size_t i = 0; i < size; i += 64)
        snprintf(rows + i, 65, "%063zu\n", i);
    sql = check_printf(
        "CREATE TABLE slow (name text);\n"
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "PERFORM pg_sleep(60) FROM hold; RETURN NULL; END $$;\n"
        "CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION "
        "wait();\nCOPY slow FROM stdin;\n%s\\.\n",
        rows);
    interrupt(s, sql, "COPY slow%", SIGTERM, 143);
    free(rows);
    free(sql);
}

static void sigint_while_waiting_for_another_runner(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);
    double start;

    PQclear(PQexec(other, "SELECT pg_advisory_lock(8243124935563243008)"));
    scene_step(s, "V1");
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = "
                 "'revtwin' AND datname = current_database() AND state = 'idle'");
    start = seconds_now();
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    assert_true(seconds_now() - start < 2);
    PQfinish(other);
    assert_log(s, "");
}

/* ------------------------------------------------------------------ locks and limits */

static void lock_timeout_is_honoured(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);

    three_files(s, "CREATE TABLE half ();\nALTER TABLE hold ADD COLUMN a int;\n");
    PQclear(PQexec(other, "BEGIN; SELECT * FROM hold"));
    scene_run(s, 4, "apply", "--lock-timeout", "300ms");
    assert_warned(s, "migrations/V2.sql:2:1: ");
    assert_warned(s, "lock timeout");
    assert_warned(s, "SQLSTATE 55P03");
    assert_warned(s, "rolled back");
    assert_warned(s, "1 of 3 migrations");
    assert_log(s, "V1");
    assert_production(s, "SELECT to_regclass('half') IS NULL", "t");
    scene_run(s, 0, "status");
    assert_said(s, "55P03");
    PQfinish(other);
    expect_only_the_first(s);
}

static void statement_timeout_is_honoured(void **state)
{
    struct scene *s = *state;

    three_files(s, SLEEP);
    scene_run(s, 4, "apply", "--statement-timeout", "300ms");
    assert_warned(s, "migrations/V2.sql:1:1: ");
    assert_warned(s, "statement timeout");
    assert_warned(s, "SQLSTATE 57014");
    expect_only_the_first(s);
}

static void limits_come_from_the_configuration_file_too(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "revtwin.conf",
               "[apply]\n\tstatement-timeout = 300ms\n\tlock-timeout = 123ms\n");
    three_files(
        s, "INSERT INTO log (name) VALUES (current_setting('lock_timeout'));\n" SLEEP);
    scene_run(s, 4, "apply");
    assert_warned(s, "SQLSTATE 57014");
    cluster_exec(&scene_server, s->db, "TRUNCATE hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 123ms V3");
}

/* ------------------------------------------------------------------ two runners */

static void second_runner_waits_and_then_gives_up(void **state)
{
    struct scene *s = *state;
    struct run first = {0};

    three_files(s, SLEEP);
    run_start_revtwin(&first, s->repo.dir, s->env, (const char *const[]){"apply", NULL});
    wait_for(s, "%pg_sleep%");
    scene_run(s, 8, "apply", "--wait", "1");
    assert_warned(s, "another revtwin");
    assert_warned(s, "pid ");
    assert_warned(s, "user postgres");
    assert_warned(s, "application revtwin");
    assert_warned(s, "Nothing was changed");
    scene_run(s, 8, "baseline", "HEAD", "--wait", "0");

    /* Those who only look do not wait. */
    scene_run(s, 0, "status");
    assert_said(s, "2 pending");
    scene_run(s, 0, "plan");
    scene_run(s, 0, "verify");

    kill(first.pid, SIGINT);
    run_finish(&first);
    run_expect(&first, 130);
    run_clear(&first);
    expect_only_the_first(s);
}

static void second_runner_goes_on_when_the_first_is_done(void **state)
{
    struct scene *s = *state;
    struct run first = {0};

    three_files(s, SLEEP);
    run_start_revtwin(&first, s->repo.dir, s->env, (const char *const[]){"apply", NULL});
    wait_for(s, "%pg_sleep%");
    scene_start(s, "apply", "--wait", "30");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = "
                 "'revtwin' AND datname = current_database()");
    cluster_exec(&scene_server, s->db,
                 "DELETE FROM hold; SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                 "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    run_finish(&first);
    run_expect(&first, 4);
    run_clear(&first);
    /* It reads the ledger after it has the lock: V1 is not applied twice. */
    scene_finish(s, 0);
    assert_warned(s, "waiting for another revtwin");
    assert_log(s, "V1 V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

/* Where a pooler takes the session's lock away, the transaction's lock and the ledger's
 * unique hashes still keep two runners apart. */
static void runners_without_the_session_lock(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8243124935563243009)"));
    scene_step(s, "V1");
    scene_run(s, 8, "apply", "--lock-timeout", "300ms");
    assert_warned(s, "another revtwin");
    assert_warned(s, "0 of 1 migrations");

    scene_start(s, "apply", "--lock-timeout", "60s");
    wait_for(s, "%pg_advisory_xact_lock%");
    PQclear(PQexec(
        other, "INSERT INTO revtwin.ledger SELECT seq + 1, kind, 'other', algorithm, "
               "checksum, statements, commit_oid, pull_request, applied_at, duration, "
               "applied_by, client, revtwin_version, xid, entry_hash, 'other' FROM "
               "revtwin.ledger; COMMIT"));
    scene_finish(s, 8);
    assert_warned(s, "changed the ledger meanwhile");
    assert_log(s, "V0");
    PQfinish(other);
}

/* ------------------------------------------------------------------ lost connection */

static void terminate(struct scene *s, const char *second)
{
    three_files(s, second);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    cluster_exec(&scene_server, s->db,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                 "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    scene_finish(s, 6);
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "connection to production was lost");
    assert_warned(s, "1 of 3 migrations are known to be committed");
    assert_warned(s, "revtwin status");
    assert_lacks(s->run.err, "rolled back");
    expect_only_the_first(s);
}

static void backend_terminated_in_the_pipeline(void **state)
{
    terminate(*state, "INSERT INTO log (name) VALUES ('half');\n" SLEEP);
}

static void backend_terminated_in_a_file_with_copy(void **state)
{
    terminate(*state, COPY SLEEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(sigint_in_a_statement),
        scene_test(sigterm_in_a_statement),
        scene_test(sigint_in_a_file_with_copy),
        scene_test(sigterm_while_copy_data_wait),
        scene_test(sigint_while_waiting_for_another_runner),
        scene_test(lock_timeout_is_honoured),
        scene_test(statement_timeout_is_honoured),
        scene_test(limits_come_from_the_configuration_file_too),
        scene_test(second_runner_waits_and_then_gives_up),
        scene_test(second_runner_goes_on_when_the_first_is_done),
        scene_test(runners_without_the_session_lock),
        scene_test(backend_terminated_in_the_pipeline),
        scene_test(backend_terminated_in_a_file_with_copy),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
