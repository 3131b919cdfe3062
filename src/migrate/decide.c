/* Deciding: a pure function of the set, the range and the ledger. */
#include "base/str.h"
#include "migrate/plan.h"

/* What is known as applied but is not in the tree: deleted, unless a rename claims it. */
struct missing {
    const char *path, *checksum;
    bool claimed;
};

/* The working state of one decision. */
struct decision {
    const struct rt_plan_input *in;
    struct rt_plan *plan;
    bool first_run; /* nothing is recorded yet: the base counts as applied */
    struct missing *missing;
    size_t missing_count;
    bool *settled; /* for each file of the set: applied, renamed or planned */
};

enum { NAMES_SHOWN = 20 };

/* A list of names for a finding's detail, cut when it is long. */
struct names {
    struct rt_str text;
    size_t count;
};

static void add_name(struct names *names, const char *path)
{
    if (names->count < NAMES_SHOWN)
        rt_str_addf(&names->text, "%s%s", names->count ? "\n" : "", path);
    names->count++;
}

static void give_names(struct rt_err *err, struct names *names)
{
    if (names->count > NAMES_SHOWN)
        rt_str_addf(&names->text, "\n... and %zu more", names->count - NAMES_SHOWN);
    rt_err_detail(err, "%s", rt_str_text(&names->text));
    rt_str_clear(&names->text);
}

/* ------------------------------------------------------------------ what is known */

/* The checksum that the path was applied with, or NULL. */
static const char *known_checksum(const struct decision *d, const char *path)
{
    const struct rt_migration *baseline;
    const struct rt_ledger_row *row;

    if (d->first_run) {
        baseline = rt_set_find(d->in->base_set, path);
        return baseline && !baseline->down ? baseline->checksum.hex : NULL;
    }
    row = rt_ledger_find(d->in->ledger, path);
    return rt_row_applied(row) ? row->column[RT_COL_CHECKSUM] : NULL;
}

static void add_missing(struct decision *d, const char *path, const char *checksum)
{
    if (rt_set_find(d->in->set, path) == NULL)
        d->missing[d->missing_count++] = (struct missing){path, checksum, false};
}

static void find_missing(struct decision *d, struct rt_arena *arena)
{
    const struct rt_ledger *ledger = d->in->ledger;
    size_t known = d->first_run ? d->in->base_set->count : ledger->count;

    d->missing = rt_arena_alloc(arena, known * sizeof(*d->missing));
    for (size_t i = 0; d->first_run && i < known; i++) {
        const struct rt_migration *m = &d->in->base_set->migrations[i];

        if (!m->down)
            add_missing(d, m->path, m->checksum.hex);
    }
    for (size_t i = 0; !d->first_run && i < known; i++) {
        const char *const *column = ledger->by_path[i]->column;
        const char *path = column[RT_COL_PATH];

        /* The last row of a path is the one that counts. */
        if (rt_ledger_find(ledger, path) == ledger->by_path[i] &&
            rt_row_applied(ledger->by_path[i]) &&
            ledger->by_path[i] < ledger->rows + known - d->in->ahead)
            add_missing(d, path, column[RT_COL_CHECKSUM]);
    }
}

static struct missing *claim_rename(struct decision *d, const struct rt_migration *m)
{
    for (size_t i = 0; i < d->missing_count; i++) {
        struct missing *old = &d->missing[i];

        if (!old->claimed && strcmp(old->checksum, m->checksum.hex) == 0) {
            old->claimed = true;
            return old;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ deciding */

static void refuse_changed(struct rt_plan *plan, const struct rt_migration *m,
                           const char *was)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s was changed after it was applied", m->path);
    rt_err_at(err, m->path, 0, 0);
    rt_err_detail(err, "Applied with %s %s, now %s.", RT_HASH_ALGORITHM, was,
                  m->checksum.hex);
    rt_err_hint(err,
                "Restore the file as it was, and put the change into a new migration.");
}

static void note_line_ends(struct decision *d, const struct rt_migration *m)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);

    rt_err_set(err, RT_DONE, "%s differs from what was applied only in its line ends",
               m->path);
    rt_err_at(err, m->path, 0, 0);
}

