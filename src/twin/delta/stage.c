#include "twin/delta/stage.h"

#include <pthread.h>

#include "base/mem.h"
#include "pg/query.h"
#include "twin/delta/fetch.h"

/* Differences: how many are fetched by one statement, as text; and how many are kept to
 * be sorted, whatever the table's size. */
enum { BATCH = 16384, KEEP = 8 * BATCH };

/* So many of a table are found before they are charged for again. */
enum { SOME = 1024 };

/*
 * What a row costs to fetch and write, and each page of the table that it is on: the
 * server logs the whole page, and those of indexes that lead to it. Measured in
 * tests/bench/resync with a tenth of the rows changed, the newest or scattered ones: 1.8
 * and 2.4 s for 163,000 rows at 200 MB, 6.6 s for 470,000 at 600 MB. Fetching is the
 * lesser part, and once it is done no reason to give up any more.
 */
enum { ROW_US = 11, FETCH_US = 4, PAGE_US = 35 };

struct ctid {
    uint32_t block;
    uint16_t offset; /* from 1; 0: there is none */
};

struct difference {
    struct ctid prod, twin;
};

struct place {
    struct rt_stage *stage;
    size_t number;
    struct difference *rows; /* not flushed yet, up to KEEP */
    struct difference *gone; /* the same, up to BATCH */
    size_t row_count, row_room, gone_count;
    size_t pages;      /* of the twin, charged for */
    size_t fetched;    /* rows, of which that part is paid */
    size_t uncharged;  /* rows found */
    double cost_us;    /* of the others */
    double charged_us; /* of that, or of what is foreseen: in the stage's cost_us */
    struct rt_staged staged;
};

struct rt_stage {
    struct rt_stage_setup setup;
    struct place *places;
    pthread_mutex_t mutex; /* of what follows */
    struct rt_fetch *fetch;
    double cost_us;
    const char *unfit;
    char since[12]; /* rt_stage_mark */
};

struct rt_stage *rt_stage_open(const struct rt_stage_setup *setup)
{
    struct rt_stage *stage = rt_alloc(sizeof(*stage));

    stage->setup = *setup;
    stage->places = rt_alloc((setup->count + 1) * sizeof(*stage->places));
    for (size_t i = 0; i < setup->count; i++)
        stage->places[i] = (struct place){.stage = stage, .number = i};
    stage->fetch = rt_fetch_open(&stage->setup);
    pthread_mutex_init(&stage->mutex, NULL);
    return stage;
}

void rt_stage_close(struct rt_stage *stage)
{
    if (stage == NULL)
        return;
    for (size_t i = 0; i < stage->setup.count; i++) {
        free(stage->places[i].rows);
        free(stage->places[i].gone);
    }
    rt_fetch_close(stage->fetch);
    pthread_mutex_destroy(&stage->mutex);
    free(stage->places);
    free(stage);
}

void rt_stage_mark(struct rt_stage *stage, const char *since)
{
    snprintf(stage->since, sizeof(stage->since), "%s", since);
    stage->setup.since = stage->since;
}

const char *rt_stage_unfit(const struct rt_stage *stage)
{
    return stage->unfit;
}

const struct rt_stage_setup *rt_stage_setup_of(const struct rt_stage *stage)
{
    return &stage->setup;
}

struct rt_staged *rt_stage_of(struct rt_stage *stage, size_t pair)
{
    return &stage->places[pair].staged;
}

/* ------------------------------------------------------------------ batches */

