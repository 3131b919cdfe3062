#include "cmd/resync.h"

#include "base/log.h"
#include "migrate/replay.h"
#include "pg/later.h"
#include "report/progress.h"
#include "report/twin.h"
#include "twin/guard.h"
#include "twin/rebuild/undo.h"
#include "twin/resync.h"

static bool is_in_place(const struct rt_context *context)
{
    return context->options.in_place ||
           rt_setting_true(&context->options.settings, RT_SET_IN_PLACE);
}

static int check_options(const struct rt_context *context, struct rt_err *err)
{
    if (!context->options.keep_previous || !is_in_place(context))
        return 0;
    rt_err_set(
        err, RT_EUSAGE,
        "--keep-previous keeps the twin as a database of its own, but a rebuild in "
        "place makes none");
    return rt_err_hint(err, "Leave out %s.",
                       context->options.in_place
                           ? "one of --keep-previous and --in-place"
                           : "--keep-previous, or set resync.in-place to false");
}

int rt_resync_precheck(struct rt_context *context, struct rt_conn *prod,
                       struct rt_err *err)
{
    struct rt_err unreachable = {0};
    struct rt_conn *twin;
    int rc = check_options(context, err);

    if (rc < 0)
        return rc;
    rc = rt_conn_open(&twin, &context->twin, RT_READ_ONLY, &unreachable);
    if (rc == -RT_EINT || rc == -RT_ETERM) {
        rt_err_move(err, &unreachable);
        return rc;
    }
    if (rc < 0) {
        rt_log("the twin cannot be checked before: %s", unreachable.message);
        rt_err_clear(&unreachable);
        return 0;
    }
    rt_later_own_names(twin);
    rc = rt_guard_host(prod, err);
    if (rc == 0)
        rc = rt_guard_host(twin, err);
    if (rc == 0)
        rc = rt_guard_direction(prod, twin, err);
    rt_conn_close(twin);
    return rc;
}

/* Where the twin's layer asks for what only the migrations' layer can do. */
struct forward {
    struct rt_context *context;
    struct rt_replay replay; /* results of all attempts */
    bool missed;             /* the resync is done, and complains of earlier ones */
};

static int catch_up(void *context, struct rt_conn *prod, struct rt_conn *twin,
                    struct rt_err *err)
{
    struct forward *forward = context;
    struct rt_context *all = forward->context;
    struct rt_replay *sum = &forward->replay,
                     job = {.repo = all->repo, .lock_seconds = sum->lock_seconds};
    struct rt_err no_commit = {0};
    int rc;

    if (job.repo && rt_repo_resolve(&job.tip, job.repo, "HEAD", &no_commit) < 0)
        rt_err_clear(&no_commit);
    rc = rt_replay(&job, &all->arena, prod, twin, err);
    sum->done += job.done;
    sum->files += job.files;
    sum->problem = job.problem;
    if (job.files > 0)
        rt_log("ran %zu migration%s on the twin", job.files, job.files == 1 ? "" : "s");
    if (job.problem)
        rt_log("the twin could not be brought forward by migrations: %s", job.problem);
    return rc < 0 ? rc : job.done > 0;
}

/* What a failure has left, as far as the result tells. */
static const char *state_of_twin(struct rt_context *context, const struct forward *f)
{
    if (f->replay.done == 0)
        return "The twin is as it was.";
    return rt_arena_format(&context->arena,
                           "The twin is as it was, but for %zu migration%s that it got "
                           "from production's ledger.",
                           f->replay.done, f->replay.done == 1 ? "" : "s");
}

/* The twin is right by now, but it was trusted before. */
static int complain(const struct rt_resync_result *result, struct rt_err *err)
{
    rt_err_set(err, RT_EDIFFERS,
               "earlier resyncs had left differences that they did not see: %s",
               result->missed);
    return rt_err_advice(
        err, "The twin is equal to production now: what differed was "
             "mended. Please report this; until it is understood, use revtwin resync "
             "--full-compare.");
}

