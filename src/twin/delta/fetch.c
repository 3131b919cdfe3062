#include "twin/delta/fetch.h"

#include "base/mem.h"
#include "pg/copy.h"
#include "pg/query.h"

/* What is asked for is kept as text: so many rows, and so many bytes of statements. */
enum { ROWS = 16384, BEFORE_LEN = 256 * 1024 };

/* Rows of production that are to be copied. */
struct order {
    size_t pair;
    struct rt_staged *staged;
    char *read, *write; /* the two COPYs */
    size_t rows;
};

struct rt_fetch {
    const struct rt_stage_setup *setup;
    struct order *orders;
    size_t count, room;
    size_t rows;          /* of all of them */
    struct rt_str before; /* statements of the writer, to be run in front of them */
};

/* ------------------------------------------------------------------ statements */

static void add_create(struct rt_fetch *fetch, size_t pair, struct rt_staged *staged)
{
    const struct rt_table *twin = fetch->setup->pairs[pair].twin;
    struct rt_str *sql = &fetch->before;

    if (staged->created)
        return;
    staged->created = true;
    rt_str_addf(sql,
                "CREATE TEMP TABLE " RT_STAGE_GONE " (" RT_STAGE_CTID " tid) "
                "ON COMMIT DROP;",
                pair);
    rt_str_addf(sql,
                "CREATE TEMP TABLE " RT_STAGE_ROWS " (" RT_STAGE_CTID " tid,"
                " " RT_STAGE_HASH " int8%s",
                pair, fetch->setup->since ? ", " RT_STAGE_OLD " bool" : "");
    for (size_t i = 0; i < twin->column_count; i++) {
        if (!twin->columns[i].generated)
            rt_str_addf(sql, ", " RT_STAGE_COLUMN " %s", i, twin->columns[i].type);
    }
    rt_str_add(sql, ") ON COMMIT DROP;");
}

/* Rows by ctid. OFFSET 0 keeps the planner from anything but fetching each by it, in the
 * given order, and fences the hash. */
static void add_read(struct rt_str *sql, const struct rt_stage_setup *setup,
                     const struct rt_pair *pair, const char *ctids,
                     const char *twin_ctids)
{
    const char *format =
        rt_project_binary(pair->prod, pair->twin) ? " (FORMAT binary)" : "";

    rt_str_addf(sql, "COPY (SELECT %s, t.* FROM unnest('%s'::tid[]",
                twin_ctids ? "d.twin" : "NULL::tid", ctids);
    if (twin_ctids)
        rt_str_addf(sql, ", '%s'::tid[]) AS d (prod, twin)", twin_ctids);
    else
        rt_str_add(sql, ") AS d (prod)");
    rt_str_add(sql, " CROSS JOIN LATERAL (SELECT ");
    rt_project_row_hash(sql, pair->prod, "revtwin_table", setup->way);
    if (setup->since)
        rt_str_addf(sql, ", age(revtwin_table.xmin) > (SELECT age('%s'::xid))",
                    setup->since);
    for (size_t i = 0; i < pair->prod->column_count; i++) {
        if (pair->prod->columns[i].generated)
            continue;
        rt_str_add(sql, ", ");
        rt_quote_ident(sql, pair->prod->columns[i].name);
    }
    rt_str_add(sql, " FROM ");
    rt_project_source(sql, pair->prod, "revtwin_table");
    rt_str_addf(sql, " WHERE revtwin_table.ctid = d.prod OFFSET 0) AS t) TO STDOUT%s",
                format);
}

static void count_passed(void *context, const char *piece, size_t bytes)
{
    struct rt_progress *progress = context;

    (void)piece;
    progress->read += bytes;
    progress->written += bytes;
}

/* ------------------------------------------------------------------ together */

