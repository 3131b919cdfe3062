#include "cmd/steps.h"

/* The step of the row. An amended one has none, only the commit whose text it accepts:
 * that of the row before it stands for it. */
static struct rt_oid row_commit(const struct rt_work *work, size_t row)
{
    const struct rt_ledger_row *rows = work->ledger.rows;
    struct rt_oid oid = {""};

    while (row > 0 && rt_row_is(&rows[row], RT_ROW_AMENDED))
        row--;
    snprintf(oid.hex, sizeof(oid.hex), "%s", rows[row].column[RT_COL_COMMIT]);
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

static int range_since(struct rt_work *work, struct rt_context *context,
                       const struct rt_oid *base, struct rt_err *err)
{
    return rt_range_since(&work->range, &context->arena, context->repo, base, &work->tip,
                          context->options.settings.value[RT_SET_PATH], err);
}

/* The commit whose step the ledger's newest row belongs to: --ledger starts with it
 * again, because a failed run may have left some of its files. */
static int ledger_range(struct rt_work *work, struct rt_context *context,
                        struct rt_err *err)
{
    const struct rt_ledger *ledger = &work->ledger;
    struct rt_oid newest, base;
    int rc;

    if (work->prod == NULL) {
        rt_err_set(err, RT_EUSAGE, "--ledger needs production, whose ledger it reads");
        return rt_err_hint(err, "Set PROD_DATABASE_URL, or use --base REV.");
    }
    if (ledger->count == 0 && ledger->stopped_count == 0) {
        rt_err_set(err, RT_EREFUSED,
                   "production's ledger is empty: --ledger has no start");
        return rt_err_hint(err,
                           "Record what production has already with revtwin baseline "
                           "REV (or --from TOOL, when another tool applied it), or start "
                           "after a known commit with revtwin apply --base REV.");
    }
    rc = rt_repo_resolve(&newest, context->repo,
                         ledger->count ? row_commit(work, ledger->count - 1).hex
                                       : ledger->stopped[0].commit,
                         err);
    if (rc < 0) {
        rt_err_wrap(err, "the ledger's newest commit is not in this repository");
        err->status = RT_EREFUSED;
        return -RT_EREFUSED;
    }
    if (ledger->count && tip_is_old(work, context)) {
        base = work->tip; /* no step is left */
    } else {
        rc = rt_repo_is_ancestor(context->repo, &newest, &work->tip, err);
        if (rc == 0)
            return refuse_other_line(&newest, &work->tip, err);
        if (rc == 1)
            rc = rt_repo_first_parent(&base, context->repo, &newest, err);
    }
    return rc < 0 ? rc : range_since(work, context, &base, err);
}

/* The commit after which the range starts; empty: it starts with the first of all. */
static int named_base(struct rt_oid *out, struct rt_context *context, struct rt_err *err)
{
    const char *rev = context->options.base;
    struct rt_err unknown = {0};
    int rc;

    if (strcmp(rev, RT_BASE_NONE) != 0)
        return rt_repo_resolve(out, context->repo, rev, err);
    rc = rt_repo_resolve(out, context->repo, rev, &unknown);
    rt_err_clear(&unknown);
    if (rc == 0) {
        rt_err_set(err, RT_EUSAGE,
                   "--base %s means before the first commit, but is also "
                   "the name of a branch or tag here",
                   rev);
        return rt_err_hint(err, "If you mean the branch, say refs/heads/%s.", rev);
    }
    *out = (struct rt_oid){""};
    return 0;
}

int rt_steps_choose(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    bool laptop = strcmp(context->command->name, "plan") == 0 &&
                  context->operand_count == 0; /* it never reads an event */
    struct rt_oid base = {0};
    const char *branch;
    int rc = 0;

    if (options->ledger)
        return ledger_range(work, context, err);
    if (options->base) {
        rc = named_base(&base, context, err);
        return rc < 0 ? rc : range_since(work, context, &base, err);
    }
    if (laptop)
        rc = rt_range_fork_point(&base, &branch, &context->arena, context->repo,
                                 options->settings.value[RT_SET_BRANCH], err);
    if (rc < 0)
        return rc;
    if (base.hex[0] == '\0')
        return rt_range_step(&work->range, &context->arena, context->repo, &work->tip,
                             options->settings.value[RT_SET_PATH], err);
    work->feature_branch = true;
    return range_since(work, context, &base, err);
}

int rt_steps_history(struct rt_work *work, struct rt_context *context,
                     struct rt_plan_input *input, struct rt_err *err)
{
    const char *folder;
    struct rt_past past;
    struct rt_oid base;
    int rc = rt_folder_normalize(&folder, &context->arena,
                                 context->options.settings.value[RT_SET_PATH], err);

    if (rc < 0)
        return rc;
    past = rt_plan_past(&context->arena, input, folder);
    if (past.since == NULL)
        return 0;
    base = row_commit(work, (size_t)(past.since - work->ledger.rows));
    if (!comes_before(context, &base, &work->tip))
        base = (struct rt_oid){""}; /* history was rewritten: take all of it */
    input->history = &work->history;
    return rt_range_since(&work->history, &context->arena, context->repo, &base,
                          &work->tip, past.elsewhere ? "" : folder, err);
}

int rt_steps_doubt_baseline(struct rt_work *work, struct rt_context *context,
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

size_t rt_steps_ahead(const struct rt_work *work, const struct rt_context *context)
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

void rt_steps_stopped(struct rt_work *work, const struct rt_context *context)
{
    for (size_t i = 0; i < work->ledger.stopped_count; i++) {
        struct rt_oid commit = {""};

        snprintf(commit.hex, sizeof(commit.hex), "%s", work->ledger.stopped[i].commit);
        work->ledger.stopped[i].ahead = strcmp(commit.hex, work->tip.hex) != 0 &&
                                        !comes_before(context, &commit, &work->tip);
    }
}

int rt_steps_check_merged(struct rt_work *work, struct rt_context *context,
                          struct rt_err *err)
{
    const char *branch;
    int rc = rt_repo_is_merged(&branch, &context->arena, context->repo, &work->tip,
                               context->options.settings.value[RT_SET_BRANCH],
                               work->event.default_branch, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rt_err_set(err, RT_EREFUSED, "commit %.12s is not on branch %s", work->tip.hex,
               branch);
    return rt_err_hint(err,
                       "Nothing was changed. Only what is merged reaches production; "
                       "revtwin plan shows what this commit would do. If another "
                       "branch reaches production, name it with REVTWIN_BRANCH or "
                       "--branch.");
}
