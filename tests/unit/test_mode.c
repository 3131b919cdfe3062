#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "sql/inspect.h"
#include "sql/mode.h"

static int mode_of(struct rt_mode *mode, const char *text, struct rt_err *err)
{
    struct rt_script script = {0};
    int rc = rt_script_split(&script, text, strlen(text), err);

    if (rc < 0)
        fail_msg("%s: %s", text, err->message);
    rt_script_inspect(&script);
    rc = rt_script_mode(mode, &script, err);
    rt_script_clear(&script);
    return rc;
}

#define DIRECTIVE "-- revtwin: no-transaction\n"
#define CONCURRENTLY "create index concurrently i on t (a);"

static const struct {
    const char *input;
    struct rt_mode
        mode; /* first, count, no_transaction, unwrapped, statements, unparsed */
} accepted[] = {
    {"", {0, 0, false, false, 0, 0}},
    {"-- nothing\n", {0, 0, false, false, 0, 0}},
    {"select 1;", {0, 1, false, false, 1, 0}},
    {"select 1; select 2", {0, 2, false, false, 2, 0}},
    {"begin; alter table users add column flag varchar(255); commit;",
     {1, 1, false, true, 1, 0}},
    {"START TRANSACTION; select 1; select 2; END", {1, 2, false, true, 2, 0}},
    {"begin; commit;", {1, 0, false, true, 0, 0}},
    {"savepoint a; select 1; rollback to a; release a;", {0, 4, false, false, 4, 0}},
    {"begin; savepoint a; release a; commit;", {1, 2, false, true, 2, 0}},
    {"set local work_mem = '1MB'; lock table t;", {0, 2, false, false, 2, 0}},
    {"copy t from stdin;\n1\n\\.\nselect 1;", {0, 3, false, false, 2, 0}},
    {"begin; copy t from stdin;\n1\n\\.\ncommit;", {1, 2, false, true, 1, 0}},
    {"select 1; selekt 2;", {0, 2, false, false, 2, 1}},
    {"do $$ begin commit; end $$;", {0, 1, false, false, 1, 0}},

    /* without a transaction, because of the statements */
    {CONCURRENTLY, {0, 1, true, false, 1, 0}},
    {"vacuum a;\nvacuum b;" CONCURRENTLY, {0, 3, true, false, 3, 0}},
    {"set statement_timeout = 0; " CONCURRENTLY "reset statement_timeout;",
     {0, 3, true, false, 3, 0}},

    {"select set_config('a', 'b', false); vacuum t;", {0, 2, true, false, 2, 0}},

    /* because of the directive */
    {DIRECTIVE, {0, 0, false, false, 0, 0}},
    {DIRECTIVE "select 1;", {0, 1, true, false, 1, 0}},
    {DIRECTIVE "create table t (a int); " CONCURRENTLY, {0, 2, true, false, 2, 0}},
    {DIRECTIVE "copy t from stdin;\n1\n\\.\nvacuum t;", {0, 3, true, false, 2, 0}},
    {DIRECTIVE "selekt 1;", {0, 1, true, false, 1, 1}},
    {DIRECTIVE "select 'set_config(', set_config, a.set_config /* set_config( */ from t;",
     {0, 1, true, false, 1, 0}},
    {"select set_config(a, b, false) from t;", {0, 1, false, false, 1, 0}},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(accepted); i++) {
        struct rt_mode got = {0}, want = accepted[i].mode;
        struct rt_err err = {0};

        if (mode_of(&got, accepted[i].input, &err) < 0)
            fail_msg("%s: %s", accepted[i].input, err.message);
        if (got.first != want.first || got.count != want.count ||
            got.no_transaction != want.no_transaction ||
            got.unwrapped != want.unwrapped || got.statements != want.statements ||
            got.unparsed != want.unparsed)
            fail_msg("%s: %zu+%zu, %d, %d, %zu, %zu", accepted[i].input, got.first,
                     got.count, got.no_transaction, got.unwrapped, got.statements,
                     got.unparsed);
    }
}

#define OWN " inside a migration: revtwin runs every file in one transaction of its own"
#define OUTSIDE " in a file that runs without a transaction"
#define NOTHING " means nothing outside of a transaction, and this file runs without one"
#define MIXED \
    " cannot run inside a transaction, and other statements of the file run in one"

