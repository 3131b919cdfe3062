#include "twin/compare/sum.h"

#include "pg/pipeline.h"

static char *sum_of(const struct rt_table *table, enum rt_hash_way way)
{
    struct rt_str sql = {0};

    /* The fence keeps the hash out of the aggregate's inner loop. */
    rt_str_add(&sql, "SELECT count(*), sum(h) FROM (SELECT ");
    rt_project_row_hash(&sql, table, "", way);
    rt_str_add(&sql, " AS h FROM ");
    rt_project_source(&sql, table, "");
    rt_str_add(&sql, " WHERE ");
    rt_project_where(&sql, table);
    rt_str_add(&sql, " OFFSET 0) _");
    return rt_str_take(&sql);
}

static int send(struct rt_conn *conn, const char *sql, struct rt_err *err)
{
    int rc = rt_pipeline_begin(conn, err);

    if (rc == 0)
        rc = rt_pipeline_send(conn, sql, 0, NULL, err);
    return rc < 0 ? rc : rt_pipeline_end(conn, err);
}

/* The one row, and then the end of the pipeline. */
static int receive(struct rt_result **out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *nothing;
    int rc = rt_pipeline_next(out, conn, err);

    return rc < 0 ? rc : rt_pipeline_next(&nothing, conn, err);
}

static int compare(const struct rt_table *table, const struct rt_result *prod,
                   const struct rt_result *copy, struct rt_err *err)
{
    const char *a = rt_result_get(prod, 0, 1), *b = rt_result_get(copy, 0, 1);

    if (strcmp(rt_result_get(prod, 0, 0), rt_result_get(copy, 0, 0)) != 0)
        rt_err_set(err, RT_EDIFFERS,
                   "table %s has %s rows in production and %s in the copy", table->ident,
                   rt_result_get(prod, 0, 0), rt_result_get(copy, 0, 0));
    else if (a && strcmp(a, b ? b : "") != 0)
        rt_err_set(err, RT_EDIFFERS,
                   "rows of table %s are not what they are in production", table->ident);
    else
        return 0;
    return rt_err_hint(err, "The twin's server stores some value in another way. Either "
                            "the type of a column no longer fits the values that "
                            "production has in it, as when the catalogs were changed by "
                            "hand, or an extension's type is another one there.");
}

static int ask_both(unsigned long long *rows, const struct rt_table *table,
                    const char *sql, struct rt_conn *prod, struct rt_conn *copy,
                    struct rt_err *err)
{
    struct rt_result *here = NULL, *there = NULL;
    int rc = send(prod, sql, err);

    if (rc == 0)
        rc = send(copy, sql, err);
    if (rc == 0)
        rc = receive(&here, prod, err);
    if (rc == 0)
        rc = receive(&there, copy, err);
    rt_pipeline_close(prod);
    rt_pipeline_close(copy);
    if (rc == 0)
        rc = compare(table, here, there, err);
    if (rc == 0)
        *rows = strtoull(rt_result_get(here, 0, 0), NULL, 10);
    rt_result_free(here);
    rt_result_free(there);
    return rc;
}

/* *same: it has what was read. */
static int ask_copy(bool *same, unsigned long long *rows, const char *sql,
                    const struct rt_row_sum *read, struct rt_conn *copy,
                    struct rt_err *err)
{
    struct rt_result *there = NULL;
    int rc = rt_query(&there, copy, sql, 0, NULL, err);

    if (rc == 0) {
        *same =
            rt_row_sum_is(read, rt_result_get(there, 0, 0), rt_result_get(there, 0, 1));
        *rows = read->rows;
    }
    rt_result_free(there);
    return rc;
}

int rt_sum_compare(unsigned long long *rows, const struct rt_table *table,
                   enum rt_hash_way way, const struct rt_row_sum *read,
                   struct rt_conn *prod, struct rt_conn *copy, struct rt_err *err)
{
    /* Its key makes a difference to the hash, and only production has it as yet. */
    char *sql = sum_of(table, way);
    bool same = false;
    int rc = 0;

    if (read && read->able && read->ended)
        rc = ask_copy(&same, rows, sql, read, copy, err);
    if (rc == 0 && !same)
        rc = ask_both(rows, table, sql, prod, copy, err);
    free(sql);
    return rc;
}
