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

static const struct {
    const char *input;
    struct rt_mode mode; /* first, count, unwrapped, statements, unparsed */
} accepted[] = {
    {"", {0, 0, false, 0, 0}},
    {"-- nothing\n", {0, 0, false, 0, 0}},
    {"select 1;", {0, 1, false, 1, 0}},
    {"select 1; select 2", {0, 2, false, 2, 0}},
    {"begin; alter table users add column flag varchar(255); commit;",
     {1, 1, true, 1, 0}},
    {"START TRANSACTION; select 1; select 2; END", {1, 2, true, 2, 0}},
    {"begin; commit;", {1, 0, true, 0, 0}},
    {"-- revtwin: no-transaction\nbegin; commit;", {1, 0, true, 0, 0}},
    {"savepoint a; select 1; rollback to a; release a;", {0, 4, false, 4, 0}},
    {"begin; savepoint a; release a; commit;", {1, 2, true, 2, 0}},
    {"copy t from stdin;\n1\n\\.\nselect 1;", {0, 3, false, 2, 0}},
    {"begin; copy t from stdin;\n1\n\\.\ncommit;", {1, 2, true, 1, 0}},
    {"select 1; selekt 2;", {0, 2, false, 2, 1}},
    {"do $$ begin commit; end $$;", {0, 1, false, 1, 0}},
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
            got.unwrapped != want.unwrapped || got.statements != want.statements ||
            got.unparsed != want.unparsed)
            fail_msg("%s: %zu+%zu, %d, %zu, %zu", accepted[i].input, got.first, got.count,
                     got.unwrapped, got.statements, got.unparsed);
    }
}

#define OWN " inside a migration: revtwin runs every file in one transaction of its own"
#define REFUSES                                                                 \
    " cannot run inside a transaction, and this version of revtwin runs every " \
    "migration in one"

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
    {"create index concurrently i on t (a);", 1, 1, "CREATE INDEX CONCURRENTLY" REFUSES,
     "Write it without CONCURRENTLY, or run it by hand and record it with "
     "\"revtwin baseline\"."},
    {"begin; create index concurrently i on t (a); commit;", 1, 8,
     "CREATE INDEX CONCURRENTLY" REFUSES, "without CONCURRENTLY"},
    {"vacuum t;", 1, 1, "VACUUM" REFUSES, "Run it by hand"},
    {"select 1;\n\tdrop index concurrently i;", 2, 2, "DROP INDEX CONCURRENTLY" REFUSES,
     "Split the file"},
    {"vacuum a; vacuum b;", 1, 1, "VACUUM" REFUSES, "Split the file"},
    {"-- revtwin: no-transaction\ncreate index concurrently i on t (a);", 2, 1,
     "CREATE INDEX CONCURRENTLY" REFUSES, "run it by hand"},
    {"-- revtwin: no-transaction\n\nselect 1;", 3, 1,
     "the file asks for \"no-transaction\", and this version of revtwin runs every "
     "migration in a transaction",
     "Remove the line"},
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
    {"select 1; copy t to stdout;", 1, 11,
     "COPY to STDOUT in a migration: nothing reads it", "Leave it out"},
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
