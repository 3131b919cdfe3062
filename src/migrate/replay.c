#include "migrate/replay.h"

#include "migrate/apply.h"
#include "pg/query.h"
#include "sql/reach.h"

/* Through what a statement on the twin could reach another database. */
static const char bridges[] =
    "SELECT coalesce((SELECT 'foreign server ' || quote_ident(srvname)"
    "                 FROM pg_catalog.pg_foreign_server ORDER BY 1 LIMIT 1),"
    "                (SELECT 'extension dblink' FROM pg_catalog.pg_extension"
    "                 WHERE extname = 'dblink'))";

struct replay {
    struct rt_replay *job;
    struct rt_arena *arena;
    struct rt_ledger prod, twin;
    struct rt_plan plan;
};

/* ------------------------------------------------------------------ what is missing */

static const char *hash_of(const struct rt_ledger *ledger, size_t row)
{
    return ledger->rows[row].column[RT_COL_ENTRY_HASH];
}

/* By the chain the last row tells of all before it. */
static bool is_beginning(const struct rt_ledger *twin, const struct rt_ledger *prod)
{
    return twin->count <= prod->count &&
           (twin->count == 0 ||
            strcmp(hash_of(twin, twin->count - 1), hash_of(prod, twin->count - 1)) == 0);
}

static int find_missing(struct replay *r, struct rt_conn *prod, struct rt_conn *twin,
                        struct rt_err *err)
{
    int rc = rt_ledger_read(&r->prod, r->arena, prod, -1, err);

    if (rc == 0)
        rc = rt_ledger_read(&r->twin, r->arena, twin, -1, err);
    if (rc < 0)
        return rc;
    if (!is_beginning(&r->twin, &r->prod))
        return rt_err_set(err, RT_EREFUSED,
                          "the twin's ledger is not a beginning of production's");
    r->job->missing = r->prod.count - r->twin.count;
    return 0;
}

/* ------------------------------------------------------------------ the files */

/* Leave out what a twin has no part of. */
static int fit_source(struct rt_source *source, const char *path, struct rt_err *err)
{
    struct rt_script *script = &source->script;
    struct rt_mode *mode = &source->mode;
    size_t end = mode->first + mode->count, kept = mode->first;

    for (size_t i = mode->first; i < end; i++) {
        const struct rt_stmt *stmt = &script->stmts[i];
        enum rt_reach reach = stmt->kind == RT_STMT_COPY_DATA
                                  ? RT_REACH_COPY
                                  : rt_stmt_reach(script->text + stmt->start, stmt->len);

        /* Statements that run by themselves are known by their numbers. */
        if (reach == RT_REACH_OUTSIDE ||
            (reach == RT_REACH_AROUND && mode->no_transaction)) {
            rt_err_set(err, RT_EREFUSED, "%s is not for a twin", stmt->tag);
            return rt_err_at(err, path, stmt->line, 1);
        }
        if (reach == RT_REACH_COPY)
            script->stmts[kept++] = *stmt;
        else
            mode->statements--;
    }
    mode->count = kept - mode->first;
    return 0;
}

/* The text with the row's checksum in the tree of the commit: 1, or 0. */
static int load_from(struct replay *r, struct rt_action *action,
                     const struct rt_oid *commit, struct rt_err *err)
{
    size_t i = (size_t)(action - r->plan.actions);
    struct rt_digest found;
    int rc = rt_blob_find_at(&action->oid, r->job->repo, commit, action->path, err);

    if (rc <= 0)
        return rc;
    rc = rt_plan_load_action(&r->plan, i, r->arena, r->job->repo, err);
    if (rc < 0)
        return rc;
    found = rt_hash_of(action->source.blob.data, action->source.blob.len);
    if (strcmp(found.hex, action->checksum) == 0)
        return 1;
    rt_source_clear(&action->source);
    return 0;
}

static int load_file(struct replay *r, struct rt_action *action, struct rt_err *err)
{
    struct rt_oid commit;
    int rc;

    action->stopped =
        rt_stopped_find(r->twin.stopped, r->twin.stopped_count, action->path);
    snprintf(commit.hex, sizeof(commit.hex), "%s", action->commit);
    rc = load_from(r, action, &commit, err);
    if (rc == 0) /* it was changed before it was applied, or the clone is shallow */
        rc = load_from(r, action, &r->job->tip, err);
    if (rc == 0)
        return rt_err_set(err, RT_EREFUSED,
                          "%s is not in this repository as it was applied (commit %.12s)",
                          action->path, action->commit);
    return rc < 0 ? rc : fit_source(&action->source, action->path, err);
}

