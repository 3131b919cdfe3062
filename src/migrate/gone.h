/*
 * What is known as applied but is not in the tree any more: deleted, or renamed.
 *
 * Equal content alone makes no rename: "-- run the cleanup again", committed months after
 * the first one was deleted, is to run again. A rename is what history says, whatever the
 * range of the run: the file left the tree in the very step that brought the other name.
 */
#ifndef RT_MIGRATE_GONE_H
#define RT_MIGRATE_GONE_H

#include "migrate/plan.h"

struct rt_gone {
    const char *path, *checksum;
    const struct rt_ledger_row *row; /* NULL: it is in the base of a first run */
    bool renamed;                    /* a file of the set is it */
};

struct rt_gone_list {
    struct rt_gone *items;
    size_t count;
};

/* Nothing when production was not asked. */
void rt_gone_find(struct rt_gone_list *out, struct rt_arena *arena,
                  const struct rt_plan_input *input);

/* The first one with the text of the migration that is not renamed, or NULL. */
struct rt_gone *rt_gone_with_text(const struct rt_gone_list *list,
                                  const struct rt_migration *migration);

/* The one that an arrival was renamed from, or NULL. */
struct rt_gone *rt_gone_before(const struct rt_gone_list *list,
                               const struct rt_arrival *arrival);

#endif
