/*
 * A sign of life while production keeps a run waiting: which statement, for how long, and
 * who holds the lock that it waits for, asked over a second connection.
 */
#ifndef RT_MIGRATE_WATCH_H
#define RT_MIGRATE_WATCH_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_watch {
    /* Names what is waited for ("migrations/V2.sql:3"), and counts how much was replied
     * to, so that a wait that goes on is told from the next one. */
    const char *(*where)(void *context, uint64_t *replies);
    void *context;
    struct rt_conn *watched;
    bool pooled;              /* a pooler hides the process id */
    const char *lock_timeout; /* the first look is before it is over */
    struct rt_arena *arena;

    struct rt_conn *conn; /* the second one; opened at the first need */
    bool unable;          /* it cannot be had */
    uint64_t replies;
    int64_t since;       /* when this wait was first seen, rt_clock_ms */
    int64_t looked_at;   /* when it was last looked who blocks; 0: not yet */
    int64_t told_at;     /* and told of; 0: not yet */
    const char *blocker; /* of that wait, or NULL */
    const char *pid;     /* its process id */
};

/* Watch a connection, from here until rt_watch_stop, with the first four fields set. */
void rt_watch_start(struct rt_watch *watch);
void rt_watch_stop(struct rt_watch *watch);

/* Who was last seen to hold what the present wait is for; NULL when that is not known. */
const char *rt_watch_blocker(const struct rt_watch *watch);

#endif
