#include "twin/snapshot.h"

#include <poll.h>

#include "base/cancel.h"
#include "pg/later.h"
#include "twin/crew.h"
#include "twin/holder.h"
#include "twin/lock.h"
#include "twin/projection.h"

enum {
    ATTEMPTS = 10,
    LOCK_ATTEMPTS = 4,
    LOCK_SECONDS = 2, /* for so long whoever wants a table that is locked already waits */
    LOCK_PAUSE_MS = 1000,
};

void rt_session_without_timeouts(struct rt_conn *conn)
{
    static const struct {
        const char *name;
        int since;
    } timeouts[] = {{"statement_timeout", 0},
                    {"lock_timeout", 0},
                    {"idle_in_transaction_session_timeout", 0},
                    {"idle_session_timeout", 140000},
                    {"transaction_timeout", 170000}};
    const char *set = rt_conn_in_transaction(conn) ? "SET LOCAL" : "SET";

    for (size_t i = 0; i < RT_COUNT(timeouts); i++) {
        char sql[64];

        snprintf(sql, sizeof(sql), "%s %s = 0", set, timeouts[i].name);
        if (rt_conn_version(conn) >= timeouts[i].since)
            rt_later(conn, sql);
    }
}

static const char lsn_sql[] =
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
    "ELSE pg_current_wal_lsn() END";

static void begin_look(struct rt_conn *prod)
{
    rt_later_begin(prod, "BEGIN READ ONLY");
    rt_later_own_names(prod);
}

static int list_tables(struct rt_lock_list *tables, struct rt_arena *arena,
                       struct rt_conn *prod, struct rt_err *err)
{
    int rc = rt_lock_list_read(tables, arena, prod, err);

    rt_later_rollback(prod);
    return rc;
}

/* Before the snapshot and outside of its transaction: some services refuse to tell the
 * position of their log. */
static int look(struct rt_snapshot *out, struct rt_lock_list *tables,
                struct rt_arena *arena, struct rt_conn *prod, struct rt_err *err)
{
    struct rt_read lsn = {.sql = lsn_sql};
    int rc;

    begin_look(prod);
    rt_later_read(prod, &lsn);
    rc = list_tables(tables, arena, prod, err);
    if (rc == 0 && rt_result_get(lsn.rows, 0, 0))
        out->lsn = rt_arena_strdup(arena, rt_result_get(lsn.rows, 0, 0));
    rt_result_free(lsn.rows);
    if (rc < 0 && err->sqlstate[0] != '\0') {
        rt_err_clear(err);
        begin_look(prod);
        rc = list_tables(tables, arena, prod, err);
    }
    return rc;
}

static const char export_sql[] =
    "SELECT pg_export_snapshot(),"
    "       to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       pg_database_size(current_database())";

/* Begin, lock, export, and read the tables: all at once. */
static int take(struct rt_snapshot *out, const struct rt_lock_list *locked,
                struct rt_arena *arena, struct rt_err *err)
{
    struct rt_read export = {.sql = export_sql};
    char patience[64];
    int rc;

    snprintf(patience, sizeof(patience), "SET LOCAL lock_timeout = '%ds'", LOCK_SECONDS);

    rt_later_begin(out->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    rt_session_without_timeouts(out->conn);
    rt_projection_pin(out->conn);
    /* Nothing before it takes a snapshot, nor does it. */
    rt_later(out->conn, patience);
    rt_lock_later(out->conn, locked, "ACCESS SHARE");
    rt_later(out->conn, "SET LOCAL lock_timeout = '" RT_SNAPSHOT_PATIENCE "'");
    rt_later_read(out->conn, &export);
    rc = rt_tables_read(&out->tables, arena, out->conn, err);
    if (rc == 0) {
        out->id = rt_arena_strdup(arena, rt_result_get(export.rows, 0, 0));
        out->taken_at = rt_arena_strdup(arena, rt_result_get(export.rows, 0, 1));
        out->size = strtoull(rt_result_get(export.rows, 0, 2), NULL, 10);
    }
    rt_result_free(export.rows);
    return rc;
}

/* A table was dropped or renamed before it was locked, or somebody who locks several of
 * them had to wait for us. */
static bool is_passing(const struct rt_err *err)
{
    return rt_lock_missed(err) || rt_err_is(err, "40P01") || rt_err_is(err, "XX000");
}

/* Once: *done tells whether it was good, else nothing stays open. */
static int attempt(struct rt_snapshot *out, bool *done, struct rt_arena *arena,
                   struct rt_conn *prod, struct rt_err *err)
{
    struct rt_lock_list locked;
    int rc = look(out, &locked, arena, prod, err);

