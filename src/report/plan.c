#include "report/plan.h"

#include "base/mem.h"

static const char *const level_names[] = {
    [RT_NOTE] = "note", [RT_WARNING] = "warning", [RT_REFUSAL] = "refused"};

void rt_report_findings(const struct rt_report *report, const struct rt_plan *plan)
{
    json_t *list = rt_report_json(report) ? json_array() : NULL;

    for (size_t i = 0; i < plan->findings_count; i++) {
        const struct rt_finding *finding = &plan->findings[i];
        const char *level = level_names[finding->level];

        if (list)
            json_array_append_new(list, rt_report_problem_json(level, &finding->what));
        if (!report->json && (!report->quiet || finding->level == RT_REFUSAL))
            rt_report_problem(level, &finding->what);
    }
    if (list)
        json_object_set_new(rt_report_json(report), "findings", list);
}

static const char *state_name(const struct rt_action *action,
                              const struct rt_apply_result *result, size_t i)
{
    bool record = action->kind == RT_ACTION_RECORD;

    if (result == NULL)
        return record ? rt_row_kind_name(action->row) : "apply";
    switch (result->states ? result->states[i] : RT_APPLY_NOT_RUN) {
    case RT_APPLY_DONE:
        return rt_row_kind_name(action->row);
    case RT_APPLY_FAILED:
        return "failed";
    case RT_APPLY_CANCELLED:
        return "cancelled";
    case RT_APPLY_STOPPED:
        return "stopped";
    case RT_APPLY_UNKNOWN:
        return "unknown";
    default:
        return "not run";
    }
}

/* ------------------------------------------------------------------ JSON */

static const struct rt_stepwise *steps_of(const struct rt_apply_result *result, size_t i)
{
    return result && result->steps ? &result->steps[i] : NULL;
}

static void put_number(json_t *object, const char *key, size_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

/* Of a file without a transaction: where it goes on, and what became of that. */
static void steps_json(json_t *object, const struct rt_action *action,
                       const struct rt_stepwise *steps)
{
    json_object_set_new(object, "no_transaction",
                        json_boolean(action->source.mode.no_transaction));
    if (steps == NULL && action->stopped)
        put_number(object, "resume_at", action->stopped->done + 1);
    if (steps && steps->resumed_at)
        put_number(object, "resumed_at", steps->resumed_at);
    if (steps && steps->stopped_at)
        put_number(object, "stopped_at", steps->stopped_at);
    if (steps)
        rt_json_put(object, "notes", steps->notes);
}

static json_t *action_json(const struct rt_action *action,
                           const struct rt_apply_result *result, size_t i)
{
    json_t *object = json_object();
    const struct rt_mode *mode = &action->source.mode;

    rt_json_put(object, "action",
                action->kind == RT_ACTION_RECORD ? rt_row_kind_name(action->row)
                                                 : "apply");
    rt_json_put(object, "path", action->path);
    rt_json_put(object, "checksum", action->checksum);
    rt_json_put(object, "commit", action->commit);
    rt_json_put(object, "subject", action->subject);
    if (action->kind == RT_ACTION_APPLY) {
        json_object_set_new(object, "statements",
                            json_integer((json_int_t)mode->statements));
        json_object_set_new(object, "unwrapped", json_boolean(mode->unwrapped));
        json_object_set_new(object, "unparsed", json_integer((json_int_t)mode->unparsed));
        steps_json(object, action, steps_of(result, i));
    }
    if (result) {
        rt_json_put(object, "state", state_name(action, result, i));
        if (result->retries && result->retries[i])
            json_object_set_new(object, "retries",
                                json_integer((json_int_t)result->retries[i]));
        if (result->milliseconds && result->milliseconds[i])
            json_object_set_new(object, "milliseconds",
                                json_integer(strtoll(result->milliseconds[i], NULL, 10)));
    }
    return object;
}

static void plan_json(json_t *doc, const struct rt_plan *plan,
                      const struct rt_apply_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(list, action_json(&plan->actions[i], result, i));
    json_object_set_new(doc, "migrations", list);
    json_object_set_new(doc, "already_applied",
                        plan->ledger_known ? json_integer((json_int_t)plan->applied)
                                           : json_null());
    if (result)
        rt_json_put(doc, "ledger_head", result->head);
}

/* ------------------------------------------------------------------ text */

static void print_step(const struct rt_action *action)
{
    char *subject = rt_printable(action->subject ? action->subject : "");

    if (action->commit)
        printf("  commit %.12s  %s\n", action->commit, subject);
    else
        printf("  not committed yet\n");
    free(subject);
}

static void print_place(const char *what, size_t number, size_t count)
{
    if (number > count)
        printf(", %s its ledger row: all statements are done", what);
    else
        printf(", %s statement %zu", what, number);
}

static void print_steps(const struct rt_action *action, const struct rt_stepwise *steps)
{
    const struct rt_mode *mode = &action->source.mode;

    if (!mode->no_transaction)
        return;
    if (steps == NULL && action->stopped)
        print_place("to go on at", action->stopped->done + 1, mode->statements);
    if (steps == NULL)
        fputs(", outside of a transaction: a failure leaves it half-way", stdout);
    if (steps && steps->resumed_at)
        print_place("resumed at", steps->resumed_at, mode->statements);
    if (steps && steps->stopped_at)
        print_place("stopped at", steps->stopped_at, mode->statements);
}

static void print_action(const struct rt_action *action,
                         const struct rt_apply_result *result, size_t i)
{
    const struct rt_mode *mode = &action->source.mode;
    char *path = rt_printable(action->path);

    printf("    %-9s %s", state_name(action, result, i), path);
    if (action->kind == RT_ACTION_APPLY) {
        printf("  (%zu statement%s", mode->statements, mode->statements == 1 ? "" : "s");
        if (result && result->milliseconds && result->milliseconds[i] &&
            result->states[i] == RT_APPLY_DONE)
            printf(", %s ms", result->milliseconds[i]);
        if (result && result->retries && result->retries[i])
            printf(", tried again %u time%s", result->retries[i],
                   result->retries[i] == 1 ? "" : "s");
        if (result == NULL && mode->unwrapped)
            fputs(", its own BEGIN and COMMIT are dropped: it runs in one transaction "
                  "with its ledger row",
                  stdout);
        print_steps(action, steps_of(result, i));
        if (result == NULL && mode->unparsed)
            printf(", %zu not understood by the parser and sent as is", mode->unparsed);
        putchar(')');
    }
    putchar('\n');
    free(path);
}

static bool same_step(const struct rt_action *a, const struct rt_action *b)
{
    if (a->commit == NULL || b->commit == NULL)
        return a->commit == b->commit;
    return strcmp(a->commit, b->commit) == 0;
}

void rt_report_plan(const struct rt_report *report, const struct rt_plan *plan,
                    const struct rt_apply_result *result)
{
    if (rt_report_json(report))
        plan_json(rt_report_json(report), plan, result);
    if (!rt_report_text(report))
        return;
    for (size_t i = 0; i < plan->count; i++) {
        if (i == 0 || !same_step(&plan->actions[i - 1], &plan->actions[i]))
            print_step(&plan->actions[i]);
        print_action(&plan->actions[i], result, i);
    }
}
