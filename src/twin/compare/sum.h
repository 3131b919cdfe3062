/*
 * Whether a copied table holds the rows that production has: their number and the sum of
 * their hashes, by something that has not done the copying.
 */
#ifndef RT_TWIN_COMPARE_SUM_H
#define RT_TWIN_COMPARE_SUM_H

#include "twin/projection.h"

/* Both servers work at the same time. *rows: how many there are. -RT_EDIFFERS when the
 * two differ. */
int rt_sum_compare(unsigned long long *rows, const struct rt_table *table,
                   enum rt_hash_way way, struct rt_conn *prod, struct rt_conn *copy,
                   struct rt_err *err) RT_CHECKED;

#endif
