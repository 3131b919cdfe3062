/*
 * From top to bottom: read production's schema, clear the twin, make its tables, fill
 * them and prove them equal, then everything else, and commit: one transaction, of which
 * nothing is seen before.
 */
#include "twin/rebuild/inplace.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/compare/sum.h"
#include "twin/guard.h"
#include "twin/hold.h"
#include "twin/rebuild/clear.h"
#include "twin/rebuild/move.h"
#include "twin/rebuild/private.h"
#include "twin/rebuild/restore.h"
#include "twin/rebuild/transfer.h"
#include "twin/sequence.h"

enum { SHOW_EVERY = 1 << 20 /* bytes */ };

struct renewal {
    struct rt_rebuild *job;
    struct rt_arena *arena;
    struct rt_conn *writer; /* the twin, in the one transaction */
    struct rt_clear clear;
    struct rt_origin origin;
    struct rt_indexes indexes;
    struct rt_transfer *transfer;
    struct rt_tables tables; /* of the twin, made anew */
    enum rt_hash_way way;
    struct rt_rebuild_rows copied;
    unsigned long long *table_rows, shown;
    struct rt_progress *progress, unseen;
};

static void show(void *context)
{
    rt_progress_show(context);
}

/* ------------------------------------------------------------------ before the rows */

static int open_twin(struct renewal *r, struct rt_err *err)
{
    const struct rt_rebuild *job = r->job;
    int rc = rt_conn_open(&r->writer, job->twin, RT_READ_WRITE, err);

    if (rc < 0)
        return rc;
    rt_conn_on_wait(r->writer, show, r->progress);
    r->clear = (struct rt_clear){
        .prod = job->prod,
        .twin = r->writer,
        .wait_seconds = job->swap.wait_seconds,
        .force = job->swap.force,
        .must_be_empty = job->place.must_be_empty,
    };
    return rt_guard_needs(job->prod, r->writer, err);
}

static int read_production(struct renewal *r, struct rt_err *err)
{
    struct rt_rebuild *job = r->job;
    int rc = rt_rebuild_snapshot(job, r->arena, err);

    if (rc == 0)
        rc = rt_origin_read(&r->origin, r->arena, job->prod, err);
    if (rc == 0)
        rc = rt_indexes_read(&r->indexes, r->arena, job->prod, err);
    if (rc == 0)
        rc = rt_transfer_open(&r->transfer, job->tools, &job->snapshot, r->writer, NULL,
                              err);
    return rc < 0 ? rc : rt_transfer_read(r->transfer, err);
}

/* A part of production's schema, for the caller to have printed before. */
static int restore(struct renewal *r, char *script, struct rt_err *err)
{
    int rc = rt_restore(r->writer, script, err);

    if (rc == 0) /* pg_restore has settings of its own */
        rc = rt_hold_pin(r->writer, r->job->swap.wait_seconds, err);
    return rc < 0 ? rt_err_wrap(err, "cannot fill the twin") : 0;
}

/* The OIDs of those of production's schemas that have stayed on the twin. */
static int read_schemas(const char **out, struct renewal *r, struct rt_err *err)
{
    struct rt_result *names, *found = NULL;
    const char *name;
    int rc =
        rt_query(&names, r->writer,
                 "SELECT array_agg(nspname) FROM pg_catalog.pg_namespace", 0, NULL, err);

    if (rc < 0)
        return rc;
    name = rt_result_get(names, 0, 0);
    rc = rt_query(&found, r->job->prod,
                  "SELECT ' ' || string_agg(oid::text, ' ') || ' ' "
                  "FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text::name[])",
                  1, &name, err);
    if (rc == 0)
        *out = rt_arena_strdup(r->arena, rt_result_get(found, 0, 0));
    rt_result_free(found);
    rt_result_free(names);
    return rc;
}

/* Its tables, empty. */
static int make_tables(struct renewal *r, struct rt_err *err)
{
    struct rt_places places = {0};
    unsigned long changed;
    const char *schemas;
    char *script = NULL;
    int rc = read_schemas(&schemas, r, err);

    if (rc == 0)
        rc = rt_transfer_before_text(&script, r->transfer, schemas, err);
    if (rc == 0)
        rc = restore(r, script, err);
    free(script);
    if (rc == 0)
        rc = rt_tables_read(&r->tables, r->arena, r->writer, err);
    if (rc == 0)
        rc = rt_hash_way(&r->way, r->job->prod, r->writer, err);
    if (rc == 0)
        rc = rt_places_read(&places, r->job->prod, err);
    if (rc == 0)
        rc = rt_sequences_follow(&changed, &places, r->writer, err);
    rt_places_clear(&places);
    return rc;
}

