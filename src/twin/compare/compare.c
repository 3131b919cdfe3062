#include "twin/compare/compare.h"

#include <math.h>

#include "base/mem.h"
#include "base/str.h"
#include "pg/copy.h"
#include "pg/query.h"

/* What is being compared: one pair of several. */
struct comparison {
    struct rt_compared *out;
    struct rt_table prod, twin; /* with the same key */
    struct rt_cut cut;
    struct rt_run *runs; /* of chunks that differ, ascending */
    size_t run_count, run_cap;
    bool agreed; /* since the last run a chunk was the same */
    const struct rt_differences *differences;
};

/* ------------------------------------------------------------------ both sides */

/* The same statements on both, each at its own table. */
struct sides {
    struct rt_str prod_sql, twin_sql;
    size_t count;
    struct rt_copy_reader *prod, *twin;
};

/* Let the next statement be written behind the others. */
static void add_statement(struct sides *sides)
{
    if (sides->count++ == 0)
        return;
    rt_str_add(&sides->prod_sql, ";\n");
    rt_str_add(&sides->twin_sql, ";\n");
}

static int open_sides(struct sides *sides, struct rt_worker *worker, struct rt_err *err)
{
    int rc =
        rt_copy_open(&sides->prod, worker->prod, sides->prod_sql.data, sides->count, err);

    if (rc == 0)
        rc = rt_copy_open(&sides->twin, worker->twin, sides->twin_sql.data, sides->count,
                          err);
    return rc;
}

static void close_sides(struct sides *sides)
{
    rt_copy_close(sides->prod);
    rt_copy_close(sides->twin);
    rt_str_clear(&sides->prod_sql);
    rt_str_clear(&sides->twin_sql);
    *sides = (struct sides){0};
}

/* ------------------------------------------------------------------ chunks */

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
static bool has_enough(const struct comparison *c)
{
    return c->differences && c->differences->enough > 0 &&
           c->out->differing > c->differences->enough;
}

static void note_difference(struct comparison *c, int64_t chunk)
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

static int merge_chunks(struct comparison *c, struct sides *sides, struct rt_err *err)
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
static int expect(const struct comparison *c, struct rt_err *err)
{
    const double most = 0.998; /* of the chunks: more tell nothing more */
    const struct rt_differences *to = c->differences;
    double share, pages = (double)c->prod.bytes / 8192;

    if (to == NULL || to->expected == NULL || c->out->differing == 0)
        return 0;
    share = (double)c->out->differing / (double)c->out->chunks;
    return to->expected(to->context,
                        (double)c->out->chunks * -log1p(share < most ? -share : -most),
                        pages * share, err);
}

static int wrap(const struct comparison *c, struct rt_err *err)
{
    return rt_err_wrap(err, "cannot compare table %s", c->prod.ident);
}

static int compare_chunks(struct comparison *all, size_t count, struct rt_worker *worker,
                          struct rt_err *err)
{
    struct sides sides = {0};
    int rc;

    for (size_t i = 0; i < count; i++) {
        add_statement(&sides);
        rt_cut_sums(&sides.prod_sql, &all[i].cut, &all[i].prod);
        rt_cut_sums(&sides.twin_sql, &all[i].cut, &all[i].twin);
    }
    rc = open_sides(&sides, worker, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = merge_chunks(&all[i], &sides, err);
        if (rt_cut_by_index(&all[i].cut, &all[i].prod))
            all[i].out->keys += all[i].out->prod_rows;
        else
            all[i].out->read += all[i].out->prod_rows;
        if (rc == 0)
            rc = expect(&all[i], err);
        if (rc < 0)
            wrap(&all[i], err);
    }
    close_sides(&sides);
    return rc;
}

/* ------------------------------------------------------------------ rows */

enum { CTID_SIZE = 32, RUNS = 16384, GROUP_PAIRS = 64, GROUP_BYTES = 4 << 20 };

/* A line of rt_cut_rows. */
struct row {
    char *line; /* NULL: there is none any more */
    int64_t part, key, hash;
    const char *ctid;
};

