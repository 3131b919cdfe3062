/* revtwin amend: accept an applied file as it is by now */
#include "base/utf8.h"
#include "cmd/record.h"
#include "cmd/signing.h"
#include "cmd/steps.h"
#include "git/path.h"

static int check_reason(const char *reason, struct rt_err *err)
{
    if (reason == NULL || reason[strspn(reason, " \t\r\n")] == '\0') {
        rt_err_set(err, RT_EUSAGE, "amend needs --reason");
        return rt_err_hint(err, "Say why the change is harmless; the ledger keeps it for "
                                "those who ask later.");
    }
    if (rt_utf8_valid(reason, strlen(reason)) != strlen(reason))
        return rt_err_set(err, RT_EUSAGE, "the text of --reason is not valid UTF-8");
    return 0;
}

static int refuse_unknown(const char *path, const struct rt_work *work, bool has_row,
                          struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED, "there is no migration \"%s\" in commit %.12s", path,
               work->tip.hex);
    return rt_err_hint(err, "%s Nothing was changed.",
                       has_row ? "It was applied, and the file was deleted since."
                               : "Paths are from the repository's root, as in revtwin "
                                 "status.");
}

static int refuse_pending(const char *path, struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "%s does not count as applied: there is nothing to amend", path);
    return rt_err_hint(err, "revtwin apply runs it as it is. Nothing was changed.");
}

static int amend(struct rt_work *work, struct rt_context *context, const char *path,
                 struct rt_err *err)
{
    const struct rt_migration *m = rt_set_find(&work->set, path);
    const struct rt_ledger_row *row = rt_ledger_find(&work->ledger, path);
    json_t *doc = rt_report_json(&context->report);
    struct rt_apply_result result;
    struct rt_action *action;
    int rc;

    if (m == NULL)
        return refuse_unknown(path, work, row != NULL, err);
    if (!rt_row_applied(row))
        return refuse_pending(path, err);
    if (strcmp(row->column[RT_COL_CHECKSUM], m->checksum.hex) == 0) {
        rt_report_line(&context->report,
                       "nothing to do: %s has the checksum of its row in the ledger",
                       m->path);
        if (doc)
            rt_json_put(doc, "nothing_to_do", "the checksum is that of the ledger");
        return 0;
    }
    action = rt_plan_add_record(&work->plan, RT_ROW_AMENDED, m->path);
    action->oid = m->oid;
    action->checksum = m->checksum.hex;
    action->commit = work->tip.hex;
    action->reason = context->options.reason;
    rc = rt_record(&result, work, context, err);
    if (rc < 0)
        return rc;
    rt_report_line(&context->report, "accepted as it is in commit %.12s", work->tip.hex);
    rt_signing_report(context, &result);
    return 0;
}

int rt_cmd_amend(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    const char *path;
    int rc = check_reason(context->options.reason, err);

    if (rc == 0)
        rc = rt_folder_normalize(&path, &context->arena, context->operands[0], err);
    if (rc == 0)
        rc = rt_collect_commit(&work, context, RT_COMMIT_HEAD, err);
    if (rc == 0)
        rc = rt_steps_check_merged(&work, context, err);
    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_CHANGE, false, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = amend(&work, context, path, err);
    rt_work_clear(&work);
    return rc;
}