/* ------------------------------------------------------------------ the rows */

static void count_bytes(void *context, size_t bytes)
{
    struct renewal *r = context;

    r->copied.bytes += bytes;
    r->progress->read += bytes;
    r->progress->written += bytes;
    r->progress->bytes += bytes;
    if (r->copied.bytes - r->shown > SHOW_EVERY) {
        r->shown = r->copied.bytes;
        rt_progress_show(r->progress);
    }
}

static int copy_table(struct renewal *r, size_t number, struct rt_err *err)
{
    const struct rt_table *table = &r->job->snapshot.tables.table[number];
    const struct rt_move move = {
        .prod = table,
        .next = rt_tables_find(&r->tables, table->schema, table->name),
        .made = true,
        .passed = count_bytes,
        .context = r,
    };
    struct rt_copied copied;
    int rc;

    if (move.next == NULL)
        return rt_err_set(err, RT_EINTERNAL, "table %s is missing in the new twin",
                          table->ident);
    rc = rt_move_all(&copied, &move, r->way, r->job->prod, r->writer, err);
    if (rc < 0)
        return rc;
    r->copied.rows += copied.rows;
    r->table_rows[number] = copied.rows;
    r->progress->tables++;
    return 0;
}

static int by_oid(const void *a, const void *b, void *context)
{
    const struct rt_tables *tables = context;
    unsigned long one = strtoul(tables->table[*(const size_t *)a].oid, NULL, 10);
    unsigned long other = strtoul(tables->table[*(const size_t *)b].oid, NULL, 10);

    return (one > other) - (one < other);
}

/* An extension that has stayed has its rows still. */
static int delete_rows(struct renewal *r, const struct rt_table *table,
                       struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_add(&sql, "DELETE FROM ");
    rt_project_source(&sql, table, "");
    rt_str_add(&sql, " WHERE ");
    rt_project_where(&sql, table);
    rc = rt_exec(NULL, r->writer, sql.data, err);
    rt_str_clear(&sql);
    return rc < 0 ? rt_err_wrap(err, "cannot empty table %s", table->ident) : 0;
}

/* In the order in which they were made: the tables of extensions may refer to each other,
 * and have their keys already. */
static int copy_tables(struct renewal *r, struct rt_err *err)
{
    struct rt_tables *all = &r->job->snapshot.tables;
    size_t *order = rt_arena_alloc(r->arena, (all->count + 1) * sizeof(*order));
    unsigned long long bytes = 0;
    int rc = 0;

    r->table_rows = rt_arena_alloc(r->arena, (all->count + 1) * sizeof(*r->table_rows));
    r->copied.table_rows = r->table_rows;
    for (size_t i = 0; i < all->count; i++) {
        order[i] = i;
        bytes += all->table[i].bytes + all->table[i].toast_bytes;
    }
    qsort_r(order, all->count, sizeof(*order), by_oid, all);
    rt_progress_phase(r->progress, "copying", all->count, bytes);
    for (size_t i = all->count; rc == 0 && i > 0; i--) {
        if (all->table[order[i - 1]].rows_where)
            rc = delete_rows(r, &all->table[order[i - 1]], err);
    }
    for (size_t i = 0; rc == 0 && i < all->count; i++)
        rc = copy_table(r, order[i], err);
    return rc;
}

/* ------------------------------------------------------------------ after the rows */

static bool is_parent(const struct renewal *r, const struct rt_table *table)
{
    return rt_tables_find(&r->tables, table->schema, table->name)->parent;
}

static int index_table(struct renewal *r, const struct rt_table *table,
                       struct rt_err *err)
{
    struct rt_str analyze = {0};
    size_t count;
    const struct rt_index *index = rt_indexes_of(&count, &r->indexes, table->oid);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (index[i].create)
            rc = rt_exec(NULL, r->writer, index[i].create, err);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (index[i].add)
            rc = rt_exec(NULL, r->writer, index[i].add, err);
    }
    rt_str_addf(&analyze, "ANALYZE %s", table->ident);
    if (rc == 0 && !table->rows_where && !is_parent(r, table)) /* later */
        rc = rt_exec(NULL, r->writer, analyze.data, err);
    rt_str_clear(&analyze);
    r->progress->tables++;
    return rc < 0 ? rt_err_wrap(err, "cannot build the indexes of table %s", table->ident)
                  : 0;
}

