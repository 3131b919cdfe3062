/*
 * RT_CLASS_NO_TX is what the server refuses inside a transaction, RT_CLASS_IN_TX what it
 * refuses, or warns of, outside of one, and nothing else is.
 */
#include "check.h"
#include "cluster.h"

#include <string.h>

#include "sql/inspect.h"

static const char setup[] =
    "create table t (a int primary key) partition by list (a);"
    "create table p partition of t for values in (1);"
    "create table u (a int primary key);"
    "create index ti on t (a);"
    "create materialized view v as select a from u;"
    "create unique index vi on v (a);"
    "create type e as enum ('x');"
    "create subscription s connection 'host=none.invalid' publication p, o"
    "    with (connect = false);"
    "alter subscription s enable;";

/* Statements that the server takes in a transaction, or refuses there for this. */
static const char *const inside[] = {
    "create index concurrently i on u (a)",
    "create index i on u (a)",
    "drop index concurrently vi",
    "drop index vi",
    "reindex table u",
    "reindex index u_pkey",
    "reindex (verbose) table u",
    "reindex table concurrently u",
    "reindex (concurrently) table u",
    "reindex (concurrently true) table u",
    "reindex (concurrently off) table u",
    "reindex schema public",
    "reindex database postgres",
    "reindex system postgres",
    "vacuum",
    "vacuum u",
    "vacuum (full, analyze) u",
    "analyze",
    "analyze u",
    "cluster",
    "cluster verbose",
    "cluster u using u_pkey",
    "create database d",
    "drop database d",
    "alter database postgres set tablespace pg_default",
    "alter database postgres connection limit 100",
    "alter database postgres set work_mem = '4MB'",
    "alter database postgres refresh collation version",
    "alter database d rename to f",
    "create tablespace x location '/nowhere'",
    "drop tablespace x",
    "alter tablespace pg_default set (seq_page_cost = 1)",
    "alter system set work_mem = '4MB'",
    "alter system reset all",
    "alter table t detach partition p concurrently",
    "alter table t detach partition p",
    "create subscription r connection '' publication p",
    "create subscription r connection '' publication p with (create_slot)",
    "create subscription r connection '' publication p with (slot_name = r)",
    "create subscription r connection 'host=none.invalid' publication p"
    " with (connect = false)",
    "create subscription r connection 'host=none.invalid' publication p"
    " with (connect = off)",
    "create subscription r connection 'host=none.invalid' publication p"
    " with (connect = 0)",
    "alter subscription s refresh publication",
    "alter subscription s set publication q",
    "alter subscription s add publication q",
    "alter subscription s drop publication p with (refresh = true)",
    "alter subscription s set publication q with (refresh = false)",
    "alter subscription s disable",
    "alter subscription s connection 'host=other.invalid'",
    "alter subscription s set (binary = true)",
    "drop subscription s",
    "alter subscription s set (slot_name = none)",
    "discard plans",
    "discard temp",
    "discard sequences",
    "refresh materialized view v",
    "refresh materialized view concurrently v",
    "alter type e add value 'y'",
    "checkpoint",
    "truncate u",
    "lock table u",
    "create publication q for all tables",
    "do 'begin perform 1; end'",
    "prepare x as select 1",
};

/* Outside of one; none of them changes what another one sees. */
static const char *const outside[] = {
    "savepoint a",
    "release savepoint a",
    "rollback to savepoint a",
    "lock table u",
    "lock table u in share mode",
    "declare c cursor for select 1",
    "declare c binary cursor without hold for select 1",
    "declare d insensitive cursor with hold for select 1",
    "set local work_mem = '4MB'",
    "set local work_mem to default",
    "set local role none",
    "set local session authorization default",
    "set local time zone 'UTC'",
    "set constraints all deferred",
    "set work_mem = '4MB'",
    "set role none",
    "set session authorization default",
    "set session characteristics as transaction read write",
    "reset work_mem",
    "refresh materialized view v",
    "truncate u",
    "do 'begin perform 1; end'",
    "select 1",
    "analyze u",
    "vacuum u",
    "prepare x as select 1",
};

