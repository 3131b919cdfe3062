/* Writing rows and running nothing: what baseline and amend do with their plan. */
#ifndef RT_CMD_RECORD_H
#define RT_CMD_RECORD_H

#include "cmd/collect.h"
#include "migrate/apply.h"

/*
 * Report the plan's findings, write its records, all or none of them, and report what
 * became of them. Errors: -RT_EREFUSED for a plan with refusals, and those of rt_apply.
 */
int rt_record(struct rt_apply_result *out, struct rt_work *work,
              struct rt_context *context, struct rt_err *err) RT_CHECKED;

#endif
