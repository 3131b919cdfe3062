/* After a lost connection: ask production what became of the transactions. */
#ifndef RT_MIGRATE_SETTLE_H
#define RT_MIGRATE_SETTLE_H

#include "migrate/run.h"

/*
 * Reconnect, wait until the lost session is gone with all that it was sent, and look for
 * the rows: what is in is marked done, and run->replied is the first unit that is not.
 * Tries for so long; hasty: no signal stops it. Errors: what last kept it from knowing.
 */
int rt_settle(struct rt_run *run, unsigned ms, bool hasty, struct rt_err *err) RT_CHECKED;

#endif
