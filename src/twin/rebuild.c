#include "twin/rebuild.h"

#include "base/log.h"
#include "base/mem.h"
#include "pg/query.h"
#include "twin/guard.h"
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

/*
 * Production's event triggers must not see what is done to the copy itself: they could
 * refuse it, or log it into a table. *wake takes the statements that end the silence.
 */
static int silence_event_triggers(struct rt_result **wake, struct rt_conn *next,
                                  struct rt_err *err)
{
    int rc =
        rt_query(wake, next,
                 "SELECT format('ALTER EVENT TRIGGER %I ENABLE%s', evtname,"
                 "              CASE evtenabled WHEN 'R' THEN ' REPLICA'"
                 "                              WHEN 'A' THEN ' ALWAYS' ELSE '' END),"
                 "       format('ALTER EVENT TRIGGER %I DISABLE', evtname) "
                 "FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'",
                 0, NULL, err);

    for (size_t i = 0; rc == 0 && i < rt_result_rows(*wake); i++)
        rc = rt_exec(NULL, next, rt_result_get(*wake, i, 1), err);
    return rc;
}

/* What a copy of the data lacks to be a twin. */
static int finish(struct rt_rebuild *job, const struct rt_transfer *transfer,
                  struct rt_conn *next, struct rt_err *err)
{
    const struct rt_twin_mark mark = {
        .source = job->source,
        .snapshot_at = job->snapshot.taken_at,
        .lsn = job->snapshot.lsn,
        .method = RT_REBUILD,
        .version = RT_VERSION,
        .adopted_at = job->adopted_at,
    };
    struct rt_result *wake = NULL;
    int rc = silence_event_triggers(&wake, next, err);

    if (rc == 0)
        rc = rt_transfer_comments(transfer, next, err);
    if (rc == 0) /* ANALYZE warns of each catalog that belongs to the administrator */
        rc = rt_exec(NULL, next, "SET client_min_messages = error", err);
    if (rc == 0) {
        rt_log("analyzing the new twin");
        rc = rt_exec(NULL, next, "ANALYZE", err); /* alone: a transaction a table */
    }
    if (rc == 0)
        rc = measure(job, next, err);
    if (rc == 0)
        rc = rt_mark_write(next, &mark, err);
    for (size_t i = 0; rc == 0 && i < rt_result_rows(wake); i++)
        rc = rt_exec(NULL, next, rt_result_get(wake, i, 0), err);
    rt_result_free(wake);
    return rc;
}

/* Fill the next database, and make it a twin. */
static int fill(struct rt_rebuild *job, struct rt_arena *arena, struct rt_site *site,
                struct rt_err *err)
{
    struct rt_transfer *transfer = NULL;
    struct rt_conn *next = NULL;
    int rc = rt_snapshot_open(&job->snapshot, arena, job->prod, err);

    if (rc == 0) {
        rt_log("copying production (%.1f MB)", (double)job->snapshot.size / 1e6);
        rc = rt_transfer_open(&transfer, job->tools, &job->snapshot, site->conn,
                              site->next, err);
    }
    if (rc == 0)
        rc = rt_transfer_data(transfer, err);
    rt_snapshot_close(&job->snapshot);
    if (rc == 0) {
        rt_log("building the indexes of the new twin");
        rc = rt_transfer_rest(transfer, err);
    }
    if (rc == 0)
        rc = rt_conn_open_database(&next, job->twin, site->next, RT_READ_WRITE, err);
    if (rc == 0)
        rc = rt_session_without_timeouts(next, err);
    if (rc == 0)
        rc = finish(job, transfer, next, err);
    rt_transfer_close(transfer);
    rt_conn_close(next);
    return rc;
}

static int build(struct rt_rebuild *job, struct rt_arena *arena, struct rt_site *site,
                 struct rt_err *err)
{
    int rc = rt_site_create_next(site, err);

    if (rc == 0)
        rc = fill(job, arena, site, err);
    if (rc == 0)
        rc = rt_site_carry_over(site, err);
    if (rc == 0) {
        rt_log("putting the new twin in place of the old one");
        rc = rt_site_swap(site, &job->swap, err);
    }
    return rc;
}

int rt_rebuild(struct rt_rebuild *job, struct rt_arena *arena, struct rt_err *err)
{
    struct rt_site site;
    int rc = rt_site_open(&site, arena, job->twin, &job->place, err);

    if (rc < 0)
        return rc;
    rc = rt_guard_extensions(job->prod, site.conn, err);
    if (rc == 0)
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
    job->kept = rc == 0 && job->swap.keep ? site.previous : NULL;
    rt_site_close(&site);
    return rc;
}