static void note_rename(struct decision *d, const struct rt_migration *m,
                        const struct missing *old)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);

    rt_err_set(err, RT_DONE, "%s was applied as %s: renamed, the content is the same",
               m->path, old->path);
    rt_err_at(err, m->path, 0, 0);
}

/* Settle the files of the tree that production has already. */
static void settle_applied(struct decision *d)
{
    for (size_t i = 0; i < d->in->set->count; i++) {
        const struct rt_migration *m = &d->in->set->migrations[i];
        const char *was = m->down ? NULL : known_checksum(d, m->path);

        if (was == NULL)
            continue;
        if (m->line_ends_only)
            note_line_ends(d, m);
        else if (strcmp(was, m->checksum.hex) != 0)
            refuse_changed(d->plan, m, was);
        d->plan->applied += !d->first_run;
        d->settled[i] = true;
    }
    for (size_t i = 0; i < d->in->set->count; i++) {
        const struct rt_migration *m = &d->in->set->migrations[i];
        const struct missing *old = d->settled[i] || m->down ? NULL : claim_rename(d, m);

        if (old == NULL)
            continue;
        note_rename(d, m, old);
        d->plan->applied += !d->first_run;
        d->settled[i] = true;
    }
}

static void add_baseline(struct rt_plan *plan, const struct rt_migration *m,
                         const struct rt_oid *commit)
{
    struct rt_action *action = rt_plan_add_record(plan, RT_ROW_BASELINE, m->path);

    action->oid = m->oid;
    action->checksum = m->checksum.hex;
    action->commit = commit->hex;
}

static void plan_baselines(struct decision *d)
{
    for (size_t i = 0; i < d->in->base_set->count; i++) {
        if (!d->in->base_set->migrations[i].down)
            add_baseline(d->plan, &d->in->base_set->migrations[i], &d->in->range->base);
    }
    if (d->plan->records > 0)
        rt_err_set(
            rt_plan_add_finding(d->plan, RT_NOTE), RT_DONE,
            "the ledger is empty: the %zu migration%s that commit %.12s has already "
            "count as applied and are recorded as baseline",
            d->plan->records, d->plan->records == 1 ? "" : "s", d->in->range->base.hex);
}

void rt_plan_baseline(struct rt_plan *out, const struct rt_set *set,
                      const struct rt_ledger *ledger, const struct rt_oid *commit)
{
    out->ledger_known = true;
    for (size_t i = 0; i < set->count; i++) {
        const struct rt_migration *m = &set->migrations[i];
        const struct rt_ledger_row *row = rt_ledger_find(ledger, m->path);

        if (m->down)
            continue;
        if (!rt_row_applied(row))
            add_baseline(out, m, commit);
        else if (strcmp(row->column[RT_COL_CHECKSUM], m->checksum.hex) != 0 &&
                 !m->line_ends_only)
            refuse_changed(out, m, row->column[RT_COL_CHECKSUM]);
        out->applied += rt_row_applied(row);
    }
}

static void warn_arrival(struct decision *d, const struct rt_arrival *arrival,
                         const char *what)
{
    struct rt_err *err = rt_plan_add_finding(d->plan, RT_WARNING);

    rt_err_set(err, RT_DONE, "%s arrived with commit %.12s and %s", arrival->path,
               arrival->step.hex, what);
    rt_err_at(err, arrival->path, 0, 0);
}

