/*
 * Workers: threads with connections of their own, that take jobs from one queue, the
 * heaviest first. All readers of production see one snapshot. The first error, or a
 * signal, stops everybody; libgit2 and libpg_query stay on the main thread.
 */
#ifndef RT_TWIN_CREW_H
#define RT_TWIN_CREW_H

#include "base/arena.h"
#include "pg/conn.h"

/* What one worker has; nothing of it is shared. */
struct rt_worker {
    struct rt_conn *prod; /* in a transaction with the snapshot; NULL in a job that is
                             twin_only, and where none was asked for */
    struct rt_conn *twin; /* outside of any transaction; NULL: none asked for */
    struct rt_crew *crew;
    unsigned number; /* from 0; helpers have the highest */
};

/* The hint when they have made way for somebody who wants to change a table. */
#define RT_CREW_MADE_WAY                                                              \
    "Somebody in production changes a table or view that is read here, or waits to, " \
    "and holds up all others. Try again when that is done."

struct rt_crew_setup {
    unsigned size;
    /* More workers, without a connection to production: they take the jobs that are
     * twin_only, and the others only the rest. 0: everybody takes all. */
    unsigned helpers;
    const struct rt_server *prod; /* NULL: no connections to production */
    const char *snapshot;         /* for SET TRANSACTION SNAPSHOT */
    const struct rt_server *twin; /* NULL: none */
    const char *database;         /* on its server, or NULL: the twin itself */
    enum rt_access access;        /* on the twin */
    const char *twin_settings;    /* statements for a session there, or NULL */
    /* Called now and then by rt_crew_finish, on its thread; may be NULL. */
    void (*tick)(void *context);
    void *context;
};

struct rt_job {
    int (*run)(struct rt_worker *worker, void *context, struct rt_err *err);
    void *context;  /* the caller's, until rt_crew_close */
    double weight;  /* bytes, or whatever is heavy */
    bool twin_only; /* production is not needed */
};

struct rt_crew;

/* How many there are where nobody says how many (0): as processors, within bounds. */
unsigned rt_crew_size(unsigned asked);

/* Start the threads, and wait until all have connected, so that the snapshot is theirs:
 * sessions without time limits and pinned as rt_projection_pin. Errors as
 * rt_crew_finish. */
int rt_crew_open(struct rt_crew **out, const struct rt_crew_setup *setup,
                 struct rt_err *err) RT_CHECKED;

/* The same without waiting, so that the snapshot must stay until rt_crew_finish, which
 * tells what went wrong. */
int rt_crew_start(struct rt_crew **out, const struct rt_crew_setup *setup,
                  struct rt_err *err) RT_CHECKED;

/* Add a job; also from within a job. */
void rt_crew_add(struct rt_crew *crew, const struct rt_job *job);

/* End the transactions on production, while jobs go on that are all twin_only. A job that
 * is not may only be the last one, and call this itself. */
void rt_crew_release(struct rt_crew *crew);

/*
 * Wait until no job is left. The first error of any job, or -RT_EINT and -RT_ETERM; then
 * the statements of the others are cancelled and no job is begun any more. When it was
 * good, more jobs may be added, to be finished again.
 */
int rt_crew_finish(struct rt_crew *crew, struct rt_err *err) RT_CHECKED;
void rt_crew_close(struct rt_crew *crew); /* stops them; NULL is fine */

#endif
