#include "twin/verify.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "twin/compare/match.h"
#include "twin/guard.h"
#include "twin/matview.h"
#include "twin/snapshot.h"

/* One table's comparison, on one worker. */
struct check {
    struct rt_pair pair;
    enum rt_hash_way way;
    bool name_rows;
    struct rt_progress *progress;
    struct rt_compared compared;
    struct place {
        bool on_prod, on_twin;
        char ctid[32]; /* production's, where there is one */
    } places[RT_VERIFY_ROWS];
    size_t count;
    char *rows[RT_VERIFY_ROWS];
};

struct verify {
    struct rt_verify *job;
    struct rt_arena *arena;
    struct rt_conn *prod, *twin;
    struct rt_snapshot prod_at, twin_at;
    enum rt_hash_way way;
    struct check *checks; /* one a table */
    size_t count;
};

/* ------------------------------------------------------------------ one table */

static int note_row(void *context, const char *prod, const char *twin, struct rt_err *err)
{
    struct check *check = context;
    struct place *place;

    (void)err;
    if (check->count == RT_VERIFY_ROWS) /* of chunks that have more */
        return 0;
    place = &check->places[check->count++];
    place->on_prod = prod != NULL;
    place->on_twin = twin != NULL;
    snprintf(place->ctid, sizeof(place->ctid), "%s", prod ? prod : twin);
    return 0;
}

/* The columns of its key, or all of a row that has none, as text. */
static size_t add_names(struct rt_str *sql, const struct rt_table *table)
{
    size_t count = table->key_count ? table->key_count : table->column_count;

    for (size_t i = 0; i < count; i++) {
        const struct rt_column *column =
            &table->columns[table->key_count ? table->key[i] : i];

        rt_str_add(sql, i ? ", " : "");
        rt_quote_ident(sql, column->name);
        rt_str_add(sql, "::pg_catalog.text");
    }
    return count;
}

static int name_row(char **out, const struct check *check, const struct place *place,
                    struct rt_worker *worker, struct rt_err *err)
{
    const struct rt_table *table = check->pair.prod;
    const char *params[] = {place->ctid};
    struct rt_str sql = {0}, text = {0};
    struct rt_result *found = NULL;
    size_t count;
    int rc;

    rt_str_add(&sql, "SELECT ");
    count = add_names(&sql, table);
    rt_str_add(&sql, " FROM ");
    rt_project_source(&sql, table, "");
    rt_str_add(&sql, " WHERE ctid = $1::pg_catalog.tid");
    rc = rt_query(&found, place->on_prod ? worker->prod : worker->twin, sql.data, 1,
                  params, err);
    rt_str_add(&text, !place->on_twin   ? "only in production: "
                      : !place->on_prod ? "only in the twin: "
                                        : "not the same: ");
    for (size_t i = 0; rc == 0 && rt_result_rows(found) > 0 && i < count; i++) {
        const char *value = rt_result_get(found, 0, (int)i);

        rt_str_addf(&text, "%s%s=%s", i ? ", " : "",
                    table->columns[table->key_count ? table->key[i] : i].name,
                    value ? value : "NULL");
    }
    *out = rt_str_take(&text);
    rt_result_free(found);
    rt_str_clear(&sql);
    return rc;
}

static int run_check(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct check *check = context;
    const struct rt_differences sink = {
        .found = note_row, .context = check, .enough = RT_VERIFY_ROWS};
    const struct rt_table *table = check->pair.prod;
    int rc = rt_compare_table(&check->compared, worker, &check->pair, check->way,
                              RT_COMPARE_ROWS, check->name_rows ? &sink : NULL, err);

    for (size_t i = 0; rc == 0 && i < check->count; i++)
        rc = name_row(&check->rows[i], check, &check->places[i], worker, err);
    check->progress->bytes += table->bytes + table->toast_bytes;
    check->progress->rows_read += check->compared.read;
    check->progress->tables++;
    return rc;
}

/* ------------------------------------------------------------------ all of them */

static int schema_differs(const char *what, struct rt_err *err)
{
    rt_err_set(err, RT_EDIFFERS, "the twin's schema is not production's");
    rt_err_detail(err, "Not the same: %s.", what);
    return rt_err_advice(err, "Rows were not compared, and nothing was changed. What "
                              "differs, shows: revtwin diff. To make the twin equal, "
                              "run: revtwin resync");
}

static int match(struct verify *v, struct rt_err *err)
{
    struct rt_match found;
    int rc = rt_match(&found, v->arena, v->prod, &v->prod_at.tables, v->twin,
                      &v->twin_at.tables, err);

    if (rc < 0)
        return rc;
    if (found.differs)
        return schema_differs(found.differs, err);
    v->count = found.count;
    v->checks = rt_arena_alloc(v->arena, (found.count + 1) * sizeof(*v->checks));
    for (size_t i = 0; i < found.count; i++)
        v->checks[i] = (struct check){.pair = found.pairs[i],
                                      .way = v->way,
                                      .name_rows = v->job->name_rows,
                                      .progress = v->job->progress};
    return 0;
}

