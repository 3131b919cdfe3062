/* From production into an empty database: pg_dump and pg_restore, as of a snapshot. */
#ifndef RT_TWIN_TRANSFER_H
#define RT_TWIN_TRANSFER_H

#include "twin/snapshot.h"
#include "twin/tools.h"

struct rt_transfer;

/* Read the schema as of the snapshot, to fill the database on target's server.
 * -RT_EINTERNAL, here and below, with what the failed program wrote as detail. */
int rt_transfer_open(struct rt_transfer **out, const struct rt_tools *tools,
                     const struct rt_snapshot *snapshot, struct rt_conn *target,
                     const char *database, struct rt_err *err) RT_CHECKED;
void rt_transfer_close(struct rt_transfer *transfer); /* NULL is fine */

/* Stream the tables with their data. After it production is read no more, and the
 * snapshot may end. */
int rt_transfer_data(const struct rt_transfer *transfer, struct rt_err *err) RT_CHECKED;

/* Indexes, constraints, triggers, and whatever else comes after the data. */
int rt_transfer_rest(const struct rt_transfer *transfer, struct rt_err *err) RT_CHECKED;

/* The comments; next is a connection to the filled database. */
int rt_transfer_comments(const struct rt_transfer *transfer, struct rt_conn *next,
                         struct rt_err *err) RT_CHECKED;

#endif