static int compare_keys(const struct row *a, const struct row *b)
{
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

static int compare_rows(const struct row *a, const struct row *b)
{
    int order = compare_keys(a, b);

    return order ? order : a->hash < b->hash ? -1 : a->hash > b->hash;
}

static int next_row(struct row *row, struct rt_copy_reader *reader, struct rt_err *err)
{
    struct row before = *row;
    int rc = rt_copy_next(&row->line, reader, err);
    char *rest;

    if (rc < 0 || row->line == NULL)
        return rc;
    row->part = strtoll(row->line, &rest, 10);
    row->key = strtoll(rest, &rest, 10);
    row->hash = strtoll(rest, &rest, 10);
    row->ctid = rest + 1;
    if (before.ctid && compare_rows(&before, row) > 0)
        return rt_err_set(err, RT_EINTERNAL, "rows to be compared came out of order");
    return 0;
}

/* A row without its like on the other side, while one of the same key may still come
 * there; at most one, because key hashes are as good as unique. */
struct waiting {
    bool somebody, on_prod;
    struct row row;
    char ctid[CTID_SIZE]; /* the row's own is gone with its line */
};

static int report(struct comparison *c, const char *prod, const char *twin,
                  struct rt_err *err)
{
    return c->differences->found(c->differences->context, prod, twin, err);
}

static int give_up_waiting(struct comparison *c, struct waiting *w, struct rt_err *err)
{
    if (!w->somebody)
        return 0;
    w->somebody = false;
    return report(c, w->on_prod ? w->ctid : NULL, w->on_prod ? NULL : w->ctid, err);
}

/* This row's like is not on the other side. */
static int differs(struct comparison *c, struct waiting *w, const struct row *row,
                   bool on_prod, struct rt_err *err)
{
    int rc;

    if (w->somebody && w->on_prod != on_prod && compare_keys(&w->row, row) == 0) {
        w->somebody = false;
        return on_prod ? report(c, row->ctid, w->ctid, err)
                       : report(c, w->ctid, row->ctid, err);
    }
    rc = give_up_waiting(c, w, err);
    w->somebody = true;
    w->on_prod = on_prod;
    w->row = *row;
    snprintf(w->ctid, sizeof(w->ctid), "%s", row->ctid);
    return rc;
}

static int merge_rows(struct comparison *c, struct sides *sides, struct rt_err *err)
{
    struct row prod = {0}, twin = {0};
    struct waiting waiting = {0};
    unsigned long long read = 0;
    int rc = next_row(&prod, sides->prod, err);

    if (rc == 0)
        rc = next_row(&twin, sides->twin, err);
    while (rc == 0 && (prod.line || twin.line)) {
        int order = !prod.line ? 1 : !twin.line ? -1 : compare_rows(&prod, &twin);

        if (order != 0)
            rc = differs(c, &waiting, order < 0 ? &prod : &twin, order < 0, err);
        read += order <= 0;
        if (rc == 0 && order <= 0)
            rc = next_row(&prod, sides->prod, err);
        if (rc == 0 && order >= 0)
            rc = next_row(&twin, sides->twin, err);
    }
    if (rc == 0)
        rc = give_up_waiting(c, &waiting, err);
    c->out->read += rt_cut_rescans(&c->cut) ? c->out->prod_rows : read;
    return rc;
}

/* Some runs of one pair. */
struct slice {
    struct comparison *of;
    size_t first, count;
};

static int find_some(const struct slice *slices, size_t count, struct rt_worker *worker,
                     struct rt_err *err)
{
    struct sides sides = {0};
    int rc;

    for (size_t i = 0; i < count; i++) {
        const struct slice *s = &slices[i];
        const struct rt_run *runs = s->of->runs + s->first;

        add_statement(&sides);
        rt_cut_rows(&sides.prod_sql, &s->of->cut, &s->of->prod, runs, s->count);
        rt_cut_rows(&sides.twin_sql, &s->of->cut, &s->of->twin, runs, s->count);
    }
    rc = open_sides(&sides, worker, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = merge_rows(slices[i].of, &sides, err);
        if (rc < 0)
            wrap(slices[i].of, err);
    }
    close_sides(&sides);
    return rc;
}

/* As many statements as keep each of a bounded length, but where each would read the
 * whole table; and so many of them at once. */
static int find_rows(struct comparison *all, size_t count, struct rt_worker *worker,
                     struct rt_err *err)
{
    struct slice *slices = rt_alloc((count + 1) * sizeof(*slices));
    size_t waiting = 0, runs = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct comparison *c = &all[i];
        size_t most = rt_cut_rescans(&c->cut) ? c->run_count : RUNS, from = 0;

        while (rc == 0 && c->differences && from < c->run_count) {
            size_t some = c->run_count - from < most ? c->run_count - from : most;

            slices[waiting++] = (struct slice){c, from, some};
            from += some;
            runs += some;
            if (runs < RUNS && waiting < count)
                continue;
            rc = find_some(slices, waiting, worker, err);
            waiting = runs = 0;
        }
    }
    if (rc == 0 && waiting > 0)
        rc = find_some(slices, waiting, worker, err);
    free(slices);
    return rc;
}

/* ------------------------------------------------------------------ all of it */

static int cut_tables(struct comparison *all, size_t count, struct rt_conn *prod,
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
        struct comparison *c = &all[of[i]];

        if (rc == 0)
            rt_cut_end(&c->cut, &c->prod, reads[i].rows);
        rt_result_free(reads[i].rows);
        free((char *)reads[i].sql);
    }
    free(reads);
    free(of);
    return rc < 0 ? wrap(&all[0], err) : 0;
}

struct rt_compare {
    struct comparison *all;
    size_t count;
};

int rt_compare_open(struct rt_compare **out, struct rt_comparing *items, size_t count,
                    struct rt_worker *worker, enum rt_hash_way way,
                    enum rt_compare_depth depth, struct rt_err *err)
{
    struct comparison *all = rt_alloc((count + 1) * sizeof(*all));
    int rc;

    *out = rt_alloc(sizeof(**out));
    **out = (struct rt_compare){all, count};
    for (size_t i = 0; i < count; i++) {
        struct comparison *c = &all[i];

        items[i].compared = (struct rt_compared){0};
        *c = (struct comparison){.out = &items[i].compared,
                                 .prod = *items[i].pair->prod,
                                 .twin = *items[i].pair->twin,
                                 .cut = {.way = way, .depth = depth},
                                 .differences = items[i].differences};
        c->twin.key = c->prod.key; /* which of several may be up to names of indexes */
        c->twin.key_count = c->prod.key_count;
    }
    rc = cut_tables(all, count, worker->prod, err);
    if (rc == 0)
        rc = compare_chunks(all, count, worker, err);
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
    return find_rows(compare->all, compare->count, worker, err);
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