static enum rt_stmt_class class_of(const char *text)
{
    struct rt_script script = {0};
    struct rt_err err = {0};
    enum rt_stmt_class got;

    assert_int_equal(rt_script_split(&script, text, strlen(text), &err), 0);
    rt_script_inspect(&script);
    assert_int_equal(script.count, 1);
    got = script.stmts[0].stmt_class;
    rt_script_clear(&script);
    return got;
}

static struct cluster server;

/* The server's word for it, as an error or as a warning; NULL when there is none. */
static char notice[6];

static void note_state(void *arg, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    (void)arg;
    snprintf(notice, sizeof(notice), "%s", sqlstate ? sqlstate : "");
}

static bool says(PGconn *conn, const char *statement, const char *want)
{
    PGresult *result;
    const char *sqlstate;
    bool said;

    notice[0] = '\0';
    result = PQexec(conn, statement);
    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    said = strcmp(sqlstate ? sqlstate : notice, want) == 0;
    PQclear(result);
    return said;
}

static void expect_class(PGconn *conn, const char *statement, bool is,
                         enum rt_stmt_class want)
{
    if (is != (class_of(statement) == want))
        check_fail("%s: class %d, the server says: %s%s", statement, class_of(statement),
                   notice, PQerrorMessage(conn));
}

static void test_inside(void **state)
{
    PGconn *conn = cluster_connect(&server, "postgres");

    (void)state;
    PQclear(PQexec(conn, "set client_min_messages = error"));
    for (size_t i = 0; i < RT_COUNT(inside); i++) {
        PQclear(PQexec(conn, "begin"));
        expect_class(conn, inside[i], says(conn, inside[i], "25001"), RT_CLASS_NO_TX);
        PQclear(PQexec(conn, "rollback"));
    }
    PQfinish(conn);
}

static void test_outside(void **state)
{
    PGconn *conn = cluster_connect(&server, "postgres");

    (void)state;
    PQsetNoticeReceiver(conn, note_state, NULL);
    for (size_t i = 0; i < RT_COUNT(outside); i++)
        expect_class(conn, outside[i], says(conn, outside[i], "25P01"), RT_CLASS_IN_TX);
    PQfinish(conn);
}

/* What only the server can tell: these are left to it. */
static void test_left_to_the_server(void **state)
{
    static const char *const statements[] = {"reindex table t", "reindex index ti",
                                             "cluster t using ti"};
    PGconn *conn = cluster_connect(&server, "postgres");

    (void)state;
    for (size_t i = 0; i < RT_COUNT(statements); i++) {
        assert_int_equal(class_of(statements[i]), RT_CLASS_PLAIN);
        PQclear(PQexec(conn, "begin"));
        assert_true(says(conn, statements[i], "25001"));
        PQclear(PQexec(conn, "rollback"));
    }
    /* Without a slot it runs inside of a transaction, too. */
    assert_int_equal(class_of("drop subscription s"), RT_CLASS_NO_TX);
    PQclear(PQexec(conn, "begin"));
    PQclear(PQexec(conn, "alter subscription s disable"));
    PQclear(PQexec(conn, "alter subscription s set (slot_name = none)"));
    assert_true(!says(conn, "drop subscription s", "25001"));
    PQclear(PQexec(conn, "rollback"));
    /* A value that was added cannot be used before the commit. */
    PQclear(PQexec(conn, "begin"));
    PQclear(PQexec(conn, "alter type e add value 'z'"));
    assert_true(says(conn, "select 'z'::e", "55P04"));
    PQclear(PQexec(conn, "rollback"));
    PQfinish(conn);
}

static int start_server(void **state)
{
    (void)state;
    cluster_start(&server, NULL);
    cluster_exec(&server, "postgres", setup);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    cluster_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_left_to_the_server),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
