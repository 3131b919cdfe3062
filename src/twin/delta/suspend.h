/*
 * What must not act while the twin's tables are written to, and may be put out of the
 * way by their owner: triggers and rules of users are disabled, each to be woken in its
 * own state; foreign keys go only where they would act or be in the way: where a row goes
 * away to which one that stays refers (ON DELETE would follow it), where they form a
 * cycle, and where checking each row would cost more than all at the end. All in the open
 * transaction: nobody else ever sees it.
 */
#ifndef RT_TWIN_DELTA_SUSPEND_H
#define RT_TWIN_DELTA_SUSPEND_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_write_load {
    const char *oid; /* of the twin's table */
    unsigned long long deletes, updates, inserts;
    unsigned rank; /* filled: rows are inserted in the order of the ranks, and deleted in
                      the other one */
};

struct rt_suspended {
    char *wake, *wake_events; /* statements, or NULL */
    struct rt_key {
        char *add;       /* statements, with its comment */
        char *unchecked; /* the same, NOT VALID: on its partitions for a partitioned
                            table; NULL: it was not valid, or is no foreign key */
        char *name;      /* "orders_user_fkey on public.orders" */
    } * keys;
    size_t count;
    /* filled by rt_resume: */
    const char **violated; /* names of keys that are NOT VALID, as production's own rows
                              violate them */
    size_t violated_count;
};

/* Event triggers: before the first DDL of a transaction, and after its last one. */
int rt_suspend_events(struct rt_suspended *out, struct rt_conn *twin,
                      struct rt_err *err) RT_CHECKED;

int rt_resume_events(struct rt_suspended *suspended, struct rt_conn *twin,
                     struct rt_err *err) RT_CHECKED;

/* Triggers, rules and keys of the tables, which are numbered as the stage's pairs, and
 * the order of writing. all_keys: every foreign key of theirs goes. */
int rt_suspend(struct rt_suspended *out, struct rt_conn *twin,
               struct rt_write_load *tables, size_t count, bool all_keys,
               struct rt_err *err) RT_CHECKED;

/* As it was, but for event triggers. Names live in the arena. */
int rt_resume(struct rt_suspended *suspended, struct rt_arena *arena,
              struct rt_conn *twin, struct rt_err *err) RT_CHECKED;

void rt_suspended_clear(struct rt_suspended *suspended);

#endif
