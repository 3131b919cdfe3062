/* Making pairs equal that production has changed. */
#include "base/mem.h"
#include "base/str.h"
#include "twin/delta/recent_private.h"

enum { BATCH = 10000 }; /* addresses in one statement */

/* ------------------------------------------------------------------ beforehand */

int rt_recent_foresee(const struct rt_recent *recent, struct rt_stage *stage,
                      struct rt_err *err)
{
    int rc = 0;

    if (rt_stage_setup_of(stage)->limit_us <= 0)
        return 0;
    for (size_t i = 0; rc == 0 && i < recent->setup.count; i++) {
        const struct rt_recent_table *table = &recent->entries[i].table;
        double gone = (double)table->twin_rows - (double)table->prod_rows, pages;

        if (table->verdict != RT_RECENT_CHANGED)
            continue;
        rc = rt_recent_pages(&pages, recent, i, err);
        if (rc == 0)
            rc = rt_stage_foresee(
                stage, i, (double)table->changed + (gone > 0 ? gone : 0), pages, err);
    }
    return rc;
}

/* ------------------------------------------------------------------ rows */

struct staging {
    struct rt_stage *stage;
    size_t pair;
};

static int stage_some(void *context, const rt_ctid *ctids, size_t count,
                      struct rt_err *err)
{
    const struct staging *to = context;
    struct rt_str literal = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i += BATCH) {
        rt_str_reset(&literal);
        rt_ctid_literal(&literal, ctids + i, count - i < BATCH ? count - i : BATCH);
        rc = rt_stage_rows(to->stage, to->pair, literal.data, err);
    }
    rt_str_clear(&literal);
    return rc;
}

int rt_recent_stage(struct rt_recent *recent, size_t pair, struct rt_worker *worker,
                    struct rt_stage *stage, struct rt_err *err)
{
    struct rt_recent_entry *entry = &recent->entries[pair];
    struct staging to = {.stage = stage, .pair = pair};
    bool unable = false;
    int rc;

    if (entry->scanned.dropped)
        rc = rt_scan_again(&unable, worker, recent->setup.pairs[pair].prod, &recent->prod,
                           stage_some, &to, err);
    else
        rc = stage_some(&to, entry->scanned.ctids, entry->scanned.count, err);
    if (rc == 0)
        rc = rt_stage_flush(stage, pair, err);
    entry->unable = unable;
    return rc;
}

/* ------------------------------------------------------------------ deletes */

/* Keys of one pair that are gone from production. */
struct gone {
    struct rt_recent *recent;
    struct rt_stage *stage;
    size_t pair;
    unsigned long long surplus; /* rows that the twin would have more */
    unsigned long long found;
    struct rt_differences sink, to;
};

/* Of some pairs, for one job. */
struct hunt {
    struct gone **gone;         /* of each of */
    struct rt_comparing *items; /* these */
    size_t count;
};

/* Of the keys that only one side has, those on production are staged already. */
static int stage_gone(void *context, const char *prod_ctid, const char *twin_ctid,
                      struct rt_err *err)
{
    struct gone *gone = context;

    if (prod_ctid)
        return 0;
    gone->found++;
    return gone->to.found(gone->to.context, NULL, twin_ctid, err);
}

static int find_gone(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct hunt *hunt = context;
    struct rt_recent *recent = hunt->gone[0]->recent;
    struct rt_stage *stage = hunt->gone[0]->stage;
    int rc = rt_compare_tables(hunt->items, hunt->count, worker, recent->setup.way,
                               RT_COMPARE_KEYS, err);

    for (size_t i = 0; rc == 0 && i < hunt->count; i++) {
        if (recent->setup.progress) {
            recent->setup.progress->rows_read += hunt->items[i].compared.read;
            recent->setup.progress->keys_read += hunt->items[i].compared.keys;
        }
        rc = rt_stage_flush(stage, hunt->gone[i]->pair, err);
    }
    return rc;
}

