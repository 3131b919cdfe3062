#include "twin/delta/find.h"

#include "base/log.h"

struct search {
    struct rt_find *find;
    struct rt_recent *recent; /* or NULL */
    size_t pair;
    bool in_full;
    struct rt_differences sink; /* of a comparison */
};

/* Comparisons of one job. */
struct batch {
    struct rt_find *find;
    struct search **searches;   /* of each of */
    struct rt_comparing *items; /* these */
    size_t count;
    struct rt_compare *compare; /* between its steps */
    atomic_size_t *waiting;     /* bytes of those of all batches */
};

/* Bytes of comparisons that may wait for their second step, and what keeps the jobs of
 * that behind all of the first. */
static const size_t most_waiting = 12 << 20;
static const double behind = -1e15;

static void note_done(const struct search *s)
{
    const struct rt_table *table = s->find->pairs[s->pair].prod;

    s->find->progress->bytes += table->bytes + table->toast_bytes;
    s->find->progress->tables++;
}

static int compare_rows(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct batch *batch = context;
    struct rt_find *find = batch->find;
    int rc = rt_compare_rows(batch->compare, worker, err);

    *batch->waiting -= rt_compare_size(batch->compare);
    rt_compare_close(batch->compare);
    batch->compare = NULL;
    for (size_t i = 0; rc == 0 && i < batch->count; i++) {
        const struct rt_compared *compared = &batch->items[i].compared;

        rc = rt_stage_flush(find->stage, batch->searches[i]->pair, err);
        find->rows[batch->searches[i]->pair] = compared->prod_rows;
        find->progress->rows_read += compared->read;
        note_done(batch->searches[i]);
    }
    return rc;
}

/* All chunks come before any row: they show that there is too much to do. */
static int compare_chunks(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct batch *batch = context;
    int rc = rt_compare_open(&batch->compare, batch->items, batch->count, worker,
                             batch->find->way, RT_COMPARE_ROWS, err);

    *batch->waiting += rt_compare_size(batch->compare);
    if (rc < 0)
        return rc;
    if (!rt_compare_differs(batch->compare) || *batch->waiting > most_waiting)
        return compare_rows(worker, batch, err);
    rt_crew_add(worker->crew,
                &(struct rt_job){
                    .run = compare_rows,
                    .context = batch,
                    .weight = behind + (double)batch->items->pair->prod->bytes,
                });
    return 0;
}

static int stage(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct search *s = context;
    int rc = rt_recent_stage(s->recent, s->pair, worker, s->find->stage, err);

    note_done(s);
    return rc;
}

static void add_stage(struct search *s)
{
    rt_crew_add(s->find->crew, &(struct rt_job){
                                   .run = stage,
                                   .context = s,
                                   .weight = (double)s->find->pairs[s->pair].prod->bytes,
                               });
}

/* Room for every pair, until no job is left. */
struct comparisons {
    struct search *searches, **some;
    struct rt_comparing *items;
    struct batch *batches;
    atomic_size_t waiting;
    size_t count, batch_count; /* that have jobs; a second round comes behind the first */
};

static void add_comparison(struct comparisons *all, struct search *s)
{
    struct rt_find *find = s->find;

    s->in_full = true;
    s->sink = rt_stage_sink(find->stage, s->pair);
    all->some[all->count] = s;
    all->items[all->count++] =
        (struct rt_comparing){.pair = &find->pairs[s->pair], .differences = &s->sink};
    find->compared++;
}

/* Jobs for the comparisons from this one on. */
static void start_comparisons(struct comparisons *all, struct rt_find *find, size_t from)
{
    while (from < all->count) {
        struct batch *batch = &all->batches[all->batch_count++];

        *batch = (struct batch){
            .find = find,
            .searches = all->some + from,
            .items = all->items + from,
            .count = rt_compare_group(all->items + from, all->count - from),
            .waiting = &all->waiting,
        };
        rt_crew_add(find->crew, &(struct rt_job){
                                    .run = compare_chunks,
                                    .context = batch,
                                    .weight = (double)batch->items->pair->prod->bytes,
                                });
        from += batch->count;
    }
}

static void tell(const struct rt_find *find, const struct rt_recent *recent, size_t pair)
{
    rt_log_verbose("%s is compared in full: %s", find->pairs[pair].prod->ident,
                   rt_recent_of(recent, pair)->why);
}

/* What the scan has left to do, and those for which it was not enough. */
static int search(struct rt_find *find, struct comparisons *all, struct rt_recent *recent,
                  struct rt_err *err)
{
    size_t first;
    int rc = recent ? rt_recent_foresee(recent, find->stage, err) : 0;

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < find->count; i++) {
        const struct rt_recent_table *table = recent ? rt_recent_of(recent, i) : NULL;
        struct search *s = &all->searches[i];

        *s = (struct search){.find = find, .recent = recent, .pair = i};
        if (table && table->verdict == RT_RECENT_COMPARE)
            tell(find, recent, i);
        if (table == NULL || table->verdict == RT_RECENT_COMPARE) {
            add_comparison(all, s);
            continue;
        }
        find->rows[i] = table->prod_rows;
        if (table->verdict == RT_RECENT_CHANGED)
            add_stage(s);
    }
    start_comparisons(all, find, 0);
    rc = rt_crew_finish(find->crew, err);
    if (rc == 0 && recent)
        rc = rt_recent_settle(recent, find->stage, err);
    first = all->count;
    for (size_t i = 0; rc == 0 && i < find->count; i++) {
        if (all->searches[i].in_full ||
            rt_recent_of(recent, i)->verdict != RT_RECENT_COMPARE)
            continue;
        tell(find, recent, i);
        add_comparison(all, &all->searches[i]);
    }
    start_comparisons(all, find, first);
    return rc == 0 ? rt_crew_finish(find->crew, err) : rc;
}

