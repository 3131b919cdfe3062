/*
 * Finding and staging all differences of a delta: by the transactions that wrote the rows
 * where the last receipt allows it, else by row hashes, table by table.
 */
#ifndef RT_TWIN_DELTA_FIND_H
#define RT_TWIN_DELTA_FIND_H

#include "twin/delta/recent.h"

struct rt_find {
    const struct rt_pair *pairs;
    size_t count;
    unsigned long long bytes; /* of production's tables, to show progress by */
    enum rt_hash_way way;
    struct rt_conn *prod;           /* in the snapshot's transaction */
    struct rt_conn *writer;         /* the twin's, with its tables locked */
    const struct rt_origin *origin; /* of production */
    bool full_compare;              /* do not trust the receipt */
    bool incremental;               /* or do nothing where it does not serve */
    size_t keep;                    /* as rt_recent_setup */
    struct rt_crew *crew;
    struct rt_stage *stage;
    struct rt_progress *progress;
    /* results; texts in the arena: */
    const char *why;           /* how it was done; */
    const char *unfit;         /* or why incremental could not be, and nothing was */
    unsigned incremental_runs; /* for the receipt */
    unsigned long compared;    /* pairs that were compared in full */
    unsigned long long *rows;  /* of production, one a pair */
    const char *missed;        /* what earlier incremental runs should have found */
};

int rt_find_differences(struct rt_find *find, struct rt_arena *arena,
                        struct rt_err *err) RT_CHECKED;

#endif
