/*
 * A table's rows, from production into the twin's empty one, by one COPY on each side:
 * binary where both agree on it, and frozen where nobody can have seen the table.
 */
#ifndef RT_TWIN_REBUILD_MOVE_H
#define RT_TWIN_REBUILD_MOVE_H

#include "pg/copy.h"
#include "twin/projection.h"

/* Of the table's blocks those from the first to before the last; 0: to the end. */
struct rt_blocks {
    double from, to;
};

struct rt_move {
    const struct rt_table *prod, *next; /* with the same columns */
    const struct rt_blocks *blocks;     /* only these of production, or NULL: all */
    bool made; /* by the twin's open transaction; otherwise it is emptied first, in one */
    void (*passed)(void *context, size_t bytes);
    void *context;
};

/* The tables of extensions keep what rows they have. Errors as rt_copy_pipe. */
int rt_move(struct rt_copied *out, const struct rt_move *move, struct rt_conn *prod,
            struct rt_conn *twin, struct rt_err *err) RT_CHECKED;

/*
 * All of them, and compare what the twin has then, as rt_sum_compare. Production's rows
 * are summed up as they pass, where they are all there is to know of it: in the binary
 * format, and on a way on which nothing can change them.
 */
int rt_move_all(struct rt_copied *out, const struct rt_move *move, enum rt_hash_way way,
                struct rt_conn *prod, struct rt_conn *twin,
                struct rt_err *err) RT_CHECKED;

#endif
