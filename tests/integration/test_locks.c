/* Locks that others hold: a migration waits a bounded time, says who holds it, and is
 * tried again as a whole; its neighbours are not. */
#include <signal.h>
#include <time.h>

#include "sleeper.h"

/* A session of somebody else, in a transaction that holds the table "busy". */
struct holder {
    PGconn *conn;
    char pid[16];
};

static struct holder hold_busy(struct scene *s)
{
    struct holder holder = {cluster_connect(&scene_server, s->db), ""};

    snprintf(holder.pid, sizeof(holder.pid), "pid %d", PQbackendPID(holder.conn));
    cluster_exec(&scene_server, s->db, "CREATE TABLE busy (a int)");
    PQclear(PQexec(holder.conn, "SET application_name = 'night report'; BEGIN; "
                                "SELECT count(*) FROM busy"));
    return holder;
}

static void expect_holder_named(struct scene *s, const struct holder *holder)
{
    assert_warned(s, holder->pid);
    assert_warned(s, "user postgres");
    assert_warned(s, "application night report");
    assert_warned(s, "idle in transaction");
    assert_warned(s, "AccessExclusiveLock on busy");
    assert_warned(s, "query since 20");
    /* What others ask may hold what is nobody's business in a log. */
    assert_lacks(s->run.err, "count(*) FROM");
}

static void wait_for_lock(struct scene *s)
{
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted");
}

#define ALTER "ALTER TABLE busy ADD COLUMN b int;\n"

static void a_lock_that_is_let_go_is_waited_for(void **state)
{
    struct scene *s = *state;
    struct holder holder = hold_busy(s);

    scene_migration(s, "V1");
    scene_file(s, "V2", "INSERT INTO log (name) VALUES ('V2');\n" ALTER);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
    scene_start(s, "apply", "--lock-timeout", "2s");
    wait_for_lock(s);
    sleep(3); /* the first attempt is over */
    PQfinish(holder.conn);
    scene_finish(s, 0);
    expect_holder_named(s, &holder);
    assert_warned(s, "migrations/V2.sql:2: waiting for AccessExclusiveLock on busy");
    assert_warned(s, "trying again in ");
    assert_warned(s, "(1 of 5)");
    assert_said(s, "tried again ");
    assert_log(s, "V1 V2 V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    /* The duration is that of the attempt that succeeded. */
    assert_production(
        s, "SELECT duration < interval '2 s' FROM revtwin.ledger WHERE seq = 2", "t");
    assert_production(s, "SELECT count(*) FROM revtwin.attempt", "0");
    scene_run(s, 0, "verify");
}

static void a_lock_that_stays_ends_the_run(void **state)
{
    struct scene *s = *state;
    struct holder holder = hold_busy(s);

    scene_migration(s, "V1");
    scene_file(s, "V2", "INSERT INTO log (name) VALUES ('V2');\n" ALTER);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
    scene_run(s, 4, "apply", "--lock-timeout", "1500ms", "--retries", "1");
    assert_warned(s, "migrations/V2.sql:2:1: canceling statement due to lock timeout");
    assert_warned(s, "It waited for AccessExclusiveLock on busy, held by pid");
    expect_holder_named(s, &holder);
    assert_warned(s, "(1 of 1)");
    assert_warned(s, "1 of 3 migrations are in");
    assert_log(s, "V1");
    assert_production(s, "SELECT path, sqlstate FROM revtwin.attempt",
                      "migrations/V2.sql");
    scene_run(s, 0, "status");
    assert_said(s, "SQLSTATE 55P03");
    PQfinish(holder.conn);
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 V2 V3");
}

static void without_retries_there_is_one_attempt(void **state)
{
    struct scene *s = *state;
    struct holder holder = hold_busy(s);

    scene_file(s, "V1", ALTER);
    repo_commit(&s->repo, "one file");
    scene_run(s, 4, "apply", "--lock-timeout", "100ms", "--retries", "0");
    assert_lacks(s->run.err, "trying again");
    scene_run(s, 4, "apply", "--lock-timeout", "500ms", "--retries", "0");
    expect_holder_named(s, &holder);
    scene_run(s, 2, "apply", "--retries", "many");
    assert_warned(s, "--retries");
    PQfinish(holder.conn);
}

/*
 * A file that fails twice with a state and succeeds then. A sequence counts the attempts,
 * because a rollback leaves it as it is.
 */
static void fail_twice(struct scene *s, const char *name, const char *sqlstate,
                       const char *more)
{
    char *sql = check_printf("INSERT INTO log (name) VALUES ('%s');\n"
                             "DO $$ BEGIN IF nextval('attempts') %% 3 <> 0 THEN RAISE "
                             "EXCEPTION 'no luck' USING ERRCODE = '%s'; END IF; END $$;\n"
                             "%s",
                             name, sqlstate, more);

    scene_file(s, name, sql);
    free(sql);
}

static void deadlocks_and_serialization_failures_pass(void **state)
{
    struct scene *s = *state;
    char *json;

    cluster_exec(&scene_server, s->db, "CREATE SEQUENCE attempts");
    fail_twice(s, "V1", "40P01", "");
    fail_twice(s, "V2", "40001", COPY); /* one by one */
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
    scene_run(s, 0, "apply", "--json");
    assert_log(s, "V1 V2 copied V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    json = s->run.out;
    for (int i = 0; i < 2; i++) {
        json = strstr(json, "\"retries\": 2");
        assert_non_null(json);
        json++;
    }
    assert_null(strstr(json, "\"retries\""));
}

/* What others could not mend by waiting is not tried again. */
static void other_failures_are_final(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE SEQUENCE attempts");
    fail_twice(s, "V1", "23505", "");
    repo_commit(&s->repo, "one file");
    scene_run(s, 4, "apply");
    assert_production(s, "SELECT last_value FROM attempts", "1");
}

static void a_signal_ends_the_pause(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE SEQUENCE attempts INCREMENT 3 START 1");
    fail_twice(s, "V1", "40001", "");
    repo_commit(&s->repo, "one file");
    scene_start(s, "apply", "--retries", "900");
    cluster_wait(&scene_server, s->db, "SELECT last_value > 10 FROM attempts");
    kill(s->run.pid, SIGTERM);
    scene_finish(s, 143);
    assert_said(s, "cancelled migrations/V1.sql");
    assert_log(s, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_lock_that_is_let_go_is_waited_for),
        scene_test(a_lock_that_stays_ends_the_run),
        scene_test(without_retries_there_is_one_attempt),
        scene_test(deadlocks_and_serialization_failures_pass),
        scene_test(other_failures_are_final),
        scene_test(a_signal_ends_the_pause),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
