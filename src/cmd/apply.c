/* revtwin apply: collect, decide, act, report */
#include "base/cancel.h"
#include "base/log.h"
#include "cmd/collect.h"
#include "cmd/prisma.h"
#include "cmd/resync.h"
#include "cmd/signing.h"
#include "cmd/steps.h"
#include "report/plan.h"

static int collect(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    int rc = rt_steps_check_merged(work, context, err);

    if (rc == 0)
        rc = rt_collect_ledger(work, context, RT_INTENT_CHANGE, false, err);
    if (rc == 0)
        rc = rt_collect_set(work, context, err);
    if (rc == 0)
        rc = rt_collect_plan(work, context, err);
    if (rc < 0)
        return rc;
    rt_prisma_report(work, context);
    rt_report_findings(&context->report, &work->plan);
    rc = rt_plan_check(&work->plan, err);
    if (rc < 0)
        rt_report_plan(&context->report, &work->plan, NULL);
    return rc;
}

static int act(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const struct rt_apply_options options = rt_collect_options(work, context);
    struct rt_apply_result result = {0};
    int rc = rt_prisma_fill(&work->prisma, work->prod, err);

    if (rc == 0)
        rc = rt_apply(&result, &context->arena, work->prod, &work->plan, &work->ledger,
                      &options, err);
    rt_report_plan(&context->report, &work->plan, &result);
    if (rc < 0)
        return rc;
    if (work->plan.count == 0)
        rt_report_line(&context->report, "nothing to apply, %zu applied already",
                       work->plan.applied);
    else
        rt_report_line(&context->report,
                       "%zu applied to production (database \"%s\"), %zu recorded as "
                       "%s, %zu applied before",
                       work->plan.count - work->plan.records, work->ledger.database,
                       work->plan.records,
                       context->options.skip_stopped ? "baseline or skipped" : "baseline",
                       work->plan.applied);
    rt_signing_report(context, &result);
    return 0;
}

/* Why the twin stays as it is, or NULL when it is to be resynced. */
static const char *no_resync_because(const struct rt_context *context)
{
    if (context->options.no_resync)
        return "--no-resync";
    if (!rt_setting_true(&context->options.settings, RT_SET_RESYNC))
        return "resync.after-apply is false";
    if (context->twin.conninfo.text == NULL)
        return "DEV_DATABASE_URL is not set";
    return NULL;
}

int rt_cmd_apply(struct rt_context *context, struct rt_err *err)
{
    json_t *doc = rt_report_json(&context->report);
    struct rt_work work = {0};
    const char *no_resync = NULL;
    int rc = rt_collect_commit(&work, context, RT_COMMIT_EVENT, err);

    if (rc == 0 && work.nothing) {
        rt_report_line(&context->report, "nothing to do: %s", work.nothing);
        if (doc)
            rt_json_put(doc, "nothing_to_do", work.nothing);
        goto done;
    }
    if (rc == 0)
        rc = collect(&work, context, err);
    if (rc < 0)
        goto done;
    no_resync = no_resync_because(context);
    if (no_resync == NULL)
        rc = rt_resync_precheck(context, work.prod, err);
    if (rc == 0)
        rc = rt_cancel_check(err);
    if (rc < 0)
        goto done;

    /* ---------------------------- point of no return ---------------------------- */

    rc = act(&work, context, err);
    if (rc < 0) {
        if (context->twin.conninfo.text)
            rt_err_advice(err, "%s%sThe twin was not touched.",
                          err->advice ? err->advice : "", err->advice ? "\n" : "");
        goto done;
    }
    rt_work_clear(&work); /* the next runner need not wait for the resync */
    if (no_resync == NULL) {
        rc = rt_resync_after_apply(context, err);
    } else {
        rt_report_line(&context->report, "the twin was left as it is: %s", no_resync);
        if (doc)
            rt_json_put(doc, "no_resync", no_resync);
    }
done:
    rt_work_clear(&work);
    return rc;
}
