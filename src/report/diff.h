/* How it is shown where the twin's schema differs from production's. */
#ifndef RT_REPORT_DIFF_H
#define RT_REPORT_DIFF_H

#include "report/report.h"
#include "schema/schema.h"

/* As the diff that leads from production to the twin: "-" is what only production has. */
int rt_report_diff(const struct rt_report *report, const struct rt_schema *prod,
                   const struct rt_schema *twin, const struct rt_schema_change *changes,
                   size_t count, struct rt_err *err) RT_CHECKED;

#endif
