/* revtwin resolve: settle by hand a file that has stopped half-way */
#include "base/str.h"
#include "base/utf8.h"
#include "cmd/record.h"
#include "cmd/signing.h"
#include "cmd/steps.h"
#include "git/path.h"

static int check_usage(const struct rt_options *options, struct rt_err *err)
{
    const char *reason = options->reason;

    if (!options->applied && !options->forget) {
        rt_err_set(err, RT_EUSAGE, "resolve needs --applied or --forget");
        return rt_err_hint(err,
                           "--applied: its statements are all done, by revtwin or by "
                           "hand. --forget: none of them is, and it begins anew.");
    }
    if (reason && rt_utf8_valid(reason, strlen(reason)) != strlen(reason))
        return rt_err_set(err, RT_EUSAGE, "the text of --reason is not valid UTF-8");
    return 0;
}

static int refuse_other(const char *path, const struct rt_work *work, struct rt_err *err)
{
    struct rt_str names = {0};

    rt_err_set(err, RT_EREFUSED,
               "%s has not stopped half-way: there is nothing to resolve", path);
    for (size_t i = 0; i < work->ledger.stopped_count; i++)
        rt_str_addf(&names, "%s%s", i ? ", " : "", work->ledger.stopped[i].path);
    if (names.len)
        rt_err_detail(err, "Stopped: %s.", names.data);
    rt_str_clear(&names);
    return rt_err_hint(err, "Nothing was changed. revtwin status shows what has stopped, "
                            "and where.");
}

static int refuse_running(struct rt_arena *arena, const struct rt_stopped *file,
                          const struct rt_step *step, struct rt_err *err)
{
    rt_err_set(err, RT_ELOCKED, "statement %zu of %s is still being run", step->number,
               file->path);
    rt_err_detail(err, "By session %s; the file is %s.", step->pid,
                  rt_stopped_where(arena, file));
    return rt_err_hint(err,
                       "Nothing was changed. Wait until it is over, or end it: SELECT "
                       "pg_cancel_backend(%s);",
                       step->pid);
}

/* What a statement that was not finished may have left, and nobody will look for again.
 */
static int warn_leftovers(struct rt_work *work, const struct rt_stopped *file,
                          struct rt_err *err)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct rt_step *step = &file->steps[i];
        struct rt_err *warning;
        bool invalid;
        int rc;

        if (step->object == NULL)
            continue;
        rc = rt_index_invalid(&invalid, work->prod, step->object, err);
        if (rc < 0)
            return rc;
        if (!invalid)
            continue;
        warning = rt_plan_add_finding(&work->plan, RT_WARNING);
        rt_err_set(warning, RT_DONE, "the INVALID index %s stays", step->object);
        rt_err_at(warning, file->path, 0, 0);
        rt_err_hint(warning,
                    "No query uses it, and every write pays for it. To drop it: DROP "
                    "INDEX CONCURRENTLY %s;",
                    step->object);
    }
    return 0;
}

/* Forgetting it does not undo what is done. */
static void warn_done(struct rt_work *work, const struct rt_stopped *file)
{
    struct rt_err *warning;

    if (file->done == 0)
        return;
    warning = rt_plan_add_finding(&work->plan, RT_WARNING);
    rt_err_set(warning, RT_DONE, "%zu statement%s of %s %s done and will run again",
               file->done, file->done == 1 ? "" : "s", file->path,
               file->done == 1 ? "is" : "are");
    rt_err_hint(warning,
                "Unless it was undone by hand, the next run will find it there.");
}

static int resolve(struct rt_work *work, struct rt_context *context, const char *path,
                   struct rt_err *err)
{
    bool applied = context->options.applied;
    const struct rt_stopped *file =
        rt_stopped_find(work->ledger.stopped, work->ledger.stopped_count, path);
    const struct rt_migration *m = rt_set_find(&work->set, path);
    const struct rt_step *step = file ? rt_stopped_step(file, file->done + 1) : NULL;
    struct rt_apply_result result;
    struct rt_action *action;
    int rc;

    if (file == NULL)
        return refuse_other(path, work, err);
    if (step && step->running)
        return refuse_running(&context->arena, file, step, err);
    rc = warn_leftovers(work, file, err);
    if (rc < 0)
        return rc;
    if (!applied)
        warn_done(work, file);
    rt_steps_stopped(work, context);
    action = rt_plan_add_record(&work->plan, applied ? RT_ROW_RESOLVED : RT_ROW_FORGOTTEN,
                                file->path);
    action->checksum = m ? m->checksum.hex : file->checksum;
    action->commit = file->ahead ? work->tip.hex : file->commit;
    action->reason = context->options.reason;
    rc = rt_record(&result, work, context, err);
    if (rc < 0)
        return rc;
    if (applied && m)
        rt_report_line(&context->report, "counts as applied as it is in commit %.12s",
                       work->tip.hex);
    else if (applied)
        rt_report_line(&context->report,
                       "counts as applied as it was when it stopped: commit %.12s does "
                       "not have it",
                       work->tip.hex);
    else
        rt_report_line(&context->report,
                       "forgotten: it is pending, and begins with its first statement");
    rt_signing_report(context, &result);
    return 0;
}

int rt_cmd_resolve(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    const char *path;
    int rc = check_usage(&context->options, err);

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
        rc = resolve(&work, context, path, err);
    rt_work_clear(&work);
    return rc;
}
