/*
 * The snapshot: one REPEATABLE READ READ ONLY transaction on production, exported, that
 * every reader of a resync imports. Everything in the twin is as of it.
 */
#ifndef RT_TWIN_SNAPSHOT_H
#define RT_TWIN_SNAPSHOT_H

#include "twin/table.h"

struct rt_snapshot {
    struct rt_conn *conn;    /* production; in the transaction until rt_snapshot_close */
    const char *id;          /* for SET TRANSACTION SNAPSHOT */
    const char *taken_at;    /* UTC, production's clock */
    const char *lsn;         /* everything up to here is in; NULL where not available */
    unsigned long long size; /* of the database, in bytes */
    struct rt_tables tables; /* as it sees them; locked */
};

/*
 * Take a snapshot on a connection outside of any transaction, pinned as
 * rt_projection_pin, without time limits but RT_SNAPSHOT_PATIENCE for locks. All its
 * tables were locked (ACCESS SHARE) before it was taken: neither a TRUNCATE nor anything
 * that rewrites a table can come between it and those who read, who would find the table
 * empty. While somebody excludes readers it is tried a few times, each for a moment only.
 * Errors as rt_tables_read. Texts live in the arena.
 */
int rt_snapshot_open(struct rt_snapshot *out, struct rt_arena *arena,
                     struct rt_conn *prod, struct rt_err *err) RT_CHECKED;

/* End the transaction; fine on a snapshot that is not open. */
void rt_snapshot_close(struct rt_snapshot *snapshot);

/* The tables that are read are locked already, by the snapshot. For one, or for what a
 * definition names, one waits only behind somebody who changes it or waits to: for ever,
 * and all of production's traffic behind them. */
#define RT_SNAPSHOT_PATIENCE "5s"

/* Add to an error of whoever read it what can be done when that was waited for in vain,
 * or the server is a standby that had to end it. */
void rt_snapshot_explain(struct rt_err *err);

/* Switch off the time limits of the open transaction, or else of the session: what a
 * resync does may take hours. With the next statement (pg/later.h): outside of a
 * transaction one that fails would undo it. */
void rt_session_without_timeouts(struct rt_conn *conn);

#endif
