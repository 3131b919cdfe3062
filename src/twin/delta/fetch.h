/*
 * Copying rows of production into the stage's temporary tables. Most tables have few rows
 * to be copied: those of several are asked for at once, so that the round trips to
 * production do not grow with the number of tables. Of one thread at a time.
 */
#ifndef RT_TWIN_DELTA_FETCH_H
#define RT_TWIN_DELTA_FETCH_H

#include "twin/delta/stage.h"

struct rt_fetch;

struct rt_fetch *rt_fetch_open(const struct rt_stage_setup *setup); /* borrowed */
void rt_fetch_close(struct rt_fetch *fetch);

/* Rows of production by ctid (an array literal, which is to have so many), each with the
 * ctid of the twin's row that it replaces; twin_ctids may be NULL. */
int rt_fetch_rows(struct rt_fetch *fetch, size_t pair, struct rt_staged *staged,
                  const char *ctids, const char *twin_ctids, size_t rows,
                  struct rt_err *err) RT_CHECKED;

/* Rows of the twin that go away. */
int rt_fetch_gone(struct rt_fetch *fetch, size_t pair, struct rt_staged *staged,
                  const char *ctids, struct rt_err *err) RT_CHECKED;

/* Have all of it in the temporary tables. Until then some of it is only asked for. */
int rt_fetch_run(struct rt_fetch *fetch, struct rt_err *err) RT_CHECKED;

#endif
