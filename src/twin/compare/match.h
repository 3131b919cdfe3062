/*
 * Whether the rows of two databases can be compared at all: their schemas are the same,
 * and so are the tables that were locked on both sides.
 */
#ifndef RT_TWIN_COMPARE_MATCH_H
#define RT_TWIN_COMPARE_MATCH_H

#include "twin/compare/compare.h"

struct rt_match {
    struct rt_pair *pairs; /* one a table of production that both have, in its order */
    size_t count;
    /* NULL, or the first thing that differs: "only the twin has view public.v, ...";
     * there are no pairs then. */
    const char *differs;
    /* Foreign keys that have to be NOT VALID on the twin, as production violates them. */
    const char **violated;
    size_t violated_count;
};

/* Both connections in the transactions that have locked the tables. Texts live in the
 * arena. */
int rt_match(struct rt_match *out, struct rt_arena *arena, struct rt_conn *prod,
             const struct rt_tables *prod_tables, struct rt_conn *twin,
             const struct rt_tables *twin_tables, struct rt_err *err) RT_CHECKED;

#endif
