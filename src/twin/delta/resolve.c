/* What becomes of each staged row. */
#include "base/mem.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/delta/volley.h"
#include "twin/delta/write.h"

/* ------------------------------------------------------------------ found by key */

/* Types of the server's own compare themselves; of others the path does not show the
 * operator, and the text has to do: it may call equal ones different, which are then
 * deleted and inserted. */
static void add_equal(struct rt_str *sql, const struct rt_column *column, size_t number)
{
    static const char builtin[] = "pg_catalog.";
    bool plain = column->send && strncmp(column->send, builtin, strlen(builtin)) == 0;
    struct rt_str name = {0};

    rt_quote_ident(&name, column->name);
    rt_str_addf(sql,
                plain ? " AND t.%s = s." RT_STAGE_COLUMN
                      : " AND ROW(t.%s)::text = ROW(s." RT_STAGE_COLUMN ")::text",
                name.data, number);
    rt_str_clear(&name);
}

static void add_find(struct rt_volley *volley, const struct rt_table *twin, size_t number)
{
    struct rt_str find = {0};

    rt_str_addf(&find, "UPDATE " RT_STAGE_ROWS " s SET " RT_STAGE_CTID " = t.ctid FROM ",
                number);
    rt_project_source(&find, twin, "t");
    rt_str_add(&find, " WHERE true");
    for (size_t i = 0; i < twin->key_count; i++)
        add_equal(&find, &twin->columns[twin->key[i]], twin->key[i]);
    rt_volley_add(volley, &find);
}

/* A row that is the same here already was only touched over there. A row that is gone by
 * its hash and found by its key is replaced. */
static void add_by_key(struct rt_volley *volley, const struct rt_table *twin,
                       size_t number, enum rt_hash_way way)
{
    struct rt_str same = {0}, gone = {0};

    rt_str_addf(&same, "DELETE FROM " RT_STAGE_ROWS " s USING ", number);
    rt_project_source(&same, twin, "t");
    rt_str_add(&same, " WHERE t.ctid = s." RT_STAGE_CTID " AND s." RT_STAGE_HASH " = ");
    rt_project_row_hash(&same, twin, "t", way);
    rt_str_addf(&gone,
                "UPDATE " RT_STAGE_ROWS " s SET " RT_STAGE_CTID " = NULL "
                "FROM " RT_STAGE_GONE " g WHERE s." RT_STAGE_CTID " = g." RT_STAGE_CTID,
                number, number);
    rt_volley_add(volley, &same);
    rt_volley_add(volley, &gone);
}

/* ------------------------------------------------------------------ replaced */

static bool in_key(const struct rt_table *table, size_t column)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (table->key[i] == column)
            return true;
    }
    return false;
}

/* Whether an update may not change the column. By the key rows were paired; but keys that
 * are equal may not be the same, as 1 and 1.00, and ON UPDATE would follow. */
static bool is_fixed(const struct rt_table *table, size_t column, bool by_key,
                     const struct rt_result *unique)
{
    const struct rt_column *c = &table->columns[column];

    if (c->generated)
        return false;
    if (in_key(table, column))
        return by_key && !rt_column_is_integer(c);
    if (c->identity == 'a')
        return true;
    for (size_t i = 0; i < rt_result_rows(unique); i++) {
        const char *name = rt_result_get(unique, i, 1);

        if (strcmp(rt_result_get(unique, i, 0), table->oid) == 0 &&
            (name == NULL || strcmp(name, c->name) == 0))
            return true;
    }
    return false;
}

/* Compared bit by bit: every type can be, whether it knows what equal is or not. */
static void add_replaced(struct rt_volley *volley, const struct rt_table *twin,
                         size_t number, bool by_key, const struct rt_result *unique)
{
    struct rt_str here = {0}, there = {0}, sql = {0};
    const char *comma = "";

    for (size_t i = 0; i < twin->column_count; i++) {
        if (!is_fixed(twin, i, by_key, unique))
            continue;
        rt_str_addf(&here, "%st.", comma);
        rt_quote_ident(&here, twin->columns[i].name);
        rt_str_addf(&there, "%ss." RT_STAGE_COLUMN, comma, i);
        comma = ", ";
    }
    if (here.len > 0) {
        rt_str_addf(&sql,
                    "WITH replaced AS (UPDATE " RT_STAGE_ROWS " s "
                    "SET " RT_STAGE_CTID " = NULL FROM ",
                    number);
        rt_project_source(&sql, twin, "t");
        rt_str_addf(&sql,
                    " WHERE t.ctid = s." RT_STAGE_CTID " AND ROW(%s)::record "
                    "OPERATOR(pg_catalog.*<>) ROW(%s)::record RETURNING t.ctid) "
                    "INSERT INTO " RT_STAGE_GONE " SELECT ctid FROM replaced",
                    here.data, there.data, number);
        rt_volley_add(volley, &sql);
    }
    rt_str_clear(&here);
    rt_str_clear(&there);
}

