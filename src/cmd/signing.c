#include "cmd/signing.h"

#include "base/keyfile.h"

#define VARIABLE "REVTWIN_SIGNING_KEY"

int rt_signing_take(struct rt_context *context, struct rt_err *err)
{
    const char *value = getenv(VARIABLE);

    if (value == NULL || *value == '\0' || context->options.no_signature)
        return 0;
    return rt_signing_key_read(&context->signing_key, value, VARIABLE, err);
}

static void refuse_unsigned(struct rt_plan *plan, const char *seq)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED,
               "the ledger's newest row (%s) is signed, but " VARIABLE " is not set",
               seq);
    rt_err_hint(err, "Set it to the secret key, or to the path of its file. A row cannot "
                     "be signed later: revtwin verify --public-key will name every row "
                     "that is written with --no-signature.");
}

static void warn_foreign(struct rt_plan *plan, const char *seq, bool is_signed)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_WARNING);

    rt_err_set(err, RT_DONE, "the ledger's newest row (%s) is %s", seq,
               is_signed ? "signed with another key than this one" : "not signed");
    rt_err_hint(err,
                "So it is when signing begins, or the key changes. If it is neither, "
                "find out who wrote it: revtwin verify --public-key FILE");
}

void rt_signing_check(struct rt_work *work, struct rt_context *context)
{
    const struct rt_ledger *ledger = &work->ledger;
    const char *const *column;
    struct rt_public_keys own;

    if (ledger->count == 0)
        return;
    column = ledger->rows[ledger->count - 1].column;
    if (context->signing_key) {
        own = rt_signing_key_public(&context->arena, context->signing_key);
        if (column[RT_COL_SIGNATURE] == NULL ||
            !rt_is_signed(&own, column[RT_COL_ENTRY_HASH], column[RT_COL_SIGNATURE]))
            warn_foreign(&work->plan, column[RT_COL_SEQ],
                         column[RT_COL_SIGNATURE] != NULL);
    } else if (column[RT_COL_SIGNATURE] && !context->options.no_signature) {
        refuse_unsigned(&work->plan, column[RT_COL_SEQ]);
    }
}

void rt_signing_report(struct rt_context *context, const struct rt_apply_result *result)
{
    const struct rt_signing_key *key = context->signing_key;
    const char *public_key = key ? rt_public_key_text(&context->arena, key) : NULL;
    json_t *doc = rt_report_json(&context->report);

    rt_report_line(&context->report, "ledger head: %s", result->head);
    if (result->done == 0)
        return;
    if (key)
        rt_report_line(&context->report, "signed with the secret key of %s", public_key);
    else
        rt_report_line(&context->report, "not signed: %s",
                       context->options.no_signature ? "--no-signature"
                                                     : VARIABLE " is not set");
    if (doc) {
        json_object_set_new(doc, "signed", json_boolean(key != NULL));
        rt_json_put(doc, "public_key", public_key);
    }
}
