/*
 * The histories of other migration tools, in tables as those tools make them: which rows
 * count, which stand for more than themselves, and which table is read.
 */
#include "check.h"
#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/foreign.h"

static struct cluster server;

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

/* What is read from a database of its own that this SQL made. */
struct reading {
    struct rt_foreign foreign;
    struct rt_err err;
    struct rt_arena arena;
};

static int read_history(struct reading *r, const char *sql, const char *tool,
                        const char *table)
{
    static unsigned made;
    struct rt_server prod = {.role = "production", .source = "the test"};
    const struct rt_foreign_tool *found;
    char url[CLUSTER_URL_SIZE], db[32];
    struct rt_conn *conn;
    int rc;

    *r = (struct reading){0};
    snprintf(db, sizeof(db), "history%u", ++made);
    cluster_createdb(&server, db);
    cluster_exec(&server, db, sql);
    rt_secret_set(&prod.conninfo, cluster_url(&server, db, url));
    assert_int_equal(rt_foreign_tool(&found, tool, &r->err), 0);
    assert_int_equal(rt_conn_open(&conn, &prod, RT_READ_ONLY, &r->err), 0);
    rc = rt_foreign_read(&r->foreign, &r->arena, conn, found, table, &r->err);
    rt_conn_close(conn);
    rt_secret_clear(&prod.conninfo);
    return rc;
}

static void forget(struct reading *r)
{
    rt_err_clear(&r->err);
    rt_arena_clear(&r->arena);
}

/* "KEY", "KEY failed" or "below KEY", and "=CHECKSUM" where there is one. */
static void expect_rows(const struct reading *r, const char *want)
{
    struct rt_str got = {0};

    for (size_t i = 0; i < r->foreign.count; i++) {
        const struct rt_foreign_row *row = &r->foreign.rows[i];

        rt_str_addf(&got, "%s%s%s%s%s%s", i ? ", " : "",
                    row->state == RT_FOREIGN_BELOW ? "below " : "", row->key,
                    row->state == RT_FOREIGN_FAILED ? " failed" : "",
                    row->checksum ? "=" : "", row->checksum ? row->checksum : "");
    }
    assert_text_equal(rt_str_text(&got), want);
    rt_str_clear(&got);
}

static void expect(const char *tool, const char *sql, const char *table, const char *want)
{
    struct reading r;

    if (read_history(&r, sql, tool, NULL) < 0)
        check_fail("%s", r.err.message);
    assert_string_equal(r.foreign.table, table);
    expect_rows(&r, want);
    forget(&r);
}

static void refuse(const char *tool, const char *sql, const char *table,
                   enum rt_status status, const char *message)
{
    struct reading r;

    assert_int_equal(read_history(&r, sql, tool, table), -(int)status);
    assert_contains(r.err.message, message);
    forget(&r);
}

/* ------------------------------------------------------------------ the tools' tables */

#define PRISMA                                                                      \
    "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, "                 \
    "checksum varchar(64) NOT NULL, finished_at timestamptz, "                      \
    "migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, " \
    "started_at timestamptz NOT NULL DEFAULT now(), "                               \
    "applied_steps_count integer NOT NULL DEFAULT 0);"

static void prisma(void **state)
{
    (void)state;
    expect("prisma",
           PRISMA "INSERT INTO _prisma_migrations VALUES "
                  "('1', 'aa', now(), '0_init', NULL, NULL, '2024-01-01', 1),"
                  "('2', 'bb', NULL, '1_fixed', 'error', '2024-01-03', '2024-01-02', 0),"
                  "('3', 'bb', '2024-01-04', '1_fixed', '', NULL, '2024-01-04', 0),"
                  "('4', 'cc', NULL, '2_back', 'error', '2024-01-06', '2024-01-05', 0),"
                  "('5', 'dd', NULL, '3_stuck', 'error', NULL, '2024-01-07', 0)",
           "public._prisma_migrations", "0_init=aa, 1_fixed=bb, 3_stuck failed=dd");
}

