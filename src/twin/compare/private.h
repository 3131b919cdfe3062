/* What the files of a comparison share. */
#ifndef RT_TWIN_COMPARE_PRIVATE_H
#define RT_TWIN_COMPARE_PRIVATE_H

#include "base/str.h"
#include "pg/copy.h"
#include "twin/compare/compare.h"

/* What is being compared: one pair of several. */
struct rt_comparison {
    struct rt_compared *out;
    struct rt_table prod, twin; /* with the same key */
    struct rt_cut cut;
    struct rt_run *runs; /* of chunks that differ, ascending */
    size_t run_count, run_cap;
    bool agreed; /* since the last run a chunk was the same */
    const struct rt_differences *differences;
};

int rt_comparison_wrap(const struct rt_comparison *c, struct rt_err *err);

/* First step: fill the runs of all. */
int rt_compare_find_chunks(struct rt_comparison *all, size_t count,
                           struct rt_worker *worker, struct rt_err *err) RT_CHECKED;

/* Second step: report the rows that differ in them. */
int rt_compare_find_rows(struct rt_comparison *all, size_t count,
                         struct rt_worker *worker, struct rt_err *err) RT_CHECKED;

/* The same statements on both, each at its own table. */
struct rt_sides {
    struct rt_str prod_sql, twin_sql;
    size_t count;
    struct rt_copy_reader *prod, *twin;
};

/* Let the next statement be written behind the others. */
void rt_sides_next(struct rt_sides *sides);
int rt_sides_open(struct rt_sides *sides, struct rt_worker *worker,
                  struct rt_err *err) RT_CHECKED;
void rt_sides_close(struct rt_sides *sides);

#endif
