/*
 * The delta methods: make the twin equal to production in ONE transaction that moves only
 * the rows which differ. With a receipt that allows it they are found by xmin
 * (incremental, recent.h), otherwise, table by table, by row hashes (compare.h).
 *
 * From the lock on nobody writes to the twin's tables; readers go on. Foreign keys are
 * dropped and made again only where a row that they reference goes away, and user
 * triggers sleep; no superuser right is needed.
 */
#ifndef RT_TWIN_DELTA_DELTA_H
#define RT_TWIN_DELTA_DELTA_H

#include "twin/progress.h"
#include "twin/receipt.h"
#include "twin/snapshot.h"

#define RT_DELTA "delta" /* the name of the method */

struct rt_delta {
    struct rt_conn *prod; /* outside of any transaction; only read */
    const struct rt_server *prod_server, *twin_server;
    bool full_compare; /* do not trust receipts */
    bool incremental;  /* only by the last receipt: unfit where that does not serve */
    bool may_give_up;  /* rather than move more than a rebuild would */
    unsigned workers;
    size_t keep;                     /* as rt_recent_setup */
    int wait_seconds;                /* for locks on the twin */
    bool force;                      /* then end the sessions that hold them */
    int settle_seconds;              /* for the server, after a COMMIT without a reply */
    const char *source, *adopted_at; /* for the mark */
    struct rt_progress *progress;
    /* results: */
    const char *unfit; /* why delta cannot or should not be done; nothing was changed */
    struct rt_receipt receipt; /* what was written to the twin */
    struct rt_snapshot snapshot;
    unsigned long tables, tables_changed, tables_compared; /* the last: in full */
    /* Differences in what earlier runs had taken for equal, as "public.users (3 rows)":
     * the twin is equal all the same, but whoever called has to be loud about it. */
    const char *missed;
    const char **violated; /* as of rt_resync_result */
    size_t violated_count;
};

/* 0 with unfit set: a rebuild is needed. Errors: the twin is as it was, except
 * -RT_EUNKNOWN after a COMMIT whose outcome nobody could be asked. */
int rt_delta(struct rt_delta *job, struct rt_arena *arena, struct rt_err *err) RT_CHECKED;

#endif
