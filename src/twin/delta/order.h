/*
 * The order in which tables may gain rows: referenced ones before those that reference
 * them. Pure: tables are numbers, foreign keys are edges.
 */
#ifndef RT_TWIN_DELTA_ORDER_H
#define RT_TWIN_DELTA_ORDER_H

#include "base/attr.h"

struct rt_edge {
    size_t child, parent; /* not the same */
    bool cut;             /* filled: it is part of a cycle, and gives way */
};

/* Fill rank (0 first) of count tables, cutting edges until none of the others points to
 * a table of the same rank or a higher one. */
void rt_order(unsigned *rank, size_t count, struct rt_edge *edges, size_t edge_count);

#endif
