#include "twin/projection.h"

#include "base/mem.h"
#include "pg/query.h"

/* ------------------------------------------------------------------ sessions */

int rt_projection_pin(struct rt_conn *conn, struct rt_err *err)
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
    struct rt_str sql = {0};
    int rc;

    for (size_t i = 0; i < RT_COUNT(settings); i++)
        rt_str_addf(&sql, "%s %s;", set, settings[i]);
    rc = rt_exec(NULL, conn, rt_str_text(&sql), err);
    rt_str_clear(&sql);
    return rc;
}

/* Of values with what differs between processors: word size and byte order. Texts are
 * hashed in the encoding of the database. */
static int hash_of_constant(char **out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, conn,
                      "SELECT pg_catalog.concat_ws(' ', pg_catalog.getdatabaseencoding(),"
                      " pg_catalog.hash_array_extended(ARRAY[int8send(-2), NULL,"
                      "     textsend('revtwin'), float8send(0.1),"
                      "     decode(repeat('00ff', 1000), 'hex')], 20261121),"
                      " pg_catalog.hashint8extended(-2, pg_catalog.hashint4extended(-3,"
                      "     pg_catalog.hashtextextended(repeat('revtwin', 100) COLLATE"
                      "         \"C\", pg_catalog.uuid_hash_extended("
                      "         '01234567-89ab-cdef-0123-456789abcdef', 20261121)))))",
                      0, NULL, err);

    if (rc == 0)
        *out = rt_strdup(rt_result_get(found, 0, 0));
    rt_result_free(found);
    return rc;
}

int rt_hash_way(enum rt_hash_way *out, struct rt_conn *prod, struct rt_conn *twin,
                struct rt_err *err)
{
    char *one = NULL, *other = NULL;
    int rc = hash_of_constant(&one, prod, err);

    if (rc == 0)
        rc = hash_of_constant(&other, twin, err);
    if (rc == 0)
        *out = strcmp(one, other) == 0 ? RT_HASH_CHAIN : RT_HASH_SHA256;
    free(one);
    free(other);
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
