/* What becomes of a file without a transaction, one of whose statements failed. */
#include "base/log.h"
#include "base/str.h"
#include "migrate/walk.h"
#include "pg/query.h"
#include "queries.h"
#include "sql/locate.h"

static bool is_state(const struct rt_err *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}

static bool is_cancel(const struct rt_err *err)
{
    return err->status == RT_EINT || err->status == RT_ETERM;
}

/* The line, and where the server tells, the column. */
static void place_error(const struct rt_walk *walk, struct rt_err *err)
{
    const struct rt_script *script = &walk->action->source.script;
    const struct rt_batch *batch = &walk->batch;
    const struct rt_stmt *stmt = walk->stmt;
    enum rt_part part = rt_batch_part(batch);
    unsigned long position = 0;

    if (part == RT_PART_SETTING)
        stmt = &script->stmts[batch->items[batch->replied].place];
    if (part == RT_PART_SETTING ||
        (batch->replied < batch->count &&
         batch->items[batch->replied].message.sql == script->text + stmt->start))
        position = err->position;
    rt_err_place(
        err, script->text, script->len,
        position ? rt_locate_position(script->text, script->len, stmt->start, position)
                 : rt_locate(script->text, script->len, stmt->start));
    rt_err_at(err, walk->action->path, err->line, err->column);
}

/* ------------------------------------------------------------------ another run */

/* The failing casts of step_mark.sql and ledger_head.sql, or a race for the row. */
static bool is_conflict(enum rt_part part, const struct rt_err *err)
{
    bool ours = is_state(err, "22P02") && strstr(err->message, "revtwin: ") != NULL;

    return ((part == RT_PART_CLAIM || part == RT_PART_DONE) &&
            (ours || is_state(err, "55P03") || is_state(err, "23505"))) ||
           (part == RT_PART_HEAD && ours);
}

static int explain_conflict(struct rt_walk *walk, enum rt_part part, struct rt_err *err)
{
    struct rt_err ignored = {0};
    struct rt_stopped *file;
    const struct rt_step *step;
    size_t count;

    if (part == RT_PART_HEAD) {
        rt_err_set(err, RT_ELOCKED, "another revtwin changed the ledger meanwhile");
    } else {
        rt_err_set(err, RT_ELOCKED, "another revtwin is at work on %s",
                   walk->action->path);
        if (rt_stopped_read(&file, &count, walk->arena, walk->conn, walk->action->path,
                            &ignored) == 0 &&
            count > 0 && (step = rt_stopped_step(file, walk->number)) != NULL)
            rt_err_detail(err, "Statement %zu of %zu, by %s as %s, since %s.",
                          walk->number, file->statements, step->client, step->started_by,
                          step->started_at);
        rt_err_clear(&ignored);
    }
    rt_err_at(err, walk->action->path, 0, 0);
    return rt_err_advice(err, "This run did not start its statement %zu.", walk->number);
}

/* ------------------------------------------------------------------ remembering */

/* Whether the failure is that of the statement: otherwise its row, which may say that it
 * was started by somebody, stays as it is. */
static bool is_recorded(const struct rt_walk *walk, const struct rt_err *failure)
{
    const struct rt_batch *batch = &walk->batch;
    bool claimed = batch->replied >= walk->claimed;
    /* What refuses a transaction is done before the row that says so. */
    bool done = claimed && batch->replied > walk->claimed &&
                walk->stmt->stmt_class != RT_CLASS_PLAIN;

    if (failure->status == RT_EMIGRATION)
        return true;
    if (walk->claims && claimed)
        return !done;
    return walk->claims && (walk->step == NULL || walk->step->state == RT_STEP_FAILED);
}

/* Write the row: false when another run has, or when it is done after all. */
static bool record(struct rt_walk *walk, const struct rt_err *failure)
{
    bool claimed = walk->batch.replied >= walk->claimed;
    struct rt_err ignored = {0};
    struct rt_mark mark;
    int rc;

    rt_mark_fill(&mark, walk, "failed", walk->version + claimed, failure);
    rc = rt_query(NULL, walk->conn, rt_sql_step_mark, RT_COUNT(mark.params), mark.params,
                  &ignored);
    if (rc < 0)
        rt_log_verbose("the failure could not be recorded: %s", ignored.message);
    rt_err_clear(&ignored);
    return rc == 0;
}

/* ------------------------------------------------------------------ what is left */

static void add_index_left(const struct rt_walk *walk, struct rt_str *out)
{
    struct rt_err ignored = {0};
    bool invalid;

    if (walk->what.kind == RT_CONCURRENT_CREATE_INDEX && walk->object_name &&
        !walk->found &&
        rt_index_invalid(&invalid, walk->conn, walk->object_name, &ignored) == 0 &&
        invalid)
        rt_str_addf(out,
                    " It left the INVALID index %s, which is dropped before it is tried "
                    "again.",
                    walk->object_name);
    rt_err_clear(&ignored);
}

