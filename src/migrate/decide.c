/* Deciding: a pure function of the set, the range and the ledger. */
#include "base/names.h"
#include "migrate/gone.h"
#include "migrate/resume.h"

/* The working state of one decision. */
struct decision {
    const struct rt_plan_input *in;
    struct rt_plan *plan;
    bool first_run;
    struct rt_gone_list gone;
    bool *settled;             /* for each file of the set: applied, renamed or planned */
    struct rt_names elsewhere; /* what another tool has applied is recorded */
    const char *reason;        /* for those rows */
};

enum { NAMES_SHOWN = 20 };

/* ------------------------------------------------------------------ what is known */

static bool is_stopped(const struct decision *d, const char *path)
{
    return rt_stopped_find(d->in->stopped, d->in->stopped_count, path) != NULL;
}

/* The checksum that the path was applied with, or NULL. */
static const char *known_checksum(const struct decision *d, const char *path)
{
    const struct rt_migration *baseline;
    const struct rt_ledger_row *row;

    if (d->first_run) {
        baseline = is_stopped(d, path) ? NULL : rt_set_find(d->in->base_set, path);
        return baseline && !baseline->down ? baseline->checksum.hex : NULL;
    }
    row = rt_ledger_find(d->in->ledger, path);
    return rt_row_applied(row) ? row->column[RT_COL_CHECKSUM] : NULL;
}

/* ------------------------------------------------------------------ deciding */

void rt_plan_refuse_changed(struct rt_plan *plan, const struct rt_migration *m,
                            const char *was_path, const char *was, bool has_row)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s was changed after it was applied%s%s", m->path,
               was_path ? " as " : "", was_path ? was_path : "");
    rt_err_at(err, m->path, 0, 0);
    rt_err_detail(err, "Applied with %s %s, now %s.", RT_HASH_ALGORITHM, was,
                  m->checksum.hex);
    rt_err_hint(
        err, "Restore the file as it was, and put the change into a new migration.%s%s%s",
        has_row ? " If production needs nothing of it: revtwin amend '" : "",
        has_row ? m->path : "", has_row ? "' --reason TEXT" : "");
}

static void note_line_ends(struct decision *d, const struct rt_migration *m)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);

    rt_err_set(err, RT_DONE, "%s differs from what was applied only in its line ends",
               m->path);
    rt_err_at(err, m->path, 0, 0);
}

static void note_amended(struct decision *d, const struct rt_migration *m)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);

    rt_err_set(err, RT_DONE, "%s is as it was applied, before it was amended", m->path);
    rt_err_at(err, m->path, 0, 0);
}

static void note_rename(struct decision *d, const struct rt_migration *m,
                        const struct rt_gone *was)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);
    bool same = strcmp(m->checksum.hex, was->checksum) == 0;

    rt_err_set(err, RT_DONE, "%s was applied as %s: renamed, %s", m->path, was->path,
               same ? "the content is the same" : "only the line ends differ");
    rt_err_at(err, m->path, 0, 0);
}

static void compare_applied(struct decision *d, const struct rt_migration *m,
                            const char *was)
{
    if (strcmp(was, m->checksum.hex) == 0)
        return;
    if (m->line_ends_only)
        note_line_ends(d, m);
    else if (!d->first_run && rt_ledger_had(d->in->ledger, m->path, m->checksum.hex))
        note_amended(d, m);
    else
        rt_plan_refuse_changed(d->plan, m, NULL, was, !d->first_run);
}

/* Settle the files of the tree that production has already. */
static void settle_applied(struct decision *d)
{
    for (size_t i = 0; i < d->in->set->count; i++) {
        const struct rt_migration *m = &d->in->set->migrations[i];
        const char *was = m->down ? NULL : known_checksum(d, m->path);

        if (was == NULL)
            continue;
        compare_applied(d, m, was);
        d->plan->applied += !d->first_run;
        d->settled[i] = true;
    }
}

static void settle_renamed(struct decision *d, const struct rt_range *history)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct rt_arrival *arrival = &history->arrivals[i];
        const struct rt_migration *m = rt_set_find(d->in->set, arrival->path);
        struct rt_gone *was;

        if (m == NULL || m->down || arrival->deleted ||
            d->settled[m - d->in->set->migrations])
            continue;
        was = rt_gone_before(&d->gone, arrival);
        if (was == NULL)
            continue;
        if (rt_migration_is(m, was->checksum))
            note_rename(d, m, was);
        else
            rt_plan_refuse_changed(d->plan, m, was->path, was->checksum, false);
        was->renamed = true;
        d->plan->applied += !d->first_run;
        d->settled[m - d->in->set->migrations] = true;
    }
}

