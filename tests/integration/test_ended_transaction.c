/*
 * Should a COMMIT ever get past the checks of src/sql, then what it committed must not be
 * told as rolled back: rt_apply with statements that the plan would have refused.
 */
#include "check.h"
#include "cluster.h"

#include <stdlib.h>
#include <string.h>

#include "migrate/apply.h"

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

/* Run the text as the only migration, in a database of its own. */
static void apply_text(const char *db, const char *sql, bool one_by_one,
                       struct rt_err *err)
{
    char url[CLUSTER_URL_SIZE];
    struct rt_server prod = {.role = "production", .source = "the test"};
    struct rt_action action = {.kind = RT_ACTION_APPLY,
                               .path = "migrations/V1.sql",
                               .checksum = "c",
                               .commit = "d"};
    struct rt_plan plan = {.actions = &action, .count = 1};
    struct rt_apply_options options = {.lock_timeout = "5s",
                                       .writer = {.client = "test"}};
    struct rt_apply_result result = {0};
    struct rt_arena arena = {0};
    struct rt_ledger ledger = {0};
    struct rt_conn *conn;
    int rc;
    char *text = check_printf("%s", sql); /* sending writes into it */

    cluster_createdb(&server, db);
    rt_secret_set(&prod.conninfo, cluster_url(&server, db, url));
    assert_int_equal(rt_script_split(&action.source.script, text, strlen(text), err), 0);
    action.source.mode.count = action.source.script.count;
    action.source.one_by_one = one_by_one;
    assert_int_equal(rt_conn_open(&conn, &prod, RT_READ_WRITE, err), 0);
    assert_int_equal(rt_ledger_read(&ledger, &arena, conn, 0, err), 0);
    rc = rt_apply(&result, &arena, conn, &plan, &ledger, &options, err);
    assert_int_equal(rc, -(int)err->status);
    assert_int_equal(result.done, 0);
    rt_conn_close(conn);
    rt_script_clear(&action.source.script);
    free(text);
    rt_secret_clear(&prod.conninfo);
    rt_arena_clear(&arena);
}

static const struct {
    const char *name, *sql;
    enum rt_status status;
} cases[] = {
    {"error after it", "CREATE TABLE t (); COMMIT; SELECT 1/0;", RT_EUNKNOWN},
    {"error in a transaction of its own",
     "CREATE TABLE t (); COMMIT; BEGIN; SELECT 1; COMMIT; SELECT nope;", RT_EUNKNOWN},
    {"no error", "CREATE TABLE t (); COMMIT; SELECT 1;", RT_EUNKNOWN},
    {"another transaction", "CREATE TABLE t (); COMMIT; BEGIN; SELECT 1;", RT_EUNKNOWN},
    {"error before it", "SELECT 1/0; COMMIT;", RT_EMIGRATION},
};

static void expect_truth(bool one_by_one)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *db = check_printf("%s_%zu", one_by_one ? "one_by_one" : "pipeline", i);
        struct rt_err err = {0};
        bool unknown = cases[i].status == RT_EUNKNOWN;

        print_message("           %s\n", cases[i].name);
        apply_text(db, cases[i].sql, one_by_one, &err);
        assert_int_equal(err.status, cases[i].status);
        if (unknown) {
            assert_contains(err.message, "ended the transaction");
            assert_lacks(err.advice, "rolled back");
        } else {
            assert_contains(err.advice, "rolled back");
        }
        assert_query(&server, db, "SELECT to_regclass('t') IS NOT NULL",
                     unknown ? "t" : "f");
        assert_query(&server, db, "SELECT count(*) FROM revtwin.ledger", "0");
        rt_err_clear(&err);
        free(db);
    }
}

static void commit_is_never_told_as_rolled_back(void **state)
{
    (void)state;
    expect_truth(true);
}

static void nor_in_the_pipeline(void **state)
{
    (void)state;
    expect_truth(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_is_never_told_as_rolled_back),
        cmocka_unit_test(nor_in_the_pipeline),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
