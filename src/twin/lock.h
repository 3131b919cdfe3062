/*
 * Locking all tables of a database: what is there is listed first, then locked, and read
 * again under the locks, until both are the same.
 */
#ifndef RT_TWIN_LOCK_H
#define RT_TWIN_LOCK_H

#include "twin/table.h"

struct rt_lock_list {
    const char **oids, **idents; /* of tables, as rt_tables has them */
    size_t count;
};

/* Those that there are by now, and that this role may read. */
int rt_lock_list_read(struct rt_lock_list *out, struct rt_arena *arena,
                      struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* Lock them in this order with the next statement (pg/later.h): "ACCESS SHARE". LOCK
 * TABLE takes no snapshot. */
void rt_lock_later(struct rt_conn *conn, const struct rt_lock_list *list,
                   const char *mode);

/* Whether they are all of these. */
bool rt_lock_covers(const struct rt_lock_list *list, const struct rt_tables *seen);

/* Whether it failed because a table was dropped or renamed between being listed and
 * locked. */
bool rt_lock_missed(const struct rt_err *err);

#endif
