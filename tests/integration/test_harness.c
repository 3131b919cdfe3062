/* The promises of the harness itself: without these the other tests prove less. */
#include "check.h"
#include "cluster.h"
#include "relay.h"
#include "repo.h"
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_DIR 512

static struct cluster server = {.tcp = true, .password = "p@ss'word"};

static int start_server(void **state)
{
    (void)state;
    cluster_start(&server, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    cluster_stop(&server);
    return access(server.dir, F_OK) == 0;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void database_with_an_odd_name(void **state)
{
    const char *db = "a b/\"%ü";
    char *dump;

    (void)state;
    cluster_createdb(&server, db);
    cluster_exec(&server, db, "create table t (a int); insert into t values (1), (null)");
    assert_query(&server, db, "select a from t", "1\n");
    dump = cluster_dump(&server, db, "--schema-only", NULL);
    assert_contains(dump, "CREATE TABLE public.t");
    assert_lacks(dump, "\n\\restrict");
    assert_lacks(dump, "COPY");
    free(dump);
    cluster_dropdb(&server, db);
}

static void password_on_tcp(void **state)
{
    struct run r = {0};
    char *port = check_printf("%d", server.port);
    const char *argv[] = {"psql", "-Atwc", "select 'in'", "-h", "127.0.0.1",       "-p",
                          port,   "-U",    CLUSTER_USER,  "-d", "dbname=postgres", NULL};

    (void)state;
    run_program(&r, NULL, (const char *[]){"PGPASSWORD=p@ss'word", NULL}, argv);
    run_expect(&r, 0);
    assert_text_equal(r.out, "in\n");
    run_clear(&r);
    run_program(&r, NULL, (const char *[]){"PGPASSWORD=wrong", NULL}, argv);
    run_expect(&r, 2);
    assert_contains(r.err, "password authentication failed");
    run_clear(&r);
    free(port);
}

/* A program that was killed after make leaves nothing of the folder that make told. */
static void expect_gone_with_program(void (*make)(char dir[MAX_DIR]))
{
    char dir[MAX_DIR] = "";
    int fds[2], status;
    time_t end;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        make(dir);
        if (write(fds[1], dir, sizeof dir) > 0)
            pause();
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], dir, sizeof dir), sizeof dir);
    close(fds[0]);
    assert_int_equal(access(dir, F_OK), 0);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    for (end = time(NULL) + 10; access(dir, F_OK) == 0 && time(NULL) < end;)
        usleep(10000);
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void make_server(char dir[MAX_DIR])
{
    struct cluster doomed = {0};

    cluster_start(&doomed, NULL);
    snprintf(dir, MAX_DIR, "%s", doomed.dir);
}

/* The folder of all repositories is told. */
static void make_repository(char dir[MAX_DIR])
{
    struct repo doomed;

    repo_init(&doomed);
    repo_write(&doomed, "migrations/1.sql", "SELECT 1;");
    repo_commit(&doomed, "one");
    snprintf(dir, MAX_DIR, "%.*s", (int)(strrchr(doomed.dir, '/') - doomed.dir),
             doomed.dir);
}

static void server_dies_with_its_program(void **state)
{
    (void)state;
    expect_gone_with_program(make_server);
}

static void repositories_die_with_their_program(void **state)
{
    (void)state;
    expect_gone_with_program(make_repository);
}

static void program_sees_a_clean_environment(void **state)
{
    struct run r = {0};

    (void)state;
    setenv("PGDATABASE", "leaked", 1);
    setenv("GITHUB_EVENT_PATH", "leaked", 1);
    run_program(&r, "/", (const char *[]){"GIVEN=1", "HOME=/x", NULL},
                (const char *[]){"env", NULL});
    unsetenv("PGDATABASE");
    unsetenv("GITHUB_EVENT_PATH");
    run_expect(&r, 0);
    assert_contains(r.out, "GIVEN=1\n");
    assert_contains(r.out, "HOME=/x\n");
    assert_lacks(r.out, "leaked");
    run_clear(&r);
    run_program(&r, NULL, NULL, (const char *[]){"sh", "-c", "kill -TERM $$", NULL});
    run_expect(&r, -SIGTERM);
    run_clear(&r);
}