static int resync(struct forward *forward, struct rt_context *context, struct rt_err *err)
{
    const struct rt_settings *settings = &context->options.settings;
    struct rt_progress progress = {.phase = NULL};
    struct rt_resync_options options = {
        .adopt = context->options.adopt,
        .bindir = settings->value[RT_SET_BINDIR],
        .swap_wait_seconds = rt_setting_number(settings, RT_SET_SWAP_WAIT),
        .force = context->options.force,
        .keep_previous = context->options.keep_previous,
        .in_place = is_in_place(context),
        .full_compare = context->options.full_compare,
        .workers = (unsigned)rt_setting_number(settings, RT_SET_JOBS),
        .catch_up = {catch_up, forward},
        .progress = &progress};
    struct rt_resync_result result = {0};
    struct rt_display *display = NULL;
    int rc;

    *forward =
        (struct forward){.context = context,
                         .replay = {.lock_seconds = (unsigned)options.swap_wait_seconds}};
    if (context->options.method)
        rt_method_parse(&options.method, context->options.method);
    if (!context->options.quiet)
        display = rt_display_open(&progress);
    rc = rt_resync(&result, &context->arena, &context->prod, &context->twin, &options,
                   err);
    rt_display_close(display);
    if (rc == 0)
        rt_report_resync(&context->report, &result, &forward->replay);
    forward->missed = rc == 0 && result.missed;
    return forward->missed ? complain(&result, err) : rc;
}

int rt_resync_after_apply(struct rt_context *context, struct rt_err *err)
{
    struct forward forward;
    int rc = resync(&forward, context, err);
    bool cancelled = rc == -RT_EINT || rc == -RT_ETERM;
    const char *state;

    if (rc == 0)
        return 0;
    state = state_of_twin(context, &forward);
    if (rc == -RT_EUNKNOWN || forward.missed)
        return rt_err_wrap(err, "the migrations are in production");
    if (!cancelled)
        err->status = RT_ERESYNC;
    rt_err_wrap(err, "the migrations are in production, but the resync %s",
                cancelled ? "was stopped" : "failed");
    /* A guard's hint has the one command to run already. */
    if (err->hint && strstr(err->hint, "revtwin resync"))
        return rt_err_advice(err, "%s", state);
    return rt_err_advice(err, "%s Once the cause is mended, run: revtwin resync%s", state,
                         context->options.adopt ? " --adopt" : "");
}

int rt_resync_settings(struct rt_context *context, struct rt_err *err)
{
    struct rt_config config = {0};
    struct rt_err no_commit = {0};
    struct rt_oid head;
    int rc = 0;

    if (context->repo && rt_repo_resolve(&head, context->repo, "HEAD", &no_commit) == 0)
        rc = rt_config_read(&config, &context->arena, context->repo, &head, err);
    rt_err_clear(&no_commit);
    return rc < 0 ? rc : rt_settings_settle(&context->options.settings, &config, err);
}

static int undo(struct rt_context *context, struct rt_err *err)
{
    const struct rt_swap how = {
        .wait_seconds = rt_setting_number(&context->options.settings, RT_SET_SWAP_WAIT),
        .force = context->options.force};
    struct rt_undo result = {0};
    int rc = rt_undo(&result, &context->arena, &context->twin, &how, err);

    if (rc == 0)
        rt_report_undo(&context->report, &result);
    return rc;
}

int rt_cmd_resync(struct rt_context *context, struct rt_err *err)
{
    struct forward forward;
    int rc = rt_resync_settings(context, err);

    if (rc < 0)
        return rc;
    if (context->options.undo)
        return undo(context, err);
    rc = check_options(context, err);
    if (rc < 0)
        return rc;
    rc = resync(&forward, context, err);
    if (rc < 0 && forward.replay.done > 0)
        rt_err_advice(err, "%s", state_of_twin(context, &forward));
    return rc;
}
