#include "cmd/collect.h"

#include <pwd.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/prisma.h"
#include "cmd/signing.h"
#include "cmd/steps.h"
#include "migrate/chain.h"

/* ------------------------------------------------------------------ the commit */

/* Why this event asks for nothing, or NULL. */
static const char *nothing_to_do(const struct rt_work *work, struct rt_context *context)
{
    const struct rt_event *event = &work->event;
    const char *branch = context->options.settings.value[RT_SET_BRANCH];

    if (branch == NULL)
        branch = event->default_branch;
    if (!event->merged)
        return rt_arena_format(
            &context->arena, "pull request %s was closed without merging", event->number);
    if (branch && event->base_ref && strcmp(branch, event->base_ref) != 0)
        return rt_arena_format(&context->arena,
                               "pull request %s was merged into %s, not into %s",
                               event->number, event->base_ref, branch);
    return NULL;
}

static int refuse_event(const struct rt_event *event, struct rt_err *err)
{
    if (event->closed_before)
        rt_err_set(err, RT_EREFUSED,
                   "pull request %s was closed before this event, which is \"%s\"",
                   event->number, event->action);
    else
        rt_err_set(err, RT_EREFUSED, "pull request %s is still open", event->number);
    return rt_err_hint(err, "Run apply on pull_request events of type closed: only "
                            "merged migrations reach production. revtwin plan shows "
                            "what a pull request would do, and revtwin apply COMMIT "
                            "applies what was merged before.");
}

/* Whether the command is about what the event merged. */
static bool is_event_merge(const struct rt_event *event, const struct rt_oid *tip)
{
    return event->merged && strcmp(event->merge_commit, tip->hex) == 0;
}

/* A commit that is named goes before the event, and needs none that can be read. */
static int read_event(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    int rc = rt_event_read(&work->event, &context->arena, err);

    if (rc < 0 && context->operand_count > 0) {
        work->event = (struct rt_event){0};
        rt_err_clear(err);
        return 0;
    }
    if (rc == 0 && work->event.pull_request && !work->event.closed &&
        context->operand_count == 0)
        return refuse_event(&work->event, err);
    return rc;
}

int rt_collect_commit(struct rt_work *work, struct rt_context *context,
                      enum rt_commit_source source, struct rt_err *err)
{
    struct rt_settings *settings = &context->options.settings;
    bool named = source != RT_COMMIT_HEAD && context->operand_count > 0;
    const struct rt_event *event = &work->event;
    struct rt_config config = {0};
    const char *rev = named ? context->operands[0] : "HEAD";
    int rc = source == RT_COMMIT_EVENT ? read_event(work, context, err) : 0;

    if (!named && event->merged)
        rev = event->merge_commit;
    if (rc == 0)
        rc = rt_repo_resolve(&work->tip, context->repo, rev, err);
    if (rc == 0)
        rc = rt_config_read(&config, &context->arena, context->repo, &work->tip, err);
    if (rc == 0)
        rc = rt_settings_settle(settings, &config, err);
    if (rc == 0 && !named && event->pull_request)
        work->nothing = nothing_to_do(work, context);
    if (named && !is_event_merge(event, &work->tip)) /* it is about another commit */
        work->event = (struct rt_event){.default_branch = event->default_branch};
    return rc;
}

/* ------------------------------------------------------------------ production */

static int refuse_twin(const struct rt_work *work, const struct rt_context *context,
                       struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "%s points at a twin: database \"%s\" carries revtwin.twin",
               context->prod.source, work->ledger.database);
    return rt_err_hint(err,
                       "Production and twin seem to be swapped. Nothing was changed.");
}

/* Told before anything is sent: it is no mistake in the first file that would fail. */
static int refuse_read_only(const struct rt_work *work, const struct rt_context *context,
                            struct rt_err *err)
{
    const char *source = context->prod.source;

