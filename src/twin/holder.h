/*
 * Holders: transactions of others, prepared ones too, that are in the way of a lock on
 * tables: by what they have written there, or, where tables are to be altered, read; and
 * of reading them, by what they alter.
 */
#ifndef RT_TWIN_HOLDER_H
#define RT_TWIN_HOLDER_H

#include "pg/query.h"

/* lock_not_available: of what a statement says that has waited for too long */
#define RT_HOLDER_TIMEOUT "55P03"

struct rt_holders {
    struct rt_result *rows;
    size_t staying; /* those that nobody has ended */
};

/* Who is there: *out, for rt_holders_clear(). */
enum rt_holding { RT_HOLD_READ, RT_HOLD_WRITE, RT_HOLD_EXCLUDE };
int rt_holders_list(struct rt_holders *out, struct rt_conn *conn, enum rt_holding least,
                    struct rt_err *err) RT_CHECKED;

/* Roll back, which leaves only others' locks, and list the writers, or if there are none,
 * the readers; in a transaction that stays open. */
int rt_holders_read(struct rt_holders *out, struct rt_conn *twin,
                    struct rt_err *err) RT_CHECKED;
void rt_holders_clear(struct rt_holders *holders);

/* Those there are, by line, as detail; false: there are none. */
bool rt_holders_tell(const struct rt_holders *holders, struct rt_err *err);

/* End those that the role may end: its own, and with pg_signal_backend those of others,
 * but no superuser's. */
int rt_holders_end(struct rt_holders *holders, struct rt_conn *twin,
                   struct rt_err *err) RT_CHECKED;

/* -RT_EINTERNAL that names them. forced: they would have been ended if they could be. */
int rt_holders_refuse(const struct rt_holders *holders, int wait_seconds, bool forced,
                      struct rt_err *err);

#endif
