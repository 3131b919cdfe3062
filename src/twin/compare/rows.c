/* Which rows differ, in the chunks that do. */
#include "base/mem.h"
#include "twin/compare/private.h"

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

static int report(struct rt_comparison *c, const char *prod, const char *twin,
                  struct rt_err *err)
{
    return c->differences->found(c->differences->context, prod, twin, err);
}

static int give_up_waiting(struct rt_comparison *c, struct waiting *w, struct rt_err *err)
{
    if (!w->somebody)
        return 0;
    w->somebody = false;
    return report(c, w->on_prod ? w->ctid : NULL, w->on_prod ? NULL : w->ctid, err);
}

/* This row's like is not on the other side. */
static int differs(struct rt_comparison *c, struct waiting *w, const struct row *row,
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

static int merge_rows(struct rt_comparison *c, struct rt_sides *sides, struct rt_err *err)
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
    struct rt_comparison *of;
    size_t first, count;
};

static int find_some(const struct slice *slices, size_t count, struct rt_worker *worker,
                     struct rt_err *err)
{
    struct rt_sides sides = {0};
    int rc;

    for (size_t i = 0; i < count; i++) {
        const struct slice *s = &slices[i];
        const struct rt_run *runs = s->of->runs + s->first;

        rt_sides_next(&sides);
        rt_cut_rows(&sides.prod_sql, &s->of->cut, &s->of->prod, runs, s->count);
        rt_cut_rows(&sides.twin_sql, &s->of->cut, &s->of->twin, runs, s->count);
    }
    rc = rt_sides_open(&sides, worker, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = merge_rows(slices[i].of, &sides, err);
        if (rc < 0)
            rt_comparison_wrap(slices[i].of, err);
    }
    rt_sides_close(&sides);
    return rc;
}

/* As many statements as keep each of a bounded length, but where each would read the
 * whole table; and so many of them at once. */
int rt_compare_find_rows(struct rt_comparison *all, size_t count,
                         struct rt_worker *worker, struct rt_err *err)
{
    struct slice *slices = rt_alloc((count + 1) * sizeof(*slices));
    size_t waiting = 0, runs = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct rt_comparison *c = &all[i];
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
