#include "twin/resync.h"

#include "base/clock.h"
#include "pg/query.h"
#include "twin/guard.h"
#include "twin/mark.h"
#include "twin/rebuild.h"
#include "twin/tools.h"

static const char *describe(struct rt_arena *arena, const struct rt_conn *conn)
{
    return rt_arena_format(arena, "%s on %s", rt_conn_database(conn), rt_conn_host(conn));
}

/* Everything that must be known before the first write. */
static int check(struct rt_rebuild *job, struct rt_tools *tools, struct rt_arena *arena,
                 struct rt_conn *prod, struct rt_conn *twin,
                 const struct rt_resync_options *options, const char **twin_at,
                 struct rt_err *err)
{
    struct rt_twin_mark mark = {0};
    int rc = rt_guard_host(prod, err);

    if (rc == 0)
        rc = rt_guard_host(twin, err);
    if (rc == 0)
        rc = rt_guard_direction(prod, twin, err);
    if (rc == 0)
        rc = rt_guard_adopted(twin, options->adopt, err);
    if (rc == 0)
        rc = rt_mark_read(&mark, arena, twin, err);
    if (rc == 0)
        rc = rt_site_locate(&job->place, arena, twin, err);
    job->place.must_be_empty = !options->adopt && !mark.present;
    job->adopted_at = mark.adopted_at;
    *twin_at = mark.snapshot_at;
    if (rc == 0) /* what follows takes longer than production may let us idle in it */
        rc = rt_exec(NULL, prod, "ROLLBACK", err);
    if (rc == 0)
        rc = rt_tools_find(tools, arena, options->bindir, prod, twin, err);
    return rc;
}

int rt_resync(struct rt_resync_result *out, struct rt_arena *arena,
              const struct rt_server *prod_server, const struct rt_server *twin_server,
              const struct rt_resync_options *options, struct rt_err *err)
{
    struct rt_conn *prod = NULL, *twin = NULL;
    struct rt_tools tools;
    struct rt_rebuild job = {.twin = twin_server,
                             .tools = &tools,
                             .swap = {.wait_seconds = options->swap_wait_seconds,
                                      .force = options->force,
                                      .keep = options->keep_previous}};
    const char *twin_at = NULL;
    int64_t start = rt_clock_us();
    int rc;

    *out = (struct rt_resync_result){.method = RT_REBUILD};
    rc = rt_conn_open(&prod, prod_server, RT_READ_ONLY, err);
    if (rc == 0) /* the twin may take its time to wake up */
        rc = rt_session_without_timeouts(prod, err);
    if (rc == 0)
        rc = rt_conn_open(&twin, twin_server, RT_READ_ONLY, err);
    if (rc == 0)
        rc = check(&job, &tools, arena, prod, twin, options, &twin_at, err);
    if (rc < 0)
        goto done;
    out->source = describe(arena, prod);
    out->twin = describe(arena, twin);
    job.prod = prod;
    job.source = out->source;
    rt_conn_close(twin); /* a session on the twin would be in the way of the swap */
    twin = NULL;
    rc = rt_rebuild(&job, arena, err);
    out->snapshot_at = job.snapshot.taken_at;
    out->size = job.size;
    out->tables = job.tables;
    out->kept = job.kept;
    out->kept_at = twin_at;
    out->seconds = (double)(rt_clock_us() - start) / 1e6;
done:
    rt_conn_close(twin);
    rt_conn_close(prod);
    return rc;
}
