/* A statement outside of a transaction that is broken off in the middle, in whatever way:
 * what production tells of it is asked, and it is never run twice. */
#include "steps.h"

#include <signal.h>
#include <time.h>

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start_building(struct scene *s)
{
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_index WHERE indrelid = 't'::regclass AND "
                 "NOT indisvalid");
}

/* ------------------------------------------------------------------ signals */

static void interrupt(struct scene *s, int sig, int status)
{
    PGconn *other = hold(s, BUILD);
    double start;

    start_building(s);
    start = seconds_now();
    kill(s->run.pid, sig);
    scene_finish(s, status);
    assert_true(seconds_now() - start < 2);
    assert_warned(s,
                  "migrations/V2.sql:3:1: stopped at statement 2 of 3: cancelled by SIG");
    assert_warned(s, "Statement 1 is done and stays. It left the INVALID index public.i");
    assert_warned(s, "0 of 2 migrations are in");
    assert_said(s, "stopped   migrations/V2.sql");
    assert_steps(s, "1 done, 2 failed");
    assert_index(s, "i", "invalid");
    release(other);
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "dropping the INVALID index public.i");
    expect_all(s);
}

static void sigint(void **state)
{
    interrupt(*state, SIGINT, 130);
}

static void sigterm(void **state)
{
    interrupt(*state, SIGTERM, 143);
}

/* The server has all that it needs to go on alone, and to say so. */
static void sigkill(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, BUILD);

    start_building(s);
    kill(s->run.pid, SIGKILL);
    run_finish(&s->run);
    run_expect(&s->run, -SIGKILL);
    scene_run(s, 8, "apply", "--ledger", "--wait", "1");
    assert_warned(s, "another revtwin holds production's lock");
    scene_run(s, 0, "status");
    assert_said(s, "at statement 2 of 3, line 3, since ");
    assert_said(s, ": it may still be running");
    scene_run(s, 8, "resolve", "migrations/V2.sql", "--forget", "--wait", "0");
    release(other);
    expect_nobody(s);
    assert_steps(s, "1 done, 2 done");
    scene_run(s, 0, "apply", "--ledger");
    assert_said(s, "resumed at statement 3");
    assert_lacks(s->run.err, "INVALID");
    expect_all(s);
}

/* ------------------------------------------------------------------ lost connections */

static void terminate(struct scene *s)
{
    cluster_exec(&scene_server, s->db,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                 "application_name = 'revtwin' AND datname = current_database() AND "
                 "state = 'active' AND pid <> pg_backend_pid()");
}

static void backend_terminated(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, BUILD);

    start_building(s);
    terminate(s);
    scene_finish(s, 1);
    assert_warned(s, "migrations/V2.sql:3:1: the connection to production was lost in "
                     "statement 2 of 3: ");
    assert_warned(s, "Statement 1 is done and stays.");
    assert_lacks(s->run.err, "rolled back");
    assert_steps(s, "1 done, 2 started");
    scene_run(s, 0, "status");
    assert_said(s, ": its outcome is not known");
    release(other);
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "dropping the INVALID index public.i");
    expect_all(s);
}

/* The row of statement 2 as a run leaves it that is lost right after it was done. */
static void forget_that_it_is_done(const struct scene *s)
{
    assert_steps(s, "1 done, 2 done, 3 failed");
    cluster_exec(&scene_server, s->db,
                 "DELETE FROM revtwin.step WHERE statement = 3;"
                 "UPDATE revtwin.step SET state = 'started', finished_at = NULL, pid = 0 "
                 "WHERE statement = 2");
}

/* Production tells that the statement was done, though its row does not. */
static void done_though_nobody_heard(struct scene *s, const char *setup,
                                     const char *statement, const char *said)
{
    char *sql = check_printf(DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                                       "%s;\nINSERT INTO later VALUES (1);\n",
                             statement);

    cluster_exec(&scene_server, s->db, setup);
    first_step(s);
    scene_file(s, "V2", sql);
    repo_commit(&s->repo, "file");
    scene_run(s, 4, "apply");
    forget_that_it_is_done(s);
    cluster_exec(&scene_server, s->db, "CREATE TABLE later (a int)");
    scene_run(s, 0, "apply");
    assert_warned(s, said);
    assert_log(s, "V1 one");
    assert_ledger(s, "applied V1, applied V2");
    free(sql);
}

