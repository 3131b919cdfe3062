#include "twin/find.h"

#include "base/log.h"

struct search {
    struct rt_find *find;
    struct rt_recent *recent; /* or NULL */
    size_t pair;
    bool in_full;
};

static int compare(const struct search *s, struct rt_worker *worker, struct rt_err *err)
{
    struct rt_find *find = s->find;
    struct rt_differences sink =
        rt_recent_check(s->recent, s->pair, rt_stage_sink(find->stage, s->pair));
    struct rt_compared compared;
    int rc = rt_compare_table(&compared, worker, &find->pairs[s->pair], find->way,
                              RT_COMPARE_ROWS, &sink, err);

    if (rc == 0)
        rc = rt_stage_flush(find->stage, s->pair, err);
    find->rows[s->pair] = compared.prod_rows;
    find->progress->rows_read += compared.read;
    return rc;
}

static int run(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct search *s = context;
    const struct rt_table *table = s->find->pairs[s->pair].prod;
    int rc = s->in_full
                 ? compare(s, worker, err)
                 : rt_recent_stage(s->recent, s->pair, worker, s->find->stage, err);

    s->find->progress->bytes += table->bytes + table->toast_bytes;
    s->find->progress->tables++;
    return rc;
}

static void add(struct search *s, bool in_full)
{
    s->in_full = in_full;
    s->find->compared += in_full;
    rt_crew_add(s->find->crew, &(struct rt_job){
                                   .run = run,
                                   .context = s,
                                   .weight = (double)s->find->pairs[s->pair].prod->bytes,
                               });
}

static unsigned long long all_bytes(const struct rt_find *find)
{
    unsigned long long bytes = 0;

    for (size_t i = 0; i < find->count; i++)
        bytes += find->pairs[i].prod->bytes + find->pairs[i].prod->toast_bytes;
    return bytes;
}

/* What the scan has left to do, and those for which it was not enough. */
static int search(struct rt_find *find, struct search *searches, struct rt_recent *recent,
                  bool in_full, struct rt_err *err)
{
    int rc;

    for (size_t i = 0; i < find->count; i++) {
        const struct rt_recent_table *table = recent ? rt_recent_of(recent, i) : NULL;

        searches[i] = (struct search){.find = find, .recent = recent, .pair = i};
        if (table && table->verdict == RT_RECENT_COMPARE)
            rt_log_verbose("%s is compared in full: %s", find->pairs[i].prod->ident,
                           table->why);
        if (in_full || table->verdict == RT_RECENT_COMPARE) {
            add(&searches[i], true);
        } else {
            find->rows[i] = table->prod_rows;
            if (table->verdict == RT_RECENT_CHANGED)
                add(&searches[i], false);
        }
    }
    rc = rt_crew_finish(find->crew, err);
    if (rc == 0 && !in_full)
        rc = rt_recent_settle(recent, find->stage, err);
    for (size_t i = 0; rc == 0 && i < find->count; i++) {
        if (searches[i].in_full ||
            (recent == NULL || rt_recent_of(recent, i)->verdict != RT_RECENT_COMPARE))
            continue;
        rt_log_verbose("%s is compared in full: %s", find->pairs[i].prod->ident,
                       rt_recent_of(recent, i)->why);
        add(&searches[i], true);
    }
    return rc == 0 ? rt_crew_finish(find->crew, err) : rc;
}

/* Whether, and why, all tables are compared in full. Also then the scan is made where it
 * can be, to be checked. */
static int choose(struct rt_find *find, struct rt_receipt *receipt, bool *in_full,
                  bool *scan, struct rt_arena *arena, struct rt_err *err)
{
    struct rt_origin twin;
    const char *unfit;
    int rc = rt_receipt_read(receipt, arena, find->writer, err);

    if (rc == 0)
        rc = rt_origin_read(&twin, arena, find->writer, err);
    if (rc < 0)
        return rc;
    unfit = rt_recent_unfit(arena, receipt, find->origin, &twin);
    *scan = unfit == NULL;
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

int rt_find_differences(struct rt_find *find, struct rt_arena *arena, struct rt_err *err)
{
    struct search *searches =
        rt_arena_alloc(arena, (find->count + 1) * sizeof(*searches));
    struct rt_recent *recent = NULL;
    struct rt_receipt receipt;
    bool in_full = true, scan = false;
    int rc = choose(find, &receipt, &in_full, &scan, arena, err);
    const struct rt_recent_setup setup = {
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
    if (rc == 0 && scan) {
        rt_progress_phase(find->progress, "scanning", 0, all_bytes(find));
        rc = rt_recent_open(&recent, &setup, err);
    }
    if (rc == 0 && !find->unfit) {
        rt_progress_phase(find->progress, "comparing", find->count, all_bytes(find));
        rc = search(find, searches, recent, in_full, err);
    }
    if (rc == 0)
        find->missed = rt_recent_missed(recent, arena);
    rt_recent_close(recent);
    return rc;
}
