/* What both ways to rebuild do: beside the twin (rebuild.c), and in place (inplace.c). */
#ifndef RT_TWIN_REBUILD_PRIVATE_H
#define RT_TWIN_REBUILD_PRIVATE_H

#include "twin/rebuild/foreign.h"
#include "twin/rebuild/rebuild.h"

/* What was copied. */
struct rt_rebuild_rows {
    unsigned long long rows, bytes;
    const unsigned long long *table_rows; /* by table of the snapshot */
};

/* Take the snapshot (job->snapshot). */
int rt_rebuild_snapshot(struct rt_rebuild *job, struct rt_arena *arena,
                        struct rt_err *err) RT_CHECKED;

/* Make what was filled a twin: its mark, and the receipt (job->receipt). */
int rt_rebuild_record(struct rt_rebuild *job, struct rt_arena *arena,
                      struct rt_conn *twin, const struct rt_origin *origin,
                      const struct rt_rebuild_rows *copied,
                      struct rt_err *err) RT_CHECKED;

/* Keep which foreign keys are not valid on the twin. */
void rt_rebuild_note_violated(struct rt_rebuild *job, const struct rt_foreign *foreign);

#endif
