/*
 * Writing what is staged into the tables of the twin, in two steps: what becomes of each
 * row, which decides what has to be suspended; and the writing itself. Every statement
 * goes over whole tables, and all of them are sent at once.
 *
 * A row whose value changes under a unique index, or under a column that may not be
 * updated, is deleted and inserted: with all deletes before all inserts, two rows may
 * swap such values. What was written is hashed as it is stored, and must be what
 * production had hashed; and no other row of any table may have been touched.
 */
#ifndef RT_TWIN_DELTA_WRITE_H
#define RT_TWIN_DELTA_WRITE_H

#include "twin/delta/stage.h"
#include "twin/delta/suspend.h"

/* Fill rt_staged of each pair with what will be done. */
int rt_write_resolve(struct rt_stage *stage, struct rt_err *err) RT_CHECKED;

/* loads: one a pair, with its rank. -RT_EDIFFERS when the tables would not be equal to
 * production's afterwards. */
int rt_write(struct rt_stage *stage, const struct rt_write_load *loads,
             struct rt_err *err) RT_CHECKED;

#endif
