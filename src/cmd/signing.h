/*
 * How the rows that a command writes are signed: with the key that REVTWIN_SIGNING_KEY
 * holds, or names; without it not at all.
 */
#ifndef RT_CMD_SIGNING_H
#define RT_CMD_SIGNING_H

#include "cmd/collect.h"
#include "migrate/apply.h"

/* Fill context->signing_key. An empty variable is an unset one, as a workflow gives a
 * secret that it does not have. Errors: -RT_EUSAGE as rt_signing_key_read. */
int rt_signing_take(struct rt_context *context, struct rt_err *err) RT_CHECKED;

/*
 * Findings about the row that the next one follows. It is signed and there is no key: a
 * refusal, because an unsigned row cannot be signed later. It is not signed with this
 * key: a warning only. It is like that when signing begins and when the key changes, for
 * which the other key is not needed; and what follows it vouches for itself alone, so
 * that verify still finds every row of somebody else.
 */
void rt_signing_check(struct rt_work *work, struct rt_context *context);

/* The ledger's head, and whether the rows that were written are signed. */
void rt_signing_report(struct rt_context *context, const struct rt_apply_result *result);

#endif
