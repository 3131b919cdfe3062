/* revtwin baseline: record migrations as applied without running them */
#include "cmd/record.h"
#include "cmd/signing.h"
#include "cmd/steps.h"
#include "git/path.h"
#include "migrate/adopt.h"

/* What to record: all of a commit, named paths, or what another tool's history names. */
struct choice {
    char **paths;
    size_t path_count;
    struct rt_foreign foreign; /* foreign.tool is NULL without --from */
    struct rt_baseline baseline;
};

/* ------------------------------------------------------------------ the command line */

static bool is_sql(const struct rt_context *context)
{
    return context->operand_count > 0 && rt_is_sql(context->operands[0]);
}

static int read_options(struct choice *choice, struct rt_context *context,
                        struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    int rc = 0;

    if (options->from)
        rc = rt_foreign_tool(&choice->foreign.tool, options->from, err);
    else if (options->partial || options->table)
        rc = rt_err_set(err, RT_EUSAGE, "%s is only for --from",
                        options->partial ? "--partial" : "--table");
    else if (context->operand_count == 0)
        rc = rt_err_set(err, RT_EUSAGE, "baseline needs REV, or --from TOOL");
    if (rc < 0 || context->operand_count < 2)
        return rc;
    if (options->from)
        return rt_err_set(err, RT_EUSAGE, "--from takes no PATH: \"%s\"",
                          context->operands[1]);
    choice->path_count = (size_t)context->operand_count - 1;
    choice->paths =
        rt_arena_alloc(&context->arena, choice->path_count * sizeof(*choice->paths));
    for (size_t i = 0; rc == 0 && i < choice->path_count; i++) {
        const char *path;

        rc = rt_folder_normalize(&path, &context->arena, context->operands[i + 1], err);
        if (rc == 0)
            choice->paths[i] = rt_arena_strdup(&context->arena, path);
    }
    return rc;
}

/* ------------------------------------------------------------------ collecting */

static int collect(struct rt_work *work, struct rt_context *context,
                   enum rt_intent intent, struct rt_err *err)
{
    int rc = rt_collect_commit(work, context, RT_COMMIT_OPERAND, err);

    if (rc == -RT_EUSAGE && is_sql(context))
        return rt_err_hint(err, "The revision comes first: revtwin baseline HEAD %s",
                           context->operands[0]);
    if (rc == 0) /* a row of another branch would leave --ledger without a start */
        rc = rt_steps_check_merged(work, context, err);
    if (rc == 0)
        rc = rt_collect_ledger(work, context, intent, false, err);
    return rc < 0 ? rc : rt_collect_set(work, context, err);
}

static int read_history(struct choice *choice, struct rt_work *work,
                        struct rt_context *context, struct rt_err *err)
{
    const struct rt_foreign_tool *tool = choice->foreign.tool;
    int rc = rt_foreign_read(&choice->foreign, &context->arena, work->prod, tool,
                             context->options.table, err);

    if (rc < 0 || choice->foreign.table)
        return rc;
    rt_err_set(err, RT_EUSAGE, "production (database \"%s\") has no table %s of %s",
               work->ledger.database, tool->table, tool->name);
    return rt_err_hint(err, "Nothing was changed. --table names it when it is called "
                            "otherwise.");
}

/* ------------------------------------------------------------------ deciding */

static int choose(struct choice *choice, struct rt_work *work, struct rt_context *context,
                  struct rt_err *err)
{
    struct rt_baseline *baseline = &choice->baseline;
    const struct rt_oid none = {0};
    int rc;

    *baseline = (struct rt_baseline){
        .set = &work->set, .ledger = &work->ledger, .commit = &work->tip};
    if (choice->foreign.tool == NULL && choice->path_count == 0)
        return 0;
    baseline->chosen =
        rt_arena_alloc(&context->arena, work->set.count * sizeof(*baseline->chosen));
    baseline->history = &work->history;
    rc = rt_range_since(&work->history, &context->arena, context->repo, &none, &work->tip,
                        context->options.settings.value[RT_SET_PATH], err);
    if (rc < 0 || choice->foreign.tool == NULL) {
        if (rc == 0)
            rt_baseline_choose(&work->plan, baseline, choice->paths, choice->path_count);
        return rc;
    }
    rc = read_history(choice, work, context, err);
    if (rc < 0)
        return rc;
    baseline->reason = rt_arena_format(&context->arena, "applied by %s, as %s says",
                                       choice->foreign.tool->name, choice->foreign.table);
    return rt_baseline_adopt(&work->plan, baseline, &context->arena, context->repo,
                             &choice->foreign, context->options.partial, err);
}

