/*
 * Materialized views of the twin: those that read a changed table, directly or through
 * others, are refreshed, each after those that it reads; and they are populated where
 * production's are. What they hold is as of the twin's data, as after a restore.
 */
#ifndef RT_TWIN_MATVIEW_H
#define RT_TWIN_MATVIEW_H

#include "base/arena.h"
#include "pg/query.h"

/* Those that only one side has populated: "public.a, public.b" in the arena, or NULL. */
int rt_matviews_compare(const char **differing, struct rt_arena *arena,
                        struct rt_conn *prod, struct rt_conn *twin,
                        struct rt_err *err) RT_CHECKED;

/* Ask production which are not populated, with the next statement there (pg/later.h). */
void rt_matviews_ask(struct rt_read *empty, struct rt_conn *prod);

/* In the twin's open transaction. empty: as asked. changed: the OIDs of its tables that
 * have changed, as an array literal. *refreshed counts. */
int rt_matviews_refresh(unsigned long *refreshed, const struct rt_read *empty,
                        struct rt_conn *twin, const char *changed,
                        struct rt_err *err) RT_CHECKED;

#endif
