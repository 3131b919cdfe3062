#include "cmd/collect.h"

#include <pwd.h>
#include <unistd.h>

#include "base/log.h"

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

static int choose_revision(const char **rev, struct rt_work *work,
                           struct rt_context *context, bool by_event, struct rt_err *err)
{
    int rc;

    *rev = "HEAD";
    if (context->operand_count > 0) {
        *rev = context->operands[0];
        return 0;
    }
    if (!by_event)
        return 0;
    rc = rt_event_read(&work->event, &context->arena, err);
    if (rc < 0 || !work->event.pull_request)
        return rc;
    if (!work->event.closed) {
        rt_err_set(err, RT_EREFUSED, "pull request %s is still open", work->event.number);
        return rt_err_hint(err, "Run apply on pull_request events of type closed: only "
                                "merged migrations reach production. revtwin plan shows "
                                "what this one would do.");
    }
    if (work->event.merged)
        *rev = work->event.merge_commit;
    return 0;
}

int rt_collect_commit(struct rt_work *work, struct rt_context *context, bool by_event,
                      struct rt_err *err)
{
    struct rt_settings *settings = &context->options.settings;
    struct rt_config config = {0};
    const char *rev;
    int rc = choose_revision(&rev, work, context, by_event, err);

    if (rc == 0)
        rc = rt_repo_resolve(&work->tip, context->repo, rev, err);
    if (rc == 0)
        rc = rt_config_read(&config, &context->arena, context->repo, &work->tip, err);
    if (rc == 0)
        rc = rt_settings_settle(settings, &config, err);
    if (rc == 0 && work->event.pull_request)
        work->nothing = nothing_to_do(work, context);
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

static int refuse_broken_chain(struct rt_work *work, struct rt_context *context,
                               struct rt_err *err)
{
    size_t count;
    const char **faults = rt_ledger_faults(&count, &context->arena, &work->ledger);

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
    int wait = change ? rt_setting_seconds(&context->options.settings, RT_SET_WAIT) : -1;
    const char *strings;
    int rc = rt_conn_open(&work->prod, &context->prod,
                          change ? RT_READ_WRITE : RT_READ_ONLY, err);

    if (rc == 0)
        rc = rt_ledger_read(&work->ledger, &context->arena, work->prod, wait, err);
    if (rc < 0)
        return rc;
    if (work->ledger.is_twin)
        return refuse_twin(work, context, err);
    strings = rt_conn_parameter(work->prod, "standard_conforming_strings");
    if (change && strings && strcmp(strings, "on") != 0)
        return rt_err_set(err, RT_EREFUSED,
                          "production has standard_conforming_strings = off, under which "
                          "migrations would be read differently than they were checked");
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
    if (rc < 0)
        return rc;
    return rt_set_collect(&work->set, &context->arena, context->repo, &work->listing,
                          work->prod ? &work->ledger : NULL, err);
}

static struct rt_oid row_commit(const struct rt_work *work, size_t row)
{
    struct rt_oid oid = {""};

    snprintf(oid.hex, sizeof(oid.hex), "%s",
             work->ledger.rows[row].column[RT_COL_COMMIT]);
    return oid;
}

/* Whether the second commit reaches the first; false also when that cannot be told. */
static bool comes_before(const struct rt_context *context, const struct rt_oid *first,
                         const struct rt_oid *second)
{
    struct rt_err ignored = {0};
    int rc = rt_repo_is_ancestor(context->repo, first, second, &ignored);

    rt_err_clear(&ignored);
    return rc == 1;
}

/* The ledger is ahead of the tip: an old run that is started again. */
static bool tip_is_old(const struct rt_work *work, const struct rt_context *context)
{
    struct rt_oid newest = row_commit(work, work->ledger.count - 1);

    return strcmp(work->tip.hex, newest.hex) != 0 &&
           comes_before(context, &work->tip, &newest);
}

static int refuse_other_line(const struct rt_oid *newest, const struct rt_oid *tip,
                             struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "the ledger's newest commit %.12s is not an ancestor of %.12s",
               newest->hex, tip->hex);
    return rt_err_hint(err, "Is this another branch, or was its history rewritten? "
                            "--base REV starts after a commit of your choice.");
}

