#include "twin/projection.h"

#include "base/mem.h"
#include "pg/query.h"

/* ------------------------------------------------------------------ sessions */

int rt_projection_pin(struct rt_conn *conn, struct rt_err *err)
{
    /* money is written as lc_monetary says; row_security off is an error instead of
     * fewer rows. */
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
                                           "standard_conforming_strings = on"};
    const char *set = rt_conn_in_transaction(conn) ? "SET LOCAL" : "SET";
    struct rt_str sql = {0};
    int rc;

    for (size_t i = 0; i < RT_COUNT(settings); i++)
        rt_str_addf(&sql, "%s %s;", set, settings[i]);
    rc = rt_exec(NULL, conn, rt_str_text(&sql), err);
    rt_str_clear(&sql);
    return rc;
}

/* Of values with what differs between processors: word size and byte order. */
static int hash_of_constant(char **out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, conn,
                      "SELECT pg_catalog.hash_array_extended(ARRAY[int8send(-2), NULL,"
                      "           textsend('revtwin'), float8send(0.1),"
                      "           decode(repeat('00ff', 1000), 'hex')], 20261121)",
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
        *out = strcmp(one, other) == 0 ? RT_HASH_ARRAY : RT_HASH_SHA256;
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

/* ------------------------------------------------------------------ hashing */

bool rt_column_is_integer(const struct rt_column *column)
{
    static const char *const sends[] = {"pg_catalog.int8send", "pg_catalog.int4send",
                                        "pg_catalog.int2send"};

    for (size_t i = 0; column->send && i < RT_COUNT(sends); i++) {
        if (strcmp(column->send, sends[i]) == 0)
            return true;
    }
    return false;
}

/* Several bit patterns are NaN, of which text has only one. */
static bool has_nans(const struct rt_column *column)
{
    return column->send && (strcmp(column->send, "pg_catalog.float8send") == 0 ||
                            strcmp(column->send, "pg_catalog.float4send") == 0);
}

/* A column's value as bytes that are the same on every server that has the value. The
 * text of a row shows what the type's own function writes; a cast to text may be a
 * user's, which writes what it likes. */
static void add_bytes(struct rt_str *sql, const struct rt_column *column)
{
    struct rt_str name = {0};

    rt_quote_ident(&name, column->name);
    if (column->send == NULL)
        rt_str_addf(sql, "pg_catalog.textsend(ROW(%s)::pg_catalog.text)", name.data);
    else if (has_nans(column))
        rt_str_addf(sql, "%s(CASE WHEN %s = 'NaN' THEN 'NaN' ELSE %s%s%s END)",
                    column->send, name.data, name.data, column->base ? "::" : "",
                    column->base ? column->base : "");
    else
        rt_str_addf(sql, "%s(%s%s%s)", column->send, name.data, column->base ? "::" : "",
                    column->base ? column->base : "");
    rt_str_clear(&name);
}

static void add_row_bytes(struct rt_str *sql, const struct rt_table *table)
{
    const char *comma = "";

    rt_str_add(sql, "ARRAY[");
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].generated)
            continue;
        rt_str_add(sql, comma);
        add_bytes(sql, &table->columns[i]);
        comma = ", ";
    }
    rt_str_add(sql, "]::pg_catalog.bytea[]");
}

static void add_key_bytes(struct rt_str *sql, const struct rt_table *table)
{
    rt_str_add(sql, "ARRAY[");
    for (size_t i = 0; i < table->key_count; i++) {
        rt_str_add(sql, i ? ", " : "");
        add_bytes(sql, &table->columns[table->key[i]]);
    }
    rt_str_add(sql, "]::pg_catalog.bytea[]");
}

typedef void bytes_fn(struct rt_str *sql, const struct rt_table *table);

static void add_sha256(struct rt_str *sql, const struct rt_table *table, bytes_fn *bytes)
{
    rt_str_add(sql, "('x' || pg_catalog.encode(pg_catalog.substr("
                    "pg_catalog.sha256(pg_catalog.array_send(");
    bytes(sql, table);
    rt_str_add(sql, ")), 1, 8), 'hex'))::pg_catalog.\"bit\"(64)::pg_catalog.int8");
}

/* seed NULL: none. */
static void add_array_hash(struct rt_str *sql, const struct rt_table *table,
                           bytes_fn *bytes, const char *seed)
{
    rt_str_add(sql, "pg_catalog.hash_array_extended(");
    bytes(sql, table);
    rt_str_addf(sql, ", %s)", seed ? seed : "0");
}

void rt_project_key_hash(struct rt_str *sql, const struct rt_table *table,
                         enum rt_hash_way way)
{
    if (table->key_count == 0) {
        rt_project_row_hash(sql, table, way);
    } else if (table->key_count == 1 &&
               rt_column_is_integer(&table->columns[table->key[0]])) {
        rt_quote_ident(sql, table->columns[table->key[0]].name);
        rt_str_add(sql, "::pg_catalog.int8");
    } else if (way == RT_HASH_SHA256) {
        add_sha256(sql, table, add_key_bytes);
    } else {
        add_array_hash(sql, table, add_key_bytes, NULL);
    }
}

/*
 * hash_array_extended is linear in the hashes of its elements: the sum over rows would
 * stay the same when two rows swap a value. With the key (or, without one, the row) as
 * the seed, each row's elements are hashed in a way of its own.
 */
void rt_project_row_hash(struct rt_str *sql, const struct rt_table *table,
                         enum rt_hash_way way)
{
    struct rt_str seed = {0};

    if (way == RT_HASH_SHA256) {
        add_sha256(sql, table, add_row_bytes);
        return;
    }
    if (table->key_count > 0)
        rt_project_key_hash(&seed, table, way);
    else
        add_array_hash(&seed, table, add_row_bytes, NULL);
    add_array_hash(sql, table, add_row_bytes, rt_str_text(&seed));
    rt_str_clear(&seed);
}