static int index_tables(struct renewal *r, struct rt_err *err)
{
    const struct rt_tables *all = &r->job->snapshot.tables;
    int rc = 0;

    rt_progress_phase(r->progress, "building indexes", all->count, 0);
    for (size_t i = 0; rc == 0 && i < all->count; i++)
        rc = index_table(r, &all->table[i], err);
    return rc;
}

static int analyze_late(struct renewal *r, struct rt_err *err)
{
    struct rt_result *statements;
    int rc = rt_query(&statements, r->writer, rt_sql_analyze_late, 0, NULL, err);

    for (size_t i = 0; rc == 0 && i < rt_result_rows(statements); i++)
        rc = rt_exec(NULL, r->writer, rt_result_get(statements, i, 0), err);
    rt_result_free(statements);
    return rc;
}

static int complete(struct renewal *r, struct rt_err *err)
{
    struct rt_foreign foreign = {.indexes = &r->indexes};
    char *script = NULL;
    int rc;

    rt_log("completing the schema of the new twin");
    rc = rt_transfer_after_text(&script, r->transfer, &r->indexes, err);
    if (rc == 0)
        rc = restore(r, script, err);
    free(script);
    if (rc == 0)
        rc = rt_foreign_add_alone(&foreign, r->arena, r->writer, err);
    rt_rebuild_note_violated(r->job, &foreign);
    return rc < 0 ? rc : analyze_late(r, err);
}

/* ------------------------------------------------------------------ the end */

/* What the old twin takes is still there, too. */
static int measure(struct renewal *r, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, r->writer,
                      "SELECT count(*) FILTER (WHERE c.relkind = 'r'),"
                      "       coalesce(sum(pg_total_relation_size(c.oid)), 0) "
                      "FROM pg_catalog.pg_class c "
                      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                      "WHERE c.relkind IN ('r', 'm', 'S') "
                      "  AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' "
                      "  AND n.nspname <> 'information_schema' "
                      "  AND NOT (n.nspname = 'revtwin'"
                      "           AND c.relname IN ('twin', 'receipt'))",
                      0, NULL, err);

    if (rc < 0)
        return rc;
    r->job->tables = strtoul(rt_result_get(found, 0, 0), NULL, 10);
    r->job->size = strtoull(rt_result_get(found, 0, 1), NULL, 10);
    rt_result_free(found);
    return 0;
}

static int make_twin(struct renewal *r, struct rt_err *err)
{
    char *script = NULL;
    int rc = measure(r, err);

    if (rc == 0)
        rc = rt_rebuild_record(r->job, r->arena, r->writer, &r->origin, &r->copied, err);
    if (rc == 0)
        rc = rt_transfer_last_text(&script, r->transfer, &r->indexes, err);
    if (rc == 0)
        rc = restore(r, script, err);
    free(script);
    return rc < 0 ? rc : rt_hold_commit(r->writer, RT_HOLD_SETTLE, err);
}

static int fill(struct renewal *r, struct rt_err *err)
{
    int rc = rt_clear(&r->clear, err);

    if (rc == 0)
        rc = rt_exec(NULL, r->writer,
                     "SELECT set_config(name, '256MB', true) "
                     "FROM pg_catalog.pg_settings "
                     "WHERE name = 'maintenance_work_mem' AND setting::bigint < 262144",
                     err);
    if (rc == 0)
        rc = make_tables(r, err);
    if (rc == 0)
        rc = copy_tables(r, err);
    rt_snapshot_close(&r->job->snapshot);
    if (rc == 0)
        rc = index_tables(r, err);
    if (rc == 0)
        rc = complete(r, err);
    if (rc == 0)
        rc = make_twin(r, err);
    return rc < 0 ? rt_clear_explain(&r->clear, err) : 0;
}

int rt_rebuild_in_place(struct rt_rebuild *job, struct rt_arena *arena,
                        struct rt_err *err)
{
    struct renewal r = {.job = job, .arena = arena};
    int rc;

    r.progress = job->progress ? job->progress : &r.unseen;
    job->started = rt_clock_us();
    rc = open_twin(&r, err);
    if (rc == 0)
        rc = read_production(&r, err);
    if (rc == 0)
        rc = fill(&r, err);
    rt_snapshot_close(&job->snapshot);
    rt_transfer_close(r.transfer);
    rt_conn_close(r.writer);
    if (rc < 0 && rc != -RT_EUNKNOWN)
        rt_err_wrap(err, "the twin is as it was");
    return rc;
}
