#include "cmd/resync.h"

#include "base/log.h"
#include "report/twin.h"
#include "twin/guard.h"
#include "twin/undo.h"

int rt_resync_precheck(struct rt_context *context, struct rt_conn *prod,
                       struct rt_err *err)
{
    struct rt_err unreachable = {0};
    struct rt_conn *twin;
    int rc = rt_conn_open(&twin, &context->twin, RT_READ_ONLY, &unreachable);

    if (rc == -RT_EINT || rc == -RT_ETERM) {
        rt_err_move(err, &unreachable);
        return rc;
    }
    if (rc < 0) {
        rt_log("the twin cannot be checked before: %s", unreachable.message);
        rt_err_clear(&unreachable);
        return 0;
    }
    rc = rt_guard_host(prod, err);
    if (rc == 0)
        rc = rt_guard_host(twin, err);
    if (rc == 0)
        rc = rt_guard_direction(prod, twin, err);
    rt_conn_close(twin);
    return rc;
}

static int resync(struct rt_context *context, struct rt_err *err)
{
    const struct rt_settings *settings = &context->options.settings;
    const struct rt_resync_options options = {
        .adopt = context->options.adopt,
        .bindir = settings->value[RT_SET_BINDIR],
        .swap_wait_seconds = rt_setting_number(settings, RT_SET_SWAP_WAIT),
        .force = context->options.force,
        .keep_previous = context->options.keep_previous};
    struct rt_resync_result result = {0};
    int rc = rt_resync(&result, &context->arena, &context->prod, &context->twin, &options,
                       err);

    if (rc == 0)
        rt_report_resync(&context->report, &result);
    return rc;
}

int rt_resync_after_apply(struct rt_context *context, struct rt_err *err)
{
    int rc = resync(context, err);
    bool cancelled = rc == -RT_EINT || rc == -RT_ETERM;

    if (rc == 0)
        return 0;
    if (rc == -RT_EUNKNOWN)
        return rt_err_wrap(err, "the migrations are in production");
    if (!cancelled)
        err->status = RT_ERESYNC;
    rt_err_wrap(err, "the migrations are in production, but the resync %s",
                cancelled ? "was stopped" : "failed");
    /* A guard's hint has the one command to run already. */
    if (err->hint && strstr(err->hint, "revtwin resync"))
        return rt_err_advice(err, "The twin is as it was.");
    return rt_err_advice(err,
                         "The twin is as it was. Once the cause is mended, run: "
                         "revtwin resync%s",
                         context->options.adopt ? " --adopt" : "");
}

/* By HEAD's revtwin.conf, if there is one: a resync needs no repository. */
static int settle(struct rt_context *context, struct rt_err *err)
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
    int rc = settle(context, err);

    if (rc < 0)
        return rc;
    return context->options.undo ? undo(context, err) : resync(context, err);
}
