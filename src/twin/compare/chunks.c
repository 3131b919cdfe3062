/* Which chunks of tables differ, by the sums of their row hashes. */
#include <math.h>

#include "base/mem.h"
#include "twin/compare/private.h"

/* A line of rt_cut_sums. */
struct chunk {
    char *line; /* NULL: there is none any more */
    int64_t number;
    unsigned long long rows;
    const char *sums; /* what follows the number */
};

static int next_chunk(struct chunk *chunk, struct rt_copy_reader *reader,
                      unsigned long long *rows, struct rt_err *err)
{
    int rc = rt_copy_next(&chunk->line, reader, err);
    char *rest;

    if (rc < 0 || chunk->line == NULL)
        return rc;
    chunk->number = strtoll(chunk->line, &rest, 10);
    chunk->sums = rest;
    *rows += strtoull(rest, NULL, 10);
    return 0;
}

/* In each chunk that differs there is a row that does. */
static bool has_enough(const struct rt_comparison *c)
{
    return c->differences && c->differences->enough > 0 &&
           c->out->differing > c->differences->enough;
}

static void note_difference(struct rt_comparison *c, int64_t chunk)
{
    c->out->differing++;
    if (has_enough(c))
        return;
    if (c->run_count == 0 || c->agreed) {
        c->runs = rt_grow(c->runs, c->run_count, &c->run_cap, sizeof(*c->runs));
        c->runs[c->run_count++].first = chunk;
    }
    c->runs[c->run_count - 1].last = chunk;
    c->agreed = false;
}

static int merge_chunks(struct rt_comparison *c, struct rt_sides *sides,
                        struct rt_err *err)
{
    struct chunk prod, twin;
    int rc = next_chunk(&prod, sides->prod, &c->out->prod_rows, err);

    if (rc == 0)
        rc = next_chunk(&twin, sides->twin, &c->out->twin_rows, err);
    while (rc == 0 && (prod.line || twin.line)) {
        bool take_prod = prod.line && (!twin.line || prod.number <= twin.number);
        bool take_twin = twin.line && (!prod.line || twin.number <= prod.number);

        c->out->chunks++;
        if (take_prod && take_twin && strcmp(prod.sums, twin.sums) == 0)
            c->agreed = true;
        else
            note_difference(c, take_prod ? prod.number : twin.number);
        if (take_prod)
            rc = next_chunk(&prod, sides->prod, &c->out->prod_rows, err);
        if (rc == 0 && take_twin)
            rc = next_chunk(&twin, sides->twin, &c->out->twin_rows, err);
    }
    return rc;
}

/* Of rows that differ here and there, chance leaves exp(-mean) of the chunks the same;
 * where they are together there are more of them. */
static int expect(const struct rt_comparison *c, struct rt_err *err)
{
    const double most = 0.998; /* of the chunks: more tell nothing more */
    const struct rt_differences *to = c->differences;
    double share, pages = (double)c->prod.bytes / RT_TABLE_PAGE;

    if (to == NULL || to->expected == NULL || c->out->differing == 0)
        return 0;
    share = (double)c->out->differing / (double)c->out->chunks;
    return to->expected(to->context,
                        (double)c->out->chunks * -log1p(share < most ? -share : -most),
                        pages * share, err);
}

int rt_compare_find_chunks(struct rt_comparison *all, size_t count,
                           struct rt_worker *worker, struct rt_err *err)
{
    struct rt_sides sides = {0};
    int rc;

    for (size_t i = 0; i < count; i++) {
        rt_sides_next(&sides);
        rt_cut_sums(&sides.prod_sql, &all[i].cut, &all[i].prod);
        rt_cut_sums(&sides.twin_sql, &all[i].cut, &all[i].twin);
    }
    rc = rt_sides_open(&sides, worker, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = merge_chunks(&all[i], &sides, err);
        if (rt_cut_by_index(&all[i].cut, &all[i].prod))
            all[i].out->keys += all[i].out->prod_rows;
        else
            all[i].out->read += all[i].out->prod_rows;
        if (rc == 0)
            rc = expect(&all[i], err);
        if (rc < 0)
            rt_comparison_wrap(&all[i], err);
    }
    rt_sides_close(&sides);
    return rc;
}
