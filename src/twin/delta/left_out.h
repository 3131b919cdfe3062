/*
 * Unlogged tables, of which a standby has no rows: behind one they are empty on the twin,
 * too, as after a rebuild. What rows of them refer to may be about to go.
 */
#ifndef RT_TWIN_DELTA_LEFT_OUT_H
#define RT_TWIN_DELTA_LEFT_OUT_H

#include "twin/table.h"

/* In the writer's transaction; those that are empty are not touched. */
int rt_left_out_empty(const struct rt_tables *twin, struct rt_conn *writer,
                      struct rt_err *err) RT_CHECKED;

#endif
