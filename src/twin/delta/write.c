#include "twin/delta/write.h"

#include "base/mem.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/delta/volley.h"

/* ------------------------------------------------------------------ statements */

/* The end of each: how many rows were written, and whether they are those of the stage.
 */
static void add_check(struct rt_str *sql, size_t number, bool updates)
{
    rt_str_addf(sql,
                " AS hash) SELECT count(*), coalesce(sum(hash), 0) = "
                "(SELECT coalesce(sum(" RT_STAGE_HASH "), 0) FROM " RT_STAGE_ROWS
                " WHERE " RT_STAGE_CTID " IS %sNULL) FROM written",
                number, updates ? "NOT " : "");
}

static void add_delete(struct rt_volley *volley, const struct rt_table *twin,
                       size_t number)
{
    struct rt_str sql = {0};

    rt_str_add(&sql, "WITH written AS (DELETE FROM ");
    rt_project_source(&sql, twin, "t");
    rt_str_addf(&sql,
                " USING " RT_STAGE_GONE " g WHERE t.ctid = g." RT_STAGE_CTID
                " RETURNING 1) SELECT count(*), true FROM written",
                number);
    rt_volley_add(volley, &sql);
}

static void add_insert(struct rt_volley *volley, const struct rt_table *twin,
                       size_t number, enum rt_hash_way way)
{
    struct rt_str sql = {0}, into = {0}, from = {0};
    const char *comma = "";

    rt_project_columns(&into, twin, "");
    for (size_t i = 0; i < twin->column_count; i++) {
        if (twin->columns[i].generated)
            continue;
        rt_str_addf(&from, "%s" RT_STAGE_COLUMN, comma, i);
        comma = ", ";
    }
    rt_str_addf(&sql, "WITH written AS (INSERT INTO %s ", twin->ident);
    if (into.len > 0) /* or it has no column to name */
        rt_str_addf(&sql, "(%s) ", into.data);
    rt_str_addf(&sql,
                "OVERRIDING SYSTEM VALUE SELECT %s FROM " RT_STAGE_ROWS
                " WHERE " RT_STAGE_CTID " IS NULL RETURNING ",
                rt_str_text(&from), number);
    rt_project_row_hash(&sql, twin, "", way);
    add_check(&sql, number, false);
    rt_volley_add(volley, &sql);
    rt_str_clear(&into);
    rt_str_clear(&from);
}

static void add_update(struct rt_volley *volley, const struct rt_table *twin,
                       size_t number, enum rt_hash_way way)
{
    struct rt_str sql = {0};
    const char *comma = " SET ";

    rt_str_add(&sql, "WITH written AS (UPDATE ");
    rt_project_source(&sql, twin, "t");
    for (size_t i = 0; i < twin->column_count; i++) {
        const struct rt_column *column = &twin->columns[i];

        if (column->generated || column->identity == 'a')
            continue;
        rt_str_add(&sql, comma);
        rt_quote_ident(&sql, column->name);
        rt_str_addf(&sql, " = s." RT_STAGE_COLUMN, i);
        comma = ", ";
    }
    rt_str_addf(&sql,
                " FROM " RT_STAGE_ROWS " s WHERE t.ctid = s." RT_STAGE_CTID " RETURNING ",
                number);
    rt_project_row_hash(&sql, twin, "t", way);
    add_check(&sql, number, true);
    rt_volley_add(volley, &sql);
}

/* ------------------------------------------------------------------ in order */

/* A statement of the volley: whose it is, and how many rows it has to write. */
struct step {
    size_t pair;
    unsigned long long rows;
    const char *verb;
};

struct plan {
    struct rt_volley volley;
    struct step *steps; /* one a statement */
    size_t cap;
};

static void note(struct plan *plan, size_t pair, unsigned long long rows,
                 const char *verb)
{
    size_t count = plan->volley.count - 1;

    plan->steps = rt_grow(plan->steps, count, &plan->cap, sizeof(*plan->steps));
    plan->steps[count] = (struct step){pair, rows, verb};
}

struct place {
    size_t pair;
    unsigned rank;
};

static int by_rank(const void *a, const void *b)
{
    const struct place *left = a, *right = b;

    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return (left->pair > right->pair) - (left->pair < right->pair);
}

/*
 * All that goes away before anything comes, so that no unique value is there twice; what
 * comes before what changes, and referenced tables first, so that a foreign key that was
 * left in place finds what it looks for; and last where rows go away, so that it finds
 * nothing to act on.
 */
