/* Several statements in one round trip, on a real server: rt_query_many, and rt_later for
 * those that wait for the next one. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check.h"
#include "cluster.h"
#include "pg/copy.h"
#include "pg/later.h"
#include "pg/pipeline.h"
#include "relay.h"

static struct cluster server;
static struct relay relay;

struct session {
    struct rt_server server;
    struct rt_conn *conn;
    struct rt_err err;
};

static void open_session(struct session *s, enum rt_access access)
{
    char *url = check_printf("postgresql://" CLUSTER_USER
                             "@127.0.0.1:%d/postgres?sslmode=disable",
                             relay.port);

    *s = (struct session){.server = {.role = "production", .source = "--prod"}};
    rt_secret_set(&s->server.conninfo, url);
    free(url);
    if (rt_conn_open(&s->conn, &s->server, access, &s->err) < 0)
        check_fail("%s", s->err.message);
}

static void close_session(struct session *s)
{
    rt_conn_close(s->conn);
    rt_secret_clear(&s->server.conninfo);
    rt_err_clear(&s->err);
}

static void expect_usable(struct session *s)
{
    struct rt_read read = {.sql = "SELECT 'still here'"};

    assert_int_equal(rt_query_many(&read, 1, s->conn, &s->err), 0);
    assert_string_equal(rt_result_get(read.rows, 0, 0), "still here");
    rt_result_free(read.rows);
}

/* ------------------------------------------------------------------ sent together */

static void many_are_one_round_trip(void **state)
{
    struct session s;
    const char *params[] = {"5", NULL};
    struct rt_read reads[] = {
        {.sql = "SELECT n FROM generate_series(1, $1::int) n WHERE $2::int IS NULL",
         .nparams = 2,
         .params = params},
        {.sql = "SELECT 1 WHERE false"},
        {.sql = "CREATE TEMP TABLE kept AS SELECT 1"},
        {.sql = "SELECT count(*), NULL, repeat('x', 1000000) FROM kept"},
    };
    uint64_t turns;

    (void)state;
    open_session(&s, RT_READ_WRITE);
    turns = relay.counts->turns;
    assert_int_equal(rt_query_many(reads, 4, s.conn, &s.err), 0);
    assert_int_equal(relay.counts->turns - turns, 1);
    assert_int_equal(rt_result_rows(reads[0].rows), 5);
    assert_string_equal(rt_result_get(reads[0].rows, 4, 0), "5");
    assert_int_equal(rt_result_rows(reads[1].rows), 0);
    assert_int_equal(rt_result_rows(reads[2].rows), 0);
    assert_string_equal(rt_result_get(reads[3].rows, 0, 0), "1");
    assert_null(rt_result_get(reads[3].rows, 0, 1));
    assert_int_equal(strlen(rt_result_get(reads[3].rows, 0, 2)), 1000000);
    for (int i = 0; i < 4; i++)
        rt_result_free(reads[i].rows);
    assert_true(rt_conn_idle(s.conn));
    close_session(&s);
}

static void the_first_error_counts(void **state)
{
    struct session s;
    struct rt_read reads[] = {
        {.sql = "CREATE TEMP TABLE undone ()"},
        {.sql = "SELECT nothing"},
        {.sql = "SELECT 1/0"},
    };

    (void)state;
    open_session(&s, RT_READ_WRITE);
    assert_int_equal(rt_query_many(reads, 3, s.conn, &s.err), -RT_EINTERNAL);
    assert_string_equal(s.err.sqlstate, "42703");
    assert_string_equal(s.err.message, "column \"nothing\" does not exist");
    for (int i = 0; i < 3; i++)
        assert_null(reads[i].rows);
    assert_true(rt_conn_idle(s.conn));
    expect_usable(&s);
    /* They were one transaction. */
    assert_int_equal(rt_exec(NULL, s.conn, "SELECT FROM undone", &s.err), -RT_EINTERNAL);
    assert_string_equal(s.err.sqlstate, "42P01");
    close_session(&s);
}

