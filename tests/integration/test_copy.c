/* COPY between two servers, and read row by row: rt_copy_* on real servers. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check.h"
#include "cluster.h"
#include "pg/copy.h"
#include "pg/query.h"

static struct cluster prod, twin;

struct ends {
    struct rt_server servers[2];
    struct rt_conn *from, *to;
    struct rt_copied copied;
    size_t passed;
    struct rt_err err;
};

static struct rt_conn *open_on(struct rt_server *server, const struct cluster *cluster)
{
    char url[CLUSTER_URL_SIZE];
    struct rt_conn *conn;
    struct rt_err err = {0};

    *server = (struct rt_server){.role = cluster == &prod ? "production" : "the twin",
                                 .source = "--prod"};
    rt_secret_set(&server->conninfo, cluster_url(cluster, "postgres", url));
    if (rt_conn_open(&conn, server, RT_READ_WRITE, &err) < 0)
        check_fail("%s", err.message);
    return conn;
}

static void open_ends(struct ends *e)
{
    *e = (struct ends){0};
    e->from = open_on(&e->servers[0], &prod);
    e->to = open_on(&e->servers[1], &twin);
}

static void close_ends(struct ends *e)
{
    rt_conn_close(e->from);
    rt_conn_close(e->to);
    rt_secret_clear(&e->servers[0].conninfo);
    rt_secret_clear(&e->servers[1].conninfo);
    rt_err_clear(&e->err);
}

static void count(void *context, const char *piece, size_t bytes)
{
    (void)piece;
    ((struct ends *)context)->passed += bytes;
}

static int copy(struct ends *e, const char *source, const char *sink)
{
    rt_err_clear(&e->err);
    e->passed = 0;
    return rt_copy_pipe(&e->copied, e->from, source, e->to, sink, count, e, &e->err);
}

static void expect_idle(struct rt_conn *conn)
{
    struct rt_err err = {0};
    struct rt_result *row;

    assert_false(rt_conn_lost(conn));
    assert_true(rt_conn_idle(conn));
    if (rt_query(&row, conn, "SELECT 'still here'", 0, NULL, &err) < 0)
        check_fail("%s", err.message);
    assert_string_equal(rt_result_get(row, 0, 0), "still here");
    rt_result_free(row);
}

/* A row of everything that the text format escapes, and one of 20 MB. */
#define ROWS                                                                         \
    "SELECT n, CASE WHEN n = 7 THEN repeat('x', 20000000) WHEN n % 5 > 0 THEN n || " \
    "E'\\t\\\\ \\n\\\\N' END FROM generate_series(1, 100000) n"
#define SUM "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "

static void same_rows(struct ends *e, const char *format)
{
    char *source = check_printf("COPY (%s) TO STDOUT (FORMAT %s)", ROWS, format);
    char *sink = check_printf("COPY t FROM STDIN (FORMAT %s)", format);
    char *want = cluster_query(&prod, "postgres", SUM "(" ROWS ") t");

    cluster_exec(&twin, "postgres", "CREATE TABLE t (n int, s text)");
    if (copy(e, source, sink) < 0)
        check_fail("%s", e->err.message);
    assert_int_equal(e->copied.rows, 100000);
    assert_true(e->copied.bytes > 20000000);
    assert_int_equal(e->copied.bytes, e->passed);
    assert_query(&twin, "postgres", SUM "t", want);
    expect_idle(e->from);
    expect_idle(e->to);
    cluster_exec(&twin, "postgres", "DROP TABLE t");
    free(want);
    free(sink);
    free(source);
}

static void text_and_binary(void **state)
{
    struct ends e;

    (void)state;
    open_ends(&e);
    same_rows(&e, "text");
    same_rows(&e, "binary");
    close_ends(&e);
}

static void among_other_statements(void **state)
{
    struct ends e;

    (void)state;
    open_ends(&e);
    assert_int_equal(copy(&e,
                          "BEGIN; SET LOCAL work_mem = '1MB'; COPY (SELECT 1) TO STDOUT; "
                          "COMMIT",
                          "BEGIN; CREATE TABLE one (n int); COPY one FROM STDIN; "
                          "INSERT INTO one VALUES (2), (3); COMMIT"),
                     0);
    assert_int_equal(e.copied.rows, 1);
    assert_query(&twin, "postgres", "SELECT n FROM one ORDER BY n", "1\n2\n3");
    expect_idle(e.from);
    expect_idle(e.to);
    /* Nothing at all is fine, too. */
    assert_int_equal(copy(&e, "COPY (SELECT 1 WHERE false) TO STDOUT",
                          "COPY one FROM STDIN; DROP TABLE one"),
                     0);
    assert_int_equal(e.copied.rows, 0);
    close_ends(&e);
}

