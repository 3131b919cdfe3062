#include "twin/hold.h"

#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "queries.h"
#include "twin/lock.h"
#include "twin/projection.h"
#include "twin/snapshot.h"

enum { ATTEMPTS = 10, SETTLE_POLL_MS = 250, CONNECT_MS = 5000 };

/* ------------------------------------------------------------------ begin */

/* A lock_timeout of 0 would mean forever. Statements use temporary tables without
 * statistics, in which compiling never pays. */
static void pin_later(struct rt_conn *twin, int wait_seconds)
{
    char timeout[64];

    snprintf(timeout, sizeof(timeout), "SET LOCAL lock_timeout = %d",
             wait_seconds > 0 ? wait_seconds * 1000 : 1);
    rt_session_without_timeouts(twin);
    rt_projection_pin(twin);
    rt_later(twin, timeout);
    rt_later(twin, "SET LOCAL client_min_messages = warning");
    rt_later(twin, "SET LOCAL jit = off");
    rt_later(twin, "SET CONSTRAINTS ALL IMMEDIATE");
}

static void begin_later(struct rt_conn *twin, int wait_seconds)
{
    rt_later_begin(twin, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    pin_later(twin, wait_seconds);
}

int rt_hold_pin(struct rt_conn *twin, int wait_seconds, struct rt_err *err)
{
    pin_later(twin, wait_seconds);
    return rt_later_run(twin, err);
}

int rt_hold_begin(struct rt_conn *twin, int wait_seconds, struct rt_err *err)
{
    begin_later(twin, wait_seconds);
    return rt_later_run(twin, err);
}

int rt_hold_open(struct rt_tables *out, struct rt_arena *arena, struct rt_conn *twin,
                 int wait_seconds, struct rt_err *err)
{
    struct rt_lock_list locked;
    bool done = false;
    int rc = 0;

    for (int i = 0; rc == 0 && !done && i < ATTEMPTS; i++) {
        if (rt_conn_idle(twin))
            begin_later(twin, wait_seconds);
        rc = rt_lock_list_read(&locked, arena, twin, err);
        if (rc == 0) {
            rt_lock_later(twin, &locked, "SHARE ROW EXCLUSIVE");
            rc = rt_tables_read(out, arena, twin, err);
            done = rc == 0 && rt_lock_covers(&locked, out);
        }
        if (rc < 0 && rt_lock_missed(err)) {
            rt_err_clear(err);
            rt_later_rollback(twin);
            rc = 0;
        }
    }
    if (rc == 0 && !done)
        rc = rt_err_set(err, RT_EINTERNAL, "tables of the twin came and went");
    return rc;
}

/* ------------------------------------------------------------------ commit */

/* Whether the server still works on it. Not when it has forgotten the number, nor when
 * it says that the number is one of the future: a crash takes those that were not yet
 * written to disk, and gives them out again. */
static int ask_running(bool *running, struct rt_conn *twin, const char *xid,
                       struct rt_err *err)
{
    struct rt_result *found = NULL;
    const char *status;
    int rc =
        rt_query(&found, twin,
                 "SELECT pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8)",
                 1, &xid, err);

    if (rc < 0 && rt_err_is(err, "22023")) {
        *running = false;
        rt_err_clear(err);
        return 0;
    }
    if (rc < 0)
        return rc;
    status = rt_result_get(found, 0, 0);
    *running = status && strcmp(status, "in progress") == 0;
    rt_result_free(found);
    return 0;
}

/* By what it has written, and no other transaction: the number alone may be another's. */
static int ask_committed(bool *committed, struct rt_conn *twin, const char *xid,
                         struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, twin,
                      "SELECT FROM revtwin.receipt WHERE twin_xid OPERATOR(pg_catalog.=) "
                      "$1::pg_catalog.text::pg_catalog.xid8",
                      1, &xid, err);

    if (rc < 0 && rt_err_is(err, "42P01")) { /* it would have made the table */
        *committed = false;
        rt_err_clear(err);
        return 0;
    }
    if (rc == 0)
        *committed = rt_result_rows(found) > 0;
    rt_result_free(found);
    return rc;
}

/* The time that is left is not for locks of others. */
static int come_back(struct rt_conn *twin, struct rt_err *err)
{
    int rc = rt_conn_reopen(twin, CONNECT_MS, err);

    return rc < 0 ? rc : rt_exec(NULL, twin, "SET lock_timeout = '1s'", err);
}

static int settle(struct rt_conn *twin, const char *xid, int seconds, struct rt_err *err)
{
    int64_t end = rt_clock_ms() + seconds * 1000LL;
    struct rt_err lost = {0}, later = {0};
    bool committed = false, running = true;
    int rc = -1;

    rt_err_move(&lost, err);
    while ((rc < 0 || running) && rt_clock_ms() < end) {
        rt_err_clear(&later);
        rc = rt_conn_lost(twin) ? come_back(twin, &later) : 0;
        if (rc == 0)
            rc = ask_running(&running, twin, xid, &later);
        if (rc == 0 && !running)
            rc = ask_committed(&committed, twin, xid, &later);
        if (rc < 0 || running) /* also after a signal: this is to be known all the same */
            poll(NULL, 0, SETTLE_POLL_MS);
    }
    rt_err_clear(&later);
    if (rc == 0 && !running && committed) {
        rt_err_clear(&lost);
        return 0;
    }
    if (rc == 0 && !running) {
        rt_err_move(err, &lost);
        return -(int)err->status;
    }
    rt_err_set(
        err, RT_EUNKNOWN,
        "the connection was lost during the commit: the twin is the old one or the "
        "new one, whole (%s)",
        lost.message);
    rt_err_clear(&lost);
    return rt_err_hint(err, "Ask revtwin status which one it is.");
}

int rt_hold_commit(struct rt_conn *twin, int settle_seconds, struct rt_err *err)
{
    struct rt_result *found = NULL;
    char *xid = NULL;
    int rc = rt_query(&found, twin, "SELECT pg_current_xact_id()", 0, NULL, err);

    if (rc == 0) {
        xid = rt_strdup(rt_result_get(found, 0, 0));
        rt_conn_shield(twin); /* point of no return */
        rc = rt_exec(NULL, twin, "COMMIT", err);
        if (rc < 0 && rt_conn_lost(twin))
            rc = settle(twin, xid, settle_seconds, err);
    }
    rt_result_free(found);
    free(xid);
    return rc;
}