static void show(void *context)
{
    rt_progress_show(context);
}

static int run_checks(struct verify *v, struct rt_err *err)
{
    struct rt_str settings = {0};
    struct rt_crew *crew = NULL;
    int rc;

    rt_progress_phase(v->job->progress, "comparing", v->count,
                      rt_tables_bytes(&v->prod_at.tables));
    rt_str_add(&settings, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                          "SET TRANSACTION SNAPSHOT ");
    rt_quote_literal(&settings, v->twin_at.id);
    rc = rt_crew_open(&crew,
                      &(struct rt_crew_setup){
                          .size = v->job->workers,
                          .prod = v->job->prod,
                          .snapshot = v->prod_at.id,
                          .twin = v->job->twin,
                          .access = RT_READ_ONLY,
                          .twin_settings = settings.data,
                          .tick = show,
                          .context = v->job->progress,
                      },
                      err);
    for (size_t i = 0; rc == 0 && i < v->count; i++)
        rt_crew_add(crew, &(struct rt_job){
                              .run = run_check,
                              .context = &v->checks[i],
                              .weight = (double)v->checks[i].pair.prod->bytes,
                          });
    if (rc == 0)
        rc = rt_crew_finish(crew, err);
    rt_crew_close(crew);
    rt_str_clear(&settings);
    return rc;
}

/* What has no rows to compare. */
static int check_others(struct verify *v, struct rt_err *err)
{
    struct rt_verify *job = v->job;
    int rc = rt_sequences_compare(&job->sequences, &job->sequence_count, v->arena,
                                  v->prod, v->twin, err);

    return rc == 0 ? rt_matviews_compare(&job->views, v->arena, v->prod, v->twin, err)
                   : rc;
}

static void take_results(struct verify *v)
{
    struct rt_verify *job = v->job;

    job->taken_at = v->prod_at.taken_at;
    job->left_out = v->prod_at.tables.left_out;
    job->left_out_count = v->prod_at.tables.left_out_count;
    job->count = v->count;
    job->tables = rt_arena_alloc(v->arena, (job->count + 1) * sizeof(*job->tables));
    for (size_t i = 0; i < job->count; i++) {
        const struct check *check = &v->checks[i];
        struct rt_verified_table *table = &job->tables[i];

        table->ident = check->pair.prod->ident;
        table->prod_rows = check->compared.prod_rows;
        table->twin_rows = check->compared.twin_rows;
        table->differs = check->compared.differing > 0;
        for (size_t k = 0; k < check->count; k++) {
            if (check->rows[k])
                table->rows[table->row_count++] =
                    rt_arena_strdup(v->arena, check->rows[k]);
        }
        job->differing += table->differs;
        job->rows += table->prod_rows;
        job->read += check->compared.read;
    }
}

static int open_both(struct verify *v, struct rt_err *err)
{
    int rc = rt_conn_open(&v->prod, v->job->prod, RT_READ_ONLY, err);

    if (rc == 0)
        rc = rt_conn_open(&v->twin, v->job->twin, RT_READ_ONLY, err);
    if (rc < 0)
        return rc;
    rt_later_own_names(v->prod);
    rt_later_own_names(v->twin);
    rc = rt_guard_host(v->prod, err);
    if (rc == 0)
        rc = rt_guard_host(v->twin, err);
    if (rc == 0)
        rc = rt_guard_direction(v->prod, v->twin, err);
    if (rc == 0)
        rc = rt_exec(NULL, v->prod, "ROLLBACK", err);
    if (rc == 0)
        rc = rt_exec(NULL, v->twin, "ROLLBACK", err);
    if (rc == 0)
        rc = rt_snapshot_open(&v->twin_at, v->arena, v->twin, err);
    if (rc == 0)
        rc = rt_snapshot_open(&v->prod_at, v->arena, v->prod, err);
    return rc;
}

int rt_verify(struct rt_verify *job, struct rt_arena *arena, struct rt_err *err)
{
    struct verify v = {.job = job, .arena = arena};
    int rc = open_both(&v, err);

    if (rc == 0)
        rc = rt_hash_way(&v.way, v.prod, v.twin, err);
    if (rc == 0)
        rc = match(&v, err);
    if (rc == 0)
        rc = run_checks(&v, err);
    if (rc == 0)
        rc = check_others(&v, err);
    if (rc == 0)
        take_results(&v);
    rt_snapshot_explain(err);
    for (size_t i = 0; i < v.count; i++) {
        for (size_t k = 0; k < RT_VERIFY_ROWS; k++)
            free(v.checks[i].rows[k]);
    }
    rt_conn_close(v.prod);
    rt_conn_close(v.twin);
    return rc;
}
