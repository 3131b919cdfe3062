/* How the state of production and its twin is shown. */
#ifndef RT_REPORT_STATUS_H
#define RT_REPORT_STATUS_H

#include "migrate/attempt.h"
#include "migrate/plan.h"
#include "report/report.h"

/* The ledger, and what is pending at the commit with the failed attempts at it. */
void rt_report_production(const struct rt_report *report, const struct rt_ledger *ledger,
                          const struct rt_plan *pending,
                          const struct rt_attempt *attempts, size_t attempt_count);

#endif
