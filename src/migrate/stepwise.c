#include "migrate/stepwise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "migrate/session.h"
#include "migrate/walk.h"
#include "pg/query.h"
#include "queries.h"

enum { POLL_MS = 500 };

int rt_walk_leave(struct rt_walk *walk, struct rt_err *err)
{
    struct rt_batch batch = {0};
    int rc;

    if (walk->run->pooled)
        return 0; /* it would meet any connection, and who uses that next */

    for (size_t i = 0; i < RT_SESSION_RESTORE; i++)
        rt_batch_add(&batch, RT_PART_FRAME, rt_session_restore[i], 0, NULL);
    for (size_t i = 0; i < RT_SESSION_CLEANUP; i++)
        rt_batch_add(&batch, RT_PART_FRAME, rt_session_cleanup[i], 0, NULL);
    rc = rt_batch_send(&batch, walk->conn, false, err);
    rt_batch_clear(&batch);
    return rc;
}

/* ------------------------------------------------------------------ where it is */

/* The file was renamed since it stopped: its rows go with it. */
static int follow_rename(struct rt_walk *walk, struct rt_err *err)
{
    const struct rt_stopped *file = walk->action->stopped;
    const char *params[] = {file ? file->path : NULL, walk->action->path};

    if (file == NULL || strcmp(params[0], params[1]) == 0)
        return 0;
    return rt_query(NULL, walk->conn, "UPDATE revtwin.step SET path = $2 WHERE path = $1",
                    RT_COUNT(params), params, err);
}

static int read_rows(struct rt_walk *walk, struct rt_err *err)
{
    struct rt_stopped *file;
    size_t count;
    int rc =
        rt_stopped_read(&file, &count, walk->arena, walk->conn, walk->action->path, err);

    walk->file = rc == 0 && count > 0 ? file : NULL;
    if (walk->file)
        rc = rt_resume_check(walk->arena, walk->file, &walk->action->source,
                             walk->action->path, err);
    return rc;
}

static size_t done(const struct rt_walk *walk)
{
    return walk->file ? walk->file->done : 0;
}

/* Who still runs the statement that the walk is at; NULL: nobody. */
static int find_runner(const char **who, struct rt_walk *walk, struct rt_err *err)
{
    const char *text = walk->action->source.script.text + walk->stmt->start;
    const char *object = walk->step->object;
    const char *params[] = {
        rt_arena_strndup(walk->arena, text, walk->stmt->len),
        object
            ? rt_arena_format(walk->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s", object)
            : NULL,
        walk->action->path, rt_arena_format(walk->arena, "%zu", walk->number)};
    struct rt_result *rows = NULL;
    int rc =
        rt_query(&rows, walk->conn, rt_sql_step_running, RT_COUNT(params), params, err);

    *who = NULL;
    if (rc == 0 && rt_result_rows(rows) > 0)
        *who = rt_arena_strdup(walk->arena, rt_result_get(rows, 0, 0));
    else if (rc == 0 && !walk->same_text && walk->step->running)
        *who = rt_arena_format(walk->arena, "pid %s", walk->step->pid);
    rt_result_free(rows);
    return rc;
}

/*
 * A run that is gone may have left its statement running; when that ends, the server also
 * writes its row. 1: it is over, and the rows are to be read again; 0: there was none.
 */
static int wait_for_runner(struct rt_walk *walk, int64_t start, bool *told,
                           struct rt_err *err)
{
    const char *who;
    int rc = find_runner(&who, walk, err);

    if (rc < 0 || who == NULL)
        return rc;
    if (rt_clock_ms() - start >= (int64_t)walk->run->wait * 1000) {
        rt_err_set(err, RT_ELOCKED,
                   "statement %zu of %zu is still being run by an earlier run",
                   walk->number, walk->action->source.mode.statements);
        rt_err_detail(err, "By %s.", who);
        return rt_err_hint(err, "Run the command again when it is over; to end it: "
                                "SELECT pg_cancel_backend(PID).");
    }
    if (!*told)
        rt_walk_note(walk, "statement %zu is still being run by an earlier run (%s)",
                     walk->number, who);
    *told = true;
    rc = rt_clock_pause(POLL_MS, err);
    return rc < 0 ? rc : 1;
}

/* Find the first statement that is not done, and that nobody runs. */
static int find_start(struct rt_walk *walk, struct rt_err *err)
{
    size_t count = walk->action->source.mode.statements;
    int64_t start = rt_clock_ms();
    bool told = false;
    int rc;

    do {
        rc = read_rows(walk, err);
        if (rc < 0 || done(walk) >= count)
            return rc;
        rt_walk_to(walk, done(walk) + 1);
        if (walk->step == NULL || walk->step->state != RT_STEP_STARTED)
            return 0;
        rc = wait_for_runner(walk, start, &told, err);
        if (rc < 0)
            return rt_walk_stop(walk, err);
    } while (rc == 1);
    return rc;
}

static void tell_start(const struct rt_walk *walk)
{
    size_t count = walk->action->source.mode.statements;

    if (walk->file == NULL)
        return;
    walk->run->resumed_at = done(walk) + 1;
    if (done(walk) < count)
        rt_log("%s: going on at statement %zu of %zu", walk->action->path, done(walk) + 1,
               count);
}

int rt_stepwise_run(struct rt_conn *conn, struct rt_arena *arena,
                    const struct rt_action *action, struct rt_stepwise *run,
                    struct rt_err *err)
{
    struct rt_walk walk = {.conn = conn, .arena = arena, .action = action, .run = run};
    size_t count = action->source.mode.statements;
    int rc;

    walk.places = rt_resume_places(arena, &action->source);
    run->resumed_at = run->stopped_at = 0;
    run->repeatable = true;
    rc = follow_rename(&walk, err);
    if (rc == 0)
        rc = find_start(&walk, err);
    if (rc < 0) {
        if (rt_conn_lost(conn) && run->stopped_at == 0)
            rt_err_wrap(err, "the connection to %s was lost", rt_conn_server(conn)->role);
        rt_err_at(err, action->path, err->line, err->column);
        goto end;
    }
    tell_start(&walk);
    for (size_t number = done(&walk) + 1; number <= count; number++) {
        rt_walk_to(&walk, number);
        rc = rt_walk_run(&walk, err);
        if (rc < 0) {
            rc = rt_walk_stop(&walk, err);
            goto end;
        }
        rt_log_verbose("%s: statement %zu of %zu is done", action->path, number, count);
    }
    rc = rt_walk_leave(&walk, err);
    if (rc < 0) {
        run->stopped_at = count + 1;
        rt_err_wrap(err, "all statements are done, but the session could not be reset");
        rt_err_at(err, action->path, 0, 0);
    }
end:
    rt_batch_clear(&walk.batch);
    return rc;
}

int rt_stepwise_ask(struct rt_conn *conn, struct rt_arena *arena,
                    const struct rt_action *action, struct rt_stepwise *run,
                    struct rt_err *err)
{
    size_t all = action->source.mode.statements, count, finished;
    struct rt_err ignored = {0};
    const struct rt_step *step;
    struct rt_stopped *file;

    if (rt_stopped_read(&file, &count, arena, conn, action->path, &ignored) < 0) {
        rt_err_clear(&ignored);
        return -RT_EUNKNOWN;
    }
    finished = count > 0 ? file->done : 0;
    step = count > 0 ? rt_stopped_step(file, finished + 1) : NULL;
    if (step && step->running)
        return -RT_EUNKNOWN;
    run->stopped_at = count > 0 ? finished + 1 : 0;
    rt_err_advice(err, "%s", rt_stopped_done(arena, finished));
    return finished >= all;
}
