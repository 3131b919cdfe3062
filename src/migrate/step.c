#include "migrate/step.h"

#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

/* The columns of step_read.sql. */
enum column {
    COL_PATH,
    COL_STATEMENT,
    COL_STATEMENTS,
    COL_CHECKSUM,
    COL_FILE_CHECKSUM,
    COL_COMMIT,
    COL_STATE,
    COL_VERSION,
    COL_OBJECT,
    COL_FOUND,
    COL_LINE,
    COL_STARTED_AT,
    COL_FINISHED_AT,
    COL_SQLSTATE,
    COL_MESSAGE,
    COL_CLIENT,
    COL_STARTED_BY,
    COL_PID,
    COL_RUNNING,
};

static const char *text(struct rt_arena *arena, const struct rt_result *rows, size_t row,
                        enum column column)
{
    const char *value = rt_result_get(rows, row, (int)column);

    return value ? rt_arena_strdup(arena, value) : NULL;
}

static long long integer(const struct rt_result *rows, size_t row, enum column column)
{
    return strtoll(rt_result_get(rows, row, (int)column), NULL, 10);
}

static enum rt_step_state state_of(const char *name)
{
    if (strcmp(name, "done") == 0)
        return RT_STEP_DONE;
    return strcmp(name, "failed") == 0 ? RT_STEP_FAILED : RT_STEP_STARTED;
}

static void keep_step(struct rt_step *out, struct rt_arena *arena,
                      const struct rt_result *rows, size_t i)
{
    *out = (struct rt_step){
        .number = (size_t)integer(rows, i, COL_STATEMENT),
        .state = state_of(rt_result_get(rows, i, COL_STATE)),
        .version = integer(rows, i, COL_VERSION),
        .checksum = text(arena, rows, i, COL_CHECKSUM),
        .object = text(arena, rows, i, COL_OBJECT),
        .found = rt_result_true(rows, i, COL_FOUND),
        .line = text(arena, rows, i, COL_LINE),
        .started_at = text(arena, rows, i, COL_STARTED_AT),
        .finished_at = text(arena, rows, i, COL_FINISHED_AT),
        .sqlstate = text(arena, rows, i, COL_SQLSTATE),
        .message = text(arena, rows, i, COL_MESSAGE),
        .client = text(arena, rows, i, COL_CLIENT),
        .started_by = text(arena, rows, i, COL_STARTED_BY),
        .pid = text(arena, rows, i, COL_PID),
        .running = rt_result_true(rows, i, COL_RUNNING),
    };
}

/* A row says of the file what it was when the statement ran: the last one counts. */
static void keep_file(struct rt_stopped *file, struct rt_arena *arena,
                      const struct rt_result *rows, size_t i)
{
    struct rt_step *step = &file->steps[file->count++];

    keep_step(step, arena, rows, i);
    file->path = text(arena, rows, i, COL_PATH);
    file->checksum = text(arena, rows, i, COL_FILE_CHECKSUM);
    file->commit = text(arena, rows, i, COL_COMMIT);
    file->statements = (size_t)integer(rows, i, COL_STATEMENTS);
    if (step->state == RT_STEP_DONE && step->number == file->done + 1)
        file->done++;
}

void rt_stopped_keep(struct rt_stopped **out, size_t *count, struct rt_arena *arena,
                     const struct rt_result *rows)
{
    size_t n = rt_result_rows(rows);
    struct rt_step *steps = rt_arena_alloc(arena, n * sizeof(*steps));
    struct rt_stopped *file = NULL;

    *out = rt_arena_alloc(arena, n * sizeof(**out));
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        if (file == NULL || strcmp(file->path, rt_result_get(rows, i, COL_PATH)) != 0) {
            file = &(*out)[(*count)++];
            file->steps = &steps[i];
        }
        keep_file(file, arena, rows, i);
    }
}

int rt_stopped_read(struct rt_stopped **out, size_t *count, struct rt_arena *arena,
                    struct rt_conn *conn, const char *path, struct rt_err *err)
{
    struct rt_result *rows;
    int rc = rt_query(&rows, conn, rt_sql_step_read, 1, &path, err);

    *out = NULL;
    *count = 0;
    if (rc < 0)
        return rt_err_wrap(err, "cannot read revtwin.step");
    rt_stopped_keep(out, count, arena, rows);
    rt_result_free(rows);
    return 0;
}

const struct rt_stopped *rt_stopped_find(const struct rt_stopped *files, size_t count,
                                         const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    }
    return NULL;
}

const struct rt_step *rt_stopped_step(const struct rt_stopped *file, size_t number)
{
    for (size_t i = 0; file && i < file->count; i++) {
        if (file->steps[i].number == number)
            return &file->steps[i];
    }
    return NULL;
}

const char *rt_stopped_where(struct rt_arena *arena, const struct rt_stopped *file)
{
    const struct rt_step *step = rt_stopped_step(file, file->done + 1);

    if (step == NULL) {
        step = &file->steps[file->count - 1];
        return rt_arena_format(
            arena, "after statement %zu of %zu, since %s, run by %s as %s", file->done,
            file->statements, step->finished_at, step->client, step->started_by);
    }
    return rt_arena_format(
        arena, "at statement %zu of %zu%s%s, since %s, run by %s as %s: %s%s%s",
        step->number, file->statements, step->line[0] ? ", line " : "", step->line,
        step->finished_at ? step->finished_at : step->started_at, step->client,
        step->started_by,
        step->message   ? step->message
        : step->running ? "it may still be running"
                        : "its outcome is not known",
        step->sqlstate ? ", SQLSTATE " : "", step->sqlstate ? step->sqlstate : "");
}

const char *rt_stopped_done(struct rt_arena *arena, size_t done)
{
    if (done == 0)
        return "No statement of the file is done.";
    if (done == 1)
        return "Statement 1 is done and stays.";
    return rt_arena_format(arena, "Statements 1 to %zu are done and stay.", done);
}

const char *rt_stopped_ways_out(struct rt_arena *arena, const char *path)
{
    return rt_arena_format(
        arena,
        "revtwin apply tries it again where it stopped, --skip-stopped goes past it this "
        "once. By hand: finish its statements, then revtwin resolve %s --applied; or "
        "undo "
        "them, then revtwin resolve %s --forget, and it begins anew.",
        path, path);
}

int rt_index_invalid(bool *out, struct rt_conn *conn, const char *name,
                     struct rt_err *err)
{
    struct rt_result *rows = NULL;
    int rc = rt_query(&rows, conn, rt_sql_index_invalid, 1, &name, err);

    *out = rc == 0 && rt_result_true(rows, 0, 0);
    rt_result_free(rows);
    return rc;
}