static void an_open_transaction_goes_on(void **state)
{
    struct session s;
    struct rt_read reads[] = {{.sql = "SELECT 1"}, {.sql = "SELECT 2"}};

    (void)state;
    open_session(&s, RT_READ_WRITE);
    assert_int_equal(rt_exec(NULL, s.conn, "BEGIN", &s.err), 0);
    assert_int_equal(rt_query_many(reads, 2, s.conn, &s.err), 0);
    assert_string_equal(rt_result_get(reads[1].rows, 0, 0), "2");
    rt_result_free(reads[0].rows);
    rt_result_free(reads[1].rows);
    assert_true(rt_conn_in_transaction(s.conn));
    close_session(&s);
}

static void a_lost_connection_is_an_error(void **state)
{
    struct session s;
    struct rt_read reads[] = {
        {.sql = "SELECT 1"},
        {.sql = "SELECT pg_terminate_backend(pg_backend_pid())"},
    };

    (void)state;
    open_session(&s, RT_READ_WRITE);
    assert_int_equal(rt_query_many(reads, 2, s.conn, &s.err), -RT_EINTERNAL);
    assert_true(rt_conn_lost(s.conn));
    assert_null(reads[0].rows);
    assert_int_equal(rt_query_many(reads, 2, s.conn, &s.err), -RT_EINTERNAL);
    close_session(&s);
}

/* Whether a signal ends them soon, and the connection is still of use. */
static bool ends_by_signal(void)
{
    struct session s;
    struct rt_read reads[] = {{.sql = "SELECT pg_sleep(60)"}, {.sql = "SELECT 2"}};
    int64_t start = rt_clock_ms();
    pid_t self = getpid();
    int rc;

    open_session(&s, RT_READ_WRITE);
    rt_cancel_install();
    if (fork() == 0) {
        usleep(300000);
        kill(self, SIGINT);
        _exit(0);
    }
    rc = rt_query_many(reads, 2, s.conn, &s.err);
    rt_conn_shield(s.conn);
    return rc == -RT_EINT && reads[0].rows == NULL && rt_clock_ms() - start < 10000 &&
           rt_conn_idle(s.conn) && rt_query_many(&reads[1], 1, s.conn, &s.err) == 0;
}

