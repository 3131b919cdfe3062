#include "twin/projection.h"

#include "pg/later.h"

/* ------------------------------------------------------------------ sessions */

void rt_projection_pin(struct rt_conn *conn)
{
    /* money is written as lc_monetary says; row_security off is an error instead of
     * fewer rows; compiling takes longer than it saves. */
    static const char *const settings[] = {"TimeZone = 'UTC'",
                                           "DateStyle = 'ISO, MDY'",
                                           "IntervalStyle = 'postgres'",
                                           "extra_float_digits = 3",
                                           "bytea_output = 'hex'",
                                           "lc_monetary = 'C'",
                                           "xmloption = 'content'",
                                           "search_path = ''",
                                           "row_security = off",
                                           "array_nulls = on",
                                           "quote_all_identifiers = off",
                                           "standard_conforming_strings = on",
                                           "jit = off"};
    const char *set = rt_conn_in_transaction(conn) ? "SET LOCAL" : "SET";

    for (size_t i = 0; i < RT_COUNT(settings); i++) {
        char sql[64];

        snprintf(sql, sizeof(sql), "%s %s", set, settings[i]);
        rt_later(conn, sql);
    }
}

/* Of values with what differs between processors: word size and byte order. Texts are
 * hashed in the encoding of the database. */
static const char constant[] =
    "SELECT pg_catalog.concat_ws(' ', pg_catalog.getdatabaseencoding(),"
    " pg_catalog.hash_array_extended(ARRAY[int8send(-2), NULL,"
    "     textsend('revtwin'), float8send(0.1),"
    "     decode(repeat('00ff', 1000), 'hex')], 20261121),"
    " pg_catalog.hashint8extended(-2, pg_catalog.hashint4extended(-3,"
    "     pg_catalog.hashtextextended(repeat('revtwin', 100) COLLATE"
    "         \"C\", pg_catalog.uuid_hash_extended("
    "         '01234567-89ab-cdef-0123-456789abcdef', 20261121)))))";

/* What compare/rowsum.h would say, and so each little-endian server with UTF-8. */
static const char ours[] = "UTF8 2796824763454325438 8134631716088984315";

void rt_hash_ask(struct rt_hash_probe *probe, struct rt_conn *prod, struct rt_conn *twin)
{
    probe->prod = (struct rt_read){.sql = constant};
    probe->twin = (struct rt_read){.sql = constant};
    rt_later_read(prod, &probe->prod);
    rt_later_read(twin, &probe->twin);
}

void rt_hash_forget(struct rt_hash_probe *probe)
{
    rt_result_free(probe->prod.rows);
    rt_result_free(probe->twin.rows);
    *probe = (struct rt_hash_probe){0};
}

enum rt_hash_way rt_hash_told(struct rt_hash_probe *probe)
{
    const char *prod = rt_result_get(probe->prod.rows, 0, 0);
    const char *twin = rt_result_get(probe->twin.rows, 0, 0);
    enum rt_hash_way way = strcmp(prod, twin) != 0   ? RT_HASH_SHA256
                           : strcmp(prod, ours) != 0 ? RT_HASH_CHAIN
                                                     : RT_HASH_OURS;

    rt_hash_forget(probe);
    return way;
}

int rt_hash_way(enum rt_hash_way *out, struct rt_conn *prod, struct rt_conn *twin,
                struct rt_err *err)
{
    struct rt_hash_probe probe;
    int rc;

    rt_hash_ask(&probe, prod, twin);
    rc = rt_later_run(prod, err);
    if (rc == 0)
        rc = rt_later_run(twin, err);
    if (rc == 0)
        *out = rt_hash_told(&probe);
    return rc;
}

/* ------------------------------------------------------------------ reading */

void rt_project_columns(struct rt_str *sql, const struct rt_table *table,
                        const char *from)
{
    const char *comma = "";

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].generated)
            continue;
        rt_str_addf(sql, "%s%s", comma, from);
        rt_quote_ident(sql, table->columns[i].name);
        comma = ", ";
    }
}

void rt_project_source(struct rt_str *sql, const struct rt_table *table,
                       const char *alias)
{
    rt_str_addf(sql, "ONLY %s%s%s", table->ident, *alias ? " " : "", alias);
}

void rt_project_where(struct rt_str *sql, const struct rt_table *table)
{
    /* The condition may end in a comment. */
    if (table->rows_where)
        rt_str_addf(sql, "(%s\n)", table->rows_where);
    else
        rt_str_add(sql, "true");
}

bool rt_project_binary(const struct rt_table *prod, const struct rt_table *twin)
{
    if (prod->column_count != twin->column_count)
        return false;
    for (size_t i = 0; i < prod->column_count; i++) {
        const struct rt_column *a = &prod->columns[i], *b = &twin->columns[i];

        if (a->generated != b->generated || strcmp(a->name, b->name) != 0 ||
            strcmp(a->type, b->type) != 0)
            return false;
        if (!a->generated && !(a->binary && b->binary))
            return false;
    }
    return true;
}
