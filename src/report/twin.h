/* How the twin is shown: what it is, and what a resync has made of it. */
#ifndef RT_REPORT_TWIN_H
#define RT_REPORT_TWIN_H

#include "report/report.h"
#include "twin/mark.h"
#include "twin/resync.h"
#include "twin/undo.h"
#include "twin/verify.h"

/* The twin in this database, by its mark. */
void rt_report_twin(const struct rt_report *report, const char *database,
                    const struct rt_twin_mark *mark);

void rt_report_resync(const struct rt_report *report,
                      const struct rt_resync_result *result);
void rt_report_undo(const struct rt_report *report, const struct rt_undo *undo);
void rt_report_verify(const struct rt_report *report, const struct rt_verify *verify);

#endif
