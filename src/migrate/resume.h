/*
 * Going on with a file that has stopped: whether its statements that are done are still
 * the ones that it begins with. What comes after them may have been mended.
 */
#ifndef RT_MIGRATE_RESUME_H
#define RT_MIGRATE_RESUME_H

#include "migrate/source.h"
#include "migrate/step.h"

/* Where each statement of the file is in script.stmts: source->mode.statements places, in
 * the arena. Number n of revtwin.step is at [n - 1]. */
size_t *rt_resume_places(struct rt_arena *arena, const struct rt_source *source);

/* Of the statement at a place; with its data, when it is a COPY. */
struct rt_digest rt_resume_checksum(const struct rt_source *source, size_t place);

/*
 * 0, or -RT_EREFUSED with the path and the line when a statement that is done was
 * changed, moved or removed, or when the file would run in a transaction by now.
 */
int rt_resume_check(struct rt_arena *arena, const struct rt_stopped *file,
                    const struct rt_source *source, const char *path,
                    struct rt_err *err) RT_CHECKED;

#endif