/* Its row could not be written, so nobody knows; production does. */
static void row_could_not_be_written(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    first_step(s);
    cluster_exec(&scene_server, s->db,
                 "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN RAISE ''disk full''; END';"
                 "CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON revtwin.step FOR EACH "
                 "ROW WHEN (new.state = 'done') EXECUTE FUNCTION fail()");
    scene_file(s, "V2", BUILD ";\n");
    scene_file(s, "V3", DIRECTIVE "INSERT INTO log (name) VALUES ('V3');\n");
    repo_commit(&s->repo, "files");
    scene_run(s, 4, "apply");
    assert_warned(s, "stopped at statement 1 of 1: cannot write revtwin.step: disk full");
    assert_steps(s, "1 started");
    cluster_exec(&scene_server, s->db,
                 "DROP TRIGGER fail ON revtwin.step;"
                 "CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON revtwin.step FOR EACH "
                 "ROW WHEN (new.state = 'done' AND new.path LIKE '%V3%') EXECUTE "
                 "FUNCTION fail()");
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s,
                  "V3.sql:2:1: stopped at statement 1 of 1: cannot write revtwin.step");
    assert_log(s, "V1"); /* it is in with its row, or not at all */
    assert_steps(s, "1 failed");
    cluster_exec(&scene_server, s->db, "DROP FUNCTION fail CASCADE");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V3");
    assert_index(s, "i", "valid");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

static void index_is_there(void **state)
{
    done_though_nobody_heard(*state, "CREATE TABLE t (a int)", BUILD,
                             "statement 2 is done already (public.i is there and valid)");
}

static void index_is_gone(void **state)
{
    done_though_nobody_heard(*state, "CREATE TABLE t (a int); CREATE INDEX i ON t (a)",
                             "DROP INDEX CONCURRENTLY i",
                             "statement 2 is done already (public.i is gone)");
}

#define PARTITIONS                                         \
    "CREATE TABLE t (a int, b int) PARTITION BY LIST (a);" \
    "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)"
#define DETACH "ALTER TABLE t DETACH PARTITION t1 CONCURRENTLY"

static void partition_is_detached(void **state)
{
    done_though_nobody_heard(*state, PARTITIONS, DETACH,
                             "statement 2 is done already (public.t1 is detached)");
}

/* What the parser cannot read may do anything, and is not run again on a guess. */
static void nobody_knows_what_it_does(void **state)
{
    struct scene *s = *state;
    char *sql = check_printf(
        DIRECTIVE "DO $$ BEGIN INSERT INTO none VALUES (1); END /*%040000d*/ $$;\n"
                  "INSERT INTO log (name) VALUES ('two');\n",
        0);

    first_step(s);
    scene_file(s, "V2", sql);
    repo_commit(&s->repo, "large");
    scene_run(s, 4, "apply");
    assert_warned(s, "stopped at statement 1 of 2: relation \"none\" does not exist");
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE none (a int); UPDATE revtwin.step SET state = 'started'");
    scene_run(s, 6, "apply");
    assert_warned(s, "nothing in production tells whether it was done");
    assert_steps(s, "1 started");
    cluster_exec(&scene_server, s->db, "UPDATE revtwin.step SET state = 'failed'");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 two");
    assert_production(s, "SELECT count(*) FROM none", "1");
    free(sql);
}

/* Nor does an index without a name tell. */
static void nothing_tells(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, "CREATE INDEX CONCURRENTLY ON t (a)");

    start_building(s);
    terminate(s);
    scene_finish(s, 1);
    release(other);
    scene_run(s, 6, "apply", "--ledger");
    assert_warned(s, "migrations/V2.sql:3:1: stopped at statement 2 of 3: the run before "
                     "was broken off in it, and nothing in production tells whether it "
                     "was done");
    assert_steps(s, "1 done, 2 started");
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('three')");
    scene_run(s, 0, "resolve", "migrations/V2.sql", "--applied");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 one three V3");
    assert_ledger(s, "applied V1, resolved V2, applied V3");
}

/* ------------------------------------------------------------------ what is left */

