/* How a rebuild begins, and how it ends. */
#include "base/clock.h"
#include "base/log.h"
#include "twin/mark.h"
#include "twin/rebuild/private.h"

int rt_rebuild_snapshot(struct rt_rebuild *job, struct rt_arena *arena,
                        struct rt_err *err)
{
    int rc = rt_snapshot_open(&job->snapshot, arena, job->prod, err);

    if (rc < 0)
        return rc;
    rt_log("copying production (%.1f MB)", (double)job->snapshot.size / 1e6);
    return 0;
}

void rt_rebuild_note_violated(struct rt_rebuild *job, const struct rt_foreign *foreign)
{
    job->violated = foreign->violated;
    job->violated_count = foreign->violated_count;
}

static void fill_receipt(struct rt_rebuild *job, struct rt_arena *arena,
                         const struct rt_origin *origin,
                         const struct rt_rebuild_rows *copied)
{
    const struct rt_tables *tables = &job->snapshot.tables;
    struct rt_receipt *receipt = &job->receipt;

    *receipt = (struct rt_receipt){
        .taken_at = job->snapshot.taken_at,
        .origin = *origin,
        .method = RT_REBUILD,
        .why = job->why,
        .verified = true,
        .rows_read = copied->rows,
        .rows_written = copied->rows,
        .bytes_read = copied->bytes,
        .bytes_written = copied->bytes,
        .seconds = (double)(rt_clock_us() - job->started) / 1e6,
        .table_count = tables->count,
    };
    receipt->tables =
        rt_arena_alloc(arena, (tables->count + 1) * sizeof(*receipt->tables));
    for (size_t i = 0; i < tables->count; i++)
        receipt->tables[i] = (struct rt_receipt_table){
            .schema = tables->table[i].schema,
            .name = tables->table[i].name,
            .prod_oid = tables->table[i].oid,
            .rows = copied->table_rows[i],
        };
}

int rt_rebuild_record(struct rt_rebuild *job, struct rt_arena *arena,
                      struct rt_conn *twin, const struct rt_origin *origin,
                      const struct rt_rebuild_rows *copied, struct rt_err *err)
{
    const struct rt_twin_mark mark = {
        .source = job->source,
        .snapshot_at = job->snapshot.taken_at,
        .lsn = job->snapshot.lsn,
        .method = RT_REBUILD,
        .version = RT_VERSION,
        .adopted_at = job->adopted_at,
    };
    int rc = rt_mark_write(twin, &mark, err);

    fill_receipt(job, arena, origin, copied);
    return rc < 0 ? rc : rt_receipt_write(twin, &job->receipt, err);
}