static const struct {
    const char *input;
    unsigned long line, column;
    const char *message, *hint; /* the hint contains this */
} refused[] = {
    {"begin; select 1;", 1, 1, "BEGIN" OWN, "BEGIN; ... COMMIT; pair"},
    {"select 1;\n  commit;", 2, 3, "COMMIT" OWN, "BEGIN; ... COMMIT; pair"},
    {"select 1; begin; select 2; commit;", 1, 11, "BEGIN" OWN, "the first and the last"},
    {"begin; select 1; commit;\nselect 2;", 1, 1, "BEGIN" OWN, "wrap the whole file"},
    {"begin; select 1; commit;\nbegin; select 2; commit;", 1, 18, "COMMIT" OWN,
     "wrap the whole file"},
    {"commit; begin;", 1, 1, "COMMIT" OWN, "BEGIN"},
    {"commit;", 1, 1, "COMMIT" OWN, "BEGIN"},
    {"begin;", 1, 1, "BEGIN" OWN, "BEGIN"},
    {"select 1;\nrollback;", 2, 1, "ROLLBACK" OWN, "savepoints are fine"},
    {"begin; select 1; rollback;", 1, 1, "BEGIN" OWN, "BEGIN"},
    {"begin isolation level serializable; commit;", 1, 1,
     "BEGIN with a transaction mode" OWN, "Leave it out"},
    {"begin; select 1; commit and chain;", 1, 1, "BEGIN" OWN, "BEGIN"},
    {"select 1; commit and chain;", 1, 11, "COMMIT AND CHAIN" OWN, "Leave it out"},
    {"prepare transaction 'a';", 1, 1, "PREPARE TRANSACTION" OWN, "Leave it out"},
    {"set transaction read only;", 1, 1, "SET TRANSACTION" OWN, "Leave it out"},

    /* some statements refuse a transaction, some do not */
    {"select 1;\n\tdrop index concurrently i;", 2, 2, "DROP INDEX CONCURRENTLY" MIXED,
     "Split the file: give this statement a file of its own. Or start the file with the "
     "line \"-- revtwin: no-transaction\": then every statement runs by itself, and when "
     "one fails, those before it are not rolled back."},
    {"vacuum t; select 1;", 1, 1, "VACUUM" MIXED, "Split"},
    {"vacuum t; selekt 1;", 1, 1, "VACUUM" MIXED, "Split"},
    {"begin; select 1;\n" CONCURRENTLY "commit;", 2, 1, "CREATE INDEX CONCURRENTLY" MIXED,
     "Split"},
    {"vacuum t; copy t from stdin;\n\\.\n", 1, 1, "VACUUM" MIXED, "Split"},

    /* transaction control without a transaction */
    {"begin; " CONCURRENTLY "commit;", 1, 1, "BEGIN" OUTSIDE,
     "Leave it out: CREATE INDEX CONCURRENTLY refuses a transaction, so every statement "
     "of this file runs by itself."},
    {"vacuum a;\ncommit;", 2, 1, "COMMIT" OUTSIDE, "VACUUM refuses"},
    {"savepoint a; vacuum t;", 1, 1, "SAVEPOINT" NOTHING, "VACUUM refuses"},
    {"set local work_mem = '1MB'; vacuum t;", 1, 1, "SET LOCAL" NOTHING, "VACUUM"},
    {DIRECTIVE "begin; commit;", 2, 1, "BEGIN" OUTSIDE,
     "Leave it out, or remove the line \"-- revtwin: no-transaction\": every statement "
     "of "
     "this file can run in one transaction."},
    {DIRECTIVE "begin; select 1; commit;", 2, 1, "BEGIN" OUTSIDE, "remove the line"},
    {DIRECTIVE "select 1; vacuum t;\nrollback;", 3, 1, "ROLLBACK" OUTSIDE, "VACUUM"},
    {DIRECTIVE "select 1; prepare transaction 'a';", 2, 11, "PREPARE TRANSACTION" OUTSIDE,
     "remove the line"},
    {DIRECTIVE "commit prepared 'a';", 2, 1, "COMMIT PREPARED" OUTSIDE, "Leave it out"},
    {DIRECTIVE "set transaction read only;", 2, 1, "SET TRANSACTION" OUTSIDE, "Leave"},
    {DIRECTIVE "lock table t; update t set a = 1;", 2, 1, "LOCK TABLE" NOTHING,
     "remove the line"},
    {DIRECTIVE "commit foo;", 2, 1, "COMMIT that the parser cannot read" OUTSIDE,
     "Leave it out"},

    {DIRECTIVE "select 1;\n\nselect pg_catalog.set_config (a, b, false) from t;", 4, 1,
     "SELECT with a call of set_config" OUTSIDE,
     "Write SET, or SELECT set_config('name', 'value', false) as a statement of its own"},
    {DIRECTIVE "insert into t select set_config('a', 'b', false);", 2, 1,
     "INSERT with a call of set_config" OUTSIDE, "would be lost"},
    {DIRECTIVE "selekt SET_CONFIG/**/(1);", 2, 1, "SQL with a call of set_config" OUTSIDE,
     "would be lost"},
    {"select set_config('a', 'b', true); vacuum t;", 1, 1, "SELECT" NOTHING, "VACUUM"},

    /* either way */
    {"select 1;\ncommit foo;", 2, 1, "COMMIT that the parser cannot read" OWN,
     "Leave it out"},
    {"select 1;\ncreate function begin() returns int as '' language sql; commit;", 2, 1,
     "CREATE FUNCTION and what follows it are one statement to psql, but several to the "
     "server",
     "double quotes"},
    {"select 1; set standard_conforming_strings = off;", 1, 11,
     "SET standard_conforming_strings to anything but on changes what a backslash means "
     "in the rest of the file",
     "E'...'"},
    {DIRECTIVE "set standard_conforming_strings = off;", 2, 1,
     "SET standard_conforming_strings to anything but on changes what a backslash means "
     "in the rest of the file",
     "E'...'"},
    {"select 1; copy t to stdout;", 1, 11,
     "COPY to STDOUT in a migration: nothing reads it", "Leave it out"},
    {DIRECTIVE "copy t to stdout;", 2, 1,
     "COPY to STDOUT in a migration: nothing reads it", "Leave it out"},
    {"reset all;", 1, 1,
     "RESET ALL would also undo the settings that revtwin makes for the session",
     "by its name"},
    {"vacuum t; discard all;", 1, 11,
     "DISCARD ALL would also undo the settings that revtwin makes for the session",
     "Leave it out"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(refused); i++) {
        struct rt_mode mode = {0};
        struct rt_err err = {0};

        if (mode_of(&mode, refused[i].input, &err) != -RT_EREFUSED)
            fail_msg("%s: not refused", refused[i].input);
        if (err.line != refused[i].line || err.column != refused[i].column)
            fail_msg("%s: at %lu:%lu", refused[i].input, err.line, err.column);
        assert_string_equal(err.message, refused[i].message);
        if (strstr(err.hint, refused[i].hint) == NULL)
            fail_msg("%s: hint %s", refused[i].input, err.hint);
        assert_non_null(err.excerpt);
        assert_null(err.path);
        rt_err_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
