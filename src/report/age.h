/* How old the twin is: as of when, and which migrations it lacks. */
#ifndef RT_REPORT_AGE_H
#define RT_REPORT_AGE_H

#include "report/report.h"
#include "twin/mark.h"
#include "twin/receipt.h"

/* What is known of a twin. Zero means that it is not. */
struct rt_twin_age {
    const char *database;
    struct rt_twin_mark mark;
    struct rt_receipt receipt; /* told as far as it is of the mark's snapshot */
    int64_t clock;             /* production's by now, microseconds since 1970; 0: the
                                  age is by the twin's own */
    bool compared;             /* the ledgers were: */
    const char **behind;       /* migrations that production has and the twin has not */
    size_t behind_count;
    size_t ahead;        /* rows that only the twin's ledger has */
    const char *problem; /* why something could not be read there, or NULL */
};

void rt_report_age(const struct rt_report *report, const struct rt_twin_age *twin);

#endif
