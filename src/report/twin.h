/* How it is shown what a resync has made of the twin. */
#ifndef RT_REPORT_TWIN_H
#define RT_REPORT_TWIN_H

#include "migrate/replay.h"
#include "report/age.h"
#include "twin/rebuild/undo.h"
#include "twin/resync.h"
#include "twin/verify.h"

void rt_report_resync(const struct rt_report *report,
                      const struct rt_resync_result *result,
                      const struct rt_replay *replay);
void rt_report_undo(const struct rt_report *report, const struct rt_undo *undo);
void rt_report_verify(const struct rt_report *report, const struct rt_verify *verify);

#endif
