/*
 * Statements sent all at once and answered one after another: one round trip for them
 * all, and only one answer at a time in memory. In the connection's transaction, or in
 * one of their own. Two connections may have theirs under way at the same time.
 *
 *     rc = rt_pipeline_begin(conn, err);
 *     for (...) rc = rt_pipeline_send(conn, sql, 0, NULL, err);
 *     rc = rt_pipeline_end(conn, err);
 *     while ((rc = rt_pipeline_next(&rows, conn, err)) == 0 && rows) ...
 *     rt_pipeline_close(conn);
 */
#ifndef RT_PG_PIPELINE_H
#define RT_PG_PIPELINE_H

#include "pg/query.h"

/* The connection is taken until rt_pipeline_close. */
int rt_pipeline_begin(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* What is sent is kept until the server takes it: keep statements few and short. */
int rt_pipeline_send(struct rt_conn *conn, const char *sql, int nparams,
                     const char *const *params, struct rt_err *err) RT_CHECKED;
int rt_pipeline_end(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* The rows of the next statement, for rt_result_free; NULL after the last one. Errors as
 * rt_query; nothing comes after the first one. */
int rt_pipeline_next(struct rt_result **out, struct rt_conn *conn,
                     struct rt_err *err) RT_CHECKED;

/* Throw away what has not been read; what is under way is cancelled. Fine without a
 * pipeline. */
void rt_pipeline_close(struct rt_conn *conn);

#endif
