/* revtwin plan: apply without the act */
#include "report/plan.h"
#include "cmd/prisma.h"

static void report(const struct rt_context *context, const struct rt_work *work)
{
    const struct rt_report *out = &context->report;
    const struct rt_plan *plan = &work->plan;
    size_t files = plan->count - plan->records;

    if (work->prod)
        rt_report_line(out,
                       "%zu migration%s to apply to production (database \"%s\"), "
                       "%zu applied already",
                       files, files == 1 ? "" : "s", work->ledger.database,
                       plan->applied);
    else
        rt_report_line(out, "%zu migration%s in this range", files,
                       files == 1 ? "" : "s");
    rt_prisma_report(work, context);
    rt_report_plan(out, plan, NULL);
    if (work->prod == NULL)
        rt_report_line(out,
                       "PROD_DATABASE_URL is not set, so this is from git alone: what "
                       "production has already, and\nwhether a file was changed or "
                       "missed since, could not be known.");
}

int rt_cmd_plan(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, RT_COMMIT_OPERAND, err);

    if (rc == 0 && context->prod.conninfo.text)
        rc = rt_collect_ledger(&work, context, RT_INTENT_LOOK, false, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = rt_collect_plan(&work, context, err);
    if (rc == 0) {
        report(context, &work);
        rt_report_findings(&context->report, &work.plan);
        rc = rt_plan_check(&work.plan, err);
    }
    rt_work_clear(&work);
    return rc;
}
