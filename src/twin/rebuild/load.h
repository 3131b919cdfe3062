/*
 * The rows of a rebuild: a crew copies every table of the snapshot into the next
 * database, the biggest first and small ones beside them, and compares what has arrived
 * with production; its helpers build a table's indexes as soon as it is full, while
 * others are still copied. A table goes in one piece, frozen; one that would keep all
 * others waiting goes in ranges of blocks.
 */
#ifndef RT_TWIN_REBUILD_LOAD_H
#define RT_TWIN_REBUILD_LOAD_H

#include "twin/crew.h"
#include "twin/progress.h"
#include "twin/projection.h"
#include "twin/rebuild/index.h"
#include "twin/snapshot.h"

struct rt_load {
    struct rt_crew *crew;         /* reads the snapshot, writes the next database */
    unsigned workers;             /* of the crew, without its helpers */
    struct rt_snapshot *snapshot; /* rt_load_tick closes it when it has been read */
    const struct rt_tables *next; /* the tables that are to be filled */
    const struct rt_indexes *indexes;
    enum rt_hash_way way;
    struct rt_progress *progress;
    /* results: */
    unsigned long long rows, bytes;
    unsigned long long *table_rows; /* by table of the snapshot; in the arena */
    atomic_size_t unread;           /* tables that are still to be read */
};

/* For the crew's tick, with the load as its context. */
void rt_load_tick(void *context);

/* -RT_EDIFFERS when a table does not arrive as it is in production. */
int rt_load_run(struct rt_load *load, struct rt_arena *arena,
                struct rt_err *err) RT_CHECKED;

#endif
