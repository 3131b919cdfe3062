#include "twin/rebuild/index.h"

#include "pg/query.h"
#include "queries.h"

static const char *text(struct rt_arena *arena, const struct rt_result *found, size_t row,
                        int column)
{
    const char *value = rt_result_get(found, row, column);

    return value ? rt_arena_strdup(arena, value) : NULL;
}

static double number(const struct rt_result *found, size_t row, int column)
{
    const char *value = rt_result_get(found, row, column);

    return value ? strtod(value, NULL) : 0; /* NULL: dropped meanwhile */
}

static void keep_indexes(struct rt_indexes *out, struct rt_arena *arena,
                         const struct rt_result *found)
{
    out->count = rt_result_rows(found);
    out->index = rt_arena_alloc(arena, out->count * sizeof(*out->index));
    for (size_t i = 0; i < out->count; i++)
        out->index[i] = (struct rt_index){
            .table = text(arena, found, i, 0),
            .oid = text(arena, found, i, 1),
            .constraint = text(arena, found, i, 2),
            .create = text(arena, found, i, 3),
            .add = text(arena, found, i, 4),
            .bytes = number(found, i, 5),
        };
}

static void keep_foreign_keys(struct rt_indexes *out, struct rt_arena *arena,
                              const struct rt_result *found)
{
    out->key_count = rt_result_rows(found);
    out->key = rt_arena_alloc(arena, out->key_count * sizeof(*out->key));
    for (size_t i = 0; i < out->key_count; i++)
        out->key[i] = (struct rt_foreign_key){
            .oid = text(arena, found, i, 0),
            .table = text(arena, found, i, 1),
            .add = text(arena, found, i, 2),
            .unchecked = text(arena, found, i, 3),
            .validate = text(arena, found, i, 4),
            .name = text(arena, found, i, 5),
            .comment = text(arena, found, i, 6),
            .partitioned = rt_result_true(found, i, 7),
            .on_partitions = rt_result_true(found, i, 8),
            .valid = rt_result_true(found, i, 9),
            .bytes = number(found, i, 10),
        };
}

int rt_indexes_read(struct rt_indexes *out, struct rt_arena *arena, struct rt_conn *conn,
                    struct rt_err *err)
{
    struct rt_read reads[] = {{.sql = rt_sql_index_builds},
                              {.sql = rt_sql_foreign_key_adds}};
    int rc = rt_query_many(reads, RT_COUNT(reads), conn, err);

    *out = (struct rt_indexes){0};
    if (rc < 0)
        return rc;
    keep_indexes(out, arena, reads[0].rows);
    keep_foreign_keys(out, arena, reads[1].rows);
    rt_result_free(reads[0].rows);
    rt_result_free(reads[1].rows);
    return 0;
}

const struct rt_index *rt_indexes_of(size_t *count, const struct rt_indexes *indexes,
                                     const char *table)
{
    size_t from = 0, to = indexes->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (strcmp(indexes->index[middle].table, table) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    while (to < indexes->count && strcmp(indexes->index[to].table, table) == 0)
        to++;
    *count = to - from;
    return &indexes->index[from];
}

static bool has_index(const struct rt_indexes *indexes, const char *oid)
{
    for (size_t i = 0; i < indexes->count; i++) {
        if (strcmp(indexes->index[i].oid, oid) == 0)
            return true;
    }
    return false;
}

static bool has_constraint(const struct rt_indexes *indexes, const char *oid)
{
    for (size_t i = 0; i < indexes->count; i++) {
        const char *constraint = indexes->index[i].constraint;

        if (constraint && strcmp(constraint, oid) == 0)
            return true;
    }
    for (size_t i = 0; i < indexes->key_count; i++) {
        if (strcmp(indexes->key[i].oid, oid) == 0)
            return true;
    }
    return false;
}

bool rt_indexes_have(const struct rt_indexes *indexes, unsigned long catalog,
                     const char *oid)
{
    switch (catalog) {
    case RT_CATALOG_INDEXES:
        return has_index(indexes, oid);
    case RT_CATALOG_CONSTRAINTS:
        return has_constraint(indexes, oid);
    default:
        return false;
    }
}
