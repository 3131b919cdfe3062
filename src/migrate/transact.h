/* Sending units, each in one transaction with its ledger row. */
#ifndef RT_MIGRATE_TRANSACT_H
#define RT_MIGRATE_TRANSACT_H

#include "migrate/run.h"

/*
 * Run the units from run->replied.unit up to end, which all have to go the same way:
 * one_by_one, or in one pipeline. A transaction that is open already is the first one's.
 * An error is the server's, as rt_query gives it, or a signal's; run->replied is then the
 * statement that it is about, all units before it are done, and a transaction that failed
 * is still open.
 */
int rt_transact(struct rt_run *run, size_t end, bool one_by_one,
                struct rt_err *err) RT_CHECKED;

#endif
