/* Migrations that failed and were rolled back: revtwin.attempt. */
#ifndef RT_MIGRATE_ATTEMPT_H
#define RT_MIGRATE_ATTEMPT_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_attempt {
    const char *path, *failed_at, *line, *sqlstate, *message, *client;
};

/* The newest attempt of each path, in the arena. */
int rt_attempts_read(struct rt_attempt **out, size_t *count, struct rt_arena *arena,
                     struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* Remember a failure of the path; best effort, the error itself is what matters. */
void rt_attempt_record(struct rt_conn *conn, const char *path, const char *commit,
                       const struct rt_err *failure, const char *client);

#endif