static void plan_baselines(struct decision *d)
{
    for (size_t i = 0; i < d->in->base_set->count; i++) {
        const struct rt_migration *m = &d->in->base_set->migrations[i];

        if (!m->down && !is_stopped(d, m->path))
            rt_plan_add_baseline(d->plan, m, d->in->range->base.hex);
    }
    if (d->plan->records > 0)
        rt_err_set(
            rt_plan_add_finding(d->plan, RT_NOTE), RT_DONE,
            "the ledger is empty: the %zu migration%s that commit %.12s has already "
            "count as applied and are recorded as baseline",
            d->plan->records, d->plan->records == 1 ? "" : "s", d->in->range->base.hex);
}

/* ------------------------------------------------------------------ another tool */

static bool is_elsewhere(const struct decision *d, size_t i)
{
    return d->in->elsewhere && d->in->elsewhere->applied[i] && !d->settled[i];
}

static void record_elsewhere(struct decision *d, size_t i, const char *commit)
{
    const struct rt_migration *m = &d->in->set->migrations[i];
    struct rt_action *action;

    d->settled[i] = true;
    action = rt_plan_add_baseline(d->plan, m, commit);
    action->reason = d->reason;
    action->clears_steps =
        rt_stopped_find(d->in->stopped, d->in->stopped_count, m->path) != NULL;
    rt_names_add(&d->elsewhere, m->path);
}

/* What is not of this range comes first, with the commit that has it for sure: the rows
 * of the ledger stay in the order of commits. */
static void plan_elsewhere(struct decision *d, struct rt_arena *arena)
{
    const struct rt_elsewhere *elsewhere = d->in->elsewhere;
    const struct rt_range *range = d->in->range;
    bool *arrives = rt_arena_alloc(arena, d->in->set->count * sizeof(*arrives));

    d->reason = rt_arena_format(arena, "applied by %s, as %s says", elsewhere->tool,
                                elsewhere->table);
    for (size_t i = 0; i < range->count; i++) {
        const struct rt_migration *m = rt_set_find(d->in->set, range->arrivals[i].path);

        if (m && !range->arrivals[i].deleted)
            arrives[m - d->in->set->migrations] = true;
    }
    for (size_t i = 0; i < d->in->set->count; i++) {
        if (is_elsewhere(d, i) && !arrives[i])
            record_elsewhere(d, i, range->base.hex);
    }
}

static void note_elsewhere(struct decision *d)
{
    size_t count = d->elsewhere.count;
    struct rt_err *err;

    if (count == 0)
        return;
    err = rt_plan_add_finding(d->plan, RT_NOTE);
    rt_err_set(err, RT_DONE,
               "%zu migration%s by %s, and the ledger is to have %s as "
               "baseline",
               count, count == 1 ? " was applied" : "s were applied",
               d->in->elsewhere->tool, count == 1 ? "it" : "them");
    rt_names_give(&d->elsewhere, err);
}

/* ------------------------------------------------------------------ the range */

static void warn_arrival(struct decision *d, const struct rt_arrival *arrival,
                         const char *what)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_WARNING);

    rt_err_set(err, RT_DONE, "%s arrived with commit %.12s and %s", arrival->path,
               arrival->step.hex, what);
    rt_err_at(err, arrival->path, 0, 0);
}

static void warn_same_text(struct decision *d, const struct rt_migration *m,
                           const struct rt_gone *deleted)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_WARNING);

    rt_err_set(err, RT_DONE,
               "%s has the text of %s, which was applied and deleted: it is a migration "
               "of its own",
               m->path, deleted->path);
    rt_err_at(err, m->path, 0, 0);
    rt_err_hint(err, "A rename is only what one commit of the branch deletes and adds. "
                     "If this is one all the same, record it with revtwin baseline.");
}

static void note_down(struct rt_plan *plan, const struct rt_migration *m)
{
    bool down = rt_is_down(m->path);
    struct rt_err *err = rt_plan_add_finding(plan, down ? RT_NOTE : RT_WARNING);

    rt_err_set(err, RT_DONE, "%s is %s: never applied", m->path,
               down ? "a down migration"
                    : "not NAME/migration.sql, as all migrations in Prisma's layout");
    rt_err_at(err, m->path, 0, 0);
}

static void plan_arrivals(struct decision *d)
{
    for (size_t i = 0; i < d->in->range->count; i++) {
        const struct rt_arrival *arrival = &d->in->range->arrivals[i];
        const struct rt_migration *m = rt_set_find(d->in->set, arrival->path);
        const struct rt_gone *deleted;
        struct rt_action *action;

        /* A deleted one is not the file that has its path now. */
        if (m == NULL || arrival->deleted) {
            if (!rt_is_down(arrival->path) &&
                (d->in->ledger == NULL || known_checksum(d, arrival->path) == NULL))
                warn_arrival(d, arrival, "was deleted before it was applied: skipped");
            continue;
        }
        if (m->down) {
            note_down(d->plan, m);
            continue;
        }
        if (is_elsewhere(d, (size_t)(m - d->in->set->migrations)))
            record_elsewhere(d, (size_t)(m - d->in->set->migrations), arrival->step.hex);
        if (d->settled[m - d->in->set->migrations])
            continue;
        d->settled[m - d->in->set->migrations] = true;
        if (arrival->edited)
            warn_arrival(d, arrival,
                         "was edited since: its content at the end of the range counts");
        deleted = rt_gone_with_text(&d->gone, m);
        if (deleted)
            warn_same_text(d, m, deleted);
        action = rt_plan_add_apply(d->plan, m->path);
        action->oid = m->oid;
        action->checksum = m->checksum.hex;
        action->commit = arrival->step.hex;
    }
}

