/*
 * Incremental: which rows have changed since the last receipt, found by the number of the
 * transaction that wrote each (xmin), in one plain scan a table on either side.
 *
 * A row that a snapshot did not see carries a number at or after the snapshot's xmin, as
 * long as fewer than 2^31 transactions have begun since; freezing, VACUUM FULL and
 * CLUSTER keep it. So an old row may look as if it had changed, never the other way
 * round. What is deleted leaves no trace: the counts tell, and then the keys. Whatever
 * gives a row another value without writing it, or puts another row under its name (a
 * column added with a default, a type altered, a table renamed, a server restored) is
 * looked for elsewhere, and then the table is compared in full.
 */
#ifndef RT_TWIN_DELTA_RECENT_H
#define RT_TWIN_DELTA_RECENT_H

#include "twin/delta/stage.h"
#include "twin/progress.h"
#include "twin/receipt.h"

enum { RT_RECENT_RUNS = 10 }; /* every so manieth run compares in full by itself */

/*
 * Why nothing can be said by this receipt at all, with both sides as they are now: a text
 * in the arena, or NULL. Needs no server.
 */
const char *rt_recent_unfit(struct rt_arena *arena, const struct rt_receipt *receipt,
                            const struct rt_origin *prod, const struct rt_origin *twin);

enum rt_recent_verdict {
    RT_RECENT_SAME,    /* both sides are as the receipt left them: nothing to do */
    RT_RECENT_CHANGED, /* by production: rt_recent_stage */
    RT_RECENT_COMPARE, /* to be compared in full, see why */
};

struct rt_recent_table {
    enum rt_recent_verdict verdict;
    const char *why;                         /* of RT_RECENT_COMPARE */
    unsigned long long prod_rows, twin_rows; /* as counted */
    unsigned long long changed; /* rows on production that may be other than before */
};

struct rt_recent;

struct rt_recent_setup {
    const struct rt_receipt *receipt; /* rt_recent_unfit has nothing against it */
    const struct rt_pair *pairs;
    size_t count;
    const bool *skip; /* pairs that nobody asks for; NULL: none */
    enum rt_hash_way way;
    struct rt_conn *prod; /* in the snapshot's transaction */
    struct rt_conn *twin; /* in the one that keeps writers away from the tables */
    size_t keep; /* addresses in memory, of 8 bytes; 0: as many as do no harm. The
                    rows of tables that have more are looked for twice */
    struct rt_crew *crew; /* with connections to both */
    struct rt_progress *progress;
};

/* Scan all pairs on both sides, and decide. What setup points to must stay. */
int rt_recent_open(struct rt_recent **out, const struct rt_recent_setup *setup,
                   struct rt_err *err) RT_CHECKED;
void rt_recent_close(struct rt_recent *recent); /* NULL is fine */

const struct rt_recent_table *rt_recent_of(const struct rt_recent *recent, size_t pair);

/* A transaction's number, or that of a snapshot, as xmin has it: modulo 2^32. */
void rt_recent_xid(char out[static 12], const char *xid);

/* Tell the stage what is to come of the changed pairs, which may be too much. */
int rt_recent_foresee(const struct rt_recent *recent, struct rt_stage *stage,
                      struct rt_err *err) RT_CHECKED;

/*
 * Making the changed pairs equal, in two steps, because only what is staged of all of
 * them tells whether rows are to be deleted:
 *
 *     for each pair by its verdict, a job on the crew:
 *         changed: rt_recent_stage, to compare: rt_compare_table
 *     rt_crew_finish
 *     rt_recent_settle
 *     for each pair whose verdict has become RT_RECENT_COMPARE, as above: the comparison
 *     rt_crew_finish
 */

/* Stage the rows of a changed pair that may have changed, on a worker. */
int rt_recent_stage(struct rt_recent *recent, size_t pair, struct rt_worker *worker,
                    struct rt_stage *stage, struct rt_err *err) RT_CHECKED;

/*
 * Find the rows on the twin that these replace, and, on the crew, those that are gone
 * from production. A pair that does not add up then is to be compared in full: its
 * verdict changes, and nothing of it is staged.
 */
int rt_recent_settle(struct rt_recent *recent, struct rt_stage *stage,
                     struct rt_err *err) RT_CHECKED;

/*
 * After a full comparison, when pairs were found to differ in rows that production has
 * not written since: what of that the scan would have missed. old: how many, of each
 * pair. "public.users (3 rows), ...": a text in the arena, or NULL for nothing.
 */
const char *rt_recent_missed(const struct rt_recent *recent,
                             const unsigned long long *old, struct rt_arena *arena);

#endif