static void plan_arrivals(struct decision *d)
{
    for (size_t i = 0; i < d->in->range->count; i++) {
        const struct rt_arrival *arrival = &d->in->range->arrivals[i];
        const struct rt_migration *m = rt_set_find(d->in->set, arrival->path);
        struct rt_action *action;

        /* A deleted one is not the file that has its path now. */
        if (m == NULL || arrival->deleted) {
            if (!rt_is_down(arrival->path) &&
                (d->in->ledger == NULL || known_checksum(d, arrival->path) == NULL))
                warn_arrival(d, arrival, "was deleted before it was applied: skipped");
            continue;
        }
        if (m->down) {
            struct rt_err *err = rt_plan_add_finding(d->plan, RT_NOTE);

            rt_err_set(err, RT_DONE, "%s is a down migration: never applied", m->path);
            rt_err_at(err, m->path, 0, 0);
            continue;
        }
        if (d->settled[m - d->in->set->migrations])
            continue;
        d->settled[m - d->in->set->migrations] = true;
        if (arrival->edited)
            warn_arrival(d, arrival,
                         "was edited since: its content at the end of the range counts");
        action = rt_plan_add_apply(d->plan, m->path);
        action->oid = m->oid;
        action->checksum = m->checksum.hex;
        action->commit = arrival->step.hex;
    }
}

static void refuse_gaps(struct decision *d)
{
    struct names gaps = {0};
    struct rt_err *err;

    for (size_t i = 0; i < d->in->set->count; i++) {
        if (!d->settled[i] && !d->in->set->migrations[i].down)
            add_name(&gaps, d->in->set->migrations[i].path);
    }
    if (gaps.count == 0)
        return;
    err = rt_plan_add_finding(d->plan, RT_REFUSAL);
    rt_err_set(err, RT_EREFUSED,
               "%zu migration%s in the tree, but neither in the ledger nor in this range",
               gaps.count, gaps.count == 1 ? " is" : "s are");
    give_names(err, &gaps);
    rt_err_hint(err,
                "An earlier run was missed, or failed. Run revtwin apply --ledger to "
                "apply everything since the ledger's newest commit, or revtwin apply "
                "--base REV with the last commit whose migrations are all in. What "
                "was applied by hand is recorded by revtwin baseline REV.");
}

static void warn_deleted(struct decision *d)
{
    struct names deleted = {0};
    struct rt_err *err;

    for (size_t i = 0; i < d->missing_count; i++) {
        if (!d->missing[i].claimed)
            add_name(&deleted, d->missing[i].path);
    }
    if (deleted.count == 0)
        return;
    err = rt_plan_add_finding(d->plan, RT_WARNING);
    rt_err_set(err, RT_DONE, "%zu applied migration%s no longer in the tree",
               deleted.count, deleted.count == 1 ? " is" : "s are");
    give_names(err, &deleted);
}

void rt_plan_decide(struct rt_plan *out, struct rt_arena *arena,
                    const struct rt_plan_input *input)
{
    struct decision d = {.in = input, .plan = out};

    d.settled = rt_arena_alloc(arena, input->set->count * sizeof(*d.settled));
    out->ledger_known = input->ledger != NULL;
    if (out->ledger_known) {
        /* A ledger that is there and empty is what a first run leaves whose first file
         * failed: the base of the next run may be the commit that brought this file. */
        d.first_run =
            input->ledger->count == 0 && (!input->ledger->exists || input->base_named);
        if (d.first_run)
            plan_baselines(&d);
        find_missing(&d, arena);
        settle_applied(&d);
    }
    plan_arrivals(&d);
    if (out->ledger_known) {
        refuse_gaps(&d);
        warn_deleted(&d);
    }
}

void rt_plan_doubt_baseline(struct rt_plan *plan, const struct rt_range *recent,
                            const struct rt_oid *tip)
{
    struct names names = {0};
    struct rt_err *err;

    for (size_t i = 0; i < recent->count; i++) {
        const struct rt_arrival *arrival = &recent->arrivals[i];

        if (strcmp(arrival->step.hex, tip->hex) != 0 && !rt_is_down(arrival->path))
            add_name(&names, arrival->path);
    }
    if (names.count == 0)
        return;
    err = rt_plan_add_finding(plan, RT_REFUSAL);
    rt_err_set(err, RT_EREFUSED,
               "the ledger is empty, and %zu migration%s may belong to this pull request "
               "(if it was rebased) or be applied already (if it was squashed)",
               names.count, names.count == 1 ? "" : "s");
    give_names(err, &names);
    rt_err_hint(err,
                "Run revtwin apply --base %.12s if they are to be applied, or revtwin "
                "baseline %.12s^ if production has them.",
                recent->base.hex, tip->hex);
}