/* What cannot be told from somebody else's index is only named. */
static void add_others_left(const struct rt_walk *walk, struct rt_str *out)
{
    const struct rt_concurrent *what = &walk->what;
    bool unnamed = what->kind == RT_CONCURRENT_CREATE_INDEX && what->index == NULL;
    const char *table =
        unnamed ? rt_quote_name(walk->arena, what->table_schema, what->table) : NULL;
    struct rt_err ignored = {0};
    struct rt_result *rows = NULL;

    if ((unnamed || what->kind == RT_CONCURRENT_REINDEX) &&
        rt_query(&rows, walk->conn, rt_sql_invalid_indexes, 1, &table, &ignored) == 0 &&
        rt_result_rows(rows) > 0) {
        rt_str_add(out, " INVALID indexes stay, no query uses them, and every write pays "
                        "for them until they are dropped:");
        for (size_t i = 0; i < rt_result_rows(rows); i++)
            rt_str_addf(out, "\n%s", rt_result_get(rows, i, 0));
    }
    rt_result_free(rows);
    rt_err_clear(&ignored);
}

static void advise(struct rt_walk *walk, size_t stopped_at, struct rt_err *err)
{
    struct rt_str text = {0};

    rt_str_add(&text, rt_stopped_done(walk->arena, stopped_at - 1));
    if (!walk->run->repeatable && !rt_conn_lost(walk->conn))
        rt_str_addf(
            &text,
            " If statement %zu commits inside itself, a part of it is done, too: "
            "it is not tried again by itself, and the next apply runs it from its "
            "beginning.",
            walk->number);
    if (!rt_conn_lost(walk->conn) && stopped_at == walk->number) {
        add_index_left(walk, &text);
        add_others_left(walk, &text);
    }
    rt_err_advice(err, "%s", rt_str_text(&text));
    rt_str_clear(&text);
}

/* ------------------------------------------------------------------ stopping */

/* End what is open, and make the session ours again. */
static void calm_down(struct rt_walk *walk, bool cancelled)
{
    struct rt_err ignored = {0};

    if (cancelled)
        rt_conn_shield(walk->conn);
    if (!rt_conn_idle(walk->conn) && rt_exec(NULL, walk->conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    if (rt_walk_leave(walk, &ignored) < 0)
        rt_log_verbose("the session could not be reset: %s", ignored.message);
    rt_err_clear(&ignored);
}

/* Only the next look at production can tell what became of the statement. */
static int explain_lost(struct rt_walk *walk, struct rt_err *err)
{
    walk->run->stopped_at = walk->number;
    if (!is_cancel(err)) {
        rt_err_wrap(err, "the connection to %s was lost in statement %zu of %zu",
                    rt_conn_server(walk->conn)->role, walk->number,
                    walk->action->source.mode.statements);
        err->status = walk->claims ? RT_EUNKNOWN : RT_EINTERNAL;
    }
    advise(walk, walk->number, err);
    return -(int)err->status;
}

int rt_walk_stop(struct rt_walk *walk, struct rt_err *err)
{
    size_t count = walk->action->source.mode.statements, at = walk->number;
    enum rt_part part = rt_batch_part(&walk->batch);
    bool cancelled = is_cancel(err);

    walk->run->repeatable = !rt_walk_may_be_partial(walk) || !walk->claims ||
                            walk->batch.replied < walk->claimed;
    place_error(walk, err);
    if (rt_conn_lost(walk->conn))
        return explain_lost(walk, err);
    calm_down(walk, cancelled);
    if (is_conflict(part, err))
        return explain_conflict(walk, part, err);
    if (part == RT_PART_CLAIM || part == RT_PART_DONE)
        rt_err_wrap(err, "cannot write revtwin.step");
    if (err->status == RT_ELOCKED)
        return rt_err_advice(err, "%s", rt_stopped_done(walk->arena, at - 1));
    if (is_recorded(walk, err) && !record(walk, err) && cancelled &&
        walk->batch.replied == walk->batch.count)
        at++; /* the signal came too late for this one */
    walk->run->stopped_at = at;
    if (err->status == RT_EINTERNAL)
        err->status = RT_EMIGRATION;
    if (at > count)
        rt_err_wrap(err, "stopped after the last of %zu statements", count);
    else
        rt_err_wrap(err, "stopped at statement %zu of %zu", at, count);
    advise(walk, at, err);
    return -(int)err->status;
}