static int give_up(struct rt_recent *recent, size_t pair, struct rt_stage *stage,
                   const char *why, struct rt_err *err)
{
    recent->entries[pair].table.verdict = RT_RECENT_COMPARE;
    recent->entries[pair].table.why = why;
    return rt_stage_forget(stage, pair, err);
}

/*
 * Each row of production is either as it was, and so on the twin, or staged. So what is
 * on the twin holds all of production, and is the same when it is as many; and what it
 * has more is gone from production.
 */
static int settle_one(struct gone *gone, struct rt_err *err)
{
    const struct rt_recent_entry *entry = &gone->recent->entries[gone->pair];
    const struct rt_recent_table *table = &entry->table;
    unsigned long long would_be =
        table->twin_rows + rt_stage_of(gone->stage, gone->pair)->inserts;

    if (entry->unable)
        return give_up(gone->recent, gone->pair, gone->stage,
                       "more of it may have changed than can be listed", err);
    if (would_be < table->prod_rows)
        return give_up(gone->recent, gone->pair, gone->stage,
                       "production has more rows than the changed ones explain", err);
    gone->surplus = would_be - table->prod_rows;
    return 0;
}

/* What all hunts are made of: room for every pair. */
struct hunts {
    struct gone *gone, **some;
    struct rt_comparing *items;
    struct hunt *hunts;
    size_t count; /* of some and items */
};

static void choose(struct hunts *all, const struct rt_recent_setup *setup)
{
    for (size_t i = 0; i < setup->count; i++) {
        struct gone *gone = &all->gone[i];

        if (gone->surplus == 0)
            continue;
        gone->to = rt_stage_sink(gone->stage, i);
        gone->sink = (struct rt_differences){.found = stage_gone, .context = gone};
        all->some[all->count] = gone;
        all->items[all->count++] =
            (struct rt_comparing){.pair = &setup->pairs[i], .differences = &gone->sink};
    }
}

/* Nothing fails between the first job and the end of them all, which use the hunts. */
static int hunt_all(struct hunts *all, const struct rt_recent_setup *setup,
                    struct rt_err *err)
{
    size_t number = 0, length;

    choose(all, setup);
    for (size_t i = 0; i < all->count; i += length) {
        struct hunt *hunt = &all->hunts[number++];

        length = rt_compare_group(all->items + i, all->count - i);
        *hunt = (struct hunt){all->some + i, all->items + i, length};
        rt_crew_add(setup->crew,
                    &(struct rt_job){.run = find_gone,
                                     .context = hunt,
                                     .weight = (double)all->items[i].pair->prod->bytes});
    }
    return rt_crew_finish(setup->crew, err);
}

static int settle_all(struct hunts *all, struct rt_recent *recent, struct rt_stage *stage,
                      struct rt_err *err)
{
    int rc = rt_stage_match(stage, err);

    for (size_t i = 0; rc == 0 && i < recent->setup.count; i++) {
        all->gone[i] = (struct gone){.recent = recent, .stage = stage, .pair = i};
        if (recent->entries[i].table.verdict == RT_RECENT_CHANGED)
            rc = settle_one(&all->gone[i], err);
    }
    if (rc == 0)
        rc = hunt_all(all, &recent->setup, err);
    for (size_t i = 0; rc == 0 && i < recent->setup.count; i++) {
        if (all->gone[i].found != all->gone[i].surplus)
            rc = give_up(recent, i, stage, "its keys do not add up", err);
    }
    return rc;
}

int rt_recent_settle(struct rt_recent *recent, struct rt_stage *stage, struct rt_err *err)
{
    size_t count = recent->setup.count + 1;
    struct hunts all = {
        .gone = rt_alloc(count * sizeof(*all.gone)),
        .some = rt_alloc(count * sizeof(struct gone *)),
        .items = rt_alloc(count * sizeof(*all.items)),
        .hunts = rt_alloc(count * sizeof(*all.hunts)),
    };
    int rc = settle_all(&all, recent, stage, err);

    free(all.gone);
    free(all.some);
    free(all.items);
    free(all.hunts);
    return rc;
}
