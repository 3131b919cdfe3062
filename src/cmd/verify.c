/* revtwin verify: the ledger's chain, and every checksum against the repository */
#include "cmd/collect.h"
#include "report/plan.h"

static void report_faults(const struct rt_context *context, const char **faults,
                          size_t count)
{
    json_t *doc = rt_report_json(&context->report);
    json_t *list = doc ? json_array() : NULL;

    for (size_t i = 0; i < count; i++) {
        char *text = rt_printable(faults[i]);

        rt_report_line(&context->report, "differs: %s", text);
        if (list)
            json_array_append_new(list, rt_json_text(faults[i]));
        free(text);
    }
    if (doc)
        json_object_set_new(doc, "faults", list);
}

static int compare(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    json_t *doc = rt_report_json(&context->report);
    const struct rt_ledger *ledger = &work->ledger;
    size_t faults;
    const char **texts = rt_ledger_faults(&faults, &context->arena, ledger);
    int rc = rt_collect_comparison(work, context, err);

    if (rc < 0)
        return rc;
    report_faults(context, texts, faults);
    rt_report_findings(&context->report, &work->plan);
    if (doc) {
        json_object_set_new(doc, "rows", json_integer((json_int_t)ledger->count));
        rt_json_put(doc, "ledger_head", rt_ledger_head(ledger));
    }
    if (faults + work->plan.refusals > 0)
        return rt_err_set(err, RT_EDIFFERS, "%zu difference%s found",
                          faults + work->plan.refusals,
                          faults + work->plan.refusals == 1 ? "" : "s");
    rt_report_line(&context->report,
                   "the ledger is unbroken (rows: %zu), and every applied file has its "
                   "checksum (files: %zu)",
                   ledger->count, work->plan.applied);
    rt_report_line(&context->report, "ledger head: %s", rt_ledger_head(ledger));
    return 0;
}

int rt_cmd_verify(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, false, err);

    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_LOOK, true, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = compare(&work, context, err);
    rt_work_clear(&work);
    return rc;
}
