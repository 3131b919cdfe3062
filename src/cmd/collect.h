/*
 * Collecting and deciding, which change nothing: everything that a command has to know
 * before it acts. plan is apply without the act, so both collect here.
 */
#ifndef RT_CMD_COLLECT_H
#define RT_CMD_COLLECT_H

#include "cmd/command.h"
#include "cmd/event.h"
#include "git/layout.h"
#include "migrate/apply.h"
#include "migrate/prisma.h"

/* How much of production a command may touch. */
enum rt_intent { RT_INTENT_LOOK, RT_INTENT_CHANGE };

struct rt_work {
    struct rt_event event;
    const char *nothing; /* why there is nothing to do at all, or NULL */
    struct rt_oid tip;
    bool feature_branch;  /* the range starts at a fork point, and the checkout counts */
    struct rt_conn *prod; /* NULL: production was not asked */
    struct rt_ledger ledger;
    struct rt_range range;
    struct rt_range history; /* longer than the range, when renames ask for it */
    struct rt_listing listing;
    struct rt_set set, base_set;
    struct rt_plan plan;
    enum rt_intent intent;
    bool in_prisma;          /* migrations are in Prisma's layout, */
    struct rt_layout layout; /* as it is there, */
    struct rt_prisma prisma; /* and Prisma's table; table is NULL when it was not read */
};                           /* starts as {0} */

/* What names the commit that a command is about: the first that is there. */
enum rt_commit_source {
    RT_COMMIT_HEAD,    /* HEAD: the operand is something else */
    RT_COMMIT_OPERAND, /* the operand, HEAD */
    RT_COMMIT_EVENT,   /* the operand, the merge commit of the event, HEAD */
};

/*
 * The commit that the command is about and the settings that hold there. The event is
 * kept as far as it is about this commit. Without an operand, work->nothing is set for a
 * pull request that was closed without merging, or merged into another branch.
 */
int rt_collect_commit(struct rt_work *work, struct rt_context *context,
                      enum rt_commit_source source, struct rt_err *err) RT_CHECKED;

/*
 * Connect to production and read its ledger; RT_INTENT_CHANGE also takes the lock of the
 * one runner, and settles how rows are signed (rt_signing_check). Refused (-RT_EREFUSED)
 * when production is a twin, and (-RT_EDIFFERS) when the ledger's chain is broken, unless
 * chain_may_be_broken.
 */
int rt_collect_ledger(struct rt_work *work, struct rt_context *context,
                      enum rt_intent intent, bool chain_may_be_broken,
                      struct rt_err *err) RT_CHECKED;

/* The set at the tip; and in Prisma's layout, what Prisma has applied (cmd/prisma.h). */
int rt_collect_set(struct rt_work *work, struct rt_context *context,
                   struct rt_err *err) RT_CHECKED;

/* The range that the options ask for, and the plan for it. After the three above. */
int rt_collect_plan(struct rt_work *work, struct rt_context *context,
                    struct rt_err *err) RT_CHECKED;

/*
 * The set against the ledger, whatever the range: actions are the pending files, findings
 * tell what was changed, renamed or deleted. For status and verify.
 */
int rt_collect_comparison(struct rt_work *work, struct rt_context *context,
                          struct rt_err *err) RT_CHECKED;

/* How to run a plan, by the settings; texts live in the context's arena. */
struct rt_apply_options rt_collect_options(const struct rt_work *work,
                                           struct rt_context *context);

void rt_work_clear(struct rt_work *work);

#endif
