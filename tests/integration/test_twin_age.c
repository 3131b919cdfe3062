/* revtwin status: as of when the twin is production, and which migrations it lacks. */
#include <jansson.h>

#include "twin_scene.h"

/* A twin that was resynced after V1. */
static int open_pair(void **state)
{
    twin_scene_open(state);
    scene_step(*state, "V1");
    scene_run(*state, 0, "apply", "--adopt");
    return 0;
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, open_pair, twin_scene_close)

#define TWIN(s, sql) cluster_exec(&twin_server, (s)->db, sql)

/* A receipt like a resync's, of the snapshot of the mark. */
static void give_receipt(const struct scene *s)
{
    TWIN(s, "drop table if exists revtwin.receipt;"
            "update revtwin.twin set snapshot_at = now() - interval '50 hours';"
            "create table revtwin.receipt as select 1 as id, now() as written_at,"
            "    snapshot_at as taken_at, null::text as system, null::text as timeline,"
            "    null::text as started, null::text as database,"
            "    null::pg_snapshot as snapshot, '1/AB'::pg_lsn as lsn,"
            "    '9'::xid8 as twin_xid, '9:9:'::pg_snapshot as twin_snapshot,"
            "    null::text as twin_system, null::text as twin_database,"
            "    'delta' as method, 'because' as why, 0 as incremental_runs,"
            "    true as verified, 0 as rows_read, 0 as rows_written, 0 as bytes_read,"
            "    0 as bytes_written, 0.5::float as seconds, '' as revtwin_version,"
            "    '[]'::jsonb as tables from revtwin.twin");
}