/* Recording everything is what somebody may not have meant who ran one file by hand. */
static void note_everything(const struct choice *choice, struct rt_work *work)
{
    size_t count = work->plan.records;

    if (choice->baseline.chosen == NULL && count > 1 && work->ledger.count > 0)
        rt_err_set(rt_plan_add_finding(&work->plan, RT_NOTE), RT_DONE,
                   "all %zu migrations of commit %.12s that the ledger does not have "
                   "count as applied; with a PATH behind REV, only that one",
                   count, work->tip.hex);
}

static int decide(struct choice *choice, struct rt_work *work, struct rt_context *context,
                  struct rt_err *err)
{
    int rc = choose(choice, work, context, err);

    if (rc < 0)
        return rc;
    rt_plan_baseline(&work->plan, &context->arena, &choice->baseline);
    note_everything(choice, work);
    return 0;
}

/* ------------------------------------------------------------------ reporting */

static void report_choice(const struct choice *choice, const struct rt_work *work,
                          const struct rt_context *context)
{
    const struct rt_report *out = &context->report;
    size_t count = work->plan.records;
    json_t *doc = rt_report_json(out);

    if (choice->foreign.table)
        rt_report_line(out, "%s's history in %s: %zu row%s", choice->foreign.tool->name,
                       choice->foreign.table, choice->foreign.count,
                       choice->foreign.count == 1 ? "" : "s");
    if (choice->foreign.table && doc) {
        rt_json_put(doc, "from", choice->foreign.tool->name);
        rt_json_put(doc, "table", choice->foreign.table);
    }
    rt_report_line(
        out,
        "%zu migration%s to record as applied in production (database \"%s\"), "
        "without running %s",
        count, count == 1 ? "" : "s", work->ledger.database, count == 1 ? "it" : "them");
}

static void report_pending(const struct choice *choice, const struct rt_work *work,
                           struct rt_context *context)
{
    const struct rt_report *out = &context->report;
    struct rt_pending pending;
    const char *how;

    if (choice->baseline.history == NULL)
        return;
    pending = rt_baseline_pending(&choice->baseline, &work->plan);
    if (rt_report_json(out))
        json_object_set_new(rt_report_json(out), "pending",
                            json_integer((json_int_t)pending.count));
    if (pending.count == 0)
        return;
    if (pending.ledger_goes_on)
        how = "--ledger";
    else if (pending.step)
        how = rt_arena_format(&context->arena, "--base %.12s^", pending.step->hex);
    else
        how = "--base REV";
    rt_report_line(out, "%zu other%s pending: revtwin apply %s runs %s", pending.count,
                   pending.count == 1 ? " is" : "s are", how,
                   pending.count == 1 ? "it" : "them");
}

static void report_caution(const struct choice *choice, const struct rt_work *work,
                           const struct rt_context *context)
{
    const struct rt_foreign_tool *tool = choice->foreign.tool;

    if (tool == NULL || (work->in_prisma && tool->naming == RT_NAMING_FOLDER))
        return; /* Prisma sees it */
    rt_report_line(
        &context->report,
        "From here on let revtwin alone apply migrations: %s does not see what "
        "it applies.",
        tool->name);
    if (tool->caution)
        rt_report_line(&context->report, "%s", tool->caution);
}

/* ------------------------------------------------------------------ the command */

static int record(struct choice *choice, struct rt_work *work, struct rt_context *context,
                  struct rt_err *err)
{
    struct rt_apply_result result;
    int rc;

    report_choice(choice, work, context);
    rc = rt_record(&result, work, context, err);
    if (rc < 0)
        return rc;
    if (!context->options.dry_run) {
        rt_report_line(&context->report,
                       "%zu migration%s recorded as applied, %zu in the ledger before",
                       result.done, result.done == 1 ? "" : "s", work->plan.applied);
        rt_signing_report(context, &result);
    }
    report_pending(choice, work, context);
    report_caution(choice, work, context);
    return 0;
}

int rt_cmd_baseline(struct rt_context *context, struct rt_err *err)
{
    enum rt_intent intent = context->options.dry_run ? RT_INTENT_LOOK : RT_INTENT_CHANGE;
    struct rt_work work = {0};
    struct choice choice = {0};
    int rc = read_options(&choice, context, err);

    if (rc == 0)
        rc = collect(&work, context, intent, err);
    if (rc == 0)
        rc = decide(&choice, &work, context, err);
    if (rc == 0)
        rc = record(&choice, &work, context, err);
    rt_work_clear(&work);
    return rc;
}
