#include "twin/compare/match.h"

#include "schema/schema.h"

static const char *describe(struct rt_arena *arena, const struct rt_schema_change *change)
{
    const struct rt_object *object = change->prod ? change->prod : change->twin;
    const char *what = change->prod == NULL   ? "only the twin has"
                       : change->twin == NULL ? "only production has"
                                              : "they differ in";

    return rt_arena_format(arena, "%s %s %s", what, object->kind, object->name);
}

static void match_schemas(struct rt_match *out, struct rt_arena *arena,
                          const struct rt_schema_change *changes, size_t count)
{
    size_t differing = 0;

    out->violated = rt_arena_alloc(arena, (count + 1) * sizeof(*out->violated));
    for (size_t i = 0; i < count; i++) {
        const struct rt_schema_change *change = &changes[i];

        if (!change->stays && differing++ == 0)
            out->differs = describe(arena, change);
        if (change->stays && change->prod &&
            strcmp(change->prod->kind, "constraint") == 0)
            out->violated[out->violated_count++] = change->prod->name;
    }
    if (differing > 1)
        out->differs = rt_arena_format(arena, "%s, ...", out->differs);
}

static bool same_columns(const struct rt_table *a, const struct rt_table *b)
{
    if (a->column_count != b->column_count)
        return false;
    for (size_t i = 0; i < a->column_count; i++) {
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            a->columns[i].generated != b->columns[i].generated)
            return false;
    }
    return true;
}

/* Tables that both can be asked for: a standby has no rows of unlogged ones. */
static size_t count_common(const struct rt_tables *tables, const struct rt_tables *other)
{
    size_t count = 0;

    for (size_t i = 0; i < tables->count; i++)
        count += !(other->standby && tables->table[i].unlogged);
    return count;
}

/* What the schemas do not say: these are the tables that were locked. */
static void match_tables(struct rt_match *out, struct rt_arena *arena,
                         const struct rt_tables *prod, const struct rt_tables *twin)
{
    out->pairs = rt_arena_alloc(arena, (prod->count + 1) * sizeof(*out->pairs));
    for (size_t i = 0; i < prod->count && out->differs == NULL; i++) {
        const struct rt_table *table = &prod->table[i];
        struct rt_pair *pair = &out->pairs[out->count];

        if (twin->standby && table->unlogged)
            continue;
        out->count++;
        pair->prod = table;
        pair->twin = rt_tables_find(twin, table->schema, table->name);
        if (pair->twin == NULL || !same_columns(table, pair->twin))
            out->differs =
                rt_arena_format(arena, "they differ in table %s", table->ident);
    }
    if (out->differs == NULL && count_common(prod, twin) != count_common(twin, prod))
        out->differs = "the twin has more tables";
    if (out->differs)
        out->count = 0;
}

int rt_match(struct rt_match *out, struct rt_arena *arena, struct rt_conn *prod,
             const struct rt_tables *prod_tables, struct rt_conn *twin,
             const struct rt_tables *twin_tables, struct rt_err *err)
{
    struct rt_schema prod_schema, twin_schema;
    struct rt_schema_change *changes;
    size_t count;
    int rc = rt_schema_read_both(&prod_schema, &twin_schema, arena, prod, twin, err);

    *out = (struct rt_match){0};
    if (rc < 0)
        return rc;
    count = rt_schema_compare(&changes, arena, &prod_schema, &twin_schema);
    match_schemas(out, arena, changes, count);
    if (out->differs == NULL)
        match_tables(out, arena, prod_tables, twin_tables);
    return 0;
}