    if (work->ledger.in_recovery) {
        rt_err_set(err, RT_EINTERNAL,
                   "production (%s) is in recovery: a standby or read replica takes no "
                   "changes",
                   source);
        return rt_err_hint(err,
                           "Nothing was changed. Let %s name the primary: the writer "
                           "endpoint, not the reader's. Of several hosts, "
                           "target_session_attrs=read-write finds it.",
                           source);
    }
    rt_err_set(err, RT_EINTERNAL,
               "production (%s) takes no changes: default_transaction_read_only is on",
               source);
    return rt_err_hint(err,
                       "Nothing was changed. Is this a reader endpoint? Then use the "
                       "writer's. Otherwise role \"%s\", database \"%s\" or the server "
                       "has the setting: RESET it there, or connect as a role that may "
                       "write.",
                       work->ledger.session_user, work->ledger.database);
}

static int refuse_broken_chain(struct rt_work *work, struct rt_context *context,
                               struct rt_err *err)
{
    size_t count;
    const char **faults = rt_ledger_faults(&count, &context->arena, &work->ledger, NULL);

    if (count == 0)
        return 0;
    rt_err_set(err, RT_EDIFFERS, "production's ledger was tampered with: %s", faults[0]);
    return rt_err_hint(err,
                       "Nothing was changed. revtwin verify lists every difference.");
}

int rt_collect_ledger(struct rt_work *work, struct rt_context *context,
                      enum rt_intent intent, bool chain_may_be_broken, struct rt_err *err)
{
    bool change = intent == RT_INTENT_CHANGE;
    int wait = change ? rt_setting_number(&context->options.settings, RT_SET_WAIT) : -1;
    int rc;

    work->intent = intent;
    rc = rt_conn_open(&work->prod, &context->prod, change ? RT_READ_WRITE : RT_READ_ONLY,
                      err);

    if (rc == 0)
        rc = rt_ledger_read(&work->ledger, &context->arena, work->prod, wait, err);
    if (rc < 0)
        return rc;
    if (work->ledger.is_twin)
        return refuse_twin(work, context, err);
    if (change && (work->ledger.in_recovery || work->ledger.read_only))
        return refuse_read_only(work, context, err);
    if (change)
        rt_signing_check(work, context);
    return chain_may_be_broken ? 0 : refuse_broken_chain(work, context, err);
}

/* ------------------------------------------------------------------ the repository */

int rt_collect_set(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const char *folder = context->options.settings.value[RT_SET_PATH];
    int rc = rt_tree_list(&work->listing, &context->arena, context->repo, &work->tip,
                          folder, true, err);

    if (rc == -RT_EUSAGE)
        rt_err_hint(err, "Name the folder of the migrations with migrations.path in "
                         "revtwin.conf, or with --path.");
    if (rc == 0)
        rc = rt_set_collect(&work->set, &context->arena, context->repo, &work->listing,
                            work->prod ? &work->ledger : NULL, err);
    return rc < 0 ? rc : rt_prisma_collect(work, context, err);
}

/* The server would read backslashes in the files otherwise than they were checked. */
static void check_strings(struct rt_work *work)
{
    const char *strings =
        work->prod ? rt_conn_parameter(work->prod, "standard_conforming_strings") : NULL;
    struct rt_err *what;

    if (strings == NULL || strcmp(strings, "on") == 0 ||
        work->plan.count == work->plan.records)
        return;
    what = rt_plan_add_finding(&work->plan, RT_REFUSAL);
    rt_err_set(what, RT_EREFUSED,
               "standard_conforming_strings is off on production, and migrations are "
               "read as with on");
    rt_err_hint(what, "Turn it on for the role that revtwin connects as: ALTER ROLE ... "
                      "SET standard_conforming_strings = on. Where a migration means a "
                      "backslash to escape something, write E'...'.");
}

