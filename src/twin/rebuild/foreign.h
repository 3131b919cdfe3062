/*
 * The foreign keys of a rebuild: added without a look at the rows, which costs nothing,
 * and then validated by a crew, several tables at once. Where production's own rows
 * violate a key it stays NOT VALID, and that is said; one of a partitioned table, which
 * cannot be that (before version 18), is on each of the partitions then.
 */
#ifndef RT_TWIN_REBUILD_FOREIGN_H
#define RT_TWIN_REBUILD_FOREIGN_H

#include "twin/crew.h"
#include "twin/rebuild/index.h"

struct rt_foreign {
    struct rt_crew *crew;
    const struct rt_indexes *indexes;
    /* results, in the arena: */
    const char **violated; /* names of keys */
    size_t violated_count;
};

/* next is a connection to the database; its tables and indexes are there. */
int rt_foreign_add(struct rt_foreign *job, struct rt_arena *arena, struct rt_conn *next,
                   struct rt_err *err) RT_CHECKED;

/* The same in the open transaction of next, without a crew. */
int rt_foreign_add_alone(struct rt_foreign *job, struct rt_arena *arena,
                         struct rt_conn *next, struct rt_err *err) RT_CHECKED;

#endif
