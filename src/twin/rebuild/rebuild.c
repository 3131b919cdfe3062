#include "twin/rebuild/rebuild.h"

#include "base/clock.h"
#include "base/log.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/guard.h"
#include "twin/rebuild/foreign.h"
#include "twin/rebuild/load.h"
#include "twin/rebuild/private.h"
#include "twin/rebuild/transfer.h"
#include "twin/sequence.h"

enum { DEFAULT_WORKERS = 2 };

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

/* Everything of one rebuild between the snapshot and the swap. */
struct fill {
    struct rt_rebuild *job;
    struct rt_arena *arena;
    struct rt_transfer *transfer;
    struct rt_origin origin;
    struct rt_indexes indexes;
    struct rt_tables tables; /* of the next database */
    struct rt_conn *next;
    struct rt_load load;
    struct rt_progress unseen; /* where nobody looks */
};

static const char worker_settings[] =
    "SET client_min_messages = error;"
    "SELECT set_config(name, '256MB', false) FROM pg_catalog.pg_settings "
    "WHERE name = 'maintenance_work_mem' AND setting::bigint < 262144";

static int open_crew(struct fill *f, const struct rt_site *site, struct rt_err *err)
{
    struct rt_rebuild *job = f->job;
    unsigned workers = job->workers ? job->workers : DEFAULT_WORKERS;
    const struct rt_crew_setup setup = {
        .size = workers,
        .helpers = workers,
        .prod = rt_conn_server(job->prod),
        .snapshot = job->snapshot.id,
        .twin = job->twin,
        .database = site->next,
        .access = RT_READ_WRITE,
        .twin_settings = worker_settings,
        .tick = rt_load_tick,
        .context = &f->load,
    };

    f->load.workers = workers;
    f->load.snapshot = &job->snapshot;
    f->load.next = &f->tables;
    f->load.indexes = &f->indexes;
    f->load.progress = job->progress ? job->progress : &f->unseen;
    f->load.unread = 1;
    return rt_crew_open(&f->load.crew, &setup, err);
}

static int read_schema(struct rt_worker *worker, void *context, struct rt_err *err)
{
    (void)worker;
    return rt_transfer_read(context, err);
}

/* pg_dump asks one thing after another: meanwhile somebody else makes the next database,
 * and connects the workers. */
static int read_production(struct fill *f, struct rt_site *site, struct rt_err *err)
{
    struct rt_rebuild *job = f->job;
    struct rt_crew *reader = NULL;
    int rc = rt_rebuild_snapshot(job, f->arena, err);

    if (rc < 0)
        return rc;
    rc = rt_transfer_open(&f->transfer, job->tools, &job->snapshot, site->conn,
                          site->next, err);
    if (rc == 0)
        rc = rt_crew_open(&reader, &(struct rt_crew_setup){.size = 1}, err);
    if (rc < 0)
        return rc;
    rt_crew_add(reader, &(struct rt_job){.run = read_schema, .context = f->transfer});
    rc = rt_site_create_next(site, err);
    if (rc == 0)
        rc = open_crew(f, site, err);
    if (rc == 0)
        rc = rt_origin_read(&f->origin, f->arena, job->prod, err);
    if (rc == 0)
        rc = rt_indexes_read(&f->indexes, f->arena, job->prod, err);
    if (rc == 0)
        rc = rt_crew_finish(reader, err);
    rt_crew_close(reader);
    return rc;
}

static int follow_sequences(struct fill *f, struct rt_err *err)
{
    struct rt_places places = {0};
    unsigned long changed;
    int rc = rt_places_read(&places, f->job->prod, err);

    if (rc == 0)
        rc = rt_exec(NULL, f->next, "BEGIN", err);
    if (rc == 0)
        rc = rt_sequences_follow(&changed, &places, f->next, err);
    rt_places_clear(&places);
    return rc < 0 ? rc : rt_exec(NULL, f->next, "COMMIT", err);
}

