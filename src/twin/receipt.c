#include "twin/receipt.h"

#include "base/json.h"
#include "base/mem.h"
#include "pg/query.h"
#include "queries.h"

static int exists(bool *out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, conn, "SELECT to_regclass('revtwin.receipt') IS NOT NULL",
                      0, NULL, err);

    *out = rc == 0 && rt_result_true(found, 0, 0);
    rt_result_free(found);
    return rc;
}

/* ------------------------------------------------------------------ reading */

static const char *text(struct rt_arena *arena, const struct rt_result *rows, size_t row,
                        int column)
{
    const char *value = rt_result_get(rows, row, column);

    return value ? rt_arena_strdup(arena, value) : NULL;
}

static unsigned long long number(const struct rt_result *rows, size_t row, int column)
{
    const char *value = rt_result_get(rows, row, column);

    return value ? strtoull(value, NULL, 10) : 0;
}

/* The columns of receipt_read.sql. */
static void fill(struct rt_receipt *out, struct rt_arena *arena,
                 const struct rt_result *found)
{
    out->present = true;
    out->id = text(arena, found, 0, 0);
    out->taken_at = text(arena, found, 0, 1);
    out->written_at = text(arena, found, 0, 2);
    out->age = strtol(rt_result_get(found, 0, 3), NULL, 10);
    out->origin = (struct rt_origin){
        .system = text(arena, found, 0, 4),
        .timeline = text(arena, found, 0, 5),
        .started = text(arena, found, 0, 6),
        .database = text(arena, found, 0, 7),
        .snapshot = text(arena, found, 0, 8),
        .lsn = text(arena, found, 0, 9),
    };
    out->twin_xid = text(arena, found, 0, 10);
    out->twin_snapshot = text(arena, found, 0, 11);
    out->twin_system = text(arena, found, 0, 12);
    out->twin_database = text(arena, found, 0, 13);
    out->method = text(arena, found, 0, 14);
    out->why = text(arena, found, 0, 15);
    out->incremental_runs = (unsigned)number(found, 0, 16);
    out->verified = rt_result_true(found, 0, 17);
    out->rows_read = number(found, 0, 18);
    out->rows_written = number(found, 0, 19);
    out->bytes_read = number(found, 0, 20);
    out->bytes_written = number(found, 0, 21);
    out->seconds = strtod(rt_result_get(found, 0, 22), NULL);
}

static int read_tables(struct rt_receipt *out, struct rt_arena *arena,
                       struct rt_conn *twin, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, twin, rt_sql_receipt_tables, 1, &out->id, err);

    if (rc < 0)
        return rc;
    out->table_count = rt_result_rows(found);
    out->tables = rt_arena_alloc(arena, out->table_count * sizeof(*out->tables));
    for (size_t i = 0; i < out->table_count; i++) {
        const char *schema = text(arena, found, i, 0), *name = text(arena, found, i, 1);

        out->tables[i] = (struct rt_receipt_table){
            .schema = schema ? schema : "", /* somebody has written it by hand */
            .name = name ? name : "",
            .prod_oid = text(arena, found, i, 2),
            .twin_oid = text(arena, found, i, 3),
            .rows = number(found, i, 4),
        };
    }
    rt_result_free(found);
    return 0;
}

int rt_receipt_read(struct rt_receipt *out, struct rt_arena *arena, struct rt_conn *twin,
                    struct rt_err *err)
{
    struct rt_result *found = NULL;
    bool there;
    int rc = exists(&there, twin, err);

    *out = (struct rt_receipt){0};
    if (rc == 0 && there)
        rc = rt_query(&found, twin, rt_sql_receipt_read, 0, NULL, err);
    if (rc == 0 && there && rt_result_rows(found) > 0) {
        fill(out, arena, found);
        rc = read_tables(out, arena, twin, err);
    }
    rt_result_free(found);
    return rc < 0 ? rt_err_wrap(err, "cannot read the twin's receipt") : 0;
}

const struct rt_receipt_table *rt_receipt_find(const struct rt_receipt *receipt,
                                               const char *schema, const char *name)
{
    size_t low = 0, high = receipt->table_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct rt_receipt_table *table = &receipt->tables[middle];
        int order = strcmp(schema, table->schema);

        if (order == 0)
            order = strcmp(name, table->name);
        if (order == 0)
            return table;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ------------------------------------------------------------------ writing */

/* The list of tables as JSON, for the caller to free. */
static char *list_tables(const struct rt_receipt *receipt)
{
    json_t *list = json_array();
    char *text_of_list;

    for (size_t i = 0; i < receipt->table_count; i++) {
        const struct rt_receipt_table *table = &receipt->tables[i];
        json_t *object = json_object();

        rt_json_put(object, "schema", table->schema);
        rt_json_put(object, "name", table->name);
        rt_json_put(object, "prod", table->prod_oid);
        json_object_set_new(object, "rows", json_integer((json_int_t)table->rows));
        json_array_append_new(list, object);
    }
    text_of_list = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    if (text_of_list == NULL)
        rt_out_of_memory();
    return text_of_list;
}

static int insert(struct rt_conn *twin, const struct rt_receipt *receipt,
                  const struct rt_origin *here, struct rt_err *err)
{
    enum { NUMBER = 24 };
    char runs[NUMBER], rows_read[NUMBER], rows_written[NUMBER], bytes_read[NUMBER],
        bytes_written[NUMBER], seconds[NUMBER];
    char *tables = list_tables(receipt);
    const struct rt_origin *origin = &receipt->origin;
    const char *params[] = {
        receipt->taken_at,
        origin->system,
        origin->timeline,
        origin->started,
        origin->database,
        origin->snapshot,
        origin->lsn,
        receipt->method,
        receipt->why,
        runs,
        receipt->verified ? "true" : "false",
        rows_read,
        rows_written,
        bytes_read,
        bytes_written,
        seconds,
        RT_VERSION,
        tables,
        here->system,
        here->database,
    };
    int rc;

    snprintf(runs, NUMBER, "%u", receipt->incremental_runs);
    snprintf(rows_read, NUMBER, "%llu", receipt->rows_read);
    snprintf(rows_written, NUMBER, "%llu", receipt->rows_written);
    snprintf(bytes_read, NUMBER, "%llu", receipt->bytes_read);
    snprintf(bytes_written, NUMBER, "%llu", receipt->bytes_written);
    snprintf(seconds, NUMBER, "%.3f", receipt->seconds);
    rc = rt_query(NULL, twin, rt_sql_receipt_insert, RT_COUNT(params), params, err);
    free(tables);
    return rc;
}

int rt_receipt_write(struct rt_conn *twin, const struct rt_receipt *receipt,
                     struct rt_err *err)
{
    struct rt_arena arena = {0};
    struct rt_origin here;
    bool there;
    int rc = rt_origin_read(&here, &arena, twin, err);

    if (rc == 0)
        rc = exists(&there, twin, err);
    if (rc == 0 && !there)
        rc = rt_exec(NULL, twin, rt_sql_receipt_create, err);
    if (rc == 0)
        rc = insert(twin, receipt, &here, err);
    rt_arena_clear(&arena);
    return rc < 0 ? rt_err_wrap(err, "cannot write the twin's receipt") : 0;
}
