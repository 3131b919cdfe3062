#include "migrate/baseline.h"

#include "base/str.h"

static size_t index_of(const struct rt_baseline *baseline, const struct rt_migration *m)
{
    return (size_t)(m - baseline->set->migrations);
}

static bool is_chosen(const struct rt_baseline *baseline, const struct rt_migration *m)
{
    return !m->down &&
           (baseline->chosen == NULL || baseline->chosen[index_of(baseline, m)]);
}

/* The file that the arrival is in the end, or NULL. */
static const struct rt_migration *arrived(const struct rt_baseline *baseline, size_t i)
{
    const struct rt_arrival *arrival = &baseline->history->arrivals[i];

    return arrival->deleted ? NULL : rt_set_find(baseline->set, arrival->path);
}

/* ------------------------------------------------------------------ choosing */

static void refuse_unknown(struct rt_plan *plan, const struct rt_baseline *baseline,
                           const char *path)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);
    struct rt_guess guess = {.word = path, .limit = 8};

    for (size_t i = 0; i < baseline->set->count; i++)
        rt_guess_try(&guess, baseline->set->migrations[i].path);
    rt_err_set(err, RT_EREFUSED, "%s is not a migration in the tree of commit %.12s",
               path, baseline->commit->hex);
    rt_err_at(err, path, 0, 0);
    rt_err_hint(err, "%s%s%sA path is given from the repository's root.",
                guess.best ? "Did you mean " : "", guess.best ? guess.best : "",
                guess.best ? "? " : "");
}

static void refuse_down(struct rt_plan *plan, const char *path)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s is %s, which is never applied and never recorded",
               path,
               rt_is_down(path) ? "a down migration"
                                : "no migration in Prisma's layout (NAME/migration.sql)");
    rt_err_at(err, path, 0, 0);
}

static void note_recorded(struct rt_plan *plan, const struct rt_ledger_row *row)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_NOTE);
    const char *path = row->column[RT_COL_PATH];

    rt_err_set(err, RT_DONE, "%s is in the ledger already: %s at %s", path,
               row->column[RT_COL_KIND], row->column[RT_COL_APPLIED_AT]);
    rt_err_at(err, path, 0, 0);
}

void rt_baseline_choose(struct rt_plan *out, struct rt_baseline *baseline,
                        char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rt_migration *m = rt_set_find(baseline->set, paths[i]);
        const struct rt_ledger_row *row = rt_ledger_find(baseline->ledger, paths[i]);

        if (m == NULL) {
            refuse_unknown(out, baseline, paths[i]);
        } else if (m->down) {
            refuse_down(out, paths[i]);
        } else {
            if (rt_row_applied(row))
                note_recorded(out, row);
            baseline->chosen[index_of(baseline, m)] = true;
        }
    }
}

/* ------------------------------------------------------------------ planning */

static void plan_file(struct rt_plan *out, const struct rt_baseline *baseline,
                      const struct rt_migration *m, const char *commit)
{
    const struct rt_ledger_row *row = rt_ledger_find(baseline->ledger, m->path);

    if (!rt_row_applied(row)) {
        rt_plan_add_baseline(out, m, commit)->reason = baseline->reason;
        return;
    }
    out->applied++;
    if (strcmp(row->column[RT_COL_CHECKSUM], m->checksum.hex) != 0 &&
        !m->line_ends_only && !rt_ledger_had(baseline->ledger, m->path, m->checksum.hex))
        rt_plan_refuse_changed(out, m, NULL, row->column[RT_COL_CHECKSUM], true);
}

static const bool *known_files(struct rt_arena *arena, const struct rt_baseline *baseline)
{
    const struct rt_set *set = baseline->set;
    bool *known = rt_arena_alloc(arena, set->count * sizeof(*known));

    for (size_t i = 0; i < set->count; i++)
        known[i] =
            !set->migrations[i].down &&
            rt_row_applied(rt_ledger_find(baseline->ledger, set->migrations[i].path));
    return known;
}

void rt_plan_baseline(struct rt_plan *out, struct rt_arena *arena,
                      const struct rt_baseline *baseline)
{
    const struct rt_set *set = baseline->set;
    bool *planned = rt_arena_alloc(arena, set->count * sizeof(*planned));

    out->ledger_known = true;
    out->known = known_files(arena, baseline);
    for (size_t i = 0; baseline->history && i < baseline->history->count; i++) {
        const struct rt_migration *m = arrived(baseline, i);

        if (m == NULL || !is_chosen(baseline, m) || planned[index_of(baseline, m)])
            continue;
        planned[index_of(baseline, m)] = true;
        plan_file(out, baseline, m, baseline->history->arrivals[i].step.hex);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (is_chosen(baseline, &set->migrations[i]) && !planned[i])
            plan_file(out, baseline, &set->migrations[i], baseline->commit->hex);
    }
}

/* ------------------------------------------------------------------ what is left */

static bool is_pending(const struct rt_baseline *baseline, const struct rt_migration *m)
{
    return !m->down && !is_chosen(baseline, m) &&
           !rt_row_applied(rt_ledger_find(baseline->ledger, m->path));
}

/* The commit of the ledger's newest row, once the plan is carried out; or NULL. */
static const char *newest_commit(const struct rt_baseline *baseline,
                                 const struct rt_plan *plan)
{
    const struct rt_ledger *ledger = baseline->ledger;

    if (plan->count > 0)
        return plan->actions[plan->count - 1].commit;
    return ledger->count ? ledger->rows[ledger->count - 1].column[RT_COL_COMMIT] : NULL;
}

struct rt_pending rt_baseline_pending(const struct rt_baseline *baseline,
                                      const struct rt_plan *plan)
{
    const char *newest = newest_commit(baseline, plan);
    struct rt_pending pending = {0};
    bool reached = false;

    for (size_t i = 0; i < baseline->set->count; i++)
        pending.count += is_pending(baseline, &baseline->set->migrations[i]);
    for (size_t i = 0; i < baseline->history->count; i++) {
        const struct rt_arrival *arrival = &baseline->history->arrivals[i];
        const struct rt_migration *m = arrived(baseline, i);

        reached |= newest && strcmp(newest, arrival->step.hex) == 0;
        if (m == NULL || !is_pending(baseline, m))
            continue;
        if (rt_row_applied(rt_ledger_find(baseline->ledger, arrival->origin))) {
            pending.count--; /* renamed since */
        } else if (pending.step == NULL) {
            pending.step = &arrival->step;
            pending.ledger_goes_on = reached;
        }
    }
    return pending;
}