/* Each error is that of its side; both connections are of use afterwards, and the sender
 * of endless rows does not go on. */
static void either_side_may_fail(void **state)
{
    static const char endless[] =
        "COPY (SELECT generate_series(1, 2000000000)) TO STDOUT";
    static const struct {
        const char *source, *sink, *sqlstate;
    } cases[] = {
        {"COPY (SELECT nothing) TO STDOUT", "COPY n FROM STDIN", "42703"},
        {"COPY (SELECT 1) TO STDOUT", "COPY missing FROM STDIN", "42P01"},
        {"COPY (SELECT nothing) TO STDOUT", "COPY missing FROM STDIN", "42703"},
        {"COPY (SELECT 1 / (100000 - n) FROM generate_series(1, 200000) n) TO STDOUT",
         "COPY n FROM STDIN", "22012"},
        {endless, "COPY small FROM STDIN", "23514"}, /* at its row 50,000 */
        {"COPY (SELECT 'x') TO STDOUT", "COPY n FROM STDIN", "22P02"},
        {"COPY (SELECT 1) TO STDOUT", "COPY n FROM STDIN; SELECT 1 / 0", "22012"},
    };

    (void)state;
    cluster_exec(&twin, "postgres",
                 "CREATE TABLE n (n int);"
                 "CREATE TABLE small (n int CHECK (n < 50000))");
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        int64_t start = rt_clock_ms();
        struct ends e;

        check_context("%s | %s", cases[i].source, cases[i].sink);
        open_ends(&e);
        assert_int_equal(copy(&e, cases[i].source, cases[i].sink), -RT_EINTERNAL);
        assert_string_equal(e.err.sqlstate, cases[i].sqlstate);
        assert_true(rt_clock_ms() - start < 15000);
        expect_idle(e.from);
        expect_idle(e.to);
        close_ends(&e);
        assert_query(&twin, "postgres",
                     "SELECT (SELECT count(*) FROM n) + (SELECT count(*) FROM small)",
                     "0");
    }
    check_context(NULL);
    cluster_exec(&twin, "postgres", "DROP TABLE n, small");
}

static void statements_without_a_copy(void **state)
{
    struct ends e;

    (void)state;
    open_ends(&e);
    assert_int_equal(copy(&e, "SELECT 1", "SELECT 2"), -RT_EINTERNAL);
    assert_string_equal(e.err.message, "the statement is not a COPY");
    expect_idle(e.from);
    expect_idle(e.to);
    close_ends(&e);
}

/* In a child that ends a backend of a COPY without an end: which one is asked by its
 * application_name. */
