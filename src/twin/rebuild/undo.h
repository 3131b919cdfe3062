/*
 * Undo of a rebuild: the twin and the one before it, which --keep-previous has kept,
 * change places. Production is not needed. What is put aside is kept in turn, so that
 * another undo takes the first one back, until the next rebuild.
 */
#ifndef RT_TWIN_REBUILD_UNDO_H
#define RT_TWIN_REBUILD_UNDO_H

#include "twin/mark.h"
#include "twin/rebuild/site.h"

/* Texts live in the arena. */
struct rt_undo {
    const char *twin;         /* the database's name */
    const char *kept;         /* the name of what was the twin */
    struct rt_twin_mark mark; /* of the twin as it is again */
    struct rt_twin_mark kept_mark;
};

/* -RT_EREFUSED when no previous one was kept; others as rt_resync. After an error the
 * twin is as it was, except -RT_EUNKNOWN. */
int rt_undo(struct rt_undo *out, struct rt_arena *arena, const struct rt_server *twin,
            const struct rt_swap *how, struct rt_err *err) RT_CHECKED;

#endif
