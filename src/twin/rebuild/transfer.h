/*
 * The schema, from production into an empty database, as of a snapshot: pg_dump and
 * pg_restore. Rows, indexes and foreign keys come in between (load.h, foreign.h).
 */
#ifndef RT_TWIN_REBUILD_TRANSFER_H
#define RT_TWIN_REBUILD_TRANSFER_H

#include "twin/rebuild/index.h"
#include "twin/snapshot.h"
#include "twin/tools.h"

struct rt_transfer;

/* To fill the database on target's server from the snapshot; NULL: to be had as text.
 * Nothing is run yet. */
int rt_transfer_open(struct rt_transfer **out, const struct rt_tools *tools,
                     const struct rt_snapshot *snapshot, struct rt_conn *target,
                     const char *database, struct rt_err *err) RT_CHECKED;
void rt_transfer_close(struct rt_transfer *transfer); /* NULL is fine */

/* Read the schema, while the snapshot is held; both connections may be at other work.
 * -RT_EINTERNAL, here and below, with what the failed program wrote as detail. */
int rt_transfer_read(struct rt_transfer *transfer, struct rt_err *err) RT_CHECKED;

/* What comes before the rows: types, functions, tables, views. */
int rt_transfer_before(const struct rt_transfer *transfer, struct rt_err *err) RT_CHECKED;

/* What comes after them, but these, and what comes last. */
int rt_transfer_after(const struct rt_transfer *transfer,
                      const struct rt_indexes *without, struct rt_err *err) RT_CHECKED;

/* Comments, but of foreign keys that could not be there, and then the event triggers,
 * which see nothing of the copying. */
int rt_transfer_last(const struct rt_transfer *transfer, const struct rt_indexes *without,
                     struct rt_err *err) RT_CHECKED;

/* The three as text, in UTF-8 and for the caller to free. schemas: OIDs of those that are
 * there already, with a space before and after each. */
int rt_transfer_before_text(char **out, const struct rt_transfer *transfer,
                            const char *schemas, struct rt_err *err) RT_CHECKED;
int rt_transfer_after_text(char **out, const struct rt_transfer *transfer,
                           const struct rt_indexes *without,
                           struct rt_err *err) RT_CHECKED;
int rt_transfer_last_text(char **out, const struct rt_transfer *transfer,
                          const struct rt_indexes *without,
                          struct rt_err *err) RT_CHECKED;

#endif
