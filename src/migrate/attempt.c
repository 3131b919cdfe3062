#include "migrate/attempt.h"

#include "base/log.h"
#include "pg/query.h"
#include "queries.h"

int rt_attempts_read(struct rt_attempt **out, size_t *count, struct rt_arena *arena,
                     struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *rows;
    int rc = rt_query(&rows, conn, rt_sql_attempts_read, 0, NULL, err);

    if (rc < 0)
        return rc;
    *count = rt_result_rows(rows);
    *out = rt_arena_alloc(arena, *count * sizeof(**out));
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = (struct rt_attempt){
            .path = rt_arena_strdup(arena, rt_result_get(rows, i, 0)),
            .failed_at = rt_arena_strdup(arena, rt_result_get(rows, i, 1)),
            .line = rt_arena_strdup(arena, rt_result_get(rows, i, 2)),
            .sqlstate = rt_arena_strdup(arena, rt_result_get(rows, i, 3)),
            .message = rt_arena_strdup(arena, rt_result_get(rows, i, 4)),
            .client = rt_arena_strdup(arena, rt_result_get(rows, i, 5)),
        };
    }
    rt_result_free(rows);
    return 0;
}

void rt_attempt_record(struct rt_conn *conn, const char *path, const char *commit,
                       const struct rt_err *failure, const char *client)
{
    char line[32];
    const char *params[] = {path,
                            commit,
                            failure->line ? line : NULL,
                            failure->sqlstate[0] ? failure->sqlstate : NULL,
                            failure->message,
                            client};
    struct rt_err ignored = {0};

    snprintf(line, sizeof(line), "%lu", failure->line);
    if (rt_query(NULL, conn, rt_sql_attempt_insert, RT_COUNT(params), params, &ignored) <
        0)
        rt_log_verbose("the failed attempt could not be recorded: %s", ignored.message);
    rt_err_clear(&ignored);
}
