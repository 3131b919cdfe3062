/*
 * The hash of a row, as an expression that any two servers compute alike.
 *
 * The chain: the server has fast functions that hash a value with a seed, for some types
 * of which all values have hashes of their own; each is seeded with what came before.
 * Values of other types, and NULL, go first, as the bytes that their send functions give,
 * in one array. Hashing an array is linear in the hashes of its elements: with one seed
 * for all rows, the sum of hashes would stay the same where two rows swap a value. What
 * is chained to it is not.
 */
#include "twin/hash.h"
#include "base/mem.h"
#include "base/str.h"

/* ------------------------------------------------------------------ columns */

/* Some columns of a table: all that are not generated, or those of its key. */
struct columns {
    const struct rt_table *table;
    const char *alias; /* or "" */
    bool key;
};

static size_t count_of(const struct columns *c)
{
    return c->key ? c->table->key_count : c->table->column_count;
}

static void add_name(struct rt_str *sql, const struct columns *c,
                     const struct rt_column *column)
{
    rt_str_addf(sql, "%s%s", c->alias, c->alias[0] ? "." : "");
    rt_quote_ident(sql, column->name);
}

/* NULL: it has no part in it. */
static const struct rt_column *column_of(const struct columns *c, size_t i)
{
    const struct rt_column *column = &c->table->columns[c->key ? c->table->key[i] : i];

    return column->generated ? NULL : column;
}

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

/* Calls are nested as deep as links are chained, and servers bound how deep. */
enum { LINKS = 64 };

/* A type by its send function, and what hashes it. Not numeric, floats, jsonb and their
 * like, of which equal values may be written differently, as 1.0 and 1.00; nor times,
 * whose functions fold 64 bits into 32. */
struct link {
    const char *send, *function, *type;
    enum rt_hash_link kind;
};

/* NULL: the column is none of the chain. */
static const struct link *link_of(const struct columns *columns, size_t i)
{
    static const struct link links[] = {
        {"pg_catalog.int2send", "hashint4extended", "int4", RT_HASH_INT4},
        {"pg_catalog.int4send", "hashint4extended", "int4", RT_HASH_INT4},
        {"pg_catalog.int8send", "hashint8extended", "int8", RT_HASH_INT8},
        {"pg_catalog.boolsend", "hashint4extended", "int4", RT_HASH_INT4},
        {"pg_catalog.uuid_send", "uuid_hash_extended", "uuid", RT_HASH_UUID},
        {"pg_catalog.textsend", "hashtextextended", "text", RT_HASH_TEXT},
        {"pg_catalog.varcharsend", "hashtextextended", "text", RT_HASH_TEXT},
    };

    const struct rt_column *column = column_of(columns, i);

    if (column == NULL || column->send == NULL || i >= LINKS)
        return NULL;
    for (size_t k = 0; k < RT_COUNT(links); k++) {
        if (strcmp(column->send, links[k].send) == 0)
            return &links[k];
    }
    return NULL;
}

enum rt_hash_link rt_hash_link(const struct rt_table *table, size_t column)
{
    const struct link *link =
        link_of(&(struct columns){.table = table, .alias = ""}, column);

    return link ? link->kind : RT_HASH_NO_LINK;
}

/* ------------------------------------------------------------------ bytes */

bool rt_hash_has_nans(const struct rt_column *column)
{
    return column->send && (strcmp(column->send, "pg_catalog.float8send") == 0 ||
                            strcmp(column->send, "pg_catalog.float4send") == 0);
}

/* A column's value as bytes that are the same on every server that has the value. The
 * text of a row shows what the type's own function writes; a cast to text may be a
 * user's, which writes what it likes. */
static void add_bytes(struct rt_str *sql, const struct columns *columns,
                      const struct rt_column *column)
{
    struct rt_str name = {0};

    add_name(&name, columns, column);
    if (column->send == NULL)
        rt_str_addf(sql, "pg_catalog.textsend(ROW(%s)::pg_catalog.text)", name.data);
    else if (rt_hash_has_nans(column))
        rt_str_addf(sql, "%s(CASE WHEN %s = 'NaN' THEN 'NaN' ELSE %s%s%s END)",
                    column->send, name.data, name.data, column->base ? "::" : "",
                    column->base ? column->base : "");
    else
        rt_str_addf(sql, "%s(%s%s%s)", column->send, name.data, column->base ? "::" : "",
                    column->base ? column->base : "");
    rt_str_clear(&name);
}