    *done = false;
    if (rc < 0)
        return rc;
    out->conn = prod;
    rc = take(out, &locked, arena, err);
    *done = rc == 0 && rt_lock_covers(&locked, &out->tables);
    if (!*done)
        rt_snapshot_close(out);
    if (rc < 0 && is_passing(err)) {
        rt_err_clear(err);
        rc = 0;
    }
    return rc;
}

/* Somebody changes a table, or waits for one to be free of its readers. */
static int refuse_locked(struct rt_conn *prod, struct rt_err *err)
{
    struct rt_holders holders;
    struct rt_err ignored = {0};
    int rc;

    begin_look(prod);
    rc = rt_holders_list(&holders, prod, RT_HOLD_EXCLUDE, &ignored);
    rt_later_rollback(prod);
    rt_err_set(err, RT_EINTERNAL, "tables are locked, and were so each of %d times",
               LOCK_ATTEMPTS);
    if (rc == 0)
        rt_holders_tell(&holders, err);
    rt_holders_clear(&holders);
    rt_err_clear(&ignored);
    return rt_err_hint(err,
                       "Try again when that is done. Each time it was waited for %d s "
                       "only, as others may wait for what is locked by then.",
                       LOCK_SECONDS);
}

static int pause_between(struct rt_err *err)
{
    struct pollfd wake = {.fd = rt_cancel_fd(), .events = POLLIN};

    poll(&wake, 1, LOCK_PAUSE_MS);
    return rt_cancel_check(err);
}

/* As attempt, when nobody excludes us. */
static int attempt_patiently(struct rt_snapshot *out, bool *done, struct rt_arena *arena,
                             struct rt_conn *prod, struct rt_err *err)
{
    int rc = attempt(out, done, arena, prod, err);

    for (int i = 1; rt_err_is(err, RT_HOLDER_TIMEOUT) && i < LOCK_ATTEMPTS; i++) {
        rt_err_clear(err);
        rc = pause_between(err);
        if (rc == 0)
            rc = attempt(out, done, arena, prod, err);
    }
    return rt_err_is(err, RT_HOLDER_TIMEOUT) ? refuse_locked(prod, err) : rc;
}

int rt_snapshot_open(struct rt_snapshot *out, struct rt_arena *arena,
                     struct rt_conn *prod, struct rt_err *err)
{
    bool done = false;
    int rc = 0;

    *out = (struct rt_snapshot){0};
    for (int i = 0; rc == 0 && !done && i < ATTEMPTS; i++)
        rc = attempt_patiently(out, &done, arena, prod, err);
    if (rc == 0 && !done) {
        rt_err_set(err, RT_EINTERNAL, "tables came and went each of %d times", ATTEMPTS);
        rt_err_hint(err, "Try again when production's schema is at rest.");
    }
    return err->status == RT_DONE ? 0
                                  : rt_err_wrap(err, "cannot take a snapshot of %s",
                                                rt_conn_server(prod)->role);
}

void rt_snapshot_explain(struct rt_err *err)
{
    if (rt_err_is(err, RT_HOLDER_TIMEOUT) && err->hint == NULL)
        rt_err_hint(err, RT_CREW_MADE_WAY);
    if (err->message && strstr(err->message, "conflict with recovery"))
        rt_err_hint(err,
                    "Production is a standby, which had to remove rows that this run "
                    "still read, as its primary has. Set there "
                    "max_standby_streaming_delay to the time that a run takes, or "
                    "hot_standby_feedback = on, and try again.");
}

void rt_snapshot_close(struct rt_snapshot *snapshot)
{
    struct rt_err ignored = {0}; /* the transaction has only read */

    if (snapshot->conn && rt_exec(NULL, snapshot->conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    snapshot->conn = NULL;
}
