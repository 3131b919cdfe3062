/*
 * Clearing the twin for a rebuild in place, in its one transaction: everything that
 * pg_dump would dump goes, whoever has made it. What stays: schema public, extensions
 * that production has in the same schema, or that are not this role's to drop, what
 * revtwin keeps about the twin, large objects, subscriptions, and default privileges.
 */
#ifndef RT_TWIN_REBUILD_CLEAR_H
#define RT_TWIN_REBUILD_CLEAR_H

#include "pg/conn.h"

struct rt_clear {
    struct rt_conn *prod; /* only read */
    struct rt_conn *twin; /* outside of any transaction */
    int wait_seconds;     /* for each lock */
    bool force;           /* end the sessions that hold them, as far as the role may */
    bool must_be_empty;   /* nobody has allowed to replace contents */
};

/*
 * Begin the transaction as rt_hold_begin, lock every table against readers, too, and drop
 * what has to go. -RT_EREFUSED names what the role may not drop, or as rt_guard_adopted;
 * -RT_EINTERNAL names the sessions that hold locks for longer than we wait.
 */
int rt_clear(const struct rt_clear *job, struct rt_err *err) RT_CHECKED;

/* What has met a lock, in this or a later statement, as such an error: see
 * RT_HOLDER_TIMEOUT in holder.h. */
int rt_clear_explain(const struct rt_clear *job, struct rt_err *err);

#endif