#define FLYWAY(name)                                                               \
    "CREATE TABLE " name " (installed_rank int NOT NULL PRIMARY KEY, "             \
    "version varchar(50), description varchar(200) NOT NULL, "                     \
    "type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, "     \
    "installed_by varchar(100) NOT NULL, "                                         \
    "installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, " \
    "success boolean NOT NULL);"
#define FLYWAY_ROW(rank, version, description, type, checksum, success)              \
    "INSERT INTO flyway_schema_history VALUES (" rank ", " version ", '" description \
    "', '" type "', 'script " rank "', " checksum ", 'u', now(), 1, " success ");"

static void flyway(void **state)
{
    (void)state;
    expect("flyway",
           FLYWAY("flyway_schema_history")
               FLYWAY_ROW("0", "NULL", "<< Flyway Schema Creation >>", "SCHEMA", "NULL",
                          "true") FLYWAY_ROW("1", "'1'", "users", "SQL", "11", "true")
                   FLYWAY_ROW("2", "'1.10'", "orders", "SQL", "-22", "true")
                       FLYWAY_ROW("3", "NULL", "my view", "SQL", "33", "true")
                           FLYWAY_ROW("4", "'2'", "code", "JDBC", "NULL", "true")
                               FLYWAY_ROW("5", "NULL", "my view", "SQL", "55", "true")
                                   FLYWAY_ROW("6", "'3'", "broken", "SQL", "66", "false"),
           "public.flyway_schema_history",
           "V1=11, V1.10=-22, V2, Rmy view=55, V3 failed=66, "
           "below B2, below B1.10, below B1");
}

static void flyway_undone_deleted_and_done_again(void **state)
{
    (void)state;
    expect("flyway",
           FLYWAY("flyway_schema_history") FLYWAY_ROW("1", "'1'", "a", "SQL", "1", "true")
               FLYWAY_ROW("2", "'2'", "b", "SQL", "2",
                          "true") FLYWAY_ROW("3", "'3'", "c", "SQL", "3", "true")
                   FLYWAY_ROW("4", "'3'", "c", "UNDO_SQL", "4",
                              "true") FLYWAY_ROW("5", "'2'", "b", "UNDO_SQL", "5", "true")
                       FLYWAY_ROW("6", "'2'", "b", "SQL", "6",
                                  "true") FLYWAY_ROW("7", "'4'", "d", "SQL", "7", "true")
                           FLYWAY_ROW("8", "'4'", "d", "DELETE", "NULL", "true")
                               FLYWAY_ROW("9", "'5'", "e", "SQL", "9", "true")
                                   FLYWAY_ROW("10", "'5'", "e", "UNDO_SQL", "9", "false"),
           "public.flyway_schema_history", "V1=1, V2=6, V5 failed=9, below B2, below B1");
}

static void flyway_baselines(void **state)
{
    (void)state;
    expect("flyway",
           FLYWAY("flyway_schema_history")
               FLYWAY_ROW("1", "'3'", "<< Flyway Baseline >>", "BASELINE", "NULL", "true")
                   FLYWAY_ROW("2", "'4'", "d", "SQL", "4", "true"),
           "public.flyway_schema_history", "V4=4, below B4, below B3, below V3");
    expect("flyway",
           FLYWAY("flyway_schema_history")
               FLYWAY_ROW("1", "'5'", "all", "SQL_BASELINE", "5", "true"),
           "public.flyway_schema_history", "B5=5, below B5, below V5");
}

static void dbmate(void **state)
{
    (void)state;
    expect("dbmate",
           "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
           "INSERT INTO schema_migrations VALUES ('20240101000000'), ('0020')",
           "public.schema_migrations", "0020, 20240101000000");
}

#define GOLANG                                                              \
    "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, " \
    "dirty boolean NOT NULL);"

static void golang_migrate(void **state)
{
    (void)state;
    expect("golang-migrate", GOLANG "INSERT INTO schema_migrations VALUES (12, false)",
           "public.schema_migrations", "12, below 12");
    expect("golang-migrate", GOLANG "INSERT INTO schema_migrations VALUES (12, true)",
           "public.schema_migrations", "12 failed, below 12");
    expect("golang-migrate", GOLANG "INSERT INTO schema_migrations VALUES (-1, true)",
           "public.schema_migrations", "-1 failed, below -1");
    expect("golang-migrate",
           GOLANG "INSERT INTO schema_migrations VALUES (1, false), (2, false)",
           "public.schema_migrations", "1 failed, 2 failed, below 1, below 2");
    expect("golang-migrate", GOLANG, "public.schema_migrations", "");
}

