/*
 * Files that run without a transaction, statement by statement: revtwin.step has a row
 * for each statement that was begun, until the file's row in the ledger replaces them
 * all. A file that has such rows and no run that is at work on it has stopped.
 */
#ifndef RT_MIGRATE_STEP_H
#define RT_MIGRATE_STEP_H

#include "base/arena.h"
#include "pg/conn.h"

enum rt_step_state {
    RT_STEP_STARTED, /* what became of it is not known */
    RT_STEP_DONE,
    RT_STEP_FAILED,
};

/* A row; texts are in the arena. */
struct rt_step {
    size_t number; /* of the statement: 1-based, without COPY data */
    enum rt_step_state state;
    long long version;    /* how often the row was written: a run that finds another one
                             than it read is not the only one at work */
    const char *checksum; /* of the statement */
    const char *object;   /* the index or partition that it is about, quoted, or NULL */
    bool found;           /* whether that was there before the first start */
    const char *line;     /* in the file; "" when unknown */
    const char *started_at, *finished_at;  /* finished_at may be NULL */
    const char *sqlstate, *message;        /* of a failure; NULL when there is none */
    const char *client, *started_by, *pid; /* who ran it: host, role, session */
    bool running;                          /* that session is still at work */
};

/* A file under way. */
struct rt_stopped {
    const char *path;
    const char *checksum; /* of the file as it was last run */
    const char *commit;   /* the step that brought it */
    size_t statements;
    struct rt_step *steps; /* by number */
    size_t count;
    size_t done; /* how many are, from the first on without a gap */
    bool ahead;  /* its commit is none of those that are looked at; set by who knows */
};

/* The files in what rt_sql_step_read gives, in the order in which they began. */
struct rt_result;
void rt_stopped_keep(struct rt_stopped **out, size_t *count, struct rt_arena *arena,
                     const struct rt_result *rows);

/* Read one file. */
int rt_stopped_read(struct rt_stopped **out, size_t *count, struct rt_arena *arena,
                    struct rt_conn *conn, const char *path,
                    struct rt_err *err) RT_CHECKED;

/* The file of the path, or NULL. */
const struct rt_stopped *rt_stopped_find(const struct rt_stopped *files, size_t count,
                                         const char *path);

/* The row of a statement, or NULL. */
const struct rt_step *rt_stopped_step(const struct rt_stopped *file, size_t number);

/*
 * Where it stopped, for people: "at statement 2 of 3, line 7, since ..., run by ...:
 * could not ..., SQLSTATE 23505".
 */
const char *rt_stopped_where(struct rt_arena *arena, const struct rt_stopped *file);

/* How much of a file is done, a sentence. */
const char *rt_stopped_done(struct rt_arena *arena, size_t done);

/* Whether there is an index of this name (quoted) that is not valid. */
int rt_index_invalid(bool *out, struct rt_conn *conn, const char *name,
                     struct rt_err *err) RT_CHECKED;

/* The ways out of being stopped, a sentence. */
const char *rt_stopped_ways_out(struct rt_arena *arena, const char *path);

#endif
