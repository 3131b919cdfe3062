/* Writing rows and running nothing: what baseline, amend and resolve do with their
 * plan. */
#ifndef RT_CMD_RECORD_H
#define RT_CMD_RECORD_H

#include "cmd/collect.h"
#include "migrate/apply.h"

/*
 * Report the plan's findings and what is about to be recorded; then write the records,
 * all or none of them, or with --dry-run leave it at that (and *out at {0}). Errors:
 * -RT_EREFUSED for a plan with refusals, and those of rt_apply.
 */
int rt_record(struct rt_apply_result *out, struct rt_work *work,
              struct rt_context *context, struct rt_err *err) RT_CHECKED;

#endif
