/* RT_CLASS_NO_TX is what the server refuses inside a transaction, and nothing else. */
#include "check.h"
#include "cluster.h"

#include <string.h>

#include "sql/inspect.h"

static const char setup[] =
    "create table t (a int primary key) partition by list (a);"
    "create table p partition of t for values in (1);"
    "create table u (a int primary key);"
    "create materialized view v as select a from u;"
    "create unique index vi on v (a);"
    "create type e as enum ('x');"
    "create subscription s connection 'host=none.invalid' publication p, o"
    "    with (connect = false);"
    "alter subscription s enable;";

static const char *const statements[] = {
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
    "discard all",
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

static void test_classes(void **state)
{
    struct cluster c = {0};
    PGconn *conn;

    (void)state;
    cluster_start(&c, NULL);
    cluster_exec(&c, "postgres", setup);
    conn = cluster_connect(&c, "postgres");
    PQclear(PQexec(conn, "set client_min_messages = error"));
    for (size_t i = 0; i < RT_COUNT(statements); i++) {
        PGresult *result;
        const char *sqlstate;
        bool refused;

        PQclear(PQexec(conn, "begin"));
        result = PQexec(conn, statements[i]);
        sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        refused = sqlstate != NULL && strcmp(sqlstate, "25001") == 0;
        if (refused != (class_of(statements[i]) == RT_CLASS_NO_TX))
            check_fail("%s: class %d, the server says: %s", statements[i],
                       class_of(statements[i]), PQresultErrorMessage(result));
        PQclear(result);
        PQclear(PQexec(conn, "rollback"));
    }
    PQfinish(conn);
    cluster_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
