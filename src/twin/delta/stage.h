/*
 * The stage: temporary tables in the twin's one transaction that hold what has to change,
 * table by table, until everything is known. Rows come from production by COPY, each with
 * production's hash of it and the ctid of the twin's row that it replaces, or none.
 */
#ifndef RT_TWIN_DELTA_STAGE_H
#define RT_TWIN_DELTA_STAGE_H

#include "twin/compare/compare.h"
#include "twin/progress.h"

struct rt_stage;

struct rt_stage_setup {
    struct rt_conn *reader;      /* production, in the snapshot; no worker's own, so that
                                    it is free while they compare */
    struct rt_conn *writer;      /* whose transaction will change the twin */
    const struct rt_pair *pairs; /* borrowed, and numbered from 0 */
    size_t count;
    enum rt_hash_way way;
    struct rt_progress *progress; /* or NULL */
    /* A transaction's number on production as xmin has it: rows are marked that none from
     * it on has written. NULL: they are not. */
    const char *since;
    double limit_us; /* refuse what would take longer to write; 0: nothing */
};

/* What is staged for one table. */
struct rt_staged {
    unsigned long long inserts, updates, deletes; /* see rt_write_resolve */
    unsigned long long bytes;                     /* read from production for it */
    bool created;                                 /* its temporary tables are there */
    bool by_key;                                  /* rt_stage_rows was used, */
    bool matched;                                 /* and then rt_stage_match */
};

struct rt_stage *rt_stage_open(const struct rt_stage_setup *setup);
void rt_stage_close(struct rt_stage *stage); /* NULL is fine */

/* The differences of one pair, as a sink for rt_compare_table: so many of them are kept,
 * then their rows are fetched. May be used by several workers at once, each for another
 * pair. rt_stage_flush ends a pair. */
struct rt_differences rt_stage_sink(struct rt_stage *stage, size_t pair);
int rt_stage_flush(struct rt_stage *stage, size_t pair, struct rt_err *err) RT_CHECKED;

/* It is known before they are found that so many rows of a pair differ, at the least and
 * about, which are on so many pages. Fails as soon as they are too many, as staging
 * does. */
int rt_stage_foresee(struct rt_stage *stage, size_t pair, double rows, double pages,
                     struct rt_err *err) RT_CHECKED;

/* Rows of production that are to be in the twin, whose counterparts there, if any, are
 * found by their key: for incremental. ctids is an array literal: {"(0,1)","(0,2)"}. */
int rt_stage_rows(struct rt_stage *stage, size_t pair, const char *ctids,
                  struct rt_err *err) RT_CHECKED;

/* Have all rows fetched that were asked for up to here. Until then those of several
 * tables may wait for each other, because each fetch is a round trip to production. On
 * one thread; rt_stage_match and rt_write_resolve begin with it. */
int rt_stage_fetch(struct rt_stage *stage, struct rt_err *err) RT_CHECKED;

/* From here on, before anything is staged: rt_stage_setup's since. */
void rt_stage_mark(struct rt_stage *stage, const char *since);

/* How many of the rows that are staged are older: one number a pair. */
int rt_stage_count_old(unsigned long long *old, struct rt_stage *stage,
                       struct rt_err *err) RT_CHECKED;

/* Find the counterparts of what rt_stage_rows has staged, of all pairs, on the writer
 * while no worker stages; until then all count as inserts. */
int rt_stage_match(struct rt_stage *stage, struct rt_err *err) RT_CHECKED;

/* Take back everything that was staged for a pair. */
int rt_stage_forget(struct rt_stage *stage, size_t pair, struct rt_err *err) RT_CHECKED;

/* Why staging has failed with -RT_EREFUSED, in which case the twin is better rebuilt;
 * NULL: it has not. */
const char *rt_stage_unfit(const struct rt_stage *stage);

const struct rt_stage_setup *rt_stage_setup_of(const struct rt_stage *stage);
struct rt_staged *rt_stage_of(struct rt_stage *stage, size_t pair);

/* The temporary tables of a pair, for printf: rows with ctid, hash, whether they are old
 * where that was asked for, and a column for each that is not generated, by its index;
 * and the ctids of the twin's rows that go away. */
#define RT_STAGE_ROWS "pg_temp.revtwin_rows_%zu"
#define RT_STAGE_GONE "pg_temp.revtwin_gone_%zu"
#define RT_STAGE_CTID "\"revtwin ctid\""
#define RT_STAGE_HASH "\"revtwin hash\""
#define RT_STAGE_OLD "\"revtwin old\""
#define RT_STAGE_COLUMN "\"revtwin %zu\""

#endif
