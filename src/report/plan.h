/* How a plan, and what became of it, is shown. */
#ifndef RT_REPORT_PLAN_H
#define RT_REPORT_PLAN_H

#include "migrate/apply.h"
#include "report/report.h"

/* The findings: refusals, warnings and notes, on standard error and in the document. */
void rt_report_findings(const struct rt_report *report, const struct rt_plan *plan);

/* What would be done (result NULL), or what was done with each file. */
void rt_report_plan(const struct rt_report *report, const struct rt_plan *plan,
                    const struct rt_apply_result *result);

#endif
