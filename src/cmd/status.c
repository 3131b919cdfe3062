/* revtwin status: production's ledger against the repository, and the twin's age */
#include "report/status.h"
#include "cmd/collect.h"
#include "report/plan.h"
#include "twin/mark.h"

static int production(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    struct rt_trouble trouble = {.stopped = work->stopped,
                                 .stopped_count = work->stopped_count};
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
    rt_report_findings(&context->report, &work->plan);
    return 0;
}

/* In the largest unit of which there are two. */
static const char *duration(struct rt_arena *arena, long seconds)
{
    static const struct {
        long seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;

    while (i + 1 < RT_COUNT(units) && seconds < 2 * units[i].seconds)
        i++;
    return rt_arena_format(arena, "%ld %s", seconds / units[i].seconds, units[i].name);
}

static int twin(struct rt_context *context, struct rt_err *err)
{
    struct rt_twin_mark mark = {0};
    json_t *doc = rt_report_json(&context->report);
    struct rt_conn *conn;
    int rc = rt_conn_open(&conn, &context->twin, RT_READ_ONLY, err);

    if (rc == 0)
        rc = rt_mark_read(&mark, &context->arena, conn, err);
    if (rc == 0 && !mark.present)
        rt_report_line(&context->report, "the twin (database \"%s\") was never resynced",
                       rt_conn_database(conn));
    else if (rc == 0 && mark.snapshot_at == NULL)
        rt_report_line(&context->report, "the twin (database \"%s\") is of unknown age",
                       rt_conn_database(conn));
    else if (rc == 0)
        rt_report_line(&context->report,
                       "the twin (database \"%s\") is production as of %s, %s ago (%s)",
                       rt_conn_database(conn), mark.snapshot_at,
                       duration(&context->arena, mark.age), mark.method);
    if (rc == 0 && doc) {
        json_t *object = json_object();

        rt_json_put(object, "database", rt_conn_database(conn));
        rt_json_put(object, "snapshot_at", mark.snapshot_at);
        rt_json_put(object, "method", mark.method);
        if (mark.snapshot_at)
            json_object_set_new(object, "age_seconds", json_integer(mark.age));
        json_object_set_new(doc, "twin", object);
    }
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