static void make_plan(struct plan *plan, struct rt_stage *stage,
                      const struct rt_write_load *loads)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct place *order = rt_alloc((setup->count + 1) * sizeof(*order));

    for (size_t i = 0; i < setup->count; i++)
        order[i] = (struct place){i, loads[i].rank};
    qsort(order, setup->count, sizeof(*order), by_rank);
    for (size_t i = setup->count; i > 0; i--) {
        size_t pair = order[i - 1].pair;

        if (loads[pair].deletes == 0)
            continue;
        add_delete(&plan->volley, setup->pairs[pair].twin, pair);
        note(plan, pair, loads[pair].deletes, "deleted");
    }
    for (size_t i = 0; i < setup->count; i++) {
        size_t pair = order[i].pair;

        if (loads[pair].inserts == 0)
            continue;
        add_insert(&plan->volley, setup->pairs[pair].twin, pair, setup->way);
        note(plan, pair, loads[pair].inserts, "inserted");
    }
    for (size_t i = 0; i < setup->count; i++) {
        if (loads[i].updates == 0)
            continue;
        add_update(&plan->volley, setup->pairs[i].twin, i, setup->way);
        note(plan, i, loads[i].updates, "updated");
    }
    free(order);
}

/* ------------------------------------------------------------------ checks */

static int differs(const char *table, struct rt_err *err)
{
    rt_err_set(err, RT_EDIFFERS,
               "table %s of the twin would not be equal to production's after the resync",
               table);
    return rt_err_hint(err, "Something on the twin changes what is written to it, or "
                            "revtwin has an error. To copy everything instead, run "
                            "revtwin resync --method rebuild.");
}

static int check_steps(const struct plan *plan, const struct rt_stage_setup *setup,
                       struct rt_err *err)
{
    for (size_t i = 0; i < plan->volley.count; i++) {
        const struct step *step = &plan->steps[i];
        const struct rt_result *row = plan->volley.reads[i].rows;
        unsigned long long rows = strtoull(rt_result_get(row, 0, 0), NULL, 10);

        if (rows == step->rows && rt_result_true(row, 0, 1))
            continue;
        differs(setup->pairs[step->pair].twin->ident, err);
        return rows == step->rows
                   ? rt_err_detail(err,
                                   "The rows that were %s are not what production "
                                   "has.",
                                   step->verb)
                   : rt_err_detail(err, "%llu rows were to be %s, and %llu were.",
                                   step->rows, step->verb, rows);
    }
    return 0;
}

/* Which pair a table is of; count: none. */
static size_t find_pair(const struct rt_write_load *loads, size_t count, const char *oid)
{
    size_t i = 0;

    while (i < count && strcmp(loads[i].oid, oid) != 0)
        i++;
    return i;
}

/* No trigger, rule, foreign key or anything else has written a row besides. */
static int check_touched(const struct rt_result *touched,
                         const struct rt_write_load *loads, size_t count,
                         struct rt_err *err)
{
    static const struct rt_write_load nothing = {0};

    for (size_t i = 0; i < rt_result_rows(touched); i++) {
        size_t pair = find_pair(loads, count, rt_result_get(touched, i, 0));
        const struct rt_write_load *load = pair < count ? &loads[pair] : &nothing;
        const char *inserts = rt_result_get(touched, i, 2);
        const char *updates = rt_result_get(touched, i, 3);
        const char *deletes = rt_result_get(touched, i, 4);

        if (strtoull(inserts, NULL, 10) == load->inserts &&
            strtoull(updates, NULL, 10) == load->updates &&
            strtoull(deletes, NULL, 10) == load->deletes)
            continue;
        differs(rt_result_get(touched, i, 1), err);
        return rt_err_detail(err,
                             "The server has inserted %s, updated %s and deleted %s of "
                             "its rows, where %llu, %llu and %llu were meant.",
                             inserts, updates, deletes, load->inserts, load->updates,
                             load->deletes);
    }
    return 0;
}

int rt_write(struct rt_stage *stage, const struct rt_write_load *loads,
             struct rt_err *err)
{
    const struct rt_stage_setup *setup = rt_stage_setup_of(stage);
    struct rt_result *touched = NULL;
    struct plan plan = {0};
    int rc;

    make_plan(&plan, stage, loads);
    rc = rt_volley_run(&plan.volley, setup->writer, err);
    if (rc == 0)
        rc = check_steps(&plan, setup, err);
    if (rc == 0)
        rc = rt_query(&touched, setup->writer, rt_sql_rows_touched, 0, NULL, err);
    if (rc == 0)
        rc = check_touched(touched, loads, setup->count, err);
    rt_result_free(touched);
    rt_volley_clear(&plan.volley);
    free(plan.steps);
    return rc;
}