/* The next database with its empty tables. */
static int prepare(struct fill *f, struct rt_site *site, struct rt_err *err)
{
    int rc = rt_transfer_before(f->transfer, err);

    if (rc == 0)
        rc =
            rt_conn_open_database(&f->next, f->job->twin, site->next, RT_READ_WRITE, err);
    if (rc == 0) {
        rt_session_without_timeouts(f->next);
        rt_projection_pin(f->next);
        rc = rt_exec(NULL, f->next, worker_settings, err);
    }
    if (rc == 0)
        rc = rt_tables_read(&f->tables, f->arena, f->next, err);
    if (rc == 0)
        rc = rt_hash_way(&f->load.way, f->job->prod, f->next, err);
    return rc < 0 ? rc : follow_sequences(f, err);
}

/* ------------------------------------------------------------------ after the rows */

static int analyze(struct rt_worker *worker, void *context, struct rt_err *err)
{
    int rc = rt_exec(NULL, worker->twin, context, err);

    return rc < 0 ? rt_err_wrap(err, "cannot %s", (const char *)context) : 0;
}

static int analyze_rest(struct fill *f, struct rt_err *err)
{
    struct rt_result *statements;
    int rc = rt_query(&statements, f->next, rt_sql_analyze_late, 0, NULL, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < rt_result_rows(statements); i++)
        rt_crew_add(f->load.crew,
                    &(struct rt_job){.run = analyze,
                                     .context = (void *)rt_result_get(statements, i, 0),
                                     .weight = -(double)i,
                                     .twin_only = true});
    rc = rt_crew_finish(f->load.crew, err);
    rt_result_free(statements);
    return rc;
}

static int complete(struct fill *f, struct rt_err *err)
{
    struct rt_foreign foreign = {.crew = f->load.crew, .indexes = &f->indexes};
    int rc;

    rt_log("completing the schema of the new twin");
    rc = rt_transfer_after(f->transfer, &f->indexes, err);
    if (rc == 0)
        rc = rt_foreign_add(&foreign, f->arena, f->next, err);
    rt_rebuild_note_violated(f->job, &foreign);
    return rc < 0 ? rc : analyze_rest(f, err);
}

/* ------------------------------------------------------------------ mark and receipt */

/* Before production's event triggers are there, which could refuse it, or log it. */
static int make_twin(struct fill *f, struct rt_err *err)
{
    const struct rt_rebuild_rows copied = {f->load.rows, f->load.bytes,
                                           f->load.table_rows};
    int rc = measure(f->job, f->next, err);

    if (rc == 0)
        rc = rt_rebuild_record(f->job, f->arena, f->next, &f->origin, &copied, err);
    return rc < 0 ? rc : rt_transfer_last(f->transfer, &f->indexes, err);
}

/* Fill the next database, and make it a twin. */
static int fill(struct rt_rebuild *job, struct rt_arena *arena, struct rt_site *site,
                struct rt_err *err)
{
    struct fill f = {.job = job, .arena = arena};
    int rc;

    job->started = rt_clock_us();
    rc = read_production(&f, site, err);
    if (rc == 0)
        rc = prepare(&f, site, err);
    if (rc == 0)
        rc = rt_load_run(&f.load, arena, err);
    rt_snapshot_close(&job->snapshot);
    if (rc == 0)
        rc = complete(&f, err);
    rt_crew_close(f.load.crew);
    if (rc == 0)
        rc = make_twin(&f, err);
    rt_transfer_close(f.transfer);
    rt_conn_close(f.next);
    return rc;
}

static int build(struct rt_rebuild *job, struct rt_arena *arena, struct rt_site *site,
                 struct rt_err *err)
{
    int rc = fill(job, arena, site, err);

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
    rc = rt_guard_needs(job->prod, site.conn, err);
    if (rc == 0)
        rc = rt_site_clean(&site, err);
    if (rc == 0) {
        rc = build(job, arena, &site, err);
        if (rc < 0 && rc != -RT_EUNKNOWN && !rt_site_discard_next(&site))
            rt_log("warning: database %s is left over; the next resync drops it",
                   site.next);
    }
    if (rc < 0 && rc != -RT_EUNKNOWN)
        rt_err_wrap(err, "the twin is as it was");
    job->kept = rc == 0 && job->swap.keep ? site.previous : NULL;
    rt_site_close(&site);
    return rc;
}
