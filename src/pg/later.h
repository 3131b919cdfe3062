/*
 * Statements that wait for the next one on their connection and run in front of it, in
 * its round trip: for what begins and pins a transaction, and for what is asked for some
 * time before it is needed.
 *
 * What goes wrong with one of them is what the next statement fails with, which then does
 * not run, and nothing waits any more. rt_conn_in_transaction and rt_conn_idle tell of
 * the time after them. Closing or reopening the connection forgets them.
 */
#ifndef RT_PG_LATER_H
#define RT_PG_LATER_H

#include "pg/query.h"

/* One statement; the text is copied. */
void rt_later(struct rt_conn *conn, const char *sql);

/* The same with one that begins a transaction, as BEGIN READ ONLY; and ROLLBACK. */
void rt_later_begin(struct rt_conn *conn, const char *begin);
void rt_later_rollback(struct rt_conn *conn);

/* Names that are not qualified, and operators, are the server's own from here on, for the
 * open transaction or else the session: whatever users have named like something built
 * in is not what our statements mean. */
void rt_later_own_names(struct rt_conn *conn);

/* read and what it points to must stay until its rows have come, with the next statement
 * or rt_later_run. There are none after an error. */
void rt_later_read(struct rt_conn *conn, struct rt_read *read);

/* Run now what waits, if anything does. */
int rt_later_run(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

#endif
