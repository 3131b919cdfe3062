/*
 * Which steps a command is about, and how they lie in history against the ledger and the
 * branch that reaches production.
 */
#ifndef RT_CMD_STEPS_H
#define RT_CMD_STEPS_H

#include "cmd/collect.h"

/* Fill work->range as the options ask for: --base, --ledger, the feature branch of a
 * laptop's plan, or the one step of the tip. */
int rt_steps_choose(struct rt_work *work, struct rt_context *context,
                    struct rt_err *err) RT_CHECKED;

/* -RT_EREFUSED when the tip is not on the branch that reaches production, where that
 * branch is known. */
int rt_steps_check_merged(struct rt_work *work, struct rt_context *context,
                          struct rt_err *err) RT_CHECKED;

/*
 * Walk back as far as the plan's input needs to tell renames from copies: input->history
 * is set, to work->history, where the range is not enough.
 */
int rt_steps_history(struct rt_work *work, struct rt_context *context,
                     struct rt_plan_input *input, struct rt_err *err) RT_CHECKED;

/*
 * How many of the ledger's last rows are about commits that the tip need not have: it is
 * an old one, or on a feature branch that is behind. The ledger is in the order of
 * commits.
 */
size_t rt_steps_ahead(const struct rt_work *work, const struct rt_context *context);

/* Tell of each file that has stopped whether its commit is ahead of the tip. */
void rt_steps_stopped(struct rt_work *work, const struct rt_context *context);

/*
 * Refuse a baseline that may be wrong. A rebase merge brings as many steps as the pull
 * request has commits; a squash only one, and nothing in the event tells them apart. With
 * a ledger the gap shows what a single step leaves out; without one it would be taken for
 * applied.
 */
int rt_steps_doubt_baseline(struct rt_work *work, struct rt_context *context,
                            struct rt_err *err) RT_CHECKED;

#endif
