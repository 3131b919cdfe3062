/* revtwin baseline: record migrations as applied without running them */
#include "cmd/record.h"
#include "cmd/signing.h"
#include "cmd/steps.h"

static int record(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    struct rt_apply_result result;
    int rc;

    rt_plan_baseline(&work->plan, &work->set, &work->ledger, &work->tip);
    rc = rt_record(&result, work, context, err);
    if (rc < 0)
        return rc;
    rt_report_line(&context->report,
                   "%zu migration%s recorded as applied, %zu in the ledger before",
                   result.done, result.done == 1 ? "" : "s", work->plan.applied);
    rt_signing_report(context, &result);
    return 0;
}

int rt_cmd_baseline(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, RT_COMMIT_OPERAND, err);

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