static PGconn *connect_through(const struct relay *relay)
{
    char *conninfo =
        check_printf("host=127.0.0.1 port=%d user=" CLUSTER_USER
                     " dbname=postgres password='p@ss\\'word' sslmode=disable",
                     relay->port);
    PGconn *conn = PQconnectdb(conninfo);

    free(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        check_fail("%s", PQerrorMessage(conn));
    return conn;
}

/* The client of a held connection has to be another process or not wait. */
static void expect_held(struct relay *relay)
{
    if (!relay_holds(relay, 10000))
        check_fail("the relay holds nothing");
}

static double time_query(PGconn *conn, const char *sql, int times)
{
    double start = seconds_now();

    for (int i = 0; i < times; i++) {
        PGresult *result = PQexec(conn, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            check_fail("%s", PQerrorMessage(conn));
        PQclear(result);
    }
    return seconds_now() - start;
}

static void relay_delays_round_trips(void **state)
{
    struct relay relay;
    PGconn *conn;
    uint64_t turns;
    double seconds;

    (void)state;
    relay_start(&relay, server.dir, server.port, 10);
    conn = connect_through(&relay);
    turns = relay.counts->turns;
    seconds = time_query(conn, "select 1", 20);
    assert_int_equal(relay.counts->turns - turns, 20);
    assert_int_equal(relay.counts->connections, 1);
    assert_true(seconds >= 20 * 0.020);
    assert_true(seconds < 20 * 0.100);
    PQfinish(conn);
    relay_stop(&relay);
}

static void relay_keeps_the_throughput(void **state)
{
    const char *sql = "select repeat(md5('x'), 1000000)"; /* 32 MB */
    struct relay relay;
    PGconn *conn;

    (void)state;
    relay_start(&relay, "127.0.0.1", server.port, 100);
    conn = connect_through(&relay);
    /* If a window were limited to 64 kB a round trip, this would take 100 s. */
    assert_true(time_query(conn, sql, 1) < 5);
    assert_true(relay.counts->to_client > 32000000);
    assert_true(relay.counts->to_server < 2000);
    PQfinish(conn);
    relay_stop(&relay);
}

static void relay_counts_messages(void **state)
{
    static const char rows[] = "select repeat('x', 40000) from generate_series(1, 3)";
    struct relay relay;
    uint64_t up, down;
    PGconn *conn;

    (void)state;
    relay_start(&relay, server.dir, server.port, 0);
    conn = connect_through(&relay);
    up = relay.counts->messages[RELAY_TO_SERVER];
    down = relay.counts->messages[RELAY_TO_CLIENT];
    assert_int_equal(up, 1); /* the startup packet: the socket asks for no password */
    assert_true(down > 10);  /* AuthenticationOk, ParameterStatus and the like */
    time_query(conn, rows, 1);
    assert_int_equal(relay.counts->messages[RELAY_TO_SERVER] - up, 1);
    /* Description, three rows (of several chunks each), completion, ready. */
    assert_int_equal(relay.counts->messages[RELAY_TO_CLIENT] - down, 6);
    PQfinish(conn);
    relay_stop(&relay);
}

/* Cut the first session at a point while it inserts; is the row in? */
static bool row_survives(struct relay *relay, const struct relay_trap *trap)
{
    PGresult *result;
    PGconn *conn;
    bool there;
    char *rows;

    cluster_exec(&server, "postgres", "truncate t");
    relay_arm(relay, trap);
    conn = connect_through(relay);
    result = PQexec(conn, "insert into t default values");
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    assert_int_equal(PQstatus(conn), CONNECTION_BAD);
    PQclear(result);
    PQfinish(conn);
    assert_true(relay_sprung(relay, NULL));
    cluster_wait(&server, "postgres",
                 "select count(*) = 0 from pg_stat_activity where query like 'insert%'");
    rows = cluster_query(&server, "postgres", "select count(*) from t");
    there = strcmp(rows, "1") == 0;
    free(rows);
    return there;
}

static void relay_cuts_between_commit_and_reply(void **state)
{
    struct relay_trap trap = {.act = RELAY_CUT, .side = RELAY_TO_SERVER};
    struct relay relay;
    uint64_t greeting;
    char type;

    (void)state;
    cluster_exec(&server, "postgres", "create table t ()");
    relay_start(&relay, server.dir, server.port, 0);
    PQfinish(connect_through(&relay));
    greeting = relay.counts->messages[RELAY_TO_CLIENT];
    trap.message = 2; /* after the startup packet */
    trap.before = true;
    assert_false(row_survives(&relay, &trap));
    assert_true(relay_sprung(&relay, &type));
    assert_int_equal(type, 'Q');

    trap.side = RELAY_TO_CLIENT;
    trap.message = greeting + 1;
    assert_true(row_survives(&relay, &trap));
    assert_true(relay_sprung(&relay, &type));
    assert_int_equal(type, 'C');
    relay_stop(&relay);
}

/* A second session and a cancel request pass while the first one is held. */
static void relay_holds_one_session_only(void **state)
{
    struct relay_trap trap = {.act = RELAY_HOLD, .side = RELAY_TO_SERVER};
    PGconn *held, *other;
    struct relay relay;
    PGcancel *cancel;
    PGresult *result;
    char text[256];

    (void)state;
    relay_start(&relay, server.dir, server.port, 0);
    trap.message = 2;
    relay_arm(&relay, &trap);
    held = connect_through(&relay);
    assert_false(relay_holds(&relay, 0));
    assert_int_equal(PQsendQuery(held, "select pg_sleep(60)"), 1);
    expect_held(&relay);
    other = connect_through(&relay);
    time_query(other, "select 1", 1);
    cluster_wait(&server, "postgres",
                 "select count(*) = 1 from pg_stat_activity where query = 'select "
                 "pg_sleep(60)' and state = 'active'");
    cancel = PQgetCancel(held);
    assert_int_equal(PQcancel(cancel, text, sizeof text), 1);
    PQfreeCancel(cancel);
    cluster_wait(&server, "postgres",
                 "select count(*) = 0 from pg_stat_activity where query = 'select "
                 "pg_sleep(60)' and state = 'active'");
    usleep(20000);
    assert_int_equal(PQconsumeInput(held), 1);
    assert_int_equal(PQisBusy(held), 1);
    relay_release(&relay, RELAY_PASS);
    result = PQgetResult(held);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014");
    PQclear(result);
    PQfinish(other);
    PQfinish(held);
    relay_stop(&relay);
}

static void server_restarts_in_place(void **state)
{
    PGconn *conn = cluster_connect(&server, "postgres");
    char url[CLUSTER_URL_SIZE];
    PGresult *result;

    (void)state;
    PQclear(PQexec(conn, "create table restarted ()"));
    PQclear(PQexec(conn, "begin; create table undone ()"));
    cluster_halt(&server, CLUSTER_IMMEDIATE);
    cluster_resume(&server);
    assert_query(&server, "postgres",
                 "select to_regclass('restarted')::text || coalesce(to_regclass('undone')"
                 "::text, '')",
                 "restarted");
    result = PQexec(conn, "select 1");
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    PQfinish(conn);
    cluster_halt(&server, CLUSTER_FAST);
    assert_int_equal(PQping(cluster_url(&server, "postgres", url)), PQPING_NO_RESPONSE);
    cluster_resume(&server);
    assert_query(&server, "postgres", "select count(*) from restarted", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(database_with_an_odd_name),
        cmocka_unit_test(password_on_tcp),
        cmocka_unit_test(server_dies_with_its_program),
        cmocka_unit_test(repositories_die_with_their_program),
        cmocka_unit_test(program_sees_a_clean_environment),
        cmocka_unit_test(relay_delays_round_trips),
        cmocka_unit_test(relay_keeps_the_throughput),
        cmocka_unit_test(relay_counts_messages),
        cmocka_unit_test(relay_cuts_between_commit_and_reply),
        cmocka_unit_test(relay_holds_one_session_only),
        cmocka_unit_test(server_restarts_in_place),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
