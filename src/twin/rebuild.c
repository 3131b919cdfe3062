#include "twin/rebuild.h"

#include "base/log.h"
#include "base/mem.h"
#include "twin/mark.h"
#include "twin/site.h"
#include "twin/transfer.h"

static int measure(struct rt_rebuild *job, struct rt_conn *next, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, next,
                      "SELECT count(*), pg_database_size(current_database()) "
                      "FROM pg_catalog.pg_class c "
                      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                      "WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' "
                      "  AND n.nspname <> 'information_schema'",
                      0, NULL, err);

    if (rc < 0)
        return rc;
    job->tables = strtoul(rt_result_get(found, 0, 0), NULL, 10);
    job->size = strtoull(rt_result_get(found, 0, 1), NULL, 10);
    rt_result_free(found);
    return 0;
}

/* What a restored database lacks to be a twin. */
static int finish(struct rt_rebuild *job, const char *next, struct rt_err *err)
{
    const struct rt_twin_mark mark = {
        .source = job->source,
        .snapshot_at = job->snapshot.taken_at,
        .lsn = job->snapshot.lsn,
        .method = RT_REBUILD,
        .version = RT_VERSION,
        .adopted_at = job->adopted_at,
    };
    struct rt_conn *conn = NULL;
    int rc = rt_conn_open_database(&conn, job->twin, next, RT_READ_WRITE, err);

    if (rc == 0)
        rc = rt_session_without_timeouts(conn, err);
    if (rc == 0) {
        rt_log("analyzing the new twin");
        /* ANALYZE warns about each catalog that belongs to the server's administrator. */
        rc = rt_exec(NULL, conn, "SET client_min_messages = error; ANALYZE", err);
    }
    if (rc == 0)
        rc = measure(job, conn, err);
    if (rc == 0)
        rc = rt_mark_write(conn, &mark, err);
    rt_conn_close(conn);
    return rc;
}

static int build(struct rt_rebuild *job, struct rt_arena *arena, struct rt_site *site,
                 struct rt_err *err)
{
    struct rt_transfer transfer = {job->tools, &job->snapshot, site->conn, site->next};
    int rc = rt_site_create_next(site, err);

    if (rc == 0)
        rc = rt_snapshot_open(&job->snapshot, arena, job->prod, err);
    if (rc == 0)
        rc = rt_transfer_run(&transfer, err);
    rt_snapshot_close(&job->snapshot);
    if (rc == 0)
        rc = finish(job, site->next, err);
    if (rc == 0)
        rc = rt_site_carry_over(site, err);
    if (rc == 0) {
        rt_log("putting the new twin in place of the old one");
        rc = rt_site_swap(site, job->swap_wait_seconds, err);
    }
    return rc;
}

int rt_rebuild(struct rt_rebuild *job, struct rt_arena *arena, struct rt_err *err)
{
    struct rt_site site;
    int rc = rt_site_open(&site, arena, job->twin, job->database, err);

    if (rc < 0)
        return rc;
    rc = rt_site_clean(&site, err);
    if (rc == 0) {
        rc = build(job, arena, &site, err);
        if (rc < 0 && rc != -RT_EUNKNOWN) {
            if (!rt_site_discard_next(&site))
                rt_log("warning: database %s is left over; the next resync drops it",
                       site.next);
            rt_err_wrap(err, "the twin is as it was");
        }
    }
    rt_site_close(&site);
    return rc;
}
