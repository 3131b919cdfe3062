/*
 * Whether a copied table holds the rows that production has: their number and the sum of
 * their hashes, by something that has not done the copying.
 */
#ifndef RT_TWIN_COMPARE_SUM_H
#define RT_TWIN_COMPARE_SUM_H

#include "twin/compare/rowsum.h"

/*
 * Both servers work at the same time; the copy's alone when read, which may be NULL, has
 * all rows of production and tells the same. *rows: how many there are. -RT_EDIFFERS when
 * the two differ.
 */
int rt_sum_compare(unsigned long long *rows, const struct rt_table *table,
                   enum rt_hash_way way, const struct rt_row_sum *read,
                   struct rt_conn *prod, struct rt_conn *copy,
                   struct rt_err *err) RT_CHECKED;

#endif