/* The commit whose step the ledger's newest row belongs to: --ledger starts with it
 * again, because a failed run may have left some of its files. */
static int ledger_range(struct rt_work *work, struct rt_context *context,
                        struct rt_err *err)
{
    const char *folder = context->options.settings.value[RT_SET_PATH];
    const struct rt_ledger *ledger = &work->ledger;
    struct rt_oid newest, base;
    int rc;

    if (work->prod == NULL) {
        rt_err_set(err, RT_EUSAGE, "--ledger needs production, whose ledger it reads");
        return rt_err_hint(err, "Set PROD_DATABASE_URL, or use --base REV.");
    }
    if (ledger->count == 0) {
        rt_err_set(err, RT_EREFUSED,
                   "production's ledger is empty: --ledger has no start");
        return rt_err_hint(err,
                           "Record what production has already with revtwin baseline "
                           "REV, or start after a known commit with revtwin apply "
                           "--base REV.");
    }
    rc = rt_repo_resolve(&newest, context->repo,
                         ledger->rows[ledger->count - 1].column[RT_COL_COMMIT], err);
    if (rc < 0) {
        rt_err_wrap(err, "the ledger's newest commit is not in this repository");
        err->status = RT_EREFUSED;
        return -RT_EREFUSED;
    }
    if (tip_is_old(work, context)) {
        base = work->tip; /* no step is left */
    } else {
        rc = rt_repo_is_ancestor(context->repo, &newest, &work->tip, err);
        if (rc == 0)
            return refuse_other_line(&newest, &work->tip, err);
        if (rc == 1)
            rc = rt_repo_first_parent(&base, context->repo, &newest, err);
    }
    return rc < 0 ? rc
                  : rt_range_since(&work->range, &context->arena, context->repo, &base,
                                   &work->tip, folder, err);
}

static int choose_range(struct rt_work *work, struct rt_context *context,
                        struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    const char *folder = options->settings.value[RT_SET_PATH];
    bool laptop = strcmp(context->command->name, "plan") == 0 &&
                  context->operand_count == 0 && !work->event.pull_request;
    struct rt_oid base = {0};
    const char *branch;
    int rc = 0;

    if (options->ledger)
        return ledger_range(work, context, err);
    if (options->base)
        rc = rt_repo_resolve(&base, context->repo, options->base, err);
    else if (laptop)
        rc = rt_range_fork_point(&base, &branch, &context->arena, context->repo,
                                 options->settings.value[RT_SET_BRANCH], err);
    if (rc < 0)
        return rc;
    if (base.hex[0] == '\0')
        return rt_range_step(&work->range, &context->arena, context->repo, &work->tip,
                             folder, err);
    work->feature_branch = options->base == NULL;
    return rt_range_since(&work->range, &context->arena, context->repo, &base, &work->tip,
                          folder, err);
}

/* A rebase merge brings as many steps as the pull request has commits; a squash only one,
 * and nothing in the event tells them apart. With a ledger the gap shows what a single
 * step leaves out; without one it would be taken for applied. */
static int doubt_first_run(struct rt_work *work, struct rt_context *context,
                           struct rt_err *err)
{
    const char *folder = context->options.settings.value[RT_SET_PATH];
    char *second = rt_arena_format(&context->arena, "%s^2", work->tip.hex);
    struct rt_oid base = work->range.base, ignored;
    struct rt_err not_merge = {0};
    struct rt_range recent;
    int rc = rt_repo_resolve(&ignored, context->repo, second, &not_merge);

