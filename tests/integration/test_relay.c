/* The promises of the relay: without these the tests of lost connections prove less. */
#include "check.h"
#include "cluster.h"
#include "relay.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cluster server = {.tcp = true};

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
    return 0;
}

static PGconn *connect_through(const struct relay *relay)
{
    char *conninfo = check_printf("host=127.0.0.1 port=%d user=" CLUSTER_USER
                                  " dbname=postgres sslmode=disable",
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
    double start = run_clock();

    for (int i = 0; i < times; i++) {
        PGresult *result = PQexec(conn, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            check_fail("%s", PQerrorMessage(conn));
        PQclear(result);
    }
    return run_clock() - start;
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

/* Two connections share the line, which is not so full that a third waits long. */
static void relay_limits_the_rate(void **state)
{
    const char *sql = "select repeat(md5('x'), 31250)"; /* 1 MB */
    PGconn *bulk[2], *other;
    struct relay relay;
    PGresult *result;
    double start, alone, seconds;

    (void)state;
    relay_start(&relay, server.dir, server.port, 0);
    other = connect_through(&relay);
    relay_limit(&relay, 16);
    start = run_clock();
    for (int i = 0; i < 2; i++) {
        bulk[i] = connect_through(&relay);
        assert_int_equal(PQsendQuery(bulk[i], sql), 1);
    }
    alone = time_query(other, "select 1", 1);
    for (int i = 0; i < 2; i++) {
        result = PQgetResult(bulk[i]);
        assert_int_equal(PQgetlength(result, 0, 0), 1000000);
        PQclear(result);
        PQfinish(bulk[i]);
    }
    seconds = run_clock() - start;
    /* What has come to the relay as its last passes without having waited for the rest.
     */
    assert_true(seconds > 0.9);
    assert_true(alone < seconds / 2);
    relay_limit(&relay, 0);
    assert_true(time_query(other, sql, 1) < 0.9);
    PQfinish(other);
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

    strcpy(trap.text, "INSERT 0 1"); /* the same point, by its text */
    assert_true(row_survives(&relay, &trap));
    assert_true(relay_sprung(&relay, &type));
    assert_int_equal(type, 'C');
    trap.side = RELAY_TO_SERVER;
    strcpy(trap.text, "insert into t");
    assert_false(row_survives(&relay, &trap));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_delays_round_trips),
        cmocka_unit_test(relay_keeps_the_throughput),
        cmocka_unit_test(relay_limits_the_rate),
        cmocka_unit_test(relay_counts_messages),
        cmocka_unit_test(relay_cuts_between_commit_and_reply),
        cmocka_unit_test(relay_holds_one_session_only),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
