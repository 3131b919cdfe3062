#include "base/mem.h"
#include "pg/query.h"
#include "twin/compare/private.h"

/* Pairs that are so small that they are compared together. */
enum { GROUP_PAIRS = 64, GROUP_BYTES = 4 << 20 };

/* ------------------------------------------------------------------ both sides */

void rt_sides_next(struct rt_sides *sides)
{
    if (sides->count++ == 0)
        return;
    rt_str_add(&sides->prod_sql, ";\n");
    rt_str_add(&sides->twin_sql, ";\n");
}

int rt_sides_open(struct rt_sides *sides, struct rt_worker *worker, struct rt_err *err)
{
    int rc =
        rt_copy_open(&sides->prod, worker->prod, sides->prod_sql.data, sides->count, err);

    if (rc == 0)
        rc = rt_copy_open(&sides->twin, worker->twin, sides->twin_sql.data, sides->count,
                          err);
    return rc;
}

void rt_sides_close(struct rt_sides *sides)
{
    rt_copy_close(sides->prod);
    rt_copy_close(sides->twin);
    rt_str_clear(&sides->prod_sql);
    rt_str_clear(&sides->twin_sql);
    *sides = (struct rt_sides){0};
}

/* ------------------------------------------------------------------ all of it */

int rt_comparison_wrap(const struct rt_comparison *c, struct rt_err *err)
{
    return rt_err_wrap(err, "cannot compare table %s", c->prod.ident);
}

static int cut_tables(struct rt_comparison *all, size_t count, struct rt_conn *prod,
                      struct rt_err *err)
{
    struct rt_read *reads = rt_alloc((count + 1) * sizeof(*reads));
    size_t *of = rt_alloc((count + 1) * sizeof(*of)), asked = 0;
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        struct rt_str query = {0};

        if (!rt_cut_begin(&query, &all[i].cut, &all[i].prod))
            continue;
        of[asked] = i;
        reads[asked++].sql = rt_str_take(&query);
    }
    if (asked > 0)
        rc = rt_query_many(reads, asked, prod, err);
    for (size_t i = 0; i < asked; i++) {
        struct rt_comparison *c = &all[of[i]];

        if (rc == 0)
            rt_cut_end(&c->cut, &c->prod, reads[i].rows);
        rt_result_free(reads[i].rows);
        free((char *)reads[i].sql);
    }
    free(reads);
    free(of);
    return rc < 0 ? rt_comparison_wrap(&all[0], err) : 0;
}

struct rt_compare {
    struct rt_comparison *all;
    size_t count;
};

int rt_compare_open(struct rt_compare **out, struct rt_comparing *items, size_t count,
                    struct rt_worker *worker, enum rt_hash_way way,
                    enum rt_compare_depth depth, struct rt_err *err)
{
    struct rt_comparison *all = rt_alloc((count + 1) * sizeof(*all));
    int rc;

    *out = rt_alloc(sizeof(**out));
    **out = (struct rt_compare){all, count};
    for (size_t i = 0; i < count; i++) {
        struct rt_comparison *c = &all[i];

        items[i].compared = (struct rt_compared){0};
        *c = (struct rt_comparison){.out = &items[i].compared,
                                    .prod = *items[i].pair->prod,
                                    .twin = *items[i].pair->twin,
                                    .cut = {.way = way, .depth = depth},
                                    .differences = items[i].differences};
        c->twin.key = c->prod.key; /* which of several may be up to names of indexes */
        c->twin.key_count = c->prod.key_count;
    }
    rc = cut_tables(all, count, worker->prod, err);
    if (rc == 0)
        rc = rt_compare_find_chunks(all, count, worker, err);
    return rc;
}

bool rt_compare_differs(const struct rt_compare *compare)
{
    for (size_t i = 0; i < compare->count; i++) {
        if (compare->all[i].run_count > 0)
            return true;
    }
    return false;
}

size_t rt_compare_size(const struct rt_compare *compare)
{
    size_t size = compare->count * sizeof(*compare->all);

    for (size_t i = 0; i < compare->count; i++)
        size += compare->all[i].run_cap * sizeof(struct rt_run);
    return size;
}

int rt_compare_rows(struct rt_compare *compare, struct rt_worker *worker,
                    struct rt_err *err)
{
    return rt_compare_find_rows(compare->all, compare->count, worker, err);
}

void rt_compare_close(struct rt_compare *compare)
{
    if (compare == NULL)
        return;
    for (size_t i = 0; i < compare->count; i++)
        free(compare->all[i].runs);
    free(compare->all);
    free(compare);
}

int rt_compare_tables(struct rt_comparing *items, size_t count, struct rt_worker *worker,
                      enum rt_hash_way way, enum rt_compare_depth depth,
                      struct rt_err *err)
{
    struct rt_compare *compare;
    int rc = rt_compare_open(&compare, items, count, worker, way, depth, err);

    if (rc == 0)
        rc = rt_compare_rows(compare, worker, err);
    rt_compare_close(compare);
    return rc;
}

int rt_compare_table(struct rt_compared *out, struct rt_worker *worker,
                     const struct rt_pair *pair, enum rt_hash_way way,
                     enum rt_compare_depth depth,
                     const struct rt_differences *differences, struct rt_err *err)
{
    struct rt_comparing item = {.pair = pair, .differences = differences};
    int rc = rt_compare_tables(&item, 1, worker, way, depth, err);

    *out = item.compared;
    return rc;
}

size_t rt_compare_group(const struct rt_comparing *items, size_t count)
{
    unsigned long long bytes = 0;
    size_t some = 0;

    while (some < count && some < GROUP_PAIRS) {
        const struct rt_table *table = items[some].pair->prod;

        bytes += table->bytes + table->toast_bytes;
        if (some > 0 && bytes > GROUP_BYTES)
            break;
        some++;
    }
    return some;
}