static int copy_all(struct rt_fetch *fetch, struct rt_copy_leg *legs, struct rt_err *err)
{
    struct rt_progress *progress = fetch->setup->progress;
    const struct order *first = fetch->orders;
    int rc;

    for (size_t i = 0; i < fetch->count; i++)
        legs[i] = (struct rt_copy_leg){.copy_to_stdout = fetch->orders[i].read,
                                       .copy_from_stdin = fetch->orders[i].write};
    rt_str_add(&fetch->before, first->write);
    legs[0].copy_from_stdin = fetch->before.data;
    rc = rt_copy_pipes(legs, fetch->count, fetch->setup->reader, fetch->setup->writer,
                       progress ? count_passed : NULL, progress, err);
    return rc < 0 ? rt_err_wrap(err, "cannot copy rows of table %s%s",
                                fetch->setup->pairs[first->pair].prod->ident,
                                fetch->count > 1 ? " and others" : "")
                  : 0;
}

static int check(const struct rt_fetch *fetch, const struct rt_copy_leg *legs,
                 struct rt_err *err)
{
    for (size_t i = 0; i < fetch->count; i++) {
        const struct order *order = &fetch->orders[i];

        order->staged->bytes += legs[i].copied.bytes;
        if (legs[i].copied.rows != order->rows)
            return rt_err_set(err, RT_EINTERNAL,
                              "production has given %llu rows of table %s of %zu that it "
                              "has",
                              legs[i].copied.rows,
                              fetch->setup->pairs[order->pair].prod->ident, order->rows);
    }
    return 0;
}

static void forget(struct rt_fetch *fetch)
{
    for (size_t i = 0; i < fetch->count; i++) {
        free(fetch->orders[i].read);
        free(fetch->orders[i].write);
    }
    fetch->count = fetch->rows = 0;
    rt_str_reset(&fetch->before);
}

int rt_fetch_run(struct rt_fetch *fetch, struct rt_err *err)
{
    struct rt_copy_leg *legs = rt_alloc((fetch->count + 1) * sizeof(*legs));
    int rc = 0;

    if (fetch->count > 0)
        rc = copy_all(fetch, legs, err);
    else if (fetch->before.len > 0)
        rc = rt_exec(NULL, fetch->setup->writer, fetch->before.data, err);
    if (rc == 0)
        rc = check(fetch, legs, err);
    forget(fetch);
    free(legs);
    return rc;
}

int rt_fetch_rows(struct rt_fetch *fetch, size_t pair, struct rt_staged *staged,
                  const char *ctids, const char *twin_ctids, size_t rows,
                  struct rt_err *err)
{
    const struct rt_pair *both = &fetch->setup->pairs[pair];
    struct rt_str read = {0}, write = {0};

    add_create(fetch, pair, staged);
    add_read(&read, fetch->setup, both, ctids, twin_ctids);
    rt_str_addf(&write, "COPY " RT_STAGE_ROWS " FROM STDIN%s", pair,
                rt_project_binary(both->prod, both->twin) ? " (FORMAT binary)" : "");
    fetch->orders =
        rt_grow(fetch->orders, fetch->count, &fetch->room, sizeof(*fetch->orders));
    fetch->orders[fetch->count++] = (struct order){.pair = pair,
                                                   .staged = staged,
                                                   .read = rt_str_take(&read),
                                                   .write = rt_str_take(&write),
                                                   .rows = rows};
    fetch->rows += rows;
    return fetch->rows < ROWS ? 0 : rt_fetch_run(fetch, err);
}

int rt_fetch_gone(struct rt_fetch *fetch, size_t pair, struct rt_staged *staged,
                  const char *ctids, struct rt_err *err)
{
    add_create(fetch, pair, staged);
    rt_str_addf(&fetch->before,
                "INSERT INTO " RT_STAGE_GONE " SELECT unnest('%s'::tid[]);", pair, ctids);
    return fetch->before.len < BEFORE_LEN ? 0 : rt_fetch_run(fetch, err);
}

struct rt_fetch *rt_fetch_open(const struct rt_stage_setup *setup)
{
    struct rt_fetch *fetch = rt_alloc(sizeof(*fetch));

    fetch->setup = setup;
    return fetch;
}

void rt_fetch_close(struct rt_fetch *fetch)
{
    forget(fetch);
    rt_str_clear(&fetch->before);
    free(fetch->orders);
    free(fetch);
}
