/*
 * The number of a table's rows and the sum of their hashes, from the rows as COPY writes
 * them in its binary format: what sum.h asks a server for, without having it read the
 * table once more. The fields of a row are what the send functions give, which is what
 * is hashed (../hash.c).
 */
#ifndef RT_TWIN_COMPARE_ROWSUM_H
#define RT_TWIN_COMPARE_ROWSUM_H

#include "twin/projection.h"

__extension__ typedef __int128 rt_row_sum_int;

struct rt_row_sum {
    bool able;  /* what was read is understood so far */
    bool ended; /* and came to its end */
    bool begun;
    unsigned long long rows;
    rt_row_sum_int sum;
    struct rt_row_field *fields;
    size_t field_count;
};

/* way: RT_HASH_OURS, or nothing will be understood. */
void rt_row_sum_open(struct rt_row_sum *sum, const struct rt_table *table,
                     enum rt_hash_way way);
void rt_row_sum_close(struct rt_row_sum *sum);

/* The next ones: whole rows, as a server sends them in a message each. */
void rt_row_sum_add(struct rt_row_sum *sum, const char *rows, size_t size);

/* Whether these are all rows, and so many with this sum, as sum.h has it from a server
 * ("" or NULL for that of no row). */
bool rt_row_sum_is(const struct rt_row_sum *sum, const char *rows, const char *hashes);

#endif
