/* What a resync writes down about itself on the twin, and where rows come from. */
#include <stdlib.h>

#include "check.h"
#include "cluster.h"
#include "pg/query.h"
#include "twin/receipt.h"

static struct cluster server;

struct session {
    struct rt_server server;
    struct rt_conn *conn;
    struct rt_arena arena;
    struct rt_err err;
};

#define must(call)                                       \
    do {                                                 \
        if ((call) < 0)                                  \
            check_fail("%s: %s", #call, s->err.message); \
    } while (0)

static void point(struct session *s, const char *user)
{
    char *url =
        check_printf("host=%s port=%d user=%s dbname=dev", server.dir, server.port, user);

    rt_conn_close(s->conn);
    s->conn = NULL;
    rt_secret_set(&s->server.conninfo, url);
    free(url);
    must(rt_conn_open(&s->conn, &s->server, RT_READ_WRITE, &s->err));
}

static int open_session(void **state)
{
    static struct session kept;
    struct session *s = &kept;

    *s = (struct session){.server = {.role = "the twin", .source = "--twin"}};
    cluster_createdb(&server, "dev");
    point(s, CLUSTER_USER);
    *state = s;
    return 0;
}

static int close_session(void **state)
{
    struct session *s = *state;

    rt_conn_close(s->conn);
    rt_secret_clear(&s->server.conninfo);
    rt_arena_clear(&s->arena);
    rt_err_clear(&s->err);
    cluster_dropdb(&server, "dev");
    return 0;
}

#define session_test(test) \
    cmocka_unit_test_setup_teardown(test, open_session, close_session)

/* ------------------------------------------------------------------ receipts */

static struct rt_receipt_table tables[] = {
    {.schema = "public", .name = "users", .prod_oid = "16400", .rows = 3},
    {.schema = "Odd \"Name", .name = "a.b 'c' \\", .prod_oid = "4294967295", .rows = 0},
    {.schema = "public", .name = "gone", .prod_oid = "1", .rows = 12345678901234},
};

static const struct rt_receipt full = {
    .taken_at = "2026-11-20T14:03:05Z",
    .origin = {.system = "7123456789012345678",
               .timeline = "00000001",
               .started = "2026-11-01T00:00:00.000001Z",
               .database = "5",
               .snapshot = "100:110:100,105",
               .lsn = "1/AB"},
    .method = "delta",
    .why = "the schemas are equal",
    .incremental_runs = 4,
    .verified = true,
    .rows_read = 5,
    .rows_written = 6,
    .bytes_read = 7000000000,
    .bytes_written = 8,
    .seconds = 1.25,
    .tables = tables,
    .table_count = RT_COUNT(tables),
};

static void expect_tables(const struct rt_receipt *got)
{
    const struct rt_receipt_table *users = rt_receipt_find(got, "public", "users");
    const struct rt_receipt_table *odd = rt_receipt_find(got, "Odd \"Name", "a.b 'c' \\");
    const struct rt_receipt_table *gone = rt_receipt_find(got, "public", "gone");
    char *oid = cluster_query(&server, "dev", "select 'public.users'::regclass::oid");

    assert_int_equal(got->table_count, 3);
    assert_non_null(users);
    assert_string_equal(users->prod_oid, "16400");
    assert_string_equal(users->twin_oid, oid);
    assert_int_equal(users->rows, 3);
    assert_non_null(odd);
    assert_string_equal(odd->prod_oid, "4294967295");
    assert_non_null(odd->twin_oid);
    assert_non_null(gone);
    assert_null(gone->twin_oid);
    assert_int_equal(gone->rows, 12345678901234);
    assert_null(rt_receipt_find(got, "public", "user"));
    assert_null(rt_receipt_find(got, "a", "users"));
    free(oid);
}

static void what_is_written_is_read(void **state)
{
    struct session *s = *state;
    struct rt_receipt got;

    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_false(got.present);
    cluster_exec(&server, "dev",
                 "create table users (); create schema \"Odd \"\"Name\";"
                 "create table \"Odd \"\"Name\".\"a.b 'c' \\\" ()");
    must(rt_exec(NULL, s->conn, "BEGIN", &s->err));
    must(rt_receipt_write(s->conn, &full, &s->err));
    must(rt_exec(NULL, s->conn, "COMMIT", &s->err));
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_true(got.present);
    assert_string_equal(got.id, "1");
    assert_string_equal(got.taken_at, full.taken_at);
    assert_string_equal(got.origin.system, full.origin.system);
    assert_string_equal(got.origin.timeline, full.origin.timeline);
    assert_string_equal(got.origin.started, full.origin.started);
    assert_string_equal(got.origin.database, full.origin.database);
    assert_string_equal(got.origin.snapshot, full.origin.snapshot);
    assert_string_equal(got.origin.lsn, full.origin.lsn);
    assert_string_equal(got.method, full.method);
    assert_string_equal(got.why, full.why);
    assert_int_equal(got.incremental_runs, 4);
    assert_true(got.verified);
    assert_int_equal(got.rows_read, 5);
    assert_int_equal(got.rows_written, 6);
    assert_int_equal(got.bytes_read, 7000000000);
    assert_int_equal(got.bytes_written, 8);
    assert_true(got.seconds == 1.25);
    expect_tables(&got);
}

/* What the server adds: the transaction that the rows were written by. */
static void server_adds_its_transaction(void **state)
{
    struct session *s = *state;
    PGconn *older = cluster_connect(&server, "dev");
    struct rt_receipt got;
    char *xid, *system;

    PQclear(PQexec(older, "begin"));
    PQclear(PQexec(older, "select pg_current_xact_id()"));
    must(rt_exec(NULL, s->conn, "BEGIN; CREATE TABLE t AS SELECT 1 AS a; SAVEPOINT mine",
                 &s->err));
    must(rt_receipt_write(s->conn, &full, &s->err));
    must(rt_exec(NULL, s->conn, "COMMIT", &s->err));
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    xid = cluster_query(&server, "dev", "select xmin from t");
    assert_string_equal(got.twin_xid, xid);
    free(xid);
    xid = cluster_query(&server, "dev",
                        "select backend_xid from pg_stat_activity "
                        "where state = 'idle in transaction'");
    assert_true(strncmp(got.twin_snapshot, xid, strlen(xid)) == 0);
    assert_int_equal(got.twin_snapshot[strlen(xid)], ':');
    system = cluster_query(&server, "dev",
                           "select system_identifier from pg_control_system()");
    assert_string_equal(got.twin_system, system);
    PQfinish(older);
    free(xid);
    free(system);
}

static void little_is_known(void **state)
{
    const struct rt_receipt bare = {.taken_at = "2026-11-20T14:03:05Z",
                                    .method = "rebuild"};
    struct session *s = *state;
    struct rt_receipt got;

    must(rt_receipt_write(s->conn, &bare, &s->err));
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_true(got.present);
    assert_null(got.origin.system);
    assert_null(got.origin.snapshot);
    assert_null(got.origin.lsn);
    assert_null(got.why);
    assert_false(got.verified);
    assert_int_equal(got.table_count, 0);
    assert_null(rt_receipt_find(&got, "public", "users"));
    cluster_exec(&server, "dev", "delete from revtwin.receipt");
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_false(got.present);
}

static void age_is_by_the_clock_of_the_twin(void **state)
{
    struct session *s = *state;
    struct rt_receipt got, ahead = full;
    char *later = cluster_query(&server, "dev", "select now() + interval '1 hour'");

    must(rt_receipt_write(s->conn, &full, &s->err));
    cluster_exec(&server, "dev",
                 "update revtwin.receipt set taken_at = now() - interval '90 s'");
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_in_range(got.age, 90, 120);
    ahead.taken_at = later;
    must(rt_receipt_write(s->conn, &ahead, &s->err));
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_in_range(-got.age, 3500, 3600);
    free(later);
}

static void newest_ones_are_kept(void **state)
{
    struct session *s = *state;
    struct rt_receipt got, receipt = full;

    for (unsigned i = 1; i <= 13; i++) {
        receipt.incremental_runs = i;
        must(rt_receipt_write(s->conn, &receipt, &s->err));
    }
    assert_query(&server, "dev",
                 "select count(*) || ' from ' || min(id) from revtwin.receipt",
                 "10 from 4");
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_int_equal(got.incremental_runs, 13);
    must(rt_exec(NULL, s->conn, "BEGIN", &s->err));
    must(rt_receipt_write(s->conn, &full, &s->err));
    must(rt_exec(NULL, s->conn, "ROLLBACK", &s->err));
    must(rt_receipt_read(&got, &s->arena, s->conn, &s->err));
    assert_int_equal(got.incremental_runs, 13);
}

static void not_a_receipt_is_an_error(void **state)
{
    struct session *s = *state;
    struct rt_receipt got;

    cluster_exec(&server, "dev",
                 "create schema revtwin; create table revtwin.receipt (id int)");
    assert_int_equal(rt_receipt_read(&got, &s->arena, s->conn, &s->err), -RT_EINTERNAL);
    assert_contains(s->err.message, "cannot read the twin's receipt: column");
    assert_int_equal(rt_receipt_write(s->conn, &full, &s->err), -RT_EINTERNAL);
    assert_contains(s->err.message, "cannot write the twin's receipt: column");
}

/* ------------------------------------------------------------------ origin */

static void expect_known(const char *name, const char *value, const char *sql)
{
    char *want = cluster_query(&server, "dev", sql);

    if (value == NULL || strcmp(value, want) != 0)
        check_fail("%s is %s, expected %s", name, value ? value : "unknown", want);
    free(want);
}

static void origin_tells_everything_to_those_who_may_ask(void **state)
{
    struct session *s = *state;
    struct rt_origin got;

    must(rt_origin_read(&got, &s->arena, s->conn, &s->err));
    expect_known("system", got.system,
                 "select system_identifier from pg_control_system()");
    expect_known("timeline", got.timeline, "select '00000001'");
    expect_known("database", got.database,
                 "select oid from pg_database where datname = 'dev'");
    expect_known("snapshot", got.snapshot, "select pg_current_snapshot()");
    expect_known("started", got.started,
                 "select to_char(pg_postmaster_start_time() at time zone 'UTC',"
                 "               'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    assert_non_null(got.lsn);
}

/* As on managed services. */
static void refusals_leave_the_transaction(void **state)
{
    struct session *s = *state;
    struct rt_origin got;
    struct rt_result *found;

    cluster_exec(&server, "dev",
                 "create role limited login;"
                 "revoke execute on function pg_control_system() from public;"
                 "revoke execute on function pg_control_checkpoint() from public");
    point(s, "limited");
    must(rt_exec(NULL, s->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                 &s->err));
    must(rt_query(&found, s->conn, "SELECT pg_current_snapshot()", 0, NULL, &s->err));
    cluster_exec(&server, "dev", "create table later ()");
    must(rt_origin_read(&got, &s->arena, s->conn, &s->err));
    assert_null(got.system);
    assert_null(got.timeline);
    assert_non_null(got.database);
    assert_non_null(got.started);
    assert_non_null(got.lsn);
    assert_string_equal(got.snapshot, rt_result_get(found, 0, 0));
    rt_result_free(found);
    must(rt_query(&found, s->conn, "SELECT pg_current_snapshot()", 0, NULL, &s->err));
    assert_string_equal(got.snapshot, rt_result_get(found, 0, 0));
    rt_result_free(found);
    must(rt_exec(NULL, s->conn, "ROLLBACK", &s->err));

    must(rt_origin_read(&got, &s->arena, s->conn, &s->err));
    assert_null(got.system);
    assert_non_null(got.database);
    assert_true(rt_conn_idle(s->conn));
    point(s, CLUSTER_USER);
    cluster_exec(&server, "dev",
                 "grant execute on function pg_control_system() to public;"
                 "grant execute on function pg_control_checkpoint() to public;"
                 "drop role limited");
}

static void lost_connection_is_an_error(void **state)
{
    struct session *s = *state;
    struct rt_origin got;
    char *sql =
        check_printf("select pg_terminate_backend(%d, 10000)", rt_conn_pid(s->conn));

    must(rt_exec(NULL, s->conn, "BEGIN", &s->err));
    cluster_exec(&server, "postgres", sql);
    assert_int_equal(rt_origin_read(&got, &s->arena, s->conn, &s->err), -RT_EINTERNAL);
    assert_true(rt_conn_lost(s->conn));
    free(sql);
}

static void restart_shows(void **state)
{
    struct session *s = *state;
    struct rt_origin before, after;

    must(rt_origin_read(&before, &s->arena, s->conn, &s->err));
    cluster_halt(&server, CLUSTER_FAST);
    cluster_resume(&server);
    point(s, CLUSTER_USER);
    must(rt_origin_read(&after, &s->arena, s->conn, &s->err));
    assert_string_equal(before.system, after.system);
    assert_string_equal(before.timeline, after.timeline);
    assert_true(strcmp(before.started, after.started) < 0);
}

static int start(void **state)
{
    (void)state;
    cluster_start(&server, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cluster_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(what_is_written_is_read),
        session_test(server_adds_its_transaction),
        session_test(little_is_known),
        session_test(age_is_by_the_clock_of_the_twin),
        session_test(newest_ones_are_kept),
        session_test(not_a_receipt_is_an_error),
        session_test(origin_tells_everything_to_those_who_may_ask),
        session_test(refusals_leave_the_transaction),
        session_test(lost_connection_is_an_error),
        session_test(restart_shows),
    };

    return cmocka_run_group_tests_name("receipt", tests, start, stop);
}
