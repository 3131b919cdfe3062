/*
 * Materialized views of the twin: those that read a changed table, directly or through
 * others, are refreshed, each after those that it reads; and they are populated where
 * production's are. What they hold is as of the twin's data, as after a restore.
 */
#ifndef RT_TWIN_MATVIEW_H
#define RT_TWIN_MATVIEW_H

#include "pg/conn.h"

/* In the twin's open transaction. changed: the OIDs of its tables that have changed, as
 * an array literal. *refreshed counts. */
int rt_matviews_refresh(unsigned long *refreshed, struct rt_conn *prod,
                        struct rt_conn *twin, const char *changed,
                        struct rt_err *err) RT_CHECKED;

#endif
