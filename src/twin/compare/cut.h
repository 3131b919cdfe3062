/*
 * How a table is cut into chunks, so that two copies of it can be compared chunk by
 * chunk, and the statements that read it so. Chunks are numbered; production decides on
 * them, and both sides use the same.
 */
#ifndef RT_TWIN_COMPARE_CUT_H
#define RT_TWIN_COMPARE_CUT_H

#include "pg/query.h"
#include "twin/projection.h"

enum rt_cut_kind {
    RT_CUT_NOT,     /* one chunk, 0 */
    RT_CUT_RANGES,  /* of the leading key column, an integer */
    RT_CUT_BUCKETS, /* of the hash of the key, or of the row where there is none */
};

enum rt_compare_depth {
    RT_COMPARE_ROWS, /* every value */
    RT_COMPARE_KEYS, /* only which keys there are; needs a key */
};

struct rt_cut {
    enum rt_cut_kind kind;
    unsigned shift; /* a chunk is the integer or the hash without so many low bits */
    /* Chunks from production's first to its last key. What the twin has outside of them
     * is in the chunks first - 1 and last + 1. */
    int64_t first, last;
    enum rt_hash_way way;
    enum rt_compare_depth depth;
};

/*
 * Set kind, shift, first and last for this table of production. True: for that a query is
 * to be asked there, which is appended, and the cut is to be ended with its rows.
 */
bool rt_cut_begin(struct rt_str *query, struct rt_cut *cut, const struct rt_table *table);
void rt_cut_end(struct rt_cut *cut, const struct rt_table *table,
                const struct rt_result *rows);

/* A COPY of "chunk, count of rows, sum of hashes" of rows, or of keys where the count
 * alone may miss one that went for another that came, in the order of chunks. */
void rt_cut_sums(struct rt_str *sql, const struct rt_cut *cut,
                 const struct rt_table *table);

/* Whether that reads no rows, only their keys in an index. */
bool rt_cut_by_index(const struct rt_cut *cut, const struct rt_table *table);

/* Chunks first to last. */
struct rt_run {
    int64_t first, last;
};

/*
 * A COPY of "part, key hash, row hash, ctid" of the rows in these chunks (ascending), in
 * that order; the row hash is 0 where it adds nothing.
 */
void rt_cut_rows(struct rt_str *sql, const struct rt_cut *cut,
                 const struct rt_table *table, const struct rt_run *runs, size_t count);

/* Whether that reads the whole table once more. */
bool rt_cut_rescans(const struct rt_cut *cut);

#endif