/* Old versions add a row with false for "down", others delete the row. */
static void goose(void **state)
{
    (void)state;
    expect("goose",
           "CREATE TABLE goose_db_version (id integer PRIMARY KEY GENERATED BY DEFAULT "
           "AS IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT NULL, "
           "tstamp timestamp NOT NULL DEFAULT now());"
           "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), "
           "(1, true), (3, true), (2, true), (3, false), (2, false), (2, true)",
           "public.goose_db_version", "1, 2");
}

static void sqlx(void **state)
{
    (void)state;
    expect("sqlx",
           "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text "
           "NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean "
           "NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);"
           "INSERT INTO _sqlx_migrations VALUES (1, 'users', now(), true, '\\x01ff', 1),"
           "(2, 'orders', now(), false, '\\x02', 1)",
           "public._sqlx_migrations", "1=01ff, 2 failed=02");
}

static void node_pg_migrate(void **state)
{
    (void)state;
    expect(
        "node-pg-migrate",
        "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT "
        "NULL, run_on timestamp NOT NULL);"
        "INSERT INTO pgmigrations (name, run_on) VALUES ('2_b', now()), ('1_a', now())",
        "public.pgmigrations", "2_b, 1_a");
}

static void graphile_migrate(void **state)
{
    (void)state;
    expect("graphile-migrate",
           "CREATE TABLE migrations (id int); CREATE SCHEMA graphile_migrate;"
           "CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY, "
           "previous_hash text, filename text NOT NULL, date timestamptz NOT NULL "
           "DEFAULT now());"
           "INSERT INTO graphile_migrate.migrations VALUES "
           "('sha1:1', NULL, '000001.sql'), ('sha1:2', 'sha1:1', '000002.sql')",
           "graphile_migrate.migrations", "000001=sha1:1, 000002=sha1:2");
}

/* ------------------------------------------------------------------ made by the tools */

/* The tables that the tools left in tests/tools, as that test reads them. */
static void expect_corpus(const char *tool, const char *table, const char *want)
{
    char *path = check_printf("%s/%s.sql", HISTORY_DIR, tool);
    FILE *file = fopen(path, "r");
    char sql[16384] = "CREATE SCHEMA graphile_migrate;";
    size_t start = strlen(sql), len;

    if (file == NULL)
        check_fail("cannot read %s", path);
    len = fread(sql + start, 1, sizeof(sql) - start, file);
    assert_true(len > 0 && start + len < sizeof(sql));
    sql[start + len] = '\0';
    fclose(file);
    free(path);
    expect(tool, sql, table, want);
}

static void made_by_the_tools(void **state)
{
    (void)state;
    expect_corpus("dbmate", "public.schema_migrations", "0020, 20240101000000");
    expect_corpus("node-pg-migrate", "public.pgmigrations",
                  "1700000000000_a, 1700000000001_b.c");
    expect_corpus("graphile-migrate", "graphile_migrate.migrations",
                  "000001=sha1:7fe72b14925e933b14550e9611e4da6cb00dc4ad, "
                  "000002=sha1:e9158e9383f088dc5c3f0aac993e934a1cce1345");
    expect_corpus("prisma", "public._prisma_migrations",
                  "20240101000000_a="
                  "a99b053b54c8efd8f869b0f52aeb1e8e564b3e244486b65e31f35d806180ab8a, "
                  "20240102000000_b="
                  "ac88c17e3cae8c1c9aaa4f7a0bff44cfabdf1a9678f8b7af5e7201705e561865, "
                  "20240103000000_c="
                  "32c599b3dc957e694cbdc5966bcbcccc21cb9da70fb6067e43fb2625e335859d, "
                  "20240104000000_d="
                  "07b9fc15548d7ead38591a132990a18c56b26c086346aecf741a4a895c96bef9");
}