    rt_err_clear(&not_merge);
    if (rc == 0)
        return 0; /* a merge commit brings everything in one step */
    rc = 0;
    for (unsigned i = 1; rc == 0 && i < work->event.commits && base.hex[0]; i++)
        rc = rt_repo_first_parent(&base, context->repo, &base, err);
    if (rc == 0)
        rc = rt_range_since(&recent, &context->arena, context->repo, &base, &work->tip,
                            folder, err);
    if (rc == 0)
        rt_plan_doubt_baseline(&work->plan, &recent, &work->tip);
    return rc;
}

/*
 * How many of the ledger's last rows are about commits that the tip need not have: it is
 * an old one, or on a feature branch that is behind. The ledger is in the order of
 * commits.
 */
static size_t rows_ahead(const struct rt_work *work, const struct rt_context *context)
{
    size_t low = 0, high = work->ledger.count, probe = high - 1;

    if (high == 0 || (!work->feature_branch && !tip_is_old(work, context)))
        return 0;
    while (low < high) {
        struct rt_oid commit = row_commit(work, probe);

        if (comes_before(context, &commit, &work->tip))
            low = probe + 1;
        else
            high = probe;
        probe = low + (high - low) / 2;
    }
    return work->ledger.count - low;
}

int rt_collect_plan(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const char *folder = context->options.settings.value[RT_SET_PATH];
    struct rt_plan_input input = {.set = &work->set,
                                  .range = &work->range,
                                  .ledger = work->prod ? &work->ledger : NULL,
                                  .base_set = &work->base_set,
                                  .base_named = context->options.base != NULL};
    struct rt_listing files = {0};
    int rc = choose_range(work, context, err);

    if (rc == 0 && work->prod && work->ledger.count == 0) {
        rc = rt_tree_list(&files, &context->arena, context->repo, &work->range.base,
                          folder, false, err);
        if (rc == 0)
            rc = rt_set_collect(&work->base_set, &context->arena, context->repo, &files,
                                NULL, err);
        if (rc == 0)
            rc = rt_set_compare(&work->set, context->repo, &work->base_set, err);
    }
    if (rc < 0)
        return rc;
    input.ahead = rows_ahead(work, context);
    rt_plan_decide(&work->plan, &context->arena, &input);
    if (work->plan.baselines > 0 && work->event.commits > 1 &&
        context->options.base == NULL)
        rc = doubt_first_run(work, context, err);
    if (rc == 0 && work->feature_branch) {
        rc = rt_tree_uncommitted(&files, &context->arena, context->repo, folder, err);
        if (rc == 0)
            rt_plan_add_uncommitted(&work->plan, &files);
    }
    return rc < 0 ? rc : rt_plan_load(&work->plan, &context->arena, context->repo, err);
}

void rt_collect_comparison(struct rt_work *work, struct rt_context *context)
{
    struct rt_plan_input input = {.set = &work->set,
                                  .range = &work->range,
                                  .ledger = &work->ledger,
                                  .base_set = &work->base_set,
                                  .ahead = rows_ahead(work, context)};
    struct rt_range *range = &work->range;

    range->tip = work->tip;
    range->count = work->set.count;
    range->arrivals =
        rt_arena_alloc(&context->arena, range->count * sizeof(*range->arrivals));
    for (size_t i = 0; i < range->count; i++) {
        const struct rt_migration *m = &work->set.migrations[i];

        range->arrivals[i] = (struct rt_arrival){
            .path = m->path, .origin = m->path, .step = work->tip, .oid = m->oid};
    }
    rt_plan_decide(&work->plan, &context->arena, &input);
}

/* ------------------------------------------------------------------ the writer */

struct rt_writer rt_collect_writer(const struct rt_work *work, struct rt_context *context)
{
    const char *server = getenv("GITHUB_SERVER_URL"), *run = getenv("GITHUB_RUN_ID"),
               *repository = getenv("GITHUB_REPOSITORY");
    struct rt_writer writer = {.pull_request = work->event.number};
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

void rt_work_clear(struct rt_work *work)
{
    rt_plan_clear(&work->plan);
    rt_conn_close(work->prod);
    work->prod = NULL;
}