static void terminate_soon(const struct cluster *server)
{
    if (fork() != 0)
        return;
    usleep(300000);
    free(cluster_query(server, "postgres",
                       "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                       "WHERE application_name = 'revtwin'"));
    _exit(0);
}

static void either_side_may_be_lost(void **state)
{
    static const char slow[] = "COPY (SELECT pg_sleep(0.01), repeat('x', 10000) "
                               "FROM generate_series(1, 100000)) TO STDOUT";
    static const char endless[] =
        "COPY (SELECT generate_series(1, 2000000000)) TO STDOUT";

    (void)state;
    cluster_exec(&twin, "postgres", "CREATE TABLE t (n text, s text)");
    for (int i = 0; i < 4; i++) {
        bool first = i < 2;
        int64_t start = rt_clock_ms();
        struct ends e;

        check_context("case %d", i);
        open_ends(&e);
        terminate_soon(first ? &prod : &twin);
        assert_int_equal(copy(&e, i % 2 ? slow : endless,
                              i % 2 ? "COPY t FROM STDIN" : "COPY t (n) FROM STDIN"),
                         -RT_EINTERNAL);
        assert_contains(e.err.message, "connection"); /* terminated, or closed */
        assert_true(rt_conn_lost(first ? e.from : e.to));
        expect_idle(first ? e.to : e.from);
        assert_true(rt_clock_ms() - start < 15000);
        close_ends(&e);
        assert_query(&twin, "postgres", "SELECT count(*) FROM t", "0");
        wait(NULL);
    }
    check_context(NULL);
    cluster_exec(&twin, "postgres", "DROP TABLE t");
}

/* ------------------------------------------------------------------ stopping */

/* Whether a signal ends it soon, in whatever it waits for. */
static bool ends_by_signal(const char *source, const char *sink)
{
    struct ends e;
    int64_t start = rt_clock_ms();
    pid_t self = getpid();
    int rc;

    open_ends(&e);
    rt_cancel_install();
    if (fork() == 0) {
        usleep(300000);
        kill(self, SIGINT);
        _exit(0);
    }
    rc = copy(&e, source, sink);
    rt_conn_shield(e.from);
    rt_conn_shield(e.to);
    expect_idle(e.from);
    expect_idle(e.to);
    return rc == -RT_EINT && rt_clock_ms() - start < 10000;
}

static void a_signal_ends_it(void **state)
{
    static const char *const cases[][2] = {
        {"COPY (SELECT generate_series(1, 2000000000)) TO STDOUT", "COPY t FROM STDIN"},
        {"COPY (SELECT pg_sleep(60)) TO STDOUT", "COPY t FROM STDIN"},
        {"COPY (SELECT 1) TO STDOUT", "SELECT pg_sleep(60); COPY t FROM STDIN"},
        {"COPY (SELECT 1) TO STDOUT", "COPY t FROM STDIN; SELECT pg_sleep(60)"},
    };

    (void)state;
    cluster_exec(&twin, "postgres", "CREATE TABLE t (n text)");
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        pid_t child = fork(); /* a signal stays noted for the life of a process */
        int status;

        assert_true(child >= 0);
        if (child == 0)
            _exit(!ends_by_signal(cases[i][0], cases[i][1]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_query(&twin, "postgres", "SELECT count(*) FROM t", "0");
    }
    cluster_exec(&twin, "postgres", "DROP TABLE t");
}

/* ------------------------------------------------------------------ reader */

static void rows_one_by_one(void **state)
{
    struct ends e;
    struct rt_copy_reader *reader;
    char *line;

    (void)state;
    open_ends(&e);
    assert_int_equal(rt_copy_open(&reader, e.from,
                                  "COPY (VALUES (1, 'a'), (2, NULL), (3, E'x\\ty'), "
                                  "(4, repeat('z', 3000000))) TO STDOUT",
                                  1, &e.err),
                     0);
    assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
    assert_string_equal(line, "1\ta");
    assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
    assert_string_equal(line, "2\t\\N");
    assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
    assert_string_equal(line, "3\tx\\ty");
    assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
    assert_int_equal(strlen(line), 3000002);
    for (int i = 0; i < 2; i++) { /* and stays there */
        assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
        assert_null(line);
    }
    rt_copy_close(reader);
    expect_idle(e.from);
    close_ends(&e);
}

static void several_legs_at_once(void **state)
{
    struct rt_copy_leg legs[] = {
        {"COPY (SELECT generate_series(1, 1000)) TO STDOUT",
         "CREATE TEMP TABLE one (n int); CREATE TEMP TABLE two (n int, t text);"
         "COPY one FROM STDIN",
         {0}},
        {"COPY (SELECT 1 WHERE false) TO STDOUT", "COPY one FROM STDIN", {0}},
        {"COPY (SELECT 1, repeat('x', 100000)) TO STDOUT (FORMAT binary)",
         "COPY two FROM STDIN (FORMAT binary)",
         {0}},
    };
    struct ends e;
    struct rt_result *rows;

    (void)state;
    open_ends(&e);
    assert_int_equal(rt_copy_pipes(legs, 3, e.from, e.to, NULL, NULL, &e.err), 0);
    assert_int_equal(legs[0].copied.rows, 1000);
    assert_int_equal(legs[0].copied.bytes, 3893);
    assert_int_equal(legs[1].copied.rows, 0);
    assert_int_equal(legs[2].copied.rows, 1);
    assert_in_range(legs[2].copied.bytes, 100000, 100100);
    assert_int_equal(rt_query(&rows, e.to,
                              "SELECT (SELECT sum(n) FROM one), (SELECT length(t) FROM "
                              "two)",
                              0, NULL, &e.err),
                     0);
    assert_string_equal(rt_result_get(rows, 0, 0), "500500");
    assert_string_equal(rt_result_get(rows, 0, 1), "100000");
    rt_result_free(rows);

    /* In the middle, on either side. */
    legs[0].copy_from_stdin = "COPY one FROM STDIN";
    legs[1].copy_to_stdout = "COPY (SELECT 1 / (10 - generate_series(1, 20))) TO STDOUT";
    assert_int_equal(rt_copy_pipes(legs, 3, e.from, e.to, NULL, NULL, &e.err),
                     -RT_EINTERNAL);
    assert_string_equal(e.err.sqlstate, "22012");
    expect_idle(e.from);
    expect_idle(e.to);
    legs[1].copy_to_stdout = "COPY (SELECT 'no number') TO STDOUT";
    rt_err_clear(&e.err);
    assert_int_equal(rt_copy_pipes(legs, 3, e.from, e.to, NULL, NULL, &e.err),
                     -RT_EINTERNAL);
    assert_string_equal(e.err.sqlstate, "22P02");
    expect_idle(e.from);
    expect_idle(e.to);
    assert_int_equal(rt_query(&rows, e.to, "SELECT count(*) FROM one", 0, NULL, &e.err),
                     0);
    assert_string_equal(rt_result_get(rows, 0, 0), "1000"); /* one transaction each */
    rt_result_free(rows);
    close_ends(&e);
}

static void a_reader_of_several(void **state)
{
    static const char *const want[] = {"1", "2", NULL, NULL, "last", NULL, NULL};
    struct ends e;
    struct rt_copy_reader *reader;
    char *line;

    (void)state;
    open_ends(&e);
    assert_int_equal(rt_copy_open(&reader, e.from,
                                  "COPY (VALUES (1), (2)) TO STDOUT; SET jit = off; COPY "
                                  "(SELECT 1 WHERE false) TO STDOUT; COPY (SELECT "
                                  "'last') TO STDOUT; SET jit = on",
                                  3, &e.err),
                     0);
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
        if (want[i])
            assert_string_equal(line, want[i]);
        else
            assert_null(line);
    }
    rt_copy_close(reader);
    expect_idle(e.from);
    close_ends(&e);
}

static void a_reader_may_fail_late(void **state)
{
    struct ends e;
    struct rt_copy_reader *reader;
    char *line = NULL;
    int rows = -1, rc = 0;

    (void)state;
    open_ends(&e);
    assert_int_equal(
        rt_copy_open(&reader, e.from, "COPY (SELECT nothing) TO STDOUT", 1, &e.err), 0);
    assert_int_equal(rt_copy_next(&line, reader, &e.err), -RT_EINTERNAL);
    assert_string_equal(e.err.sqlstate, "42703");
    rt_copy_close(reader);
    expect_idle(e.from);
    assert_int_equal(
        rt_copy_open(&reader, e.from,
                     "COPY (SELECT 1 / (1000 - n) FROM generate_series(1, 2000) n) "
                     "TO STDOUT",
                     1, &e.err),
        0);
    do {
        rc = rt_copy_next(&line, reader, &e.err);
        rows++;
    } while (rc == 0 && line);
    assert_int_equal(rc, -RT_EINTERNAL);
    assert_string_equal(e.err.sqlstate, "22012");
    assert_int_equal(rows, 999);
    rt_copy_close(reader);
    expect_idle(e.from);
    close_ends(&e);
}

static void a_reader_may_be_closed_early(void **state)
{
    struct ends e;
    int64_t start = rt_clock_ms();

    (void)state;
    open_ends(&e);
    for (int i = 0; i < 20; i++) {
        struct rt_copy_reader *reader;
        char *line;

        assert_int_equal(
            rt_copy_open(&reader, e.from,
                         "COPY (SELECT generate_series(1, 2000000000)) TO STDOUT", 1,
                         &e.err),
            0);
        for (int row = 0; row < i; row++)
            assert_int_equal(rt_copy_next(&line, reader, &e.err), 0);
        rt_copy_close(reader);
        expect_idle(e.from);
    }
    assert_true(rt_clock_ms() - start < 20000);
    close_ends(&e);
}

/* ------------------------------------------------------------------ main */

static int start_servers(void **state)
{
    (void)state;
    cluster_start(&prod, NULL);
    cluster_start(&twin, NULL);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    cluster_stop(&prod);
    cluster_stop(&twin);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_binary),
        cmocka_unit_test(among_other_statements),
        cmocka_unit_test(either_side_may_fail),
        cmocka_unit_test(statements_without_a_copy),
        cmocka_unit_test(either_side_may_be_lost),
        cmocka_unit_test(a_signal_ends_it),
        cmocka_unit_test(rows_one_by_one),
        cmocka_unit_test(several_legs_at_once),
        cmocka_unit_test(a_reader_of_several),
        cmocka_unit_test(a_reader_may_fail_late),
        cmocka_unit_test(a_reader_may_be_closed_early),
    };

    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
