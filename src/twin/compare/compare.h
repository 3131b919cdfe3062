/*
 * Finding the rows in which a table of the twin differs from production's.
 *
 * First the hashes of chunks of rows, in one scan a side; then, of the chunks that
 * differ, the hash of each row, in the order of the hash of its key, merged as they
 * stream. Rows are named by their ctid, each on its own side: production's stays valid
 * for the snapshot under an ACCESS SHARE lock, the twin's while nobody can write there.
 */
#ifndef RT_TWIN_COMPARE_COMPARE_H
#define RT_TWIN_COMPARE_COMPARE_H

#include "twin/compare/cut.h"
#include "twin/crew.h"

struct rt_pair {
    const struct rt_table *prod, *twin; /* of one name, with the same columns */
};

/* Receives each differing row, in no order that matters. Both: update; prod only: insert;
 * twin only (prod is NULL): delete. The texts are borrowed: "(12,3)". found returns 0, or
 * a negative status, after which production's transaction is of no use any more. */
struct rt_differences {
    int (*found)(void *context, const char *prod_ctid, const char *twin_ctid,
                 struct rt_err *err);
    /* Called before the first of them, or NULL: by the chunks that differ there are about
     * so many, on so many pages at least. */
    int (*expected)(void *context, double rows, double pages, struct rt_err *err);
    void *context;
    size_t enough; /* of them: more need not be looked for; 0: all are wanted */
};

struct rt_compared {
    unsigned long long prod_rows, twin_rows; /* in the table */
    unsigned long long read;                 /* rows read from production, all scans */
    unsigned long long keys; /* and entries of its indexes, where no rows were read */
    unsigned long long chunks, differing; /* chunks */
};

/*
 * Compare on a worker's two connections, each pinned as rt_projection_pin. differences
 * may be NULL: then only the counts are filled, and rows are not looked for. The tables
 * are the same when no chunk differs.
 */
int rt_compare_table(struct rt_compared *out, struct rt_worker *worker,
                     const struct rt_pair *pair, enum rt_hash_way way,
                     enum rt_compare_depth depth,
                     const struct rt_differences *differences,
                     struct rt_err *err) RT_CHECKED;

/* The same of several pairs, one after another, whose statements are sent together: as
 * many round trips as for one. */
struct rt_comparing {
    const struct rt_pair *pair;
    const struct rt_differences *differences;
    struct rt_compared compared; /* filled */
};
int rt_compare_tables(struct rt_comparing *items, size_t count, struct rt_worker *worker,
                      enum rt_hash_way way, enum rt_compare_depth depth,
                      struct rt_err *err) RT_CHECKED;

/* The same in two steps: the chunks, and then the rows. What items point to must stay.
 * After an error of the first there is something to close, too. */
struct rt_compare;
int rt_compare_open(struct rt_compare **out, struct rt_comparing *items, size_t count,
                    struct rt_worker *worker, enum rt_hash_way way,
                    enum rt_compare_depth depth, struct rt_err *err) RT_CHECKED;
int rt_compare_rows(struct rt_compare *compare, struct rt_worker *worker,
                    struct rt_err *err) RT_CHECKED;
void rt_compare_close(struct rt_compare *compare); /* NULL is fine */

/* Whether the second step has anything to do. */
bool rt_compare_differs(const struct rt_compare *compare);

/* The memory in bytes that it takes between the steps. */
size_t rt_compare_size(const struct rt_compare *compare);

/* How many of the next pairs are so small that they should be compared together. */
size_t rt_compare_group(const struct rt_comparing *items, size_t count);

#endif
