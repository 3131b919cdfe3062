/*
 * A rebuild where databases cannot be created: everything of it in ONE transaction on the
 * twin itself, over one connection. Nobody reads the twin meanwhile; who tries to waits
 * for the end, and then sees the new one, or after any failure the old one. No superuser
 * right is needed, but everything that has to go must be the role's to drop (clear.h).
 */
#ifndef RT_TWIN_REBUILD_INPLACE_H
#define RT_TWIN_REBUILD_INPLACE_H

#include "twin/rebuild/rebuild.h"

/* As rt_rebuild; job->place but must_be_empty, job->workers and job->swap.keep make no
 * difference. */
int rt_rebuild_in_place(struct rt_rebuild *job, struct rt_arena *arena,
                        struct rt_err *err) RT_CHECKED;

#endif
