/* One run of a file without a transaction: what the files of stepwise share. */
#ifndef RT_MIGRATE_WALK_H
#define RT_MIGRATE_WALK_H

#include "migrate/batch.h"
#include "migrate/leftover.h"
#include "migrate/resume.h"
#include "migrate/stepwise.h"

struct rt_walk {
    struct rt_conn *conn;
    struct rt_arena *arena;
    const struct rt_action *action;
    struct rt_stepwise *run;
    const struct rt_stopped *file; /* its rows as they were read, NULL: none */
    const size_t *places;

    /* The statement that it is at. */
    size_t number;
    const struct rt_stmt *stmt;
    struct rt_digest checksum;
    struct rt_concurrent what;
    struct rt_object object;
    const struct rt_step *step; /* its row, NULL: none */
    bool same_text;             /* as that row's */

    /* Its row as it is to be written. */
    long long version;
    const char *object_name;
    bool found;

    struct rt_batch batch;
    bool claims; /* the batch has the row "started", or only "done" */
    size_t
        claimed; /* messages of the batch after whose replies the row "started" is in */
};

/* The parameters of step_mark.sql. */
struct rt_mark {
    const char *params[14];
    char statement[24], statements[24], version[24], line[24];
};
void rt_mark_fill(struct rt_mark *out, const struct rt_walk *walk, const char *state,
                  long long version, const struct rt_err *failure);

/* What is sent for a statement of the file. */
struct rt_message rt_walk_message(const struct rt_walk *walk, const struct rt_stmt *stmt);

/* Send it with its rows (batch.h); not_yet: without the row "done", because it only
 * prepares the file's own. Then the same for a text of ours. */
int rt_walk_send(struct rt_walk *walk, struct rt_message message, bool not_yet,
                 struct rt_err *err) RT_CHECKED;
int rt_walk_send_text(struct rt_walk *walk, const char *sql, bool not_yet,
                      struct rt_err *err) RT_CHECKED;

/* Write only the row: it is done already. */
int rt_walk_mark_done(struct rt_walk *walk, struct rt_err *err) RT_CHECKED;

/* Look at the index or partition that it names, as the statement itself will see it. */
int rt_walk_ask(struct rt_walk *walk, struct rt_err *err) RT_CHECKED;

/* Take the walk to a statement, 1-based; what production has of it is not asked yet. */
void rt_walk_to(struct rt_walk *walk, size_t number);

/* Whether the statement may have committed a part of its work when it has failed. */
bool rt_walk_may_be_partial(const struct rt_walk *walk);

/* Run the statement that it is at, or find it done. */
int rt_walk_run(struct rt_walk *walk, struct rt_err *err) RT_CHECKED;

/* Tell, at once and in the result, what was found or put in order. */
void rt_walk_note(struct rt_walk *walk, const char *fmt, ...) RT_PRINTF(2, 3);

/* Make the session fresh again, for the next file. */
int rt_walk_leave(struct rt_walk *walk, struct rt_err *err) RT_CHECKED;

/* It failed with this error: remember that, and complete the error. Returns its status.
 */
int rt_walk_stop(struct rt_walk *walk, struct rt_err *err);

#endif
