#include "migrate/plan.h"

#include "base/mem.h"
#include "migrate/resume.h"
#include "sql/concurrent.h"
#include "sql/locate.h"

struct rt_err *rt_plan_add_finding(struct rt_plan *plan, enum rt_finding_level level)
{
    plan->findings = rt_grow(plan->findings, plan->findings_count, &plan->findings_cap,
                             sizeof(*plan->findings));
    plan->findings[plan->findings_count] = (struct rt_finding){.level = level};
    plan->refusals += level == RT_REFUSAL;
    return &plan->findings[plan->findings_count++].what;
}

static struct rt_action *add_action(struct rt_plan *plan, struct rt_action action)
{
    plan->actions =
        rt_grow(plan->actions, plan->count, &plan->cap, sizeof(*plan->actions));
    plan->actions[plan->count] = action;
    return &plan->actions[plan->count++];
}

struct rt_action *rt_plan_add_apply(struct rt_plan *plan, const char *path)
{
    return add_action(
        plan,
        (struct rt_action){.kind = RT_ACTION_APPLY, .row = RT_ROW_APPLIED, .path = path});
}

struct rt_action *rt_plan_add_record(struct rt_plan *plan, enum rt_row_kind row,
                                     const char *path)
{
    plan->records++;
    return add_action(
        plan, (struct rt_action){.kind = RT_ACTION_RECORD, .row = row, .path = path});
}

struct rt_action *rt_plan_add_baseline(struct rt_plan *plan, const struct rt_migration *m,
                                       const char *commit)
{
    struct rt_action *action = rt_plan_add_record(plan, RT_ROW_BASELINE, m->path);

    action->oid = m->oid;
    action->checksum = m->checksum.hex;
    action->commit = commit;
    return action;
}

void rt_plan_add_uncommitted(struct rt_plan *plan, const struct rt_listing *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (!rt_is_down(files->entries[i].path))
            rt_plan_add_apply(plan, files->entries[i].path);
    }
}

static int load_subject(struct rt_plan *plan, size_t i, struct rt_arena *arena,
                        struct rt_repo *repo, struct rt_err *err)
{
    struct rt_action *action = &plan->actions[i];
    const struct rt_action *before = i > 0 ? action - 1 : NULL;
    struct rt_oid oid;

    if (action->commit == NULL)
        return 0;
    if (before && before->commit && strcmp(before->commit, action->commit) == 0) {
        action->subject = before->subject;
        return 0;
    }
    snprintf(oid.hex, sizeof(oid.hex), "%s", action->commit);
    return rt_repo_subject(&action->subject, arena, repo, &oid, err);
}

/* What an unnamed index is called nobody knows but the server: a failed one is not found
 * again, and stays. */
static void warn_unnamed(struct rt_plan *plan, struct rt_arena *arena, size_t i)
{
    const struct rt_action *action = &plan->actions[i];
    const struct rt_mode *mode = &action->source.mode;
    const struct rt_script *script = &action->source.script;

    for (size_t s = mode->first; s < mode->first + mode->count; s++) {
        const struct rt_stmt *stmt = &script->stmts[s];
        struct rt_concurrent what;
        struct rt_err *warning;

        if (stmt->stmt_class != RT_CLASS_NO_TX)
            continue;
        rt_stmt_concurrent(&what, arena, script->text + stmt->start, stmt->len);
        if (what.kind != RT_CONCURRENT_CREATE_INDEX || what.index)
            continue;
        warning = rt_plan_add_finding(plan, RT_WARNING);
        rt_err_set(warning, RT_DONE, "CREATE INDEX CONCURRENTLY without a name");
        rt_err_place(warning, script->text, script->len,
                     rt_locate(script->text, script->len, stmt->start));
        rt_err_at(warning, action->path, warning->line, warning->column);
        rt_err_hint(warning, "When it fails it leaves an INVALID index, which only its "
                             "name tells from others: with a name, the next run drops "
                             "it and builds it again.");
    }
}

int rt_plan_load_action(struct rt_plan *plan, size_t i, struct rt_arena *arena,
                        struct rt_repo *repo, struct rt_err *err)
{
    struct rt_action *action = &plan->actions[i];
    int rc;

    if (action->kind != RT_ACTION_APPLY)
        return 0;
    rc = rt_source_load(&action->source, repo, action->path, &action->oid, err);
    if (rc == 0 && action->stopped)
        rc = rt_resume_load(plan, arena, action, err);
    if (rc < 0 || !action->source.mode.no_transaction)
        return rc;
    action->clears_steps = true;
    warn_unnamed(plan, arena, i);
    return 0;
}

int rt_plan_load(struct rt_plan *plan, struct rt_arena *arena, struct rt_repo *repo,
                 struct rt_err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        int rc = load_subject(plan, i, arena, repo, err);

        if (rc == 0)
            rc = rt_plan_load_action(plan, i, arena, repo, err);
        if (rc == -RT_EREFUSED)
            rt_err_move(rt_plan_add_finding(plan, RT_REFUSAL), err);
        else if (rc < 0)
            return rc;
    }
    return 0;
}

static void refuse_setting(struct rt_plan *plan, size_t i, const struct rt_stmt *stmt)
{
    const struct rt_action *action = &plan->actions[i];
    const struct rt_script *script = &action->source.script;
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED,
               "%s in a file that runs without a transaction, behind a pooler",
               stmt->tag);
    rt_err_place(err, script->text, script->len,
                 rt_locate(script->text, script->len, stmt->start));
    rt_err_at(err, action->path, err->line, err->column);
    rt_err_hint(err, "When a statement fails, what was set would stay with a connection "
                     "that applications share. Connect to production directly (the "
                     "endpoint without the pooler), or leave it out and write schemas "
                     "into the statements.");
}

void rt_plan_refuse_settings(struct rt_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct rt_source *source = &plan->actions[i].source;
        const struct rt_mode *mode = &source->mode;

        for (size_t s = mode->first;
             mode->no_transaction && s < mode->first + mode->count; s++) {
            if (source->script.stmts[s].stmt_class == RT_CLASS_SETTING) {
                refuse_setting(plan, i, &source->script.stmts[s]);
                break;
            }
        }
    }
}

int rt_plan_check(const struct rt_plan *plan, struct rt_err *err)
{
    if (plan->refusals == 0)
        return 0;
    rt_err_set(err, RT_EREFUSED, "the plan is refused: %zu problem%s", plan->refusals,
               plan->refusals == 1 ? "" : "s");
    return rt_err_hint(err, "Production was not changed.");
}

void rt_plan_clear(struct rt_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        rt_source_clear(&plan->actions[i].source);
    for (size_t i = 0; i < plan->findings_count; i++)
        rt_err_clear(&plan->findings[i].what);
    free(plan->actions);
    free(plan->findings);
    *plan = (struct rt_plan){0};
}