static void age_and_lsn(void **state)
{
    struct scene *s = *state;
    char *when;

    scene_run(s, 0, "status");
    assert_said(s, "is production as of 2");
    when = cluster_query(&twin_server, s->db,
                         "select 'Z (LSN ' || lsn || '), ' from revtwin.receipt "
                         "where lsn > '0/0' and method = 'rebuild'");
    assert_said(s, when);
    free(when);
    assert_said(s, " second");
    assert_lacks(s->run.out, "behind");
    give_receipt(s);
    scene_run(s, 0, "status");
    assert_said(s, "Z (LSN 1/AB), 2 days ago (");
    assert_said(s, ": because; verified)");
    when = cluster_query(&twin_server, s->db,
                         "select to_char(snapshot_at at time zone 'UTC', "
                         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from revtwin.twin");
    assert_said(s, when);
    free(when);
    /* A receipt of something else does not count. */
    TWIN(s, "update revtwin.receipt set taken_at = now()");
    scene_run(s, 0, "status");
    assert_lacks(s->run.out, "1/AB");
}

static void twins_of_no_age(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--no-resync");
    scene_run(s, 0, "status");
    assert_said(s, "was never resynced");
    scene_set(s, "DEV_DATABASE_URL", NULL);
    scene_run(s, 0, "status");
    assert_lacks(s->run.out, "twin");
}

/* What was set is not told as an age. */
static void clock_that_was_set_back(void **state)
{
    struct scene *s = *state;
    json_t *doc, *twin;

    TWIN(s, "update revtwin.twin set snapshot_at = now() + interval '3 days'");
    scene_run(s, 0, "status");
    assert_said(s, "which is in the future: a clock was set, or is wrong");
    scene_run(s, 0, "status", "--json");
    doc = json_loads(s->run.out, 0, NULL);
    assert_non_null(doc);
    twin = json_object_get(doc, "twin");
    assert_true(json_is_null(json_object_get(twin, "age_seconds")));
    assert_true(json_is_string(json_object_get(twin, "snapshot_at")));
    json_decref(doc);
}

static void migrations_behind(void **state)
{
    struct scene *s = *state;
    json_t *doc, *twin;

    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--no-resync", "--ledger");
    scene_run(s, 0, "status");
    assert_said(s, ", 2 migrations behind (");
    assert_said(s, "    migrations/V2.sql\n    migrations/V3.sql\n");
    scene_run(s, 0, "status", "--json");
    doc = json_loads(s->run.out, 0, NULL);
    assert_non_null(doc);
    twin = json_object_get(doc, "twin");
    assert_int_equal(json_array_size(json_object_get(twin, "behind")), 2);
    assert_int_equal(json_integer_value(json_object_get(twin, "ahead")), 0);
    json_decref(doc);
    TWIN(s, "alter table revtwin.ledger disable trigger all;"
            "update revtwin.ledger set entry_hash = 'mine'");
    scene_run(s, 0, "status");
    assert_said(s, "3 migrations behind, with 1 ledger row that production has not");
    TWIN(s, "drop table revtwin.ledger");
    scene_run(s, 0, "status");
    assert_said(s, ", 3 migrations behind");
}

/* Developers may do to the twin what they like. */
static void what_cannot_be_read_is_said(void **state)
{
    struct scene *s = *state;

    TWIN(s,
         "drop table if exists revtwin.receipt; create table revtwin.receipt (id int)");
    scene_run(s, 0, "status");
    assert_said(s, "is production as of 2");
    assert_said(s, "not all of it is known: cannot read the twin's receipt: column");
    TWIN(s, "drop table revtwin.twin; create table revtwin.twin (id int)");
    scene_run(s, 0, "status");
    assert_said(s, "is of unknown age");
}

/* A full comparison finds what the incremental ones should have found. */
static void missed_differences_are_an_error(void **state)
{
    struct scene *s = *state;

    scene_run(s, 0, "resync", "--method", "delta");
    TWIN(s, "update log set name = 'missed'");
    TWIN(s, "update revtwin.receipt set twin_snapshot = pg_current_snapshot()");
    scene_run(s, 0, "resync", "--method", "delta");
    assert_query(&twin_server, s->db, "select name from log", "missed");
    scene_run(s, 7, "resync", "--method", "delta", "--full-compare");
    assert_warned(s, "earlier resyncs had left differences that they did not see: "
                     "public.log (1 row)");
    assert_warned(s, "The twin is equal to production now");
    assert_query(&twin_server, s->db, "select name from log", "V1");
    scene_run(s, 0, "resync", "--method", "delta");
}

/* After an apply it is said, too, and that the migrations are in. */
static void missed_differences_after_an_apply(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "create table other as select 1 as a");
    scene_run(s, 0, "resync");
    TWIN(s, "update other set a = 2");
    TWIN(s, "update revtwin.receipt set twin_snapshot = pg_current_snapshot()");
    scene_step(s, "V2");
    scene_run(s, 7, "apply", "--full-compare");
    assert_warned(s, "the migrations are in production: earlier resyncs had left "
                     "differences that they did not see: public.other (");
    assert_warned(s, "The twin is equal to production now");
    assert_log(s, "V1 V2");
    assert_query(&twin_server, s->db, "select string_agg(name, ' ' order by id) from log",
                 "V1 V2");
    scene_run(s, 0, "apply");
}

/* A clock that was ahead is put right: what was written before is of the future. */
static void resync_after_a_clock_was_set_back(void **state)
{
    struct scene *s = *state;

    scene_run(s, 0, "resync");
    TWIN(s, "update revtwin.twin set snapshot_at = now() + interval '3 days';"
            "update revtwin.receipt set taken_at = now() + interval '3 days',"
            "    written_at = now() + interval '3 days'");
    cluster_exec(&scene_server, s->db, "insert into log (name) values ('later')");
    scene_run(s, 0, "resync");
    assert_said(s, "(delta, 1 of ");
    assert_warned(s, "incremental: ");
    assert_query(&twin_server, s->db, "select string_agg(name, ' ' order by id) from log",
                 "V1 later");
    scene_run(s, 0, "status");
    assert_said(s, " second");
    assert_lacks(s->run.out, "future");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pair_test(age_and_lsn),
        twin_scene_test(twins_of_no_age),
        pair_test(clock_that_was_set_back),
        pair_test(migrations_behind),
        pair_test(what_cannot_be_read_is_said),
        pair_test(missed_differences_are_an_error),
        pair_test(missed_differences_after_an_apply),
        pair_test(resync_after_a_clock_was_set_back),
    };

    return cmocka_run_group_tests(tests, twin_scene_start_servers,
                                  twin_scene_stop_servers);
}