/* Whether, and why, all tables are compared in full; and whether the receipt would have
 * told which rows to look at. */
static int choose(struct rt_find *find, struct rt_receipt *receipt, bool *in_full,
                  bool *fits, struct rt_arena *arena, struct rt_err *err)
{
    struct rt_origin twin;
    const char *unfit;
    int rc = rt_receipt_read(receipt, arena, find->writer, err);

    if (rc == 0)
        rc = rt_origin_read(&twin, arena, find->writer, err);
    if (rc < 0)
        return rc;
    unfit = rt_recent_unfit(arena, receipt, find->origin, &twin);
    *fits = unfit == NULL;
    *in_full = true;
    if (unfit && find->incremental) {
        find->unfit = unfit;
    } else if (unfit) {
        find->why = rt_arena_format(arena, "compared in full: %s", unfit);
    } else if (find->full_compare) {
        find->why = "compared in full: --full-compare";
    } else if (!find->incremental && receipt->incremental_runs + 1 >= RT_RECENT_RUNS) {
        find->why =
            rt_arena_format(arena, "compared in full, after %u runs that were not",
                            receipt->incremental_runs);
    } else {
        *in_full = false;
        find->incremental_runs = receipt->incremental_runs + 1;
        find->why = rt_arena_format(arena, "incremental: what was written since %s",
                                    receipt->taken_at);
    }
    return 0;
}

/* Rows that differ though production has not written them since the receipt. Developers
 * may have, on the twin, which the scan tells; else it would have missed them. */
static int check(struct rt_find *find, struct rt_recent_setup *setup,
                 struct rt_arena *arena, struct rt_err *err)
{
    unsigned long long *old = rt_arena_alloc(arena, (find->count + 1) * sizeof(*old));
    bool *skip = rt_arena_alloc(arena, find->count + 1), some = false;
    struct rt_recent *recent = NULL;
    int rc = rt_stage_count_old(old, find->stage, err);

    for (size_t i = 0; rc == 0 && i < find->count; i++) {
        skip[i] = old[i] == 0;
        some |= !skip[i];
    }
    if (rc < 0 || !some)
        return rc;
    setup->skip = skip;
    rc = rt_recent_open(&recent, setup, err);
    if (rc == 0)
        find->missed = rt_recent_missed(recent, old, arena);
    rt_recent_close(recent);
    return rc;
}

int rt_find_differences(struct rt_find *find, struct rt_arena *arena, struct rt_err *err)
{
    struct comparisons all = {
        .searches = rt_arena_alloc(arena, (find->count + 1) * sizeof(*all.searches)),
        .some = rt_arena_alloc(arena, (find->count + 1) * sizeof(struct search *)),
        .items = rt_arena_alloc(arena, (find->count + 1) * sizeof(*all.items)),
        .batches = rt_arena_alloc(arena, (find->count + 1) * sizeof(*all.batches)),
    };
    struct rt_recent *recent = NULL;
    struct rt_receipt receipt;
    bool in_full = true, fits = false;
    int rc = choose(find, &receipt, &in_full, &fits, arena, err);
    char since[12];
    struct rt_recent_setup setup = {
        .receipt = &receipt,
        .pairs = find->pairs,
        .count = find->count,
        .way = find->way,
        .prod = find->prod,
        .twin = find->writer,
        .keep = find->keep,
        .crew = find->crew,
        .progress = find->progress,
    };

    find->rows = rt_arena_alloc(arena, (find->count + 1) * sizeof(*find->rows));
    if (rc < 0 || find->unfit)
        return rc;
    if (!in_full) {
        rt_progress_phase(find->progress, "scanning", 0, find->bytes);
        rc = rt_recent_open(&recent, &setup, err);
    } else if (fits) {
        rt_recent_xid(since, receipt.origin.snapshot);
        rt_stage_mark(find->stage, since);
    }
    if (rc == 0) {
        rt_progress_phase(find->progress, "comparing", find->count, find->bytes);
        rc = search(find, &all, recent, err);
    }
    for (size_t i = 0; i < all.batch_count; i++)
        rt_compare_close(all.batches[i].compare);
    if (rc == 0 && in_full && fits)
        rc = check(find, &setup, arena, err);
    else if (rc == -RT_EREFUSED && in_full && fits)
        rt_log("too much differs to tell whether earlier resyncs have missed any of it");
    rt_recent_close(recent);
    return rc;
}
