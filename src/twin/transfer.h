/* From production into an empty database: pg_dump and pg_restore, as of a snapshot. */
#ifndef RT_TWIN_TRANSFER_H
#define RT_TWIN_TRANSFER_H

#include "twin/snapshot.h"
#include "twin/tools.h"

struct rt_transfer {
    const struct rt_tools *tools;
    const struct rt_snapshot *snapshot;
    struct rt_conn *target; /* any database of the target server */
    const char *database;   /* the one to fill */
};

/* First everything but comments, then the comments. -RT_EINTERNAL with what the failed
 * program wrote as detail. */
int rt_transfer_data(const struct rt_transfer *transfer, struct rt_err *err) RT_CHECKED;
int rt_transfer_comments(const struct rt_transfer *transfer,
                         struct rt_err *err) RT_CHECKED;

#endif
