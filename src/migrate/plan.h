/*
 * The plan: what a run would do to production, and what speaks against it.
 *
 * rt_plan_decide (decide.c) is a pure function of the set, the range and the ledger; then
 * rt_plan_load reads the files that are to run, which can only add findings. A plan with
 * a refusal is never executed.
 */
#ifndef RT_MIGRATE_PLAN_H
#define RT_MIGRATE_PLAN_H

#include "git/range.h"
#include "migrate/set.h"
#include "migrate/source.h"
#include "migrate/step.h"

enum rt_action_kind {
    RT_ACTION_RECORD, /* write the ledger row only */
    RT_ACTION_APPLY,  /* run it, with its ledger row */
};

/* One more statement for an action's transaction; text, in the arena. */
struct rt_command {
    const char *sql;
    const char *const *params;
    int nparams;
    const char *purpose;  /* for "cannot ..." */
    const char *conflict; /* what it means that it finds what should not be there: by a
                             failing cast, or as a duplicate */
};

struct rt_action {
    const char *path;
    const char *checksum; /* NULL for an uncommitted file */
    const char *commit;   /* the step that brought it, hex; NULL when uncommitted */
    const char *subject;  /* first line of its message; NULL when uncommitted */
    const char *reason;   /* for the ledger's row, or NULL */
    struct rt_source source;
    const struct rt_command *before; /* NULL; runs first, and fails to stop the action; of
                                        a file without a transaction in one of its own,
                                        with as many statements as it takes */
    const struct rt_command *after;  /* NULL; runs after the ledger's row was written */
    const struct rt_stopped *stopped;     /* it goes on with this; NULL: it begins */
    const struct rt_ledger_row *verbatim; /* the ledger's row as it is; NULL: make one */
    bool clears_steps; /* its rows of revtwin.step go when its row is written */
    enum rt_action_kind kind;
    enum rt_row_kind row; /* of the ledger's row */
    struct rt_oid oid;    /* the content; empty for an uncommitted file */
};

enum rt_finding_level { RT_NOTE, RT_WARNING, RT_REFUSAL };

struct rt_finding {
    enum rt_finding_level level;
    struct rt_err what; /* message, and whatever else is known */
};

struct rt_plan {
    struct rt_action *actions; /* steps oldest first, after what was there before */
    size_t count, cap;
    struct rt_finding *findings;
    size_t findings_count, findings_cap;
    size_t records, refusals; /* how many of the above */
    size_t applied;           /* files of the set that the ledger has */
    const bool *known;        /* which; NULL: that was not asked */
    const char *base;         /* the commit that the range starts after, or NULL */
    bool ledger_known;
}; /* starts as {0} */

/* What --base takes for "before the first commit of all". */
#define RT_BASE_NONE "none"

/* What another tool says of the set, by a table of its own on production. */
struct rt_elsewhere {
    const char *tool, *table;
    const bool *applied; /* for each file of the set: by it, and the ledger has it not */
};

struct rt_plan_input {
    const struct rt_set *set; /* at the range's tip */
    const struct rt_range *range;
    const struct rt_range *history; /* what rt_plan_past asks for, or NULL */
    const struct rt_ledger *ledger; /* NULL: production was not asked */
    const struct rt_set *base_set;  /* at the range's base; used for an empty ledger */
    const struct rt_elsewhere *elsewhere; /* NULL: there is no such table */
    bool base_named; /* by the user, who says so that what the base has is applied */
    const struct rt_stopped *stopped; /* files that have stopped half-way */
    size_t stopped_count;
    bool skip_stopped; /* go past them */
    size_t ahead;      /* the last rows of the ledger that are about commits which the tip
                        does not have: their files are not missed from the tree */
};

/* Whether nothing is recorded yet, also by another tool, so that the base counts as
 * applied. A ledger that is there and empty is what a first run leaves whose first file
 * failed: the base of the next run may be the commit that brought this file. */
bool rt_plan_first_run(const struct rt_plan_input *input);

/*
 * What has to be known of the past to tell a file that was renamed before the range from
 * one that only has the text of a deleted one. since is NULL when the range tells all.
 */
struct rt_past {
    const struct rt_ledger_row *since; /* from the commit of this row on */
    bool elsewhere;                    /* also outside of the folder, which has moved */
};

struct rt_past rt_plan_past(struct rt_arena *arena, const struct rt_plan_input *input,
                            const char *folder);

/* Decide. Paths and checksums are borrowed from the input. */
void rt_plan_decide(struct rt_plan *out, struct rt_arena *arena,
                    const struct rt_plan_input *input);

/*
 * Refuse a first run that would take for applied what may have come with this very pull
 * request: arrivals of recent (its last commits, were it rebased) that are not of tip.
 */
void rt_plan_doubt_baseline(struct rt_plan *plan, const struct rt_range *recent,
                            const struct rt_oid *tip);

/* Add one more; returns what is to be filled, valid until the next is added. */
struct rt_err *rt_plan_add_finding(struct rt_plan *plan, enum rt_finding_level level);
struct rt_action *rt_plan_add_apply(struct rt_plan *plan, const char *path);
struct rt_action *rt_plan_add_record(struct rt_plan *plan, enum rt_row_kind row,
                                     const char *path);

/* Add files that are not committed yet, for a dry run on a laptop. */
void rt_plan_add_uncommitted(struct rt_plan *plan, const struct rt_listing *files);

/* Record the file as assumed applied. */
struct rt_action *rt_plan_add_baseline(struct rt_plan *plan, const struct rt_migration *m,
                                       const char *commit);

/* Refuse a file that was applied with another checksum: was_path is what it was applied
 * as, when that is another path, or NULL; has_row: there is a row to amend. */
void rt_plan_refuse_changed(struct rt_plan *plan, const struct rt_migration *m,
                            const char *was_path, const char *was, bool has_row);

/*
 * Read every file that is to run, and the subject of every step. A file that cannot run
 * is a refusal, not an error.
 */
int rt_plan_load(struct rt_plan *plan, struct rt_arena *arena, struct rt_repo *repo,
                 struct rt_err *err) RT_CHECKED;

/* Read the file of one action; that it cannot run is an error here. */
int rt_plan_load_action(struct rt_plan *plan, size_t i, struct rt_arena *arena,
                        struct rt_repo *repo, struct rt_err *err) RT_CHECKED;

/* Refuse loaded files that set something for the session where that is not ours alone. */
void rt_plan_refuse_settings(struct rt_plan *plan);

/* 0, or -RT_EREFUSED with the number of refusals in the message. */
int rt_plan_check(const struct rt_plan *plan, struct rt_err *err) RT_CHECKED;

void rt_plan_clear(struct rt_plan *plan);

#endif
