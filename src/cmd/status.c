/* revtwin status: production's ledger against the repository, and the twin's age */
#include "report/status.h"
#include "cmd/collect.h"
#include "cmd/prisma.h"
#include "report/plan.h"
#include "report/twin.h"

static int production(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    struct rt_trouble trouble = {.stopped = work->ledger.stopped,
                                 .stopped_count = work->ledger.stopped_count};
    struct rt_attempt *attempts = NULL;
    int rc = 0;

    if (work->ledger.exists)
        rc = rt_attempts_read(&attempts, &trouble.attempt_count, &context->arena,
                              work->prod, err);
    if (rc == 0)
        rc = rt_collect_comparison(work, context, err);
    if (rc < 0)
        return rc;
    trouble.attempts = attempts;
    rt_report_production(&context->report, &work->ledger, &context->arena, &work->plan,
                         &trouble);
    rt_prisma_report(work, context);
    rt_report_findings(&context->report, &work->plan);
    return 0;
}

static int twin(struct rt_context *context, struct rt_err *err)
{
    struct rt_twin_mark mark = {0};
    struct rt_conn *conn;
    int rc = rt_conn_open(&conn, &context->twin, RT_READ_ONLY, err);

    if (rc == 0)
        rc = rt_mark_read(&mark, &context->arena, conn, err);
    if (rc == 0)
        rt_report_twin(&context->report, rt_conn_database(conn), &mark);
    rt_conn_close(conn);
    return rc;
}

int rt_cmd_status(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, RT_COMMIT_OPERAND, err);

    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_LOOK, false, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = production(&work, context, err);
    if (rc == 0 && context->twin.conninfo.text)
        rc = twin(context, err);
    rt_work_clear(&work);
    return rc;
}
