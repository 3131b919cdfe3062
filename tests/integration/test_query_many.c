/* Several statements in one round trip: rt_query_many on a real server. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check.h"
#include "cluster.h"
#include "pg/query.h"
#include "relay.h"

static struct cluster server;
static struct relay relay;

struct session {
    struct rt_server server;
    struct rt_conn *conn;
    struct rt_err err;
};

static void open_session(struct session *s)
{
    char *url = check_printf("postgresql://" CLUSTER_USER
                             "@127.0.0.1:%d/postgres?sslmode=disable",
                             relay.port);

    *s = (struct session){.server = {.role = "production", .source = "--prod"}};
    rt_secret_set(&s->server.conninfo, url);
    free(url);
    if (rt_conn_open(&s->conn, &s->server, RT_READ_WRITE, &s->err) < 0)
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
    open_session(&s);
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
    open_session(&s);
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
    open_session(&s);
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
    open_session(&s);
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

    open_session(&s);
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
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
