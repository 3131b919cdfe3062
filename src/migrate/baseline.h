/*
 * Recording migrations as applied without running them: all of a commit, some of them, or
 * those that another tool's history names.
 *
 * First the files are chosen, which may add findings; then rt_plan_baseline makes the
 * plan of the choice. All of it is a pure function of set, ledger and history.
 */
#ifndef RT_MIGRATE_BASELINE_H
#define RT_MIGRATE_BASELINE_H

#include "migrate/plan.h"

struct rt_baseline {
    const struct rt_set *set; /* at the commit */
    const struct rt_ledger *ledger;
    const struct rt_oid *commit;
    const struct rt_range
        *history;       /* the steps up to the commit, for the one that brought
                           each file; NULL: it is recorded with the commit */
    const char *reason; /* for the ledger's rows, or NULL */
    bool *chosen;       /* for each file of the set; NULL: all */
};

/* Choose by path. A path that cannot be recorded is a refusal. */
void rt_baseline_choose(struct rt_plan *out, struct rt_baseline *baseline,
                        char *const *paths, size_t count);

/*
 * Record what is chosen and not in the ledger, steps oldest first. Content that the
 * ledger knows under another checksum is a refusal.
 */
void rt_plan_baseline(struct rt_plan *out, struct rt_arena *arena,
                      const struct rt_baseline *baseline);

/* What stays pending beside the plan; for a baseline with a history. */
struct rt_pending {
    size_t count;
    const struct rt_oid *step; /* the oldest that brought one; NULL when none is known */
    bool ledger_goes_on; /* apply --ledger, after the plan, starts early enough for all */
};

struct rt_pending rt_baseline_pending(const struct rt_baseline *baseline,
                                      const struct rt_plan *plan);

#endif
