/* Making pairs equal that production has changed. */
#include "base/mem.h"
#include "base/str.h"
#include "twin/recent_private.h"

enum { BATCH = 10000 }; /* addresses in one statement */

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
    struct rt_differences to;
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
    struct gone *gone = context;
    const struct rt_recent_setup *setup = &gone->recent->setup;
    const struct rt_differences sink = {.found = stage_gone, .context = gone};
    struct rt_compared compared;
    int rc;

    gone->to = rt_stage_sink(gone->stage, gone->pair);
    rc = rt_compare_table(&compared, worker, &setup->pairs[gone->pair], setup->way,
                          RT_COMPARE_KEYS, &sink, err);
    if (rc == 0 && setup->progress)
        atomic_fetch_add(&setup->progress->rows_read, compared.read);
    return rc == 0 ? rt_stage_flush(gone->stage, gone->pair, err) : rc;
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

static void add_search(struct gone *gone)
{
    const struct rt_recent_entry *entry = &gone->recent->entries[gone->pair];

    rt_crew_add(gone->recent->setup.crew,
                &(struct rt_job){.run = find_gone,
                                 .context = gone,
                                 .weight = (double)entry->table.prod_rows});
}

int rt_recent_settle(struct rt_recent *recent, struct rt_stage *stage, struct rt_err *err)
{
    const struct rt_recent_setup *setup = &recent->setup;
    struct gone *gone = rt_alloc((setup->count + 1) * sizeof(*gone));
    int rc = rt_stage_match(stage, err);

    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        gone[i] = (struct gone){.recent = recent, .stage = stage, .pair = i};
        if (recent->entries[i].table.verdict == RT_RECENT_CHANGED)
            rc = settle_one(&gone[i], err);
    }
    /* Nothing fails between the first job and the end of them all, which use gone. */
    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        if (gone[i].surplus > 0)
            add_search(&gone[i]);
    }
    if (rc == 0)
        rc = rt_crew_finish(setup->crew, err);
    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        if (gone[i].found != gone[i].surplus)
            rc = give_up(recent, i, stage, "its keys do not add up", err);
    }
    free(gone);
    return rc;
}
