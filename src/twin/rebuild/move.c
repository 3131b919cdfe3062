#include "twin/rebuild/move.h"

#include "base/mem.h"

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

static void pass(void *context, const char *piece, size_t bytes)
{
    const struct rt_move *move = context;

    if (move->sum)
        rt_row_sum_add(move->sum, piece, bytes);
    move->passed(move->context, bytes);
}

int rt_move(struct rt_copied *out, const struct rt_move *move, struct rt_conn *prod,
            struct rt_conn *twin, struct rt_err *err)
{
    bool binary = rt_project_binary(move->prod, move->next);
    const char *format = binary ? "binary" : "text";
    char *source = source_of(move, format), *sink = sink_of(move, format);
    struct rt_move on = *move;
    int rc;

    if (on.sum)
        on.sum->able &= binary && move->blocks == NULL && rt_conn_intact(prod);
    rc = rt_copy_pipe(out, prod, source, twin, sink, pass, &on, err);
    free(source);
    free(sink);
    return rc < 0 ? rt_err_wrap(err, "cannot copy table %s", move->prod->ident) : 0;
}
