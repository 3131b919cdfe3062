/*
 * Advisory locks that keep runs apart. They are tried for again and again, never waited
 * for: a session that waits inside a statement holds a snapshot, and CREATE INDEX
 * CONCURRENTLY in the one that has the lock would wait for that.
 */
#ifndef RT_MIGRATE_LOCK_H
#define RT_MIGRATE_LOCK_H

#include "pg/query.h"

struct rt_lock {
    const char *key;
    const char *holder; /* who has it when we have not, for messages */
    int column;         /* of the query that tries for it: whether it is ours */
};

/*
 * Ask, and again until the lock is ours, for so many seconds: then -RT_ELOCKED names the
 * holder. With a negative number once, whatever the column says.
 */
int rt_lock_query(struct rt_result **out, struct rt_conn *conn,
                  const struct rt_lock *lock, int wait, const char *sql, int nparams,
                  const char *const *params, struct rt_err *err) RT_CHECKED;

#endif
