/*
 * The guards: what is checked before the first write of a resync, so that production is
 * never taken for the twin, nor somebody's own database for a twin. They only read.
 */
#ifndef RT_TWIN_GUARD_H
#define RT_TWIN_GUARD_H

#include "pg/conn.h"

/* -RT_EUSAGE when the host is a connection pooler ("...-pooler" before the first dot):
 * there session locks, settings and exported snapshots do not hold. */
int rt_guard_host(const struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/*
 * -RT_EREFUSED when the two are one database, when they seem to be swapped (production
 * carries the mark of a twin, or the twin is unmarked and has more migrations in its
 * ledger than production), or when the twin's server is older than production's.
 */
int rt_guard_direction(struct rt_conn *prod, struct rt_conn *twin,
                       struct rt_err *err) RT_CHECKED;

/* -RT_EREFUSED when the twin has contents and no mark, unless they may be adopted. */
int rt_guard_adopted(struct rt_conn *twin, bool adopt, struct rt_err *err) RT_CHECKED;

/* -RT_EINTERNAL when production has extensions that the twin's server does not offer, or
 * policies and user mappings for roles that it has not, -RT_EREFUSED when its rows would
 * be in other partitions on any twin; twin may be a connection to any database there. */
int rt_guard_needs(struct rt_conn *prod, struct rt_conn *twin,
                   struct rt_err *err) RT_CHECKED;

/*
 * What a database holds besides extensions: *out is NULL when nothing, else a text for
 * the caller to free ("3 objects: table public.users, ...").
 */
int rt_database_contents(char **out, struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

#endif
