/*
 * Executing a plan on production: each file in one transaction with its ledger row, all
 * of them in one pipeline; or, where a file runs without a transaction, its statements
 * one by one, and then its row. The first error that does not go away by itself stops
 * every later file; earlier ones stay.
 */
#ifndef RT_MIGRATE_APPLY_H
#define RT_MIGRATE_APPLY_H

#include "migrate/lock.h"
#include "migrate/stepwise.h"

struct rt_apply_options {
    const char *lock_timeout; /* as PostgreSQL writes it: "5s" */
    bool impatient; /* lock_timeout also where nobody waits behind us (CONCURRENTLY) */
    const char *statement_timeout; /* NULL: the server's */
    unsigned retries; /* of a file that met a lock, a deadlock, a serialization failure */
    unsigned wait;    /* seconds: how long to settle what a lost connection left open */
    const struct rt_lock *other_lock; /* another tool's, taken too; or NULL */
    struct rt_writer writer;
};

enum rt_apply_state {
    RT_APPLY_NOT_RUN,
    RT_APPLY_DONE,
    RT_APPLY_FAILED,    /* and rolled back */
    RT_APPLY_CANCELLED, /* and rolled back */
    RT_APPLY_STOPPED,   /* without a transaction, at one of its statements */
    RT_APPLY_UNKNOWN,   /* nobody could be asked what became of it */
};

struct rt_apply_result {
    enum rt_apply_state *states; /* one for each of plan->actions, in the arena */
    const char **milliseconds;   /* of the transaction that succeeded; NULL: none */
    unsigned *retries;           /* how often it was tried again */
    struct rt_stepwise *steps;   /* of files without a transaction */
    size_t done;                 /* actions done, records included */
    const char *head;            /* entry_hash of the ledger's last row */
};

/*
 * Run a plan without refusals. ledger is what the plan was decided on; conn is where it
 * was read. *out is valid also after an error: what is done is done. Errors:
 * -RT_EMIGRATION with the place in the file, -RT_ELOCKED when another run changed the
 * ledger meanwhile, -RT_EINTERNAL when the connection was lost and production was asked
 * what is in, -RT_EUNKNOWN when it could not be asked, -RT_EINT, -RT_ETERM.
 */
int rt_apply(struct rt_apply_result *out, struct rt_arena *arena, struct rt_conn *conn,
             const struct rt_plan *plan, struct rt_ledger *ledger,
             const struct rt_apply_options *options, struct rt_err *err) RT_CHECKED;

#endif