static int make_plan(struct replay *r, struct rt_err *err)
{
    for (size_t i = r->twin.count; i < r->prod.count; i++) {
        const struct rt_ledger_row *row = &r->prod.rows[i];
        const char *path = row->column[RT_COL_PATH];
        bool ran = rt_row_is(row, RT_ROW_APPLIED);
        /* What the row is, it says itself. */
        struct rt_action *action =
            ran ? rt_plan_add_apply(&r->plan, path)
                : rt_plan_add_record(&r->plan, RT_ROW_BASELINE, path);
        int rc;

        action->verbatim = row;
        action->checksum = row->column[RT_COL_CHECKSUM];
        action->commit = row->column[RT_COL_COMMIT];
        if (!ran)
            continue;
        if (r->job->repo == NULL)
            return rt_err_set(err, RT_EREFUSED, "there is no repository to read %s from",
                              path);
        rc = load_file(r, action, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------------ running them */

/* The twin is still as the plan has it, and ours alone. */
static int check_twin(struct replay *r, struct rt_conn *conn, struct rt_err *err)
{
    const char *strings = rt_conn_parameter(conn, "standard_conforming_strings");
    const char *head = rt_ledger_head(&r->twin);
    struct rt_result *bridge = NULL;
    int rc = rt_query(&bridge, conn, bridges, 0, NULL, err);

    if (rc == 0 && rt_result_get(bridge, 0, 0))
        rc = rt_err_set(err, RT_EREFUSED,
                        "the twin has %s, through which a migration could reach "
                        "production",
                        rt_result_get(bridge, 0, 0));
    rt_result_free(bridge);
    if (rc == 0 && strings && strcmp(strings, "on") != 0)
        rc = rt_err_set(err, RT_EREFUSED, "standard_conforming_strings is off there");
    if (rc == 0)
        rc = rt_ledger_read(&r->twin, r->arena, conn, (int)r->job->lock_seconds, err);
    if (rc == 0 && !r->twin.is_twin)
        rc = rt_err_set(err, RT_EREFUSED, "it does not carry revtwin.twin");
    if (rc == 0 && r->twin.pooled)
        rc = rt_err_set(err, RT_EREFUSED, "it is behind a connection pooler");
    if (rc == 0 && strcmp(rt_ledger_head(&r->twin), head) != 0)
        rc = rt_err_set(err, RT_EREFUSED, "its ledger has moved meanwhile");
    return rc;
}

static int run(struct replay *r, struct rt_conn *conn, struct rt_err *err)
{
    const struct rt_apply_options options = {
        /* 0 would be for ever */
        .lock_timeout = r->job->lock_seconds
                            ? rt_arena_format(r->arena, "%us", r->job->lock_seconds)
                            : "1ms",
        .impatient = true,
        .statement_timeout = "0",
        .wait = r->job->lock_seconds,
        .writer = {.client = "revtwin resync"}};
    struct rt_apply_result result = {0};
    int rc = rt_apply(&result, r->arena, conn, &r->plan, &r->twin, &options, err);

    r->job->done = result.done;
    for (size_t i = 0; result.states && i < r->plan.count; i++)
        r->job->files += result.states[i] == RT_APPLY_DONE &&
                         r->plan.actions[i].kind == RT_ACTION_APPLY;
    return rc;
}

static int bring_forward(struct replay *r, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_conn *conn = NULL;
    int rc = make_plan(r, err);

    if (rc == 0) /* CREATE INDEX CONCURRENTLY would wait for its transaction */
        rc = rt_exec(NULL, twin, "ROLLBACK", err);
    if (rc == 0)
        rc = rt_conn_open(&conn, rt_conn_server(twin), RT_READ_WRITE, err);
    if (rc == 0)
        rc = check_twin(r, conn, err);
    if (rc == 0)
        rc = run(r, conn, err);
    rt_conn_close(conn);
    return rc;
}

static const char *in_one_line(struct rt_arena *arena, const struct rt_err *err)
{
    if (err->path && strstr(err->message, err->path) == NULL)
        return err->line ? rt_arena_format(arena, "%s:%lu: %s", err->path, err->line,
                                           err->message)
                         : rt_arena_format(arena, "%s: %s", err->path, err->message);
    return rt_arena_strdup(arena, err->message);
}

int rt_replay(struct rt_replay *job, struct rt_arena *arena, struct rt_conn *prod,
              struct rt_conn *twin, struct rt_err *err)
{
    struct replay r = {.job = job, .arena = arena};
    int rc = find_missing(&r, prod, twin, err);

    if (rc == 0 && job->missing > 0)
        rc = bring_forward(&r, twin, err);
    rt_plan_clear(&r.plan);
    if (rc == 0 || rc == -RT_EINT || rc == -RT_ETERM)
        return rc;
    job->problem = in_one_line(arena, err);
    rt_err_clear(err);
    return 0;
}