/* As an array. links: also those which could be chained. Returns how many there are. */
static size_t add_array(struct rt_str *sql, const struct columns *columns, bool links)
{
    size_t count = 0;

    rt_str_add(sql, "ARRAY[");
    for (size_t i = 0; i < count_of(columns); i++) {
        const struct rt_column *column = column_of(columns, i);

        if (column == NULL || (link_of(columns, i) && !links))
            continue;
        rt_str_add(sql, count++ ? ", " : "");
        add_bytes(sql, columns, column);
    }
    rt_str_add(sql, "]::pg_catalog.bytea[]");
    return count;
}

static void add_sha256(struct rt_str *sql, const struct columns *columns)
{
    rt_str_add(sql, "('x' || pg_catalog.encode(pg_catalog.substr("
                    "pg_catalog.sha256(pg_catalog.array_send(");
    add_array(sql, columns, true);
    rt_str_add(sql, ")), 1, 8), 'hex'))::pg_catalog.\"bit\"(64)::pg_catalog.int8");
}

/* ------------------------------------------------------------------ the chain */

/* Wrap it around what is there. */
static void add_link(struct rt_str *chain, const struct columns *columns,
                     const struct rt_column *column, const struct link *link)
{
    struct rt_str sql = {0}, value = {0};

    add_name(&value, columns, column);
    rt_str_addf(&value, "::pg_catalog.%s", link->type);
    rt_str_addf(&sql, "pg_catalog.%s(%s", link->function, value.data);
    if (strcmp(link->type, "text") == 0) /* its bytes, whatever its collation */
        rt_str_add(&sql, " COLLATE pg_catalog.\"C\"");
    rt_str_addf(&sql, ", %s", chain->data);
    if (strcmp(link->type, "int8") == 0) /* which is folded, too: the seed is not */
        rt_str_addf(&sql, " OPERATOR(pg_catalog.#) %s", value.data);
    rt_str_add(&sql, ")");
    rt_str_clear(&value);
    rt_str_clear(chain);
    *chain = sql;
}

/* NULL where one of its links is: *nullable. */
static void add_chain(struct rt_str *sql, const struct columns *columns, bool *nullable)
{
    struct rt_str chain = {0}, array = {0};
    size_t links = 0;

    if (add_array(&array, columns, false) > 0)
        rt_str_addf(&chain, "pg_catalog.hash_array_extended(%s, 0)", array.data);
    else
        rt_str_add(&chain, "0::pg_catalog.int8");
    for (size_t i = 0; i < count_of(columns); i++) {
        const struct link *link = link_of(columns, i);

        if (link == NULL)
            continue;
        add_link(&chain, columns, column_of(columns, i), link);
        *nullable |= !column_of(columns, i)->not_null;
        links++;
    }
    if (links > 0)
        rt_str_add(sql, chain.data);
    else
        rt_str_addf(sql, "pg_catalog.hashint4extended(0, %s)", chain.data);
    rt_str_clear(&chain);
    rt_str_clear(&array);
}

static void add_hash(struct rt_str *sql, const struct columns *columns,
                     enum rt_hash_way way)
{
    struct rt_str chain = {0};
    bool nullable = false;

    if (way == RT_HASH_SHA256) {
        add_sha256(sql, columns);
        return;
    }
    add_chain(&chain, columns, &nullable);
    if (nullable) {
        rt_str_addf(sql,
                    "COALESCE(%s, pg_catalog.hashint4extended(1, "
                    "pg_catalog.hash_array_extended(",
                    chain.data);
        add_array(sql, columns, true);
        rt_str_add(sql, ", 1)))");
    } else {
        rt_str_add(sql, chain.data);
    }
    rt_str_clear(&chain);
}

void rt_project_row_hash(struct rt_str *sql, const struct rt_table *table,
                         const char *alias, enum rt_hash_way way)
{
    add_hash(sql, &(struct columns){.table = table, .alias = alias}, way);
}

void rt_project_key_hash(struct rt_str *sql, const struct rt_table *table,
                         enum rt_hash_way way)
{
    if (table->key_count == 1 && rt_column_is_integer(&table->columns[table->key[0]])) {
        rt_quote_ident(sql, table->columns[table->key[0]].name);
        rt_str_add(sql, "::pg_catalog.int8");
    } else {
        add_hash(
            sql,
            &(struct columns){.table = table, .alias = "", .key = table->key_count > 0},
            way);
    }
}