static void half_way_detached(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    cluster_exec(&scene_server, s->db, PARTITIONS);
    first_step(s);
    scene_file(s, "V2", DETACH ";\n");
    repo_commit(&s->repo, "detach");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; SELECT * FROM t"));
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_inherits WHERE inhdetachpending");
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    assert_production(s, "SELECT count(*) FROM pg_inherits WHERE inhdetachpending", "1");
    release(other);
    scene_run(s, 0, "apply");
    assert_warned(s,
                  "partition public.t1 is half-way detached: finishing it with FINALIZE");
    assert_production(s, "SELECT count(*) FROM pg_inherits", "0");
    assert_ledger(s, "applied V1, applied V2");
}

static void copies_that_a_reindex_left(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, "REINDEX TABLE CONCURRENTLY t");

    cluster_exec(&scene_server, s->db, "CREATE TABLE u (a int); CREATE INDEX i ON u (a)");
    repo_write(&s->repo, "migrations/V2.sql", "REINDEX TABLE CONCURRENTLY u;\n");
    repo_commit(&s->repo, "reindex");
    PQclear(PQexec(other, "INSERT INTO u VALUES (1)"));
    scene_start(s, "apply", "--ledger");
    wait_for(s, "REINDEX%");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 1 FROM pg_class WHERE relname = 'i_ccnew'");
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    assert_warned(s,
                  "until they are dropped:\n  DROP INDEX CONCURRENTLY public.i_ccnew;");
    release(other);
    scene_run(s, 0, "apply", "--ledger");
    assert_index(s, "i", "valid");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

/* ------------------------------------------------------------------ locks */

/* Nobody waits behind an index that waits, so lock_timeout has no say in it. */
static void index_outlasts_the_lock_timeout(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, BUILD);

    scene_start(s, "apply", "--lock-timeout", "100ms", "--retries", "0");
    wait_for(s, "CREATE INDEX%");
    /* Who asks what it waits for is not to be waited for, either. */
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 2 AND bool_or(state LIKE 'idle%') FROM "
                 "pg_stat_activity WHERE application_name = 'revtwin' AND datname = "
                 "current_database()");
    release(other);
    scene_finish(s, 0);
    expect_all(s);
}

static void other_statements_honour_it(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, "ALTER TABLE t ADD COLUMN c int");

    scene_run(s, 4, "apply", "--lock-timeout", "200ms", "--retries", "1");
    assert_warned(s,
                  "stopped at statement 2 of 3: canceling statement due to lock timeout");
    assert_warned(s, "; trying again in ");
    assert_warned(s, "SQLSTATE 55P03");
    assert_lacks(s->run.err, "rolled back");
    assert_said(s, "tried again 1 time");
    assert_steps(s, "1 done, 2 failed");
    scene_start(s, "apply", "--ledger", "--lock-timeout", "200ms", "--retries", "50");
    wait_for(s, "ALTER TABLE%");
    release(other);
    scene_finish(s, 0);
    assert_log(s, "V1 one three V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

static void statement_timeout_is_honoured(void **state)
{
    struct scene *s = *state;

    first_step(s);
    scene_file(s, "V2", "VACUUM log;\n");
    scene_file(s, "V3", DIRECTIVE "SELECT pg_sleep(60);\n");
    repo_commit(&s->repo, "sleep");
    scene_run(s, 4, "apply", "--statement-timeout", "300ms");
    assert_warned(s, "migrations/V3.sql:2:1: stopped at statement 1 of 1: canceling");
    assert_warned(s, "SQLSTATE 57014");
    assert_warned(s, "--statement-timeout (apply.statement-timeout)");
    assert_ledger(s, "applied V1, applied V2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(sigint),
        scene_test(sigterm),
        scene_test(sigkill),
        scene_test(backend_terminated),
        scene_test(row_could_not_be_written),
        scene_test(index_is_there),
        scene_test(index_is_gone),
        scene_test(partition_is_detached),
        scene_test(nobody_knows_what_it_does),
        scene_test(nothing_tells),
        scene_test(half_way_detached),
        scene_test(copies_that_a_reindex_left),
        scene_test(index_outlasts_the_lock_timeout),
        scene_test(other_statements_honour_it),
        scene_test(statement_timeout_is_honoured),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
