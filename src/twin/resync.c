#include "twin/resync.h"

#include "base/clock.h"
#include "base/log.h"
#include "pg/later.h"
#include "twin/crew.h"
#include "twin/delta/delta.h"
#include "twin/guard.h"
#include "twin/hold.h"
#include "twin/mark.h"
#include "twin/rebuild/inplace.h"
#include "twin/rebuild/rebuild.h"
#include "twin/tools.h"

struct resync {
    struct rt_resync_result *out;
    struct rt_arena *arena;
    const struct rt_resync_options *options;
    const struct rt_server *prod_server, *twin_server;
    struct rt_conn *prod, *twin;
    struct rt_twin_mark mark;
    struct rt_place place;
    struct rt_progress *progress;
};

bool rt_method_parse(enum rt_method *out, const char *name)
{
    static const char *const names[] = {
        [RT_METHOD_AUTO] = "auto",
        [RT_METHOD_DELTA] = "delta",
        [RT_METHOD_INCREMENTAL] = "incremental",
        [RT_METHOD_REBUILD] = "rebuild",
    };

    for (enum rt_method i = 0; i < RT_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ collect */

static const char *describe(struct rt_arena *arena, const struct rt_conn *conn)
{
    return rt_arena_format(arena, "%s on %s", rt_conn_database(conn), rt_conn_host(conn));
}

/* To look around in. */
static void begin_transaction(struct rt_conn *conn)
{
    if (rt_conn_idle(conn))
        rt_later_begin(conn, "BEGIN READ ONLY");
    rt_session_without_timeouts(conn);
    rt_later_own_names(conn);
}

static int connect_both(struct resync *r, struct rt_err *err)
{
    int rc = rt_conn_open(&r->prod, r->prod_server, RT_READ_ONLY, err);

    if (rc == 0) /* the twin may take its time to wake up */
        begin_transaction(r->prod);
    if (rc == 0)
        rc = rt_conn_open(&r->twin, r->twin_server, RT_READ_ONLY, err);
    if (rc == 0)
        begin_transaction(r->twin);
    return rc;
}

/* Everything that must be known before the first write. */
static int check(struct resync *r, struct rt_err *err)
{
    int rc = rt_guard_host(r->prod, err);

    if (rc == 0)
        rc = rt_guard_host(r->twin, err);
    if (rc == 0)
        rc = rt_guard_direction(r->prod, r->twin, err);
    if (rc == 0)
        rc = rt_guard_adopted(r->twin, r->options->adopt, err);
    if (rc == 0)
        rc = rt_mark_read(&r->mark, r->arena, r->twin, err);
    if (rc == 0 && !r->options->in_place)
        rc = rt_site_locate(&r->place, r->arena, r->twin, err);
    r->place.must_be_empty = !r->options->adopt && !r->mark.present;
    r->out->source = describe(r->arena, r->prod);
    r->out->twin = describe(r->arena, r->twin);
    return rc;
}

/* ------------------------------------------------------------------ decide */

/* Why the twin is to be built anew without a look at its rows; NULL: it is not. */
static const char *why_rebuild(const struct resync *r)
{
    if (r->options->method == RT_METHOD_REBUILD)
        return "--method rebuild asks for it";
    if (r->options->keep_previous)
        return "--keep-previous asks for it";
    if (!r->mark.present)
        return "no resync has made this twin";
    return NULL;
}

/* The method asked for is not a rebuild, and only that would do. */
static int refuse(enum rt_method method, const char *why, struct rt_err *err)
{
    if (method == RT_METHOD_INCREMENTAL) {
        rt_err_set(err, RT_EREFUSED,
                   "the twin cannot be brought in line incrementally: %s", why);
        return rt_err_hint(err, "Without --method its tables are compared in full, or it "
                                "is rebuilt where nothing else will do; the next run can "
                                "be incremental then.");
    }
    rt_err_set(err, RT_EREFUSED, "the twin cannot be brought in line by delta: %s", why);
    return rt_err_hint(err, "Without --method the twin is rebuilt where nothing else "
                            "will do. revtwin diff shows where the schemas differ.");
}

/* ------------------------------------------------------------------ delta */

/* Outside of transactions: what follows takes longer than a server may let us idle in
 * one. Of production's that ends with its next statement, which comes soon. */
static int end_transactions(struct resync *r, struct rt_err *err)
{
    if (!rt_conn_idle(r->prod))
        rt_later_rollback(r->prod);
    return rt_conn_idle(r->twin) ? 0 : rt_exec(NULL, r->twin, "ROLLBACK", err);
}

/* What a killed rebuild has left beside the twin takes as much room as the twin. That it
 * cannot be removed does not keep a delta from its work. */
static int clean_up(struct resync *r, struct rt_err *err)
{
    struct rt_site site;
    bool found = false;
    int rc = rt_site_has_leftovers(&found, r->arena, &r->place, r->twin, err);

    if (!found)
        return rc;
    rc = rt_site_open(&site, r->arena, r->twin_server, &r->place, err);
    if (rc == 0) {
        rc = rt_site_clean(&site, err);
        rt_site_close(&site);
    }
    if (rc == 0 || rc == -RT_EINT || rc == -RT_ETERM)
        return rc;
    rt_log("warning: cannot clean up beside the twin: %s", err->message);
    rt_err_clear(err);
    return 0;
}

/* What each method has to say of what it did. */
static void tell_of(struct rt_resync_result *out, const struct rt_receipt *receipt,
                    const struct rt_snapshot *snapshot)
{
    out->snapshot_at = snapshot->taken_at;
    out->left_out = snapshot->tables.left_out;
    out->left_out_count = snapshot->tables.left_out_count;
    out->verified = receipt->verified;
    out->rows_read = receipt->rows_read;
    out->rows_written = receipt->rows_written;
    out->bytes_read = receipt->bytes_read;
    out->bytes_written = receipt->bytes_written;
}

static int run_delta(struct resync *r, const char **unfit, struct rt_err *err)
{
    struct rt_delta job = {
        .prod = r->prod,
        .prod_server = r->prod_server,
        .twin_server = r->twin_server,
        .full_compare = r->options->full_compare,
        .incremental = r->options->method == RT_METHOD_INCREMENTAL,
        .may_give_up = r->options->method == RT_METHOD_AUTO,
        .workers = rt_crew_size(r->options->workers),
        .wait_seconds = r->options->swap_wait_seconds,
        .settle_seconds = RT_HOLD_SETTLE,
        .force = r->options->force,
        .source = r->out->source,
        .adopted_at = r->mark.adopted_at,
        .progress = r->progress,
    };
    struct rt_resync_result *out = r->out;
    int rc = rt_delta(&job, r->arena, err);

    *unfit = job.unfit;
    out->missed = job.missed; /* also when a rebuild has to mend it */
    if (rc < 0 || job.unfit)
        return rc;
    out->method = job.receipt.method;
    out->why = job.receipt.why;
    out->tables = job.tables;
    out->tables_changed = job.tables_changed;
    out->tables_compared = job.tables_compared;
    out->keys_read = r->progress->keys_read;
    out->violated = job.violated;
    out->violated_count = job.violated_count;
    tell_of(out, &job.receipt, &job.snapshot);
    rt_log("%s: %s", out->method, out->why);
    return 0;
}

/* Replay, then delta. Another run may have changed production's schema in between: then
 * there is more to catch up with, and it is tried once more. */
static int follow(struct resync *r, const char **unfit, struct rt_err *err)
{
    const struct rt_catch_up *catch_up = &r->options->catch_up;
    int moved = 0, rc = 0;

    *unfit = NULL;
    for (int i = 0; i < 2; i++) {
        if (i > 0) {
            begin_transaction(r->prod);
            begin_transaction(r->twin);
        }
        if (catch_up->run)
            moved = catch_up->run(catch_up->context, r->prod, r->twin, err);
        if (moved < 0)
            return moved;
        if (i > 0 && moved == 0)
            break;
        rc = end_transactions(r, err);
        if (rc == 0)
            rc = run_delta(r, unfit, err);
        if (rc < 0 || *unfit == NULL)
            break;
    }
    return rc;
}

/* ------------------------------------------------------------------ rebuild */

static int rebuild(struct resync *r, struct rt_err *err)
{
    struct rt_tools tools;
    struct rt_rebuild job = {.twin = r->twin_server,
                             .prod = r->prod,
                             .source = r->out->source,
                             .adopted_at = r->mark.adopted_at,
                             .place = r->place,
                             .tools = &tools,
                             .why = r->out->why,
                             .workers = rt_crew_size(r->options->workers),
                             .progress = r->progress,
                             .swap = {.wait_seconds = r->options->swap_wait_seconds,
                                      .force = r->options->force,
                                      .keep = r->options->keep_previous}};
    struct rt_resync_result *out = r->out;
    bool in_place = r->options->in_place;
    int rc = end_transactions(r, err);

    if (rc == 0)
        rc = rt_tools_find(&tools, r->arena, r->options->bindir, r->prod, r->twin, err);
    if (rc < 0)
        return rc;
    rt_log("rebuild%s: %s", in_place ? " in place" : "", out->why);
    rt_conn_close(r->twin); /* a session on the twin would be in the way of the swap */
    r->twin = NULL;
    rc = in_place ? rt_rebuild_in_place(&job, r->arena, err)
                  : rt_rebuild(&job, r->arena, err);
    out->method = RT_REBUILD;
    out->in_place = in_place;
    out->size = job.size;
    out->tables = out->tables_changed = out->tables_compared = job.tables;
    out->violated = job.violated;
    out->violated_count = job.violated_count;
    tell_of(out, &job.receipt, &job.snapshot);
    out->kept = job.kept;
    out->kept_at = r->mark.snapshot_at;
    return rc;
}

/* ------------------------------------------------------------------ the whole */

int rt_resync(struct rt_resync_result *out, struct rt_arena *arena,
              const struct rt_server *prod_server, const struct rt_server *twin_server,
              const struct rt_resync_options *options, struct rt_err *err)
{
    struct resync r = {.out = out,
                       .arena = arena,
                       .options = options,
                       .prod_server = prod_server,
                       .twin_server = twin_server,
                       .progress = options->progress};
    bool may_rebuild =
        options->method == RT_METHOD_AUTO || options->method == RT_METHOD_REBUILD;
    struct rt_progress unseen = {.phase = NULL};
    const char *why = NULL;
    int64_t start = rt_clock_us();
    int rc;

    *out = (struct rt_resync_result){0};
    if (r.progress == NULL)
        r.progress = &unseen;
    rc = connect_both(&r, err);
    if (rc == 0)
        rc = check(&r, err);
    if (rc < 0)
        goto done;
    why = why_rebuild(&r);
    if (why == NULL && !options->in_place)
        rc = clean_up(&r, err);
    if (rc == 0 && why == NULL)
        rc = follow(&r, &why, err);
    if (rc == 0 && why) {
        out->why = why;
        rc = may_rebuild ? rebuild(&r, err) : refuse(options->method, why, err);
    }
    out->seconds = (double)(rt_clock_us() - start) / 1e6;
    rt_snapshot_explain(err);
done:
    rt_conn_close(r.twin);
    rt_conn_close(r.prod);
    return rc;
}
