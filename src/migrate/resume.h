/*
 * Going on with a file that has stopped: it comes before everything else, and its
 * statements that are done have to be the ones that it still begins with. What comes
 * after them may have been mended.
 */
#ifndef RT_MIGRATE_RESUME_H
#define RT_MIGRATE_RESUME_H

#include "migrate/plan.h"

/*
 * Plan the files that have stopped: each is gone on with, or with in->skip_stopped left
 * as it is and recorded as skipped. Those of the set are settled by that. Refused is one
 * that is not in the tree any more, unless a file of the set has its text.
 */
void rt_resume_plan(struct rt_plan *plan, struct rt_arena *arena,
                    const struct rt_plan_input *in, bool *settled);

/* Once its source is loaded: check it, and tell what has changed. */
int rt_resume_load(struct rt_plan *plan, struct rt_arena *arena,
                   const struct rt_action *action, struct rt_err *err) RT_CHECKED;

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
