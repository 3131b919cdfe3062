/* How the state of production and its twin is shown. */
#ifndef RT_REPORT_STATUS_H
#define RT_REPORT_STATUS_H

#include "migrate/attempt.h"
#include "migrate/plan.h"
#include "report/report.h"

/* What is known besides the ledger. */
struct rt_trouble {
    const struct rt_attempt *attempts; /* that failed, and were rolled back */
    size_t attempt_count;
    const struct rt_stopped *stopped; /* half-way */
    size_t stopped_count;
};

/* The ledger, what has stopped, and what is pending at the commit with the failed
 * attempts at it. */
void rt_report_production(const struct rt_report *report, const struct rt_ledger *ledger,
                          struct rt_arena *arena, const struct rt_plan *pending,
                          const struct rt_trouble *trouble);

#endif
