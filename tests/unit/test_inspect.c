#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "sql/inspect.h"

static struct rt_script inspect(const char *text, size_t len)
{
    struct rt_script script = {0};
    struct rt_err err = {0};

    if (rt_script_split(&script, text, len, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    rt_script_inspect(&script);
    return script;
}

static const struct {
    const char *input;
    enum rt_stmt_class stmt_class;
    const char *tag;
} statements[] = {
    /* transaction control */
    {"begin", RT_CLASS_BEGIN, "BEGIN"},
    {"BEGIN WORK;", RT_CLASS_BEGIN, "BEGIN"},
    {"begin transaction;", RT_CLASS_BEGIN, "BEGIN"},
    {"start transaction;", RT_CLASS_BEGIN, "START TRANSACTION"},
    {"begin isolation level serializable;", RT_CLASS_TX, "BEGIN with a transaction mode"},
    {"start transaction read only;", RT_CLASS_TX,
     "START TRANSACTION with a transaction mode"},
    {"commit;", RT_CLASS_COMMIT, "COMMIT"},
    {"end;", RT_CLASS_COMMIT, "COMMIT"},
    {"commit and no chain;", RT_CLASS_COMMIT, "COMMIT"},
    {"commit and chain;", RT_CLASS_TX, "COMMIT AND CHAIN"},
    {"rollback;", RT_CLASS_TX, "ROLLBACK"},
    {"abort;", RT_CLASS_TX, "ROLLBACK"},
    {"rollback and chain;", RT_CLASS_TX, "ROLLBACK AND CHAIN"},
    {"prepare transaction 'x';", RT_CLASS_TX, "PREPARE TRANSACTION"},
    {"commit prepared 'x';", RT_CLASS_TX, "COMMIT PREPARED"},
    {"rollback prepared 'x';", RT_CLASS_TX, "ROLLBACK PREPARED"},
    {"set transaction isolation level serializable;", RT_CLASS_TX, "SET TRANSACTION"},
    {"set transaction snapshot 'x';", RT_CLASS_TX, "SET TRANSACTION"},
    {"savepoint a;", RT_CLASS_IN_TX, "SAVEPOINT"},
    {"release savepoint a;", RT_CLASS_IN_TX, "RELEASE"},
    {"rollback to savepoint a;", RT_CLASS_IN_TX, "ROLLBACK TO SAVEPOINT"},
    {"set session characteristics as transaction read write;", RT_CLASS_SETTING,
     "SET SESSION CHARACTERISTICS"},

    /* refused by the server inside a transaction */
    {"create index concurrently i on t (a);", RT_CLASS_NO_TX,
     "CREATE INDEX CONCURRENTLY"},
    {"create unique index concurrently on t (a);", RT_CLASS_NO_TX,
     "CREATE INDEX CONCURRENTLY"},
    {"drop index concurrently if exists i;", RT_CLASS_NO_TX, "DROP INDEX CONCURRENTLY"},
    {"reindex table concurrently t;", RT_CLASS_NO_TX, "REINDEX"},
    {"reindex (concurrently) index i;", RT_CLASS_NO_TX, "REINDEX"},
    {"reindex (concurrently off) index i;", RT_CLASS_PLAIN, "REINDEX"},
    {"reindex database d;", RT_CLASS_NO_TX, "REINDEX"},
    {"reindex system d;", RT_CLASS_NO_TX, "REINDEX"},
    {"reindex schema s;", RT_CLASS_NO_TX, "REINDEX"},
    {"vacuum;", RT_CLASS_NO_TX, "VACUUM"},
    {"vacuum (analyze) t;", RT_CLASS_NO_TX, "VACUUM"},
    {"cluster;", RT_CLASS_NO_TX, "CLUSTER"},
    {"create database d;", RT_CLASS_NO_TX, "CREATE DATABASE"},
    {"drop database d;", RT_CLASS_NO_TX, "DROP DATABASE"},
    {"alter database d set tablespace s;", RT_CLASS_NO_TX, "ALTER DATABASE"},
    {"create tablespace s location '/x';", RT_CLASS_NO_TX, "CREATE TABLESPACE"},
    {"drop tablespace s;", RT_CLASS_NO_TX, "DROP TABLESPACE"},
    {"alter system set work_mem = '1MB';", RT_CLASS_NO_TX, "ALTER SYSTEM"},
    {"alter table t detach partition p concurrently;", RT_CLASS_NO_TX, "ALTER TABLE"},
    {"create subscription s connection '' publication p;", RT_CLASS_NO_TX,
     "CREATE SUBSCRIPTION"},
    {"create subscription s connection '' publication p with (create_slot = true);",
     RT_CLASS_NO_TX, "CREATE SUBSCRIPTION"},
    {"alter subscription s refresh publication;", RT_CLASS_NO_TX, "ALTER SUBSCRIPTION"},
    {"alter subscription s set publication p;", RT_CLASS_NO_TX, "ALTER SUBSCRIPTION"},
    {"drop subscription s;", RT_CLASS_NO_TX, "DROP SUBSCRIPTION"},
    {"alter subscription s set (failover);", RT_CLASS_NO_TX, "ALTER SUBSCRIPTION"},
    {"alter subscription s set (two_phase = false);", RT_CLASS_NO_TX,
     "ALTER SUBSCRIPTION"},

    /* their neighbours, which run inside a transaction */
    {"create index i on t (a);", RT_CLASS_PLAIN, "CREATE INDEX"},
    {"drop index i;", RT_CLASS_PLAIN, "DROP INDEX"},
    {"reindex table t;", RT_CLASS_PLAIN, "REINDEX"},
    {"analyze t;", RT_CLASS_PLAIN, "ANALYZE"},
    {"cluster t;", RT_CLASS_PLAIN, "CLUSTER"},
    {"alter database d set work_mem = '1MB';", RT_CLASS_PLAIN, "ALTER DATABASE"},
    {"alter database d connection limit 5;", RT_CLASS_PLAIN, "ALTER DATABASE"},
    {"alter table t detach partition p;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"alter table t attach partition p default;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"create subscription s connection '' publication p with (create_slot = false);",
     RT_CLASS_PLAIN, "CREATE SUBSCRIPTION"},
    {"create subscription s connection '' publication p with (connect = off);",
     RT_CLASS_PLAIN, "CREATE SUBSCRIPTION"},
    {"create subscription s connection '' publication p with (create_slot = 0);",
     RT_CLASS_PLAIN, "CREATE SUBSCRIPTION"},
    {"alter subscription s set publication p with (refresh = false);", RT_CLASS_PLAIN,
     "ALTER SUBSCRIPTION"},
    {"alter subscription s disable;", RT_CLASS_PLAIN, "ALTER SUBSCRIPTION"},
    {"alter subscription s set (slot_name = none);", RT_CLASS_PLAIN,
     "ALTER SUBSCRIPTION"},
    {"alter table t detach partition p finalize;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"discard temp;", RT_CLASS_PLAIN, "DISCARD"},
    {"refresh materialized view concurrently v;", RT_CLASS_PLAIN,
     "REFRESH MATERIALIZED VIEW"},
    {"alter type e add value 'x';", RT_CLASS_PLAIN, "ALTER TYPE"},

    /* for the rest of the session */
    {"set a = 1;", RT_CLASS_SETTING, "SET"},
    {"set search_path to a, b;", RT_CLASS_SETTING, "SET"},
    {"set a to default;", RT_CLASS_SETTING, "SET"},
    {"set time zone local;", RT_CLASS_SETTING, "SET"},
    {"set role r;", RT_CLASS_SETTING, "SET"},
    {"set session authorization r;", RT_CLASS_SETTING, "SET"},
    {"reset a;", RT_CLASS_SETTING, "RESET"},
    {"select pg_catalog.set_config('search_path', '', false);", RT_CLASS_SETTING,
     "SELECT"},
    {"select set_config('a', '1', 'f'), set_config('b', '2', false)", RT_CLASS_PLAIN,
     "SELECT"},
    {"select set_config('a', '1', false), set_config('b', '2', false)", RT_CLASS_SETTING,
     "SELECT"},
    {"select set_config('a', '1', false), set_config('b', '2', true)", RT_CLASS_PLAIN,
     "SELECT"},
    {"select set_config('a', '1', true)", RT_CLASS_IN_TX, "SELECT"},
    {"select set_config('a', x, false) from t", RT_CLASS_PLAIN, "SELECT"},
    {"select set_config('a', '1', false) where false", RT_CLASS_PLAIN, "SELECT"},
    {"select set_config('a', null, false)", RT_CLASS_PLAIN, "SELECT"},
    {"select my.set_config('a', '1', false)", RT_CLASS_PLAIN, "SELECT"},
    {"select set_config('a', '1', false), 1", RT_CLASS_PLAIN, "SELECT"},
    {"select set_config('standard_conforming_strings', 'on', false)", RT_CLASS_SETTING,
     "SELECT"},
    {"select set_config('standard_conforming_strings', 'off', false)", RT_CLASS_STRINGS,
     "SELECT"},

    /* without an effect outside of a transaction */
    {"set local a = 1;", RT_CLASS_IN_TX, "SET LOCAL"},
    {"set local role r;", RT_CLASS_IN_TX, "SET LOCAL"},
    {"set constraints all deferred;", RT_CLASS_IN_TX, "SET CONSTRAINTS"},
    {"lock table t;", RT_CLASS_IN_TX, "LOCK TABLE"},
    {"declare c cursor for select 1;", RT_CLASS_IN_TX, "SQL"},
    {"declare c scroll cursor with hold for select 1;", RT_CLASS_PLAIN, "SQL"},

    /* names */
    {"alter table t add a int, drop b;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"alter view v alter a set default 1;", RT_CLASS_PLAIN, "ALTER VIEW"},
    {"alter table t rename a to b;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"alter table t rename to u;", RT_CLASS_PLAIN, "ALTER TABLE"},
    {"alter view v rename column a to b;", RT_CLASS_PLAIN, "ALTER VIEW"},
    {"alter function f() owner to r;", RT_CLASS_PLAIN, "ALTER FUNCTION"},
    {"alter type t set schema s;", RT_CLASS_PLAIN, "ALTER TYPE"},
    {"drop table t;", RT_CLASS_PLAIN, "DROP TABLE"},
    {"drop materialized view v;", RT_CLASS_PLAIN, "DROP MATERIALIZED VIEW"},
    {"create type t;", RT_CLASS_PLAIN, "CREATE TYPE"},
    {"create aggregate a (int) (sfunc = f, stype = int);", RT_CLASS_PLAIN,
     "CREATE AGGREGATE"},
    {"create table t (a int);", RT_CLASS_PLAIN, "CREATE TABLE"},
    {"create table t as select 1;", RT_CLASS_PLAIN, "CREATE TABLE AS"},
    {"create materialized view v as select 1;", RT_CLASS_PLAIN,
     "CREATE MATERIALIZED VIEW"},
    {"create function f() returns int language sql begin atomic; select 1; end;",
     RT_CLASS_PLAIN, "CREATE FUNCTION"},
    {"create procedure p() language sql as '';", RT_CLASS_PLAIN, "CREATE PROCEDURE"},
    {"grant select on t to r;", RT_CLASS_PLAIN, "GRANT"},
    {"revoke a from b;", RT_CLASS_PLAIN, "REVOKE ROLE"},
    {"with a as (select 1) insert into t select * from a;", RT_CLASS_PLAIN, "INSERT"},
    {"merge into t using u on true when matched then delete;", RT_CLASS_PLAIN, "MERGE"},
    {"copy t to stdout;", RT_CLASS_COPY_OUT, "COPY"},
    {"copy (select 1) to stdout;", RT_CLASS_COPY_OUT, "COPY"},
    {"copy t to '/x';", RT_CLASS_PLAIN, "COPY"},
    {"copy t from program 'x';", RT_CLASS_PLAIN, "COPY"},
    {"listen a;", RT_CLASS_PLAIN, "SQL"},

    /* not understood */
    {"selekt 1;", RT_CLASS_UNPARSED, "SQL"},
    {"create table;", RT_CLASS_UNPARSED, "SQL"},
    {"commit foo;", RT_CLASS_TX, "COMMIT that the parser cannot read"},
    {"END foo;", RT_CLASS_TX, "END that the parser cannot read"},
    {"prepare /* x */ transaction;", RT_CLASS_TX,
     "PREPARE TRANSACTION that the parser cannot read"},
    {"prepare foo;", RT_CLASS_UNPARSED, "SQL"},
    {"\"commit\" foo;", RT_CLASS_UNPARSED, "SQL"},
    {"select foo bar baz;", RT_CLASS_UNPARSED, "SQL"},

    /* read otherwise by psql than by the server */
    {"create function begin() returns int as '' language sql; select 1;",
     RT_CLASS_SEVERAL, "CREATE FUNCTION"},
    {"create function begin() returns int as '' language sql; commit; select 1 as end;",
     RT_CLASS_SEVERAL, "CREATE FUNCTION"},
    {"reset all;", RT_CLASS_RESET_ALL, "RESET ALL"},
    {"discard all;", RT_CLASS_RESET_ALL, "DISCARD ALL"},
    {"reset work_mem;", RT_CLASS_SETTING, "RESET"},
    {"set standard_conforming_strings = off;", RT_CLASS_STRINGS, "SET"},
    {"set session Standard_Conforming_Strings to 'off';", RT_CLASS_STRINGS, "SET"},
    {"set local standard_conforming_strings = false;", RT_CLASS_STRINGS, "SET LOCAL"},
    {"set standard_conforming_strings = 0;", RT_CLASS_STRINGS, "SET"},
    {"set standard_conforming_strings = on;", RT_CLASS_SETTING, "SET"},
    {"set standard_conforming_strings = 'ON';", RT_CLASS_SETTING, "SET"},
    {"set standard_conforming_strings = true;", RT_CLASS_SETTING, "SET"},
    {"set standard_conforming_strings to default;", RT_CLASS_SETTING, "SET"},
    {"reset standard_conforming_strings;", RT_CLASS_SETTING, "RESET"},
};

static void test_statements(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(statements); i++) {
        const char *input = statements[i].input;
        struct rt_script script = inspect(input, strlen(input));

        assert_int_equal(script.count, 1);
        if (script.stmts[0].stmt_class != statements[i].stmt_class)
            fail_msg("%s: class %d", input, script.stmts[0].stmt_class);
        if (strcmp(script.stmts[0].tag, statements[i].tag) != 0)
            fail_msg("%s: tag %s", input, script.stmts[0].tag);
        rt_script_clear(&script);
    }
}

/*
 * The parser finds its own memory and list functions, not ones of ours by the same name:
 * with such a clash it returns no statements and no error.
 */
static void test_parser_works_in_this_program(void **state)
{
    const char *text = "select 1; select 2, 3; alter table t add a int;";
    struct rt_script script = inspect(text, strlen(text));

    (void)state;
    assert_int_equal(script.count, 3);
    assert_string_equal(script.stmts[0].tag, "SELECT");
    assert_string_equal(script.stmts[1].tag, "SELECT");
    assert_string_equal(script.stmts[2].tag, "ALTER TABLE");
    assert_int_equal(script.stmts[2].stmt_class, RT_CLASS_PLAIN);
    rt_script_clear(&script);
}

static void test_copy_data(void **state)
{
    const char *text = "copy t from stdin;\nnot sql\n\\.\nselect 1;";
    struct rt_script script = inspect(text, strlen(text));

    (void)state;
    assert_int_equal(script.count, 3);
    assert_int_equal(script.stmts[0].stmt_class, RT_CLASS_PLAIN);
    assert_string_equal(script.stmts[0].tag, "COPY");
    assert_int_equal(script.stmts[1].stmt_class, RT_CLASS_PLAIN);
    assert_string_equal(script.stmts[1].tag, "COPY data");
    assert_string_equal(script.stmts[2].tag, "SELECT");
    rt_script_clear(&script);
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
    struct rt_str text = {0};

    rt_str_add(&text, head);
    for (size_t i = 0; i < count; i++)
        rt_str_add(&text, part);
    rt_str_add(&text, tail);
    return rt_str_take(&text);
}

/* Trees too deep for the stack, and statements too large: a class, never a crash. */
static void test_deep_and_large(void **state)
{
    static const struct {
        const char *head, *part;
        size_t count;
        const char *tail;
        enum rt_stmt_class stmt_class;
    } inputs[] = {
        {"select 1", "+1", 500, ";", RT_CLASS_PLAIN},
        {"select 1", "+1", 16000, ";", RT_CLASS_UNPARSED},
        {"select 1", "+1", 100000, ";", RT_CLASS_PLAIN},
        {"create view v as select 1", "+1", 16000, ";", RT_CLASS_UNPARSED},
        {"create view v as select 1", "+1", 100000, ";", RT_CLASS_UNPARSED},
        {"select ", "(", 16000, "", RT_CLASS_UNPARSED},
        {"select ", "not ", 8000, "true;", RT_CLASS_UNPARSED},
        {"select 1", "::a", 10000, ";", RT_CLASS_UNPARSED},
        {"select 1", " union select 1", 2000, ";", RT_CLASS_PLAIN},
        {"insert into t values (0)", ",(1)", 7000, ";", RT_CLASS_PLAIN},
        {"insert into t values (0)", ",(1)", 100000, ";", RT_CLASS_PLAIN},
        {"drop database d /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_UNPARSED},
        {"begin /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"start transaction /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"commit /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"commit -- ", "x", RT_INSPECT_MAX, "", RT_CLASS_COMMIT},
        {"end /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"rollback /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"abort /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_TX},
        {"prepare /* ", "x", RT_INSPECT_MAX, " */ transaction 'a';", RT_CLASS_TX},
        {"prepare p as select 1 /* ", "x", RT_INSPECT_MAX, " */;", RT_CLASS_UNPARSED},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(inputs); i++) {
        char *text =
            repeat(inputs[i].head, inputs[i].part, inputs[i].count, inputs[i].tail);
        struct rt_script script = inspect(text, strlen(text));

        assert_int_equal(script.count, 1);
        if (script.stmts[0].stmt_class != inputs[i].stmt_class)
            fail_msg("%s %s...: class %d", inputs[i].head, inputs[i].part,
                     script.stmts[0].stmt_class);
        assert_non_null(script.stmts[0].tag);
        rt_script_clear(&script);
        free(text);
    }
}

static void test_many(void **state)
{
    char *text = repeat("",
                        "alter table public.some_table add column some_column integer "
                        "default 1;\n",
                        20000, "");
    clock_t start = clock();
    struct rt_script script = inspect(text, strlen(text));
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;

    (void)state;
    print_message("20,000 statements, %zu bytes: %.2f s\n", strlen(text), seconds);
    assert_int_equal(script.count, 20000);
    assert_string_equal(script.stmts[19999].tag, "ALTER TABLE");
    assert_true(seconds < 10);
    rt_script_clear(&script);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_parser_works_in_this_program),
        cmocka_unit_test(test_copy_data),
        cmocka_unit_test(test_deep_and_large),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
