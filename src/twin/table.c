#include "twin/table.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

/* The columns of tables.sql. */
enum {
    OID,
    SCHEMA,
    NAME,
    IDENT,
    CONDITION,
    BYTES,
    TOAST_BYTES,
    ROWS,
    UNLOGGED,
    PARTITION,
    PARENT,
    VISIBLE,
    MAY_USE,
    MAY_SELECT,
    HIDDEN,
    COLUMN,
    TYPE,
    SEND,
    BASE,
    BINARY,
    FLOATS,
    NOT_NULL,
    GENERATED,
    IDENTITY,
    KEY_PLACE,
};

static const char *text(struct rt_arena *arena, const struct rt_result *found, size_t row,
                        int column)
{
    const char *value = rt_result_get(found, row, column);

    return value ? rt_arena_strdup(arena, value) : NULL;
}

/* ------------------------------------------------------------------ rights */

enum { NAMED_TABLES = 10 };

/* The GRANTs that are missing, as statements; how many tables they are for. */
static size_t add_grants(struct rt_str *grants, const struct rt_result *found,
                         const char *role)
{
    const char *schema = "", *table = "";
    size_t count = 0;

    for (size_t i = 0; i < rt_result_rows(found); i++) {
        bool usable = rt_result_true(found, i, MAY_USE);
        const char *oid = rt_result_get(found, i, OID);

        if (strcmp(table, oid) == 0 || (usable && rt_result_true(found, i, MAY_SELECT)))
            continue;
        table = oid;
        if (count++ >= NAMED_TABLES)
            continue;
        if (!usable && strcmp(schema, rt_result_get(found, i, SCHEMA)) != 0) {
            schema = rt_result_get(found, i, SCHEMA);
            rt_str_add(grants, "GRANT USAGE ON SCHEMA ");
            rt_quote_ident(grants, schema);
            rt_str_addf(grants, " TO %s; ", role);
        }
        if (!rt_result_true(found, i, MAY_SELECT))
            rt_str_addf(grants, "GRANT SELECT ON TABLE %s TO %s; ",
                        rt_result_get(found, i, IDENT), role);
    }
    return count;
}

static int check_rights(const struct rt_result *found, const char *role,
                        const char *server, struct rt_err *err)
{
    struct rt_str grants = {0};
    size_t count = add_grants(&grants, found, role), i = 0;

    if (grants.data) {
        while (rt_result_true(found, i, MAY_USE) && rt_result_true(found, i, MAY_SELECT))
            i++;
        grants.data[grants.len - 1] = '\0';
        rt_err_set(err, RT_EINTERNAL, "role %s may not read table %s of %s", role,
                   rt_result_get(found, i, IDENT), server);
        if (count > 1)
            rt_err_detail(err, "It may not read %zu tables.", count);
        rt_err_hint(err, "Run there: %s%s", rt_str_text(&grants),
                    count > NAMED_TABLES
                        ? " And so on; or, from PostgreSQL 14 on, all at once: GRANT "
                          "pg_read_all_data to it."
                        : "");
    }
    rt_str_clear(&grants);
    return -(int)err->status;
}

static int check_hidden(const struct rt_result *found, const char *role,
                        const char *server, struct rt_err *err)
{
    for (size_t i = 0; i < rt_result_rows(found); i++) {
        if (!rt_result_true(found, i, HIDDEN))
            continue;
        rt_err_set(err, RT_EREFUSED,
                   "row-level security would hide rows of table %s of %s from role %s",
                   rt_result_get(found, i, IDENT), server, role);
        return rt_err_hint(err,
                           "Connect as the table's owner, as long as the table has not "
                           "FORCE ROW LEVEL SECURITY, or run there: ALTER ROLE %s "
                           "BYPASSRLS;",
                           role);
    }
    return 0;
}

static int check_readable(const struct rt_result *found, const struct rt_result *session,
                          const struct rt_conn *conn, struct rt_err *err)
{
    const char *role = rt_result_get(session, 0, 2);
    const char *server = rt_conn_server(conn)->role;
    int rc = check_rights(found, role, server, err);

    return rc < 0 ? rc : check_hidden(found, role, server, err);
}

/* ------------------------------------------------------------------ rows */

/* An extension's condition is written "WHERE ..." for a COPY, or is empty. */
static const char *condition_of(struct rt_arena *arena, const char *condition)
{
    if (condition == NULL)
        return NULL;
    while (isspace((unsigned char)*condition))
        condition++;
    if (strncasecmp(condition, "WHERE", 5) == 0)
        condition += 5;
    return *condition ? rt_arena_strdup(arena, condition) : "true";
}

/* The table that begins in this row; width is how many rows it has. */
static void read_table(struct rt_table *table, struct rt_arena *arena,
                       const struct rt_result *found, size_t row, size_t width)
{
    *table = (struct rt_table){
        .oid = text(arena, found, row, OID),
        .schema = text(arena, found, row, SCHEMA),
        .name = text(arena, found, row, NAME),
        .ident = text(arena, found, row, IDENT),
        .columns = rt_arena_alloc(arena, width * sizeof(*table->columns)),
        .key = rt_arena_alloc(arena, width * sizeof(*table->key)),
        .rows_where = condition_of(arena, rt_result_get(found, row, CONDITION)),
        .bytes = strtoull(rt_result_get(found, row, BYTES), NULL, 10),
        .toast_bytes = strtoull(rt_result_get(found, row, TOAST_BYTES), NULL, 10),
        .rows = strtod(rt_result_get(found, row, ROWS), NULL),
        .unlogged = rt_result_true(found, row, UNLOGGED),
        .partition = rt_result_true(found, row, PARTITION),
        .parent = rt_result_true(found, row, PARENT),
        .visible = rt_result_true(found, row, VISIBLE),
    };
}