/* ------------------------------------------------------------------ all of it */

static void add_counts(struct rt_volley *volley, size_t number)
{
    struct rt_str sql = {0};

    rt_str_addf(&sql,
                "SELECT count(*) - count(" RT_STAGE_CTID "), count(" RT_STAGE_CTID "),"
                "       (SELECT count(*) FROM " RT_STAGE_GONE ") FROM " RT_STAGE_ROWS,
                number, number);
    rt_volley_add(volley, &sql);
}

static int read_unique(struct rt_result **out, struct rt_stage *stage, struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct rt_str oids = {0};
    const char *comma = "{";
    const char *param;
    int rc;

    for (size_t i = 0; i < setup->count; i++) {
        if (!rt_stage_of(stage, i)->created)
            continue;
        rt_str_addf(&oids, "%s%s", comma, setup->pairs[i].twin->oid);
        comma = ",";
    }
    rt_str_add(&oids, oids.len ? "}" : "{}");
    param = oids.data;
    rc = rt_query(out, setup->writer, rt_sql_unique_columns, 1, &param, err);
    rt_str_clear(&oids);
    return rc;
}

static unsigned long long number_in(const struct rt_result *row, int column)
{
    return strtoull(rt_result_get(row, 0, column), NULL, 10);
}

int rt_stage_count_old(unsigned long long *old, struct rt_stage *stage,
                       struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct rt_volley volley = {0};
    size_t number = 0;
    int rc = rt_stage_fetch(stage, err);

    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        struct rt_str sql = {0};

        if (!rt_stage_of(stage, i)->created)
            continue;
        rt_str_addf(&sql, "SELECT count(*) FROM " RT_STAGE_ROWS " WHERE " RT_STAGE_OLD,
                    i);
        rt_volley_add(&volley, &sql);
    }
    if (rc == 0)
        rc = rt_volley_run(&volley, setup->writer, err);
    for (size_t i = 0; rc == 0 && i < setup->count; i++)
        old[i] = rt_stage_of(stage, i)->created
                     ? number_in(volley.reads[number++].rows, 0)
                     : 0;
    rt_volley_clear(&volley);
    return rc;
}

/* Run it. counted: behind which statement the counts of each pair are asked for, 0: they
 * are not. */
static int run_counts(struct rt_volley *volley, struct rt_stage *stage,
                      const size_t *counted, struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    int rc = rt_volley_run(volley, setup->writer, err);

    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        struct rt_staged *staged = rt_stage_of(stage, i);
        const struct rt_result *counts;

        if (counted[i] == 0)
            continue;
        counts = volley->reads[counted[i] - 1].rows;
        staged->inserts = number_in(counts, 0);
        staged->updates = number_in(counts, 1);
        staged->deletes = number_in(counts, 2);
    }
    return rc;
}

int rt_stage_match(struct rt_stage *stage, struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct rt_volley volley = {0};
    size_t *counted = rt_alloc((setup->count + 1) * sizeof(*counted));
    int rc = rt_stage_fetch(stage, err);

    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        struct rt_staged *staged = rt_stage_of(stage, i);

        if (!staged->by_key)
            continue;
        add_find(&volley, setup->pairs[i].twin, i);
        add_counts(&volley, i);
        counted[i] = volley.count;
        staged->matched = true;
    }
    if (rc == 0)
        rc = run_counts(&volley, stage, counted, err);
    rt_volley_clear(&volley);
    free(counted);
    return rc;
}

int rt_write_resolve(struct rt_stage *stage, struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct rt_volley volley = {0};
    struct rt_result *unique = NULL;
    size_t *counted = rt_alloc((setup->count + 1) * sizeof(*counted));
    int rc = rt_stage_fetch(stage, err);

    if (rc == 0)
        rc = read_unique(&unique, stage, err);
    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        const struct rt_staged *staged = rt_stage_of(stage, i);

        if (!staged->created)
            continue;
        if (staged->by_key && !staged->matched)
            add_find(&volley, setup->pairs[i].twin, i);
        if (staged->by_key)
            add_by_key(&volley, setup->pairs[i].twin, i, setup->way);
        add_replaced(&volley, setup->pairs[i].twin, i, staged->by_key, unique);
        add_counts(&volley, i);
        counted[i] = volley.count;
    }
    if (rc == 0)
        rc = run_counts(&volley, stage, counted, err);
    rt_volley_clear(&volley);
    rt_result_free(unique);
    free(counted);
    return rc;
}