int rt_collect_plan(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const char *folder = context->options.settings.value[RT_SET_PATH];
    struct rt_plan_input input = {.set = &work->set,
                                  .range = &work->range,
                                  .ledger = work->prod ? &work->ledger : NULL,
                                  .base_set = &work->base_set,
                                  .elsewhere = rt_prisma_elsewhere(work),
                                  .base_named = context->options.base != NULL,
                                  .stopped = work->ledger.stopped,
                                  .stopped_count = work->ledger.stopped_count,
                                  .skip_stopped = context->options.skip_stopped};
    struct rt_listing files = {0};
    int rc = rt_steps_choose(work, context, err);

    if (rc == 0 && work->prod && work->ledger.count == 0) {
        rc = rt_tree_list(&files, &context->arena, context->repo, &work->range.base,
                          folder, false, err);
        rt_listing_keep_files(&files); /* nobody can have applied the rest */
        if (rc == 0)
            rc = rt_set_collect(&work->base_set, &context->arena, context->repo, &files,
                                NULL, err);
        if (rc == 0)
            rc = rt_set_compare(&work->set, context->repo, &work->base_set, err);
    }
    if (rc < 0)
        return rc;
    rt_prisma_mark(work, &work->base_set);
    input.ahead = rt_steps_ahead(work, context);
    rt_steps_stopped(work, context);
    rc = rt_steps_history(work, context, &input, err);
    if (rc < 0)
        return rc;
    rt_plan_decide(&work->plan, &context->arena, &input);
    if (work->plan.records > 0 && rt_plan_first_run(&input) && work->event.commits > 1 &&
        context->options.base == NULL)
        rc = rt_steps_doubt_baseline(work, context, err);
    if (rc == 0 && work->feature_branch) {
        rc = rt_tree_uncommitted(&files, &context->arena, context->repo, folder, err);
        rt_prisma_filter(work, &files);
        if (rc == 0)
            rt_plan_add_uncommitted(&work->plan, &files);
    }
    if (rc < 0)
        return rc;
    check_strings(work);
    rc = rt_plan_load(&work->plan, &context->arena, context->repo, err);
    if (rc == 0 && work->ledger.pooled)
        rt_plan_refuse_settings(&work->plan);
    return rc < 0 ? rc : rt_prisma_finish(work, context, err);
}

int rt_collect_comparison(struct rt_work *work, struct rt_context *context,
                          struct rt_err *err)
{
    struct rt_plan_input input = {.set = &work->set,
                                  .range = &work->range,
                                  .ledger = &work->ledger,
                                  .base_set = &work->base_set,
                                  .elsewhere = rt_prisma_elsewhere(work),
                                  .ahead = rt_steps_ahead(work, context)};
    struct rt_range *range = &work->range;
    int rc;

    range->tip = work->tip;
    range->count = work->set.count;
    range->arrivals =
        rt_arena_alloc(&context->arena, range->count * sizeof(*range->arrivals));
    for (size_t i = 0; i < range->count; i++) {
        const struct rt_migration *m = &work->set.migrations[i];

        range->arrivals[i] = (struct rt_arrival){
            .path = m->path, .origin = m->path, .step = work->tip, .oid = m->oid};
    }
    rc = rt_steps_history(work, context, &input, err);
    if (rc < 0)
        return rc;
    rt_plan_decide(&work->plan, &context->arena, &input);
    return rt_prisma_finish(work, context, err);
}

/* ------------------------------------------------------------------ the writer */

static struct rt_writer find_writer(const struct rt_work *work,
                                    struct rt_context *context)
{
    const char *server = getenv("GITHUB_SERVER_URL"), *run = getenv("GITHUB_RUN_ID"),
               *repository = getenv("GITHUB_REPOSITORY");
    struct rt_writer writer = {.pull_request = work->event.number,
                               .key = context->signing_key};
    const struct passwd *user = getpwuid(geteuid());
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    if (server && run && repository)
        writer.client = rt_arena_format(&context->arena, "%s/%s/actions/runs/%s", server,
                                        repository, run);
    else
        writer.client = rt_arena_format(&context->arena, "%s@%s",
                                        user ? user->pw_name : "unknown", host);
    return writer;
}

struct rt_apply_options rt_collect_options(const struct rt_work *work,
                                           struct rt_context *context)
{
    const struct rt_settings *settings = &context->options.settings;

    return (struct rt_apply_options){
        .lock_timeout = settings->value[RT_SET_LOCK_TIMEOUT],
        .statement_timeout = settings->value[RT_SET_STATEMENT_TIMEOUT],
        .retries = (unsigned)rt_setting_number(settings, RT_SET_RETRIES),
        .wait = (unsigned)rt_setting_number(settings, RT_SET_WAIT),
        .other_lock = work->prisma.table ? &rt_prisma_lock : NULL,
        .writer = find_writer(work, context)};
}

void rt_work_clear(struct rt_work *work)
{
    rt_plan_clear(&work->plan);
    rt_conn_close(work->prod);
    work->prod = NULL;
}
