#include "cmd/record.h"

#include "base/cancel.h"
#include "cmd/prisma.h"
#include "report/plan.h"

static void refuse_stopped(struct rt_plan *plan, const char *path)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s has stopped half-way", path);
    rt_err_at(err, path, 0, 0);
    rt_err_hint(err, "A baseline would forget where, and why. Settle it by name: revtwin "
                     "status tells how.");
}

/* What is recorded of a file that has stopped half-way settles it, when that was meant.
 */
static void settle_stopped(struct rt_work *work)
{
    for (size_t i = 0; i < work->plan.count; i++) {
        struct rt_action *action = &work->plan.actions[i];

        if (action->kind != RT_ACTION_RECORD ||
            !rt_stopped_find(work->ledger.stopped, work->ledger.stopped_count,
                             action->path))
            continue;
        action->clears_steps = true;
        if (action->row == RT_ROW_BASELINE)
            refuse_stopped(&work->plan, action->path);
    }
}

int rt_record(struct rt_apply_result *out, struct rt_work *work,
              struct rt_context *context, struct rt_err *err)
{
    const struct rt_apply_options options = rt_collect_options(work, context);
    struct rt_report document = context->report;
    int rc;

    *out = (struct rt_apply_result){0};
    settle_stopped(work);
    rc = rt_prisma_finish(work, context, err);
    if (rc < 0)
        return rc;
    rt_prisma_report(work, context);
    rt_report_findings(&context->report, &work->plan);
    rc = rt_plan_check(&work->plan, err);
    if (rc == 0)
        rc = rt_plan_load(&work->plan, &context->arena, context->repo, err);
    if (rc < 0)
        return rc;
    rt_report_plan(&context->report, &work->plan, NULL);
    if (context->options.dry_run) {
        rt_report_line(&context->report, "--dry-run: nothing was changed");
        return 0;
    }
    rc = rt_cancel_check(err);
    if (rc < 0)
        return rc;

    /* ---------------------------- point of no return ---------------------------- */

    rc = rt_prisma_fill(&work->prisma, work->prod, err);
    if (rc < 0)
        return rc;
    rc = rt_apply(out, &context->arena, work->prod, &work->plan, &work->ledger, &options,
                  err);
    document.quiet = true; /* text has the list already */
    rt_report_plan(&document, &work->plan, out);
    if (rc < 0 && err->status != RT_EUNKNOWN)
        rt_err_advice(err, "No row was written: the ledger is as it was.");
    return rc;
}