static int order_ctids(const struct ctid *a, const struct ctid *b)
{
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Either server then reads its pages in one go, as far as both have them in one order. */
static int by_prod(const void *a, const void *b)
{
    const struct difference *left = a, *right = b;

    return order_ctids(&left->prod, &right->prod);
}

static int by_twin(const void *a, const void *b)
{
    const struct difference *left = a, *right = b;

    return order_ctids(&left->twin, &right->twin);
}

/* An array literal. */
static void list_ctids(struct rt_str *list, const struct difference *items, size_t count,
                       bool twin)
{
    for (size_t i = 0; i < count; i++) {
        const struct ctid *ctid = twin ? &items[i].twin : &items[i].prod;

        rt_str_add(list, i ? "," : "{");
        if (ctid->offset == 0)
            rt_str_add(list, "NULL");
        else
            rt_str_addf(list, "\"(%u,%u)\"", ctid->block, ctid->offset);
    }
    rt_str_add(list, "}");
}

/* Of the twin, as far as they are in its order, that are not charged for. What is only on
 * production will fill pages behind them. */
static size_t count_pages(struct place *place, const struct difference *items,
                          size_t count)
{
    const struct rt_table *twin = place->stage->setup.pairs[place->number].twin;
    size_t pages = 0, all = twin->bytes / RT_TABLE_PAGE + 1, left = all - place->pages;
    const struct ctid *last = NULL;

    for (size_t i = 0; i < count; i++) {
        if (items[i].twin.offset == 0)
            continue;
        pages += last == NULL || items[i].twin.block != last->block;
        last = &items[i].twin;
    }
    pages = pages < left ? pages : left;
    place->pages += pages;
    return pages;
}

static double cost_of(double rows, double pages)
{
    return rows * ROW_US + pages * PAGE_US;
}

/* With the mutex held: a table costs so much by what is known of it. Is all of them more
 * than it is worth? */
static int charge(struct place *place, double cost_us, struct rt_err *err)
{
    struct rt_stage *stage = place->stage;

    if (cost_us > place->charged_us) {
        stage->cost_us += cost_us - place->charged_us;
        place->charged_us = cost_us;
    }
    if (stage->setup.limit_us <= 0 || stage->cost_us <= stage->setup.limit_us)
        return 0;
    stage->unfit = "so many rows differ that copying everything is faster";
    return rt_err_set(err, RT_EREFUSED, "%s", stage->unfit);
}

static int spend(struct place *place, size_t rows, size_t pages, struct rt_err *err)
{
    int rc;

    place->cost_us += cost_of((double)rows, (double)pages);
    pthread_mutex_lock(&place->stage->mutex);
    rc = charge(place, place->cost_us, err);
    pthread_mutex_unlock(&place->stage->mutex);
    return rc;
}

int rt_stage_foresee(struct rt_stage *stage, size_t pair, double rows, double pages,
                     struct rt_err *err)
{
    int rc;

    pthread_mutex_lock(&stage->mutex);
    rc = charge(&stage->places[pair], cost_of(rows, pages), err);
    pthread_mutex_unlock(&stage->mutex);
    return rc;
}

static int fetch_rows(struct place *place, const char *ctids, const char *twin_ctids,
                      size_t count, struct rt_err *err)
{
    struct rt_stage *stage = place->stage;
    int rc;

    pthread_mutex_lock(&stage->mutex);
    rc = rt_fetch_rows(stage->fetch, place->number, &place->staged, ctids, twin_ctids,
                       count, err);
    stage->cost_us -= (double)count * FETCH_US;
    place->fetched += count;
    pthread_mutex_unlock(&stage->mutex);
    return rc;
}

/* One batch, of rows in production's order. */
static int flush_batch(struct place *place, const struct difference *rows, size_t count,
                       struct rt_err *err)
{
    struct rt_str ctids = {0}, twin_ctids = {0};
    int rc;

    list_ctids(&ctids, rows, count, false);
    list_ctids(&twin_ctids, rows, count, true);
    rc = spend(place, 0, count_pages(place, rows, count), err);
    if (rc == 0)
        rc = fetch_rows(place, ctids.data, twin_ctids.data, count, err);
    rt_str_clear(&ctids);
    rt_str_clear(&twin_ctids);
    return rc;
}

static int flush_rows(struct place *place, struct rt_err *err)
{
    int rc = 0;

    if (place->row_count > 0)
        qsort(place->rows, place->row_count, sizeof(*place->rows), by_prod);
    for (size_t i = 0; rc == 0 && i < place->row_count; i += BATCH) {
        size_t rest = place->row_count - i;

        rc = flush_batch(place, place->rows + i, rest < BATCH ? rest : BATCH, err);
    }
    place->row_count = 0;
    return rc;
}

static int flush_gone(struct place *place, struct rt_err *err)
{
    struct rt_str ctids = {0};
    struct rt_stage *stage = place->stage;
    int rc;

    if (place->gone_count == 0)
        return 0;
    qsort(place->gone, place->gone_count, sizeof(*place->gone), by_twin);
    list_ctids(&ctids, place->gone, place->gone_count, true);
    rc = spend(place, 0, count_pages(place, place->gone, place->gone_count), err);
    pthread_mutex_lock(&stage->mutex);
    if (rc == 0)
        rc = rt_fetch_gone(stage->fetch, place->number, &place->staged, ctids.data, err);
    pthread_mutex_unlock(&stage->mutex);
    place->gone_count = 0;
    rt_str_clear(&ctids);
    return rc;
}

static struct ctid parse_ctid(const char *text)
{
    struct ctid ctid = {0};
    char *end;

    if (text) {
        ctid.block = (uint32_t)strtoul(text + 1, &end, 10);
        ctid.offset = (uint16_t)strtoul(end + 1, NULL, 10);
    }
    return ctid;
}

/* struct rt_differences.expected */
static int foresee(void *context, double rows, double pages, struct rt_err *err)
{
    struct place *place = context;

    return rt_stage_foresee(place->stage, place->number, rows, pages, err);
}

static int charge_found(struct place *place, struct rt_err *err)
{
    size_t rows = place->uncharged;

    place->uncharged = 0;
    return spend(place, rows, 0, err);
}

/* struct rt_differences.found */
static int take(void *context, const char *prod_ctid, const char *twin_ctid,
                struct rt_err *err)
{
    struct place *place = context;
    struct difference found = {parse_ctid(prod_ctid), parse_ctid(twin_ctid)};

    if (++place->uncharged == SOME) {
        int rc = charge_found(place, err);

        if (rc < 0)
            return rc;
    }
    if (prod_ctid) {
        place->rows = rt_grow(place->rows, place->row_count, &place->row_room,
                              sizeof(*place->rows));
        place->rows[place->row_count++] = found;
        return place->row_count < KEEP ? 0 : flush_rows(place, err);
    }
    if (place->gone == NULL)
        place->gone = rt_alloc(BATCH * sizeof(*place->gone));
    place->gone[place->gone_count++] = found;
    return place->gone_count < BATCH ? 0 : flush_gone(place, err);
}

/* ------------------------------------------------------------------ the stage */

struct rt_differences rt_stage_sink(struct rt_stage *stage, size_t pair)
{
    return (struct rt_differences){
        .found = take, .expected = foresee, .context = &stage->places[pair]};
}

int rt_stage_flush(struct rt_stage *stage, size_t pair, struct rt_err *err)
{
    struct place *place = &stage->places[pair];
    int rc = charge_found(place, err);

    if (rc == 0)
        rc = flush_rows(place, err);
    if (rc == 0)
        rc = flush_gone(place, err);
    free(place->rows);
    free(place->gone);
    place->rows = place->gone = NULL;
    place->row_room = 0;
    return rc;
}

int rt_stage_rows(struct rt_stage *stage, size_t pair, const char *ctids,
                  struct rt_err *err)
{
    struct place *place = &stage->places[pair];
    size_t count = 0;
    int rc;

    for (const char *p = ctids; *p; p++)
        count += *p == '(';
    if (count == 0)
        return 0;
    place->staged.by_key = true;
    rc = spend(place, count, 0, err);
    if (rc == 0)
        rc = fetch_rows(place, ctids, NULL, count, err);
    return rc;
}

int rt_stage_fetch(struct rt_stage *stage, struct rt_err *err)
{
    int rc;

    pthread_mutex_lock(&stage->mutex);
    rc = rt_fetch_run(stage->fetch, err);
    pthread_mutex_unlock(&stage->mutex);
    return rc;
}

int rt_stage_forget(struct rt_stage *stage, size_t pair, struct rt_err *err)
{
    struct place *place = &stage->places[pair];
    struct rt_str sql = {0};
    int rc = 0;

    place->row_count = place->gone_count = place->uncharged = place->pages = 0;
    place->cost_us = 0;
    place->staged.by_key = place->staged.matched = false;
    place->staged.inserts = 0;
    rt_str_addf(&sql, "TRUNCATE " RT_STAGE_ROWS ", " RT_STAGE_GONE, pair, pair);
    pthread_mutex_lock(&stage->mutex);
    stage->cost_us += (double)place->fetched * FETCH_US - place->charged_us;
    place->charged_us = 0;
    place->fetched = 0;
    if (place->staged.created)
        rc = rt_fetch_run(stage->fetch, err);
    if (rc == 0 && place->staged.created)
        rc = rt_exec(NULL, stage->setup.writer, sql.data, err);
    pthread_mutex_unlock(&stage->mutex);
    rt_str_clear(&sql);
    return rc;
}
