#include "twin/compare.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/copy.h"

/* What is being compared. */
struct comparison {
    struct rt_compared *out;
    struct rt_worker *worker;
    struct rt_table prod, twin; /* with the same key */
    struct rt_cut cut;
    struct rt_run *runs; /* of chunks that differ, ascending */
    size_t run_count, run_cap;
    bool agreed; /* since the last run a chunk was the same */
    const struct rt_differences *differences;
};

/* ------------------------------------------------------------------ both sides */

/* The same statement on both, each at its own table. */
struct sides {
    struct rt_copy_reader *prod, *twin;
};

static int open_sides(struct sides *sides, struct rt_worker *worker, const char *prod_sql,
                      const char *twin_sql, struct rt_err *err)
{
    int rc = rt_copy_open(&sides->prod, worker->prod, prod_sql, err);

    if (rc == 0)
        rc = rt_copy_open(&sides->twin, worker->twin, twin_sql, err);
    return rc;
}

static void close_sides(struct sides *sides)
{
    rt_copy_close(sides->prod);
    rt_copy_close(sides->twin);
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

static int compare_chunks(struct comparison *c, struct rt_err *err)
{
    struct rt_str prod = {0}, twin = {0};
    struct sides sides = {0};
    int rc;

    rt_cut_sums(&prod, &c->cut, &c->prod);
    rt_cut_sums(&twin, &c->cut, &c->twin);
    rc = open_sides(&sides, c->worker, prod.data, twin.data, err);
    if (rc == 0)
        rc = merge_chunks(c, &sides, err);
    close_sides(&sides);
    rt_str_clear(&prod);
    rt_str_clear(&twin);
    c->out->read += c->out->prod_rows;
    return rc;
}

/* ------------------------------------------------------------------ rows */

enum { CTID_SIZE = 32, RUNS = 16384 };

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

/* Of so many runs. */
static int find_some(struct comparison *c, const struct rt_run *runs, size_t count,
                     struct rt_err *err)
{
    struct rt_str prod = {0}, twin = {0};
    struct sides sides = {0};
    int rc;

    rt_cut_rows(&prod, &c->cut, &c->prod, runs, count);
    rt_cut_rows(&twin, &c->cut, &c->twin, runs, count);
    rc = open_sides(&sides, c->worker, prod.data, twin.data, err);
    if (rc == 0)
        rc = merge_rows(c, &sides, err);
    close_sides(&sides);
    rt_str_clear(&prod);
    rt_str_clear(&twin);
    return rc;
}

/* As many statements as keep each of a bounded length, but where each would read the
 * whole table. */
static int find_rows(struct comparison *c, struct rt_err *err)
{
    size_t most = rt_cut_rescans(&c->cut) ? c->run_count : RUNS;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < c->run_count; i += most)
        rc = find_some(c, c->runs + i, c->run_count - i < most ? c->run_count - i : most,
                       err);
    return rc;
}

int rt_compare_table(struct rt_compared *out, struct rt_worker *worker,
                     const struct rt_pair *pair, enum rt_hash_way way,
                     enum rt_compare_depth depth,
                     const struct rt_differences *differences, struct rt_err *err)
{
    struct comparison c = {.out = out,
                           .worker = worker,
                           .prod = *pair->prod,
                           .twin = *pair->twin,
                           .cut = {.way = way, .depth = depth},
                           .differences = differences};
    int rc;

    *out = (struct rt_compared){0};
    c.twin.key = c.prod.key; /* which of several may be up to the names of indexes */
    c.twin.key_count = c.prod.key_count;
    rc = rt_cut_table(&c.cut, &c.prod, worker->prod, err);
    if (rc == 0)
        rc = compare_chunks(&c, err);
    if (rc == 0 && differences && c.run_count > 0)
        rc = find_rows(&c, err);
    free(c.runs);
    return rc < 0 ? rt_err_wrap(err, "cannot compare table %s", c.prod.ident) : 0;
}
