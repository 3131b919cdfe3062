/* revtwin baseline: record migrations as applied without running them */
#include "cmd/steps.h"
#include "report/plan.h"

static int record(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const struct rt_apply_options options = {
        .lock_timeout = context->options.settings.value[RT_SET_LOCK_TIMEOUT],
        .writer = rt_collect_writer(work, context)};
    struct rt_apply_result result = {0};
    int rc;

    rt_plan_baseline(&work->plan, &work->set, &work->ledger, &work->tip);
    rt_report_findings(&context->report, &work->plan);
    rc = rt_plan_check(&work->plan, err);
    if (rc == 0)
        rc = rt_plan_load(&work->plan, &context->arena, context->repo, err);
    if (rc < 0)
        return rc;
    rc = rt_apply(&result, &context->arena, work->prod, &work->plan, &work->ledger,
                  &options, err);
    rt_report_plan(&context->report, &work->plan, &result);
    if (rc < 0)
        return rc;
    rt_report_line(&context->report,
                   "%zu migration%s recorded as applied, %zu in the ledger before",
                   result.done, result.done == 1 ? "" : "s", work->plan.applied);
    rt_report_line(&context->report, "ledger head: %s", result.head);
    return 0;
}

int rt_cmd_baseline(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, false, err);

    if (rc == 0) /* a row of another branch would leave --ledger without a start */
        rc = rt_steps_check_merged(&work, context, err);
    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_CHANGE, false, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = record(&work, context, err);
    rt_work_clear(&work);
    return rc;
}
