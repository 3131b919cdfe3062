#include "twin/rebuild/move.h"

#include "base/mem.h"
#include "twin/compare/sum.h"

static void add_columns(struct rt_str *sql, const struct rt_table *table)
{
    struct rt_str columns = {0};

    rt_project_columns(&columns, table, "");
    if (columns.len > 0) /* none can only be left out */
        rt_str_addf(sql, " (%s)", columns.data);
    rt_str_clear(&columns);
}

/* The table itself is read faster than a query over it. */
static char *source_of(const struct rt_move *move, const char *format)
{
    const struct rt_table *table = move->prod;
    struct rt_str sql = {0};

    rt_str_add(&sql, "COPY ");
    if (table->rows_where || move->blocks) {
        rt_str_add(&sql, "(SELECT ");
        rt_project_columns(&sql, table, "");
        rt_str_add(&sql, " FROM ");
        rt_project_source(&sql, table, "");
        rt_str_add(&sql, " WHERE ");
        rt_project_where(&sql, table);
        if (move->blocks)
            rt_str_addf(&sql, " AND ctid >= '(%.0f,0)'", move->blocks->from);
        if (move->blocks && move->blocks->to > 0)
            rt_str_addf(&sql, " AND ctid < '(%.0f,0)'", move->blocks->to);
        rt_str_add(&sql, ")");
    } else {
        rt_str_add(&sql, table->ident);
        add_columns(&sql, table);
    }
    rt_str_addf(&sql, " TO STDOUT (FORMAT %s)", format);
    return rt_str_take(&sql);
}

/* Rows may be written frozen into what the same transaction has made or emptied. */
static char *sink_of(const struct rt_move *move, const char *format)
{
    const struct rt_table *table = move->prod;
    bool frozen = !table->rows_where && move->blocks == NULL;
    bool empty = frozen && !move->made;
    struct rt_str sql = {0};

    if (empty)
        rt_str_addf(&sql, "BEGIN; TRUNCATE ONLY %s; ", table->ident);
    rt_str_addf(&sql, "COPY %s", table->ident);
    add_columns(&sql, table);
    rt_str_addf(&sql, " FROM STDIN (FORMAT %s%s)%s", format, frozen ? ", FREEZE" : "",
                empty ? "; COMMIT" : "");
    return rt_str_take(&sql);
}

/* A move, and what sums its rows up, or NULL. */
struct passing {
    const struct rt_move *move;
    struct rt_row_sum *sum;
};

static void pass(void *context, const char *piece, size_t bytes)
{
    const struct passing *passing = context;

    if (passing->sum)
        rt_row_sum_add(passing->sum, piece, bytes);
    passing->move->passed(passing->move->context, bytes);
}

static int copy(struct rt_copied *out, struct passing *passing, struct rt_conn *prod,
                struct rt_conn *twin, struct rt_err *err)
{
    const struct rt_move *move = passing->move;
    bool binary = rt_project_binary(move->prod, move->next);
    const char *format = binary ? "binary" : "text";
    char *source = source_of(move, format), *sink = sink_of(move, format);
    int rc = rt_copy_pipe(out, prod, source, twin, sink, pass, passing, err);

    free(source);
    free(sink);
    return rc < 0 ? rt_err_wrap(err, "cannot copy table %s", move->prod->ident) : 0;
}

int rt_move(struct rt_copied *out, const struct rt_move *move, struct rt_conn *prod,
            struct rt_conn *twin, struct rt_err *err)
{
    return copy(out, &(struct passing){.move = move}, prod, twin, err);
}

int rt_move_all(struct rt_copied *out, const struct rt_move *move, enum rt_hash_way way,
                struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_row_sum sum;
    int rc;

    rt_row_sum_open(&sum, move->prod, way);
    sum.able &= rt_conn_intact(prod); /* text has no header of the binary format */
    rc = copy(out, &(struct passing){move, &sum}, prod, twin, err);
    sum.able &= sum.rows == out->sent;
    if (rc == 0)
        rc = rt_sum_compare(&out->rows, move->prod, way, &sum, prod, twin, err);
    rt_row_sum_close(&sum);
    return rc;
}