/* ------------------------------------------------------------------ which table */

static void no_table(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_history(&r, "SELECT 1", "prisma", NULL), 0);
    assert_null(r.foreign.table);
    assert_int_equal(r.foreign.count, 0);
    forget(&r);
}

static void table_in_another_schema(void **state)
{
    (void)state;
    expect("flyway",
           "CREATE SCHEMA \"The App\";" FLYWAY("\"The App\".flyway_schema_history"),
           "\"The App\".flyway_schema_history", "");
}

static void table_on_the_search_path_comes_first(void **state)
{
    (void)state;
    expect("prisma",
           "CREATE SCHEMA a; SET search_path TO a;" PRISMA
           "SET search_path TO public;" PRISMA
           "INSERT INTO _prisma_migrations VALUES ('1', 'aa', now(), '0_init')",
           "public._prisma_migrations", "0_init=aa");
}

static void tables_in_several_schemas_are_refused(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(read_history(&r,
                                  "CREATE SCHEMA a; SET search_path TO a;" PRISMA
                                  "CREATE SCHEMA b; SET search_path TO b;" PRISMA,
                                  "prisma", NULL),
                     -RT_EREFUSED);
    assert_contains(r.err.message, "several schemas have a table of prisma");
    assert_contains(r.err.detail, "a._prisma_migrations\nb._prisma_migrations");
    assert_contains(r.err.hint, "--table");
    forget(&r);
}

static void named_table(void **state)
{
    struct reading r;

    (void)state;
    assert_int_equal(
        read_history(&r, "CREATE SCHEMA \"Old\";" FLYWAY("\"Old\".\"schema_version\""),
                     "flyway", "\"Old\".schema_version"),
        0);
    assert_string_equal(r.foreign.table, "\"Old\".schema_version");
    forget(&r);
    refuse("flyway", FLYWAY("flyway_schema_history"), "nowhere.history", RT_EUSAGE,
           "production has no table nowhere.history");
    refuse("flyway", "SELECT 1", "a.b.c.d", RT_EINTERNAL, "cannot look for a.b.c.d");
}

static void table_of_another_tool_is_refused(void **state)
{
    (void)state;
    refuse("dbmate", GOLANG, NULL, RT_EREFUSED,
           "public.schema_migrations is not a table of dbmate");
    refuse("golang-migrate", "CREATE TABLE schema_migrations (version varchar)", NULL,
           RT_EREFUSED, "is not a table of golang-migrate");
    refuse("goose", "CREATE TABLE goose_db_version (id int, version_id int)", NULL,
           RT_EREFUSED, "is not a table of goose");
}

static void unknown_tool_is_named_with_those_there_are(void **state)
{
    const struct rt_foreign_tool *tool;
    struct rt_err err = {0};

    (void)state;
    assert_int_equal(rt_foreign_tool(&tool, "prizma", &err), -RT_EUSAGE);
    assert_contains(err.message, "unknown migration tool \"prizma\"");
    assert_contains(err.hint, "Did you mean prisma?");
    assert_contains(err.hint, "golang-migrate");
    rt_err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prisma),
        cmocka_unit_test(flyway),
        cmocka_unit_test(flyway_undone_deleted_and_done_again),
        cmocka_unit_test(flyway_baselines),
        cmocka_unit_test(dbmate),
        cmocka_unit_test(golang_migrate),
        cmocka_unit_test(goose),
        cmocka_unit_test(sqlx),
        cmocka_unit_test(node_pg_migrate),
        cmocka_unit_test(graphile_migrate),
        cmocka_unit_test(made_by_the_tools),
        cmocka_unit_test(no_table),
        cmocka_unit_test(table_in_another_schema),
        cmocka_unit_test(table_on_the_search_path_comes_first),
        cmocka_unit_test(tables_in_several_schemas_are_refused),
        cmocka_unit_test(named_table),
        cmocka_unit_test(table_of_another_tool_is_refused),
        cmocka_unit_test(unknown_tool_is_named_with_those_there_are),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
