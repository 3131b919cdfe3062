/*
 * What became of the unit that a run stopped at, decided once: the status, the texts and
 * the state of each action follow from it.
 */
#ifndef RT_MIGRATE_FAILURE_H
#define RT_MIGRATE_FAILURE_H

#include "migrate/run.h"

enum rt_failure {
    RT_FAILURE_MIGRATION, /* the server refused a statement: rolled back */
    RT_FAILURE_LEDGER,    /* the same, of a statement of ours */
    RT_FAILURE_RESET,    /* the file reset the settings of our transaction: rolled back */
    RT_FAILURE_CONFLICT, /* another run wrote the ledger, or is about to: rolled back */
    RT_FAILURE_STOPPED,  /* a file without a transaction, at a statement: the error that
                            rt_stepwise_run gave */
    RT_FAILURE_CANCELLED, /* by a signal: rolled back */
    RT_FAILURE_LOST,      /* with the connection, and cannot have been committed */
    RT_FAILURE_UNSETTLED, /* with the connection, and its COMMIT was under way */
    RT_FAILURE_ENDED,     /* the file ended the transaction itself */
};

/* Classify an error that rt_transact gave; after a loss, with run->loss settled. */
enum rt_failure rt_failure_of(const struct rt_run *run, const struct rt_err *err);

/* Whether the COMMIT of the unit was sent, so that the server may have carried it out. */
bool rt_commit_was_sent(const struct rt_run *run, size_t unit);

/* Whether it may go away by itself: a lock_timeout, deadlock or serialization failure. */
bool rt_failure_passes(enum rt_failure failure, const struct rt_err *err);

/* Complete the error (status, place, advice), and set the states of what did not run to
 * its end. */
void rt_failure_explain(struct rt_run *run, enum rt_failure failure, struct rt_err *err);

#endif