/* In a child: a signal stays noted for the life of a process. */
static void a_signal_cancels_them(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(!ends_by_signal());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ------------------------------------------------------------------ waiting */

/* The first value of the only row. */
static void expect(struct session *s, const char *sql, const char *want)
{
    struct rt_result *rows;

    if (rt_query(&rows, s->conn, sql, 0, NULL, &s->err) < 0)
        check_fail("%s", s->err.message);
    assert_string_equal(rt_result_get(rows, 0, 0), want);
    rt_result_free(rows);
}

static void they_share_a_round_trip(void **state)
{
    const char *params[] = {"21"};
    struct rt_read read = {.sql = "SELECT 2 * $1::int", .nparams = 1, .params = params};
    struct session s;
    uint64_t turns;

    (void)state;
    open_session(&s, RT_READ_WRITE);
    turns = relay.counts->turns;
    rt_later_begin(s.conn, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    rt_later(s.conn, "SET LOCAL application_name = 'waiting'");
    rt_later_read(s.conn, &read);
    assert_true(rt_conn_in_transaction(s.conn)); /* as it will be */
    assert_null(read.rows);
    assert_int_equal(relay.counts->turns, turns);
    expect(&s,
           "SELECT concat_ws(' ', current_setting('application_name'), "
           "current_setting('transaction_isolation'))",
           "waiting repeatable read");
    assert_int_equal(relay.counts->turns, turns + 1);
    assert_string_equal(rt_result_get(read.rows, 0, 0), "42");
    rt_result_free(read.rows);
    rt_later_rollback(s.conn);
    assert_true(rt_conn_idle(s.conn));
    assert_int_equal(rt_later_run(s.conn, &s.err), 0);
    assert_int_equal(relay.counts->turns, turns + 2);
    assert_int_equal(rt_later_run(s.conn, &s.err), 0); /* nothing waits */
    assert_int_equal(relay.counts->turns, turns + 2);
    assert_true(rt_conn_idle(s.conn));
    close_session(&s);
}

static void whatever_the_next_statement_is(void **state)
{
    struct rt_read read = {.sql = "SELECT 'early'"};
    struct rt_copy_reader *reader;
    struct rt_result *rows;
    struct session s;
    char *line;

    (void)state;
    open_session(&s, RT_READ_WRITE);
    rt_later(s.conn, "SET application_name = 'one'");
    assert_int_equal(rt_exec(&rows, s.conn, "SELECT 1; SHOW application_name", &s.err),
                     0);
    assert_string_equal(rt_result_get(rows, 0, 0), "one");
    rt_result_free(rows);

    rt_later(s.conn, "SET application_name = 'two'");
    assert_int_equal(
        rt_copy_open(&reader, s.conn,
                     "COPY (SELECT current_setting('application_name')) TO STDOUT", 1,
                     &s.err),
        0);
    assert_int_equal(rt_copy_next(&line, reader, &s.err), 0);
    assert_string_equal(line, "two");
    rt_copy_close(reader);

    rt_later_read(s.conn, &read); /* its rows cannot come with a simple statement */
    assert_int_equal(rt_exec(NULL, s.conn, "SELECT 1; SELECT 2", &s.err), 0);
    assert_string_equal(rt_result_get(read.rows, 0, 0), "early");
    rt_result_free(read.rows);

    rt_later(s.conn, "SET application_name = 'three'");
    assert_int_equal(rt_pipeline_begin(s.conn, &s.err), 0);
    assert_int_equal(rt_pipeline_send(s.conn, "SHOW application_name", 0, NULL, &s.err),
                     0);
    assert_int_equal(rt_pipeline_end(s.conn, &s.err), 0);
    assert_int_equal(rt_pipeline_next(&rows, s.conn, &s.err), 0);
    assert_string_equal(rt_result_get(rows, 0, 0), "three");
    rt_result_free(rows);
    assert_int_equal(rt_pipeline_next(&rows, s.conn, &s.err), 0);
    assert_null(rows);
    rt_pipeline_close(s.conn);
    close_session(&s);
}

static void an_error_is_the_next_statements(void **state)
{
    struct rt_read before = {.sql = "SELECT 'before'"}, after = {.sql = "SELECT 'after'"};
    struct session s;

    (void)state;
    open_session(&s, RT_READ_WRITE);
    rt_later_read(s.conn, &before);
    rt_later(s.conn, "SELECT 1 / 0");
    rt_later_read(s.conn, &after);
    assert_int_equal(rt_query(NULL, s.conn, "CREATE TABLE not_made ()", 0, NULL, &s.err),
                     -RT_EINTERNAL);
    assert_string_equal(s.err.sqlstate, "22012");
    assert_null(before.rows);
    assert_null(after.rows);
    rt_err_clear(&s.err);
    expect(&s, "SELECT to_regclass('not_made') IS NULL", "t");

    rt_later(s.conn, "no statement");
    assert_int_equal(rt_exec(NULL, s.conn, "CREATE TABLE not_made ()", &s.err),
                     -RT_EINTERNAL);
    assert_string_equal(s.err.sqlstate, "42601");
    rt_err_clear(&s.err);
    expect(&s, "SELECT to_regclass('not_made') IS NULL", "t"); /* and it is forgotten */
    close_session(&s);
}

static void a_new_connection_knows_nothing_of_them(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, RT_READ_ONLY);
    assert_true(rt_conn_in_transaction(s.conn));
    expect(&s, "SHOW transaction_read_only", "on");
    rt_later(s.conn, "SELECT 1 / 0");
    assert_int_equal(rt_conn_reopen(s.conn, 0, &s.err), 0);
    expect(&s, "SHOW transaction_read_only", "on");
    rt_later(s.conn, "SELECT 1 / 0");
    close_session(&s);
}

static int start_server(void **state)
{
    (void)state;
    cluster_start(&server, NULL);
    relay_start(&relay, server.dir, server.port, 0);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    relay_stop(&relay);
    cluster_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_one_round_trip),
        cmocka_unit_test(the_first_error_counts),
        cmocka_unit_test(an_open_transaction_goes_on),
        cmocka_unit_test(a_lost_connection_is_an_error),
        cmocka_unit_test(a_signal_cancels_them),
        cmocka_unit_test(they_share_a_round_trip),
        cmocka_unit_test(whatever_the_next_statement_is),
        cmocka_unit_test(an_error_is_the_next_statements),
        cmocka_unit_test(a_new_connection_knows_nothing_of_them),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
