/*
 * Running a file without a transaction: its statements one by one, each with its row in
 * revtwin.step, so that a run that was broken off is gone on with where it stopped.
 */
#ifndef RT_MIGRATE_STEPWISE_H
#define RT_MIGRATE_STEPWISE_H

#include "migrate/plan.h"

struct rt_stepwise {
    const char *lock_timeout,
        *statement_timeout; /* as in rt_apply_options; the forms with
                               CONCURRENTLY that only wait for old
                               transactions run without the former, */
    bool impatient;         /* unless it is to hold there, too */
    const char *client;     /* who runs it, as rt_writer has it */
    const char *head;       /* entry_hash of the last row that the ledger should have */
    bool pooled;   /* what is set for the session would stay with a connection that others
                      use: limits hold in transactions only, and the file sets nothing */
    unsigned wait; /* seconds for what an earlier run has left running */

    /* What came of it, also after an error. */
    unsigned line;     /* of the statement that is under way */
    size_t resumed_at; /* the statement that it went on with; 0: it began */
    size_t stopped_at; /* 0: it did not stop */
    bool repeatable; /* where it stopped, nothing can have been committed: what failed may
                        be tried again without asking */
    const char *notes; /* what was found and put in order, a line each; NULL: nothing */
};

/*
 * Run the statements that are not done yet, outside of any transaction; the table
 * revtwin.step has to be there. 0 when all are done: what is left is to write the
 * ledger's row and to delete the file's steps, in one transaction. It reads where it is
 * from production, so it may be called again. The session is as fresh afterwards as
 * before.
 *
 * Errors, all with path and place, and the state that the file is in as
 * advice: -RT_EMIGRATION (with the server's SQLSTATE),
 * -RT_EREFUSED when a statement that is done is not the file's any more, -RT_ELOCKED when
 * another run is at work on this file or has changed the ledger, -RT_EUNKNOWN when the
 * connection was lost in a statement, -RT_EINTERNAL when it was lost before, -RT_EINT,
 * -RT_ETERM.
 */
int rt_stepwise_run(struct rt_conn *conn, struct rt_arena *arena,
                    const struct rt_action *action, struct rt_stepwise *run,
                    struct rt_err *err) RT_CHECKED;

/*
 * After a lost connection is there again, and the lost session gone: ask how far it came.
 * 1 when all statements are done, 0 when not: then run->stopped_at and the advice of err,
 * the error of rt_stepwise_run, say what is. Negative when that cannot be told.
 */
int rt_stepwise_ask(struct rt_conn *conn, struct rt_arena *arena,
                    const struct rt_action *action, struct rt_stepwise *run,
                    struct rt_err *err) RT_CHECKED;

#endif
