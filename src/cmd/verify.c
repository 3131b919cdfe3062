/* revtwin verify: the ledger's chain, and every checksum against the repository */
#include "base/keyfile.h"
#include "cmd/prisma.h"
#include "migrate/chain.h"
#include "report/plan.h"

/* What the user knows besides the ledger. */
static int read_proof(struct rt_proof *out, struct rt_public_keys *keys,
                      struct rt_context *context, struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    const char *head = options->head;

    if (head && (strlen(head) != RT_HASH_HEX ||
                 strspn(head, "0123456789abcdefABCDEF") != RT_HASH_HEX))
        return rt_err_set(err, RT_EUSAGE,
                          "--head is \"%s\", but should be %d hexadecimal digits", head,
                          RT_HASH_HEX);
    *out = (struct rt_proof){.head = head};
    if (options->public_key == NULL)
        return 0;
    out->keys = keys;
    return rt_public_keys_read(keys, &context->arena, options->public_key, "--public-key",
                               err);
}

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

static void report_proof(const struct rt_context *context, const struct rt_ledger *ledger,
                         const struct rt_proof *proof)
{
    size_t until = rt_ledger_rows_until(ledger, proof->head);

    if (proof->head)
        rt_report_line(&context->report,
                       "the ledger has the given head (rows up to it: %zu)", until);
    if (proof->keys)
        rt_report_line(&context->report,
                       "every row%s is signed by one of the given keys (rows: %zu)",
                       until > 0 ? " after it" : "", ledger->count - until);
}

static int compare(struct rt_work *work, struct rt_context *context,
                   const struct rt_proof *proof, struct rt_err *err)
{
    json_t *doc = rt_report_json(&context->report);
    const struct rt_ledger *ledger = &work->ledger;
    size_t faults;
    const char **texts = rt_ledger_faults(&faults, &context->arena, ledger, proof);
    int rc = rt_collect_comparison(work, context, err);

    if (rc < 0)
        return rc;
    report_faults(context, texts, faults);
    rt_prisma_report(work, context);
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
    report_proof(context, ledger, proof);
    rt_report_line(&context->report, "ledger head: %s", rt_ledger_head(ledger));
    return 0;
}

int rt_cmd_verify(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    struct rt_public_keys keys = {0};
    struct rt_proof proof = {0};
    int rc;

    if (context->options.rows)
        return rt_cmd_verify_twin(context, err);
    rc = read_proof(&proof, &keys, context, err);
    if (rc == 0)
        rc = rt_collect_commit(&work, context, RT_COMMIT_OPERAND, err);
    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_LOOK, true, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = compare(&work, context, &proof, err);
    rt_work_clear(&work);
    return rc;
}