static void read_column(struct rt_table *table, struct rt_arena *arena,
                        const struct rt_result *found, size_t row)
{
    const char *identity = rt_result_get(found, row, IDENTITY);
    const char *place = rt_result_get(found, row, KEY_PLACE);

    if (place) {
        table->key[strtoul(place, NULL, 10) - 1] = table->column_count;
        table->key_count++;
    }
    table->columns[table->column_count++] = (struct rt_column){
        .name = text(arena, found, row, COLUMN),
        .type = text(arena, found, row, TYPE),
        .send = text(arena, found, row, SEND),
        .base = text(arena, found, row, BASE),
        .binary = rt_result_true(found, row, BINARY),
        .not_null = rt_result_true(found, row, NOT_NULL),
        .generated = rt_result_true(found, row, GENERATED),
        .identity = *(identity ? identity : ""),
    };
}

/* Where a table has to go as text, NaNs in arrays and the like lose what bits they had,
 * and their text is what stays the same. */
static void read_columns(struct rt_table *table, struct rt_arena *arena,
                         const struct rt_result *found, size_t row, size_t width)
{
    bool binary = true;

    for (size_t i = row; i < row + width; i++) {
        if (rt_result_get(found, i, COLUMN))
            read_column(table, arena, found, i);
    }
    for (size_t i = 0; i < table->column_count; i++)
        binary &= table->columns[i].binary || table->columns[i].generated;
    for (size_t i = 0; !binary && i < table->column_count; i++) {
        if (rt_result_true(found, row + i, FLOATS))
            table->columns[i].send = NULL;
    }
}

static size_t width_of(const struct rt_result *found, size_t row)
{
    const char *oid = rt_result_get(found, row, OID);
    size_t end = row + 1;

    while (end < rt_result_rows(found) &&
           strcmp(rt_result_get(found, end, OID), oid) == 0)
        end++;
    return end - row;
}

static void read_tables(struct rt_tables *out, struct rt_arena *arena,
                        const struct rt_result *found)
{
    size_t rows = rt_result_rows(found), width;

    out->table = rt_arena_alloc(arena, rows * sizeof(*out->table));
    for (size_t row = 0; row < rows; row += width) {
        struct rt_table *table = &out->table[out->count++];

        width = width_of(found, row);
        read_table(table, arena, found, row, width);
        read_columns(table, arena, found, row, width);
    }
}

static void read_left_out(struct rt_tables *out, struct rt_arena *arena,
                          const struct rt_result *found)
{
    struct rt_str far = {0};

    out->left_out_count = rt_result_rows(found);
    out->left_out = rt_arena_alloc(arena, out->left_out_count * sizeof(*out->left_out));
    for (size_t i = 0; i < out->left_out_count; i++) {
        out->left_out[i] = text(arena, found, i, 0);
        if (rt_result_get(found, i, 1))
            rt_str_addf(&far, " %s ", rt_result_get(found, i, 1));
    }
    out->far = rt_arena_strdup(arena, rt_str_text(&far));
    rt_str_clear(&far);
}

int rt_tables_read(struct rt_tables *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err)
{
    /* With an empty path the names of types are qualified, and built-in ones are not. */
    char *tables = rt_format("%s%s", rt_sql_tables_kept, rt_sql_tables);
    char *left_out = rt_format("%s%s", rt_sql_tables_far, rt_sql_tables_left_out);
    struct rt_read reads[] = {
        {.sql = "SELECT pg_catalog.set_config('search_path', '', true),"
                "       pg_catalog.set_config('quote_all_identifiers', 'off', true),"
                "       pg_catalog.quote_ident(current_user),"
                "       pg_catalog.pg_is_in_recovery()"},
        {.sql = tables},
        {.sql = left_out},
    };
    int rc = rt_query_many(reads, RT_COUNT(reads), conn, err);

    *out = (struct rt_tables){0};
    if (rc == 0)
        rc = check_readable(reads[1].rows, reads[0].rows, conn, err);
    if (rc == 0) {
        read_tables(out, arena, reads[1].rows);
        read_left_out(out, arena, reads[2].rows);
        out->standby = rt_result_true(reads[0].rows, 0, 3);
    }
    for (size_t i = 0; i < RT_COUNT(reads); i++)
        rt_result_free(reads[i].rows);
    free(tables);
    free(left_out);
    return rc;
}

unsigned long long rt_tables_bytes(const struct rt_tables *tables)
{
    unsigned long long bytes = 0;

    for (size_t i = 0; i < tables->count; i++)
        bytes += tables->table[i].bytes + tables->table[i].toast_bytes;
    return bytes;
}

const struct rt_table *rt_tables_find(const struct rt_tables *tables, const char *schema,
                                      const char *name)
{
    size_t from = 0, to = tables->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct rt_table *table = &tables->table[middle];
        int order = strcmp(table->schema, schema);

        if (order == 0)
            order = strcmp(table->name, name);
        if (order == 0)
            return table;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