static void refuse_gaps(struct decision *d)
{
    struct rt_names gaps = {.limit = NAMES_SHOWN};
    struct rt_err *err;

    for (size_t i = 0; i < d->in->set->count; i++) {
        if (!d->settled[i] && !d->in->set->migrations[i].down)
            rt_names_add(&gaps, d->in->set->migrations[i].path);
    }
    if (gaps.count == 0)
        return;
    err = rt_plan_add_finding(d->plan, RT_REFUSAL);
    rt_err_set(err, RT_EREFUSED,
               "%zu migration%s in the tree, but neither in the ledger nor in this range",
               gaps.count, gaps.count == 1 ? " is" : "s are");
    rt_names_give(&gaps, err);
    if (d->in->ledger->count > 0)
        rt_err_hint(err,
                    "An earlier run was missed, or failed. Run revtwin apply --ledger to "
                    "apply everything since the ledger's newest commit, or revtwin apply "
                    "--base REV with the last commit whose migrations are all in. What "
                    "was applied by hand is recorded by revtwin baseline REV.");
    else /* which --ledger could not start after */
        rt_err_hint(err,
                    "An earlier run failed before its first migration was in. Run "
                    "revtwin apply --base REV with the last commit whose migrations are "
                    "all in, or --base " RT_BASE_NONE
                    " when there is no such commit. What was "
                    "applied by hand is recorded by revtwin baseline REV.");
}

static void warn_deleted(struct decision *d)
{
    struct rt_names deleted = {.limit = NAMES_SHOWN};
    struct rt_err *err;

    for (size_t i = 0; i < d->gone.count; i++) {
        if (!d->gone.items[i].renamed)
            rt_names_add(&deleted, d->gone.items[i].path);
    }
    if (deleted.count == 0)
        return;
    err = rt_plan_add_finding(d->plan, RT_WARNING);
    rt_err_set(err, RT_DONE, "%zu applied migration%s no longer in the tree",
               deleted.count, deleted.count == 1 ? " is" : "s are");
    rt_names_give(&deleted, err);
}

/* What is settled by the ledger, before anything is planned. */
static const bool *known_files(const struct decision *d, struct rt_arena *arena)
{
    size_t size = d->in->set->count * sizeof(*d->settled);
    bool *known = rt_arena_alloc(arena, size);

    if (!d->first_run && size > 0)
        memcpy(known, d->settled, size);
    return known;
}

void rt_plan_decide(struct rt_plan *out, struct rt_arena *arena,
                    const struct rt_plan_input *input)
{
    struct decision d = {.in = input, .plan = out, .elsewhere = {.limit = NAMES_SHOWN}};

    d.settled = rt_arena_alloc(arena, input->set->count * sizeof(*d.settled));
    out->ledger_known = input->ledger != NULL;
    out->base = input->range->base.hex;
    if (input->ledger) {
        d.first_run = rt_plan_first_run(input);
        if (d.first_run)
            plan_baselines(&d);
        rt_gone_find(&d.gone, arena, input);
        settle_applied(&d);
        settle_renamed(&d, input->range);
        if (input->history)
            settle_renamed(&d, input->history);
        out->known = known_files(&d, arena);
        rt_resume_plan(out, arena, input, d.settled);
        if (input->elsewhere)
            plan_elsewhere(&d, arena);
    }
    plan_arrivals(&d);
    if (input->ledger) {
        note_elsewhere(&d);
        refuse_gaps(&d);
        warn_deleted(&d);
    }
}

void rt_plan_doubt_baseline(struct rt_plan *plan, const struct rt_range *recent,
                            const struct rt_oid *tip)
{
    struct rt_names names = {.limit = NAMES_SHOWN};
    struct rt_err *err;

    for (size_t i = 0; i < recent->count; i++) {
        const struct rt_arrival *arrival = &recent->arrivals[i];

        if (strcmp(arrival->step.hex, tip->hex) != 0 && !rt_is_down(arrival->path))
            rt_names_add(&names, arrival->path);
    }
    if (names.count == 0)
        return;
    err = rt_plan_add_finding(plan, RT_REFUSAL);
    rt_err_set(err, RT_EREFUSED,
               "the ledger is empty, and %zu migration%s may belong to this pull request "
               "(if it was rebased) or be applied already (if it was squashed)",
               names.count, names.count == 1 ? "" : "s");
    rt_names_give(&names, err);
    rt_err_hint(err,
                "Run revtwin apply --base %.12s if they are to be applied, or revtwin "
                "baseline %.12s^ if production has them.",
                recent->base.hex[0] ? recent->base.hex : RT_BASE_NONE, tip->hex);
}
