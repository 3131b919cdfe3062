/*
 * The stage: temporary tables in the twin's one transaction that hold what has to change,
 * table by table, until everything is known. Rows come from production by COPY, each with
 * the ctid of the twin's row that it replaces, or none.
 */
#ifndef RT_TWIN_STAGE_H
#define RT_TWIN_STAGE_H

#include "twin/compare.h"

struct rt_stage;

/* What is staged for one table. */
struct rt_staged {
    unsigned long long inserts, updates, deletes;
    unsigned long long bytes; /* read from production for it */
};

/* writer: the connection whose transaction will change the twin. pairs is borrowed. */
struct rt_stage *rt_stage_open(struct rt_conn *writer, const struct rt_pair *pairs,
                               size_t count);
void rt_stage_close(struct rt_stage *stage); /* NULL is fine */

/* The differences of one pair, as a sink for rt_compare_table: kept in batches, each of
 * which is fetched on the worker's connection to production. May be used by several
 * workers at once, each for another pair. rt_stage_flush ends a pair. */
struct rt_differences rt_stage_sink(struct rt_stage *stage, size_t pair,
                                    struct rt_worker *worker);
int rt_stage_flush(struct rt_stage *stage, size_t pair, struct rt_err *err) RT_CHECKED;

/* Rows of production that are to be in the twin, whose counterparts there, if any, are
 * found by their key: for incremental. ctids is an array literal: {"(0,1)","(0,2)"}. */
int rt_stage_rows(struct rt_stage *stage, size_t pair, struct rt_worker *worker,
                  const char *ctids, struct rt_err *err) RT_CHECKED;

/* Find the counterparts of what rt_stage_rows has staged, of all pairs, on the writer
 * while no worker stages; until then all count as inserts. */
int rt_stage_match(struct rt_stage *stage, struct rt_err *err) RT_CHECKED;

/* Take back everything that was staged for a pair. */
int rt_stage_forget(struct rt_stage *stage, size_t pair, struct rt_err *err) RT_CHECKED;

const struct rt_staged *rt_stage_of(const struct rt_stage *stage, size_t pair);

#endif
