#include "twin/sequence.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

/* Where the sequences of one side are: rows of name, last_value, is_called, over several
 * results that follow each other. */
struct places {
    struct rt_read *reads;
    size_t count;
    size_t read, row; /* the next one */
};

static void clear(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        rt_result_free(places->reads[i].rows);
    free(places->reads);
}

static int read_places(struct places *out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *statements = NULL;
    int rc = rt_query(&statements, conn, rt_sql_sequence_reads, 0, NULL, err);

    if (rc == 0) {
        out->count = rt_result_rows(statements);
        out->reads = rt_alloc((out->count + 1) * sizeof(*out->reads));
        for (size_t i = 0; i < out->count; i++)
            out->reads[i].sql = rt_result_get(statements, i, 0);
        if (out->count > 0)
            rc = rt_query_many(out->reads, out->count, conn, err);
    }
    rt_result_free(statements);
    return rc < 0 ? rt_err_wrap(err, "cannot read the sequences of %s",
                                rt_conn_server(conn)->role)
                  : 0;
}

/* Column of the next row; NULL at the end. */
static const char *next(struct places *places, int column)
{
    while (places->read < places->count &&
           places->row >= rt_result_rows(places->reads[places->read].rows)) {
        places->read++;
        places->row = 0;
    }
    return places->read < places->count
               ? rt_result_get(places->reads[places->read].rows, places->row, column)
               : NULL;
}

static void move(struct rt_str *sql, struct places *prod)
{
    const char *name = next(prod, 0);

    rt_str_addf(sql, "ALTER SEQUENCE %s RESTART; SELECT pg_catalog.setval(", name);
    rt_quote_literal(sql, name);
    rt_str_addf(sql, ", %s, '%s');", next(prod, 1), next(prod, 2));
}

/* Both lists are in the order of the names. */
static unsigned long compare(struct rt_str *sql, struct places *prod, struct places *twin)
{
    unsigned long changed = 0;

    while (next(prod, 0) && next(twin, 0)) {
        int order = strcmp(next(prod, 0), next(twin, 0));

        if (order == 0 && (strcmp(next(prod, 1), next(twin, 1)) != 0 ||
                           strcmp(next(prod, 2), next(twin, 2)) != 0)) {
            move(sql, prod);
            changed++;
        }
        prod->row += order <= 0;
        twin->row += order >= 0;
    }
    return changed;
}

int rt_sequences_follow(unsigned long *changed, struct rt_conn *prod,
                        struct rt_conn *twin, struct rt_err *err)
{
    struct places here = {0}, there = {0};
    struct rt_str sql = {0};
    int rc = read_places(&here, prod, err);

    *changed = 0;
    if (rc == 0)
        rc = read_places(&there, twin, err);
    if (rc == 0)
        *changed = compare(&sql, &here, &there);
    if (rc == 0 && *changed > 0)
        rc = rt_exec(NULL, twin, sql.data, err);
    rt_str_clear(&sql);
    clear(&here);
    clear(&there);
    return rc;
}
