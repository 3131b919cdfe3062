/*
 * The one transaction on the twin that changes it, and the locks that keep everybody else
 * from writing to its tables from its beginning on; readers go on.
 */
#ifndef RT_TWIN_HOLD_H
#define RT_TWIN_HOLD_H

#include "twin/table.h"

/* Begin it, pinned as rt_projection_pin and without time limits but this one for locks;
 * constraints are checked at the end of each statement. */
int rt_hold_begin(struct rt_conn *twin, int wait_seconds, struct rt_err *err) RT_CHECKED;

/* Only the settings, after statements that had their own. */
int rt_hold_pin(struct rt_conn *twin, int wait_seconds, struct rt_err *err) RT_CHECKED;

/*
 * Begin it, and lock all tables (SHARE ROW EXCLUSIVE). Errors as rt_tables_read, and with
 * RT_HOLDER_TIMEOUT that of a lock that could not be had in time (holder.h).
 */
int rt_hold_open(struct rt_tables *out, struct rt_arena *arena, struct rt_conn *twin,
                 int wait_seconds, struct rt_err *err) RT_CHECKED;

enum { RT_HOLD_SETTLE = 30 }; /* seconds that a server may take to come back */

/*
 * Commit a transaction that has written a receipt: the point of no return. A lost reply
 * is settled by looking for the receipt on another connection, for so many seconds:
 * -RT_EUNKNOWN when nobody can be asked.
 */
int rt_hold_commit(struct rt_conn *twin, int settle_seconds,
                   struct rt_err *err) RT_CHECKED;

#endif
