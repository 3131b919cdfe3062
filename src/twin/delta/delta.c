/*
 * From top to bottom: lock the twin, take a snapshot of production, compare the schemas,
 * find what differs and stage it, then put everything that could act out of the way,
 * write, put it back, and commit: one transaction, of which nothing is seen before.
 */
#include "twin/delta/delta.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/later.h"
#include "twin/compare/match.h"
#include "twin/crew.h"
#include "twin/delta/find.h"
#include "twin/delta/left_out.h"
#include "twin/delta/write.h"
#include "twin/hold.h"
#include "twin/holder.h"
#include "twin/mark.h"
#include "twin/matview.h"
#include "twin/sequence.h"

enum {
    ATTEMPTS = 4,
    TO_END = 5 /* seconds that an ended session may take */
};

struct delta {
    struct rt_delta *job;
    struct rt_arena *arena;
    struct rt_conn *writer; /* the twin, in the one transaction */
    struct rt_tables twin_tables;
    struct rt_origin origin;
    struct rt_pair *pairs;
    size_t count;
    struct rt_hash_probe probe;
    struct rt_read empty;    /* materialized views of production that are not populated */
    struct rt_places places; /* of its sequences */
    enum rt_hash_way way;
    struct rt_crew *crew;
    struct rt_stage *stage;
    struct rt_find find;
    struct rt_write_load *loads;
    struct rt_suspended suspended;
    bool again;    /* whoever was in the way has been sent away */
    bool longer;   /* and is on the way out */
    bool all_keys; /* suspend every foreign key: the first attempt ran into one */
    int64_t start;
};

/* ------------------------------------------------------------------ collect */

static int open_twin(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    bool longer = d->longer && job->wait_seconds < TO_END;
    int rc = rt_conn_open(&d->writer, job->twin_server, RT_READ_WRITE, err);

    if (rc == 0)
        rc = rt_hold_open(&d->twin_tables, d->arena, d->writer,
                          longer ? TO_END : job->wait_seconds, err);
    if (rc == -RT_EREFUSED) { /* rows are hidden from this role, which a rebuild ends */
        job->unfit = rt_arena_strdup(d->arena, err->message);
        rt_err_clear(err);
        rc = 0;
    }
    return rc;
}

static void show(void *context)
{
    rt_progress_show(context);
}

/* They connect while the schemas are compared. */
static int start_crew(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    const struct rt_crew_setup crew = {
        .size = job->workers,
        .prod = job->prod_server,
        .snapshot = job->snapshot.id,
        .twin = job->twin_server,
        .access = RT_READ_ONLY,
        .tick = show,
        .context = job->progress,
    };

    return rt_crew_start(&d->crew, &crew, err);
}

static int open_prod(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    int rc = rt_snapshot_open(&job->snapshot, d->arena, job->prod, err);

    if (rc == 0)
        rc = start_crew(d, err);
    if (rc < 0)
        return rc;
    /* Answers that are needed later come with those to the next questions. */
    rt_hash_ask(&d->probe, job->prod, d->writer);
    rt_matviews_ask(&d->empty, job->prod);
    rt_places_ask(&d->places, job->prod);
    rc = rt_origin_read(&d->origin, d->arena, job->prod, err);
    if (rc == 0)
        rc = rt_places_read(&d->places, job->prod, err);
    return rc;
}

/* Under the locks of both sides: nobody changes a table from here on. */
static int match(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    struct rt_match found;
    int rc = rt_match(&found, d->arena, job->prod, &job->snapshot.tables, d->writer,
                      &d->twin_tables, err);

    if (rc < 0)
        return rc;
    d->way = rt_hash_told(&d->probe);
    d->pairs = found.pairs;
    d->count = found.count;
    job->violated = found.violated;
    job->violated_count = found.violated_count;
    if (found.differs)
        job->unfit =
            rt_arena_format(d->arena, "the schemas are not the same: %s", found.differs);
    return 0;
}

/* ------------------------------------------------------------------ find */

/* What a rebuild takes, and what a delta may for writing, which is all it does but some;
 * measured in tests/bench/resync: 2.3 s for tables of 165 MB, 5.1 s for 495 MB. */
static double limit_us(const struct delta *d)
{
    const double fixed_us = 0.95e6, bytes_per_us = 120, share = 0.9;

    double bytes = (double)rt_tables_bytes(&d->job->snapshot.tables);

    return d->job->may_give_up ? share * (fixed_us + bytes / bytes_per_us) : 0;
}

static void open_stage(struct delta *d)
{
    struct rt_delta *job = d->job;
    const struct rt_stage_setup stage = {
        .reader = job->prod,
        .writer = d->writer,
        .pairs = d->pairs,
        .count = d->count,
        .way = d->way,
        .progress = job->progress,
        .limit_us = limit_us(d),
    };

    d->stage = rt_stage_open(&stage);
}

static int find_differences(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    int rc;

    open_stage(d);
    d->find = (struct rt_find){
        .pairs = d->pairs,
        .count = d->count,
        .bytes = rt_tables_bytes(&job->snapshot.tables),
        .way = d->way,
        .prod = job->prod,
        .writer = d->writer,
        .origin = &d->origin,
        .full_compare = job->full_compare,
        .incremental = job->incremental,
        .keep = job->keep,
        .crew = d->crew,
        .stage = d->stage,
        .progress = job->progress,
    };
    rc = rt_find_differences(&d->find, d->arena, err);
    job->tables_compared = d->find.compared;
    job->missed = d->find.missed;
    job->unfit = d->find.unfit;
    rt_crew_close(d->crew); /* its sessions would be in the way of DDL */
    d->crew = NULL;
    if (rc == -RT_EREFUSED && rt_stage_unfit(d->stage)) {
        job->unfit = rt_arena_strdup(d->arena, rt_stage_unfit(d->stage));
        rt_err_clear(err);
        rc = 0;
    }
    return rc;
}

/* ------------------------------------------------------------------ change */

static void make_loads(struct delta *d)
{
    d->loads = rt_arena_alloc(d->arena, (d->count + 1) * sizeof(*d->loads));
    for (size_t i = 0; i < d->count; i++) {
        const struct rt_staged *staged = rt_stage_of(d->stage, i);

        d->loads[i] = (struct rt_write_load){
            .oid = d->pairs[i].twin->oid,
            .deletes = staged->deletes,
            .updates = staged->updates,
            .inserts = staged->inserts,
        };
        d->job->receipt.rows_written +=
            staged->deletes + staged->updates + staged->inserts;
        d->job->receipt.bytes_read += staged->bytes;
        d->job->tables_changed += staged->deletes + staged->updates + staged->inserts > 0;
    }
}

static int refresh_views(struct delta *d, struct rt_err *err)
{
    struct rt_str changed = {0};
    unsigned long refreshed;
    int rc;

    for (size_t i = 0; i < d->count; i++) {
        const struct rt_write_load *load = &d->loads[i];

        if (load->deletes + load->updates + load->inserts > 0)
            rt_str_addf(&changed, "%s%s", changed.len ? "," : "{", load->oid);
    }
    rt_str_add(&changed, changed.len ? "}" : "{}");
    rc = rt_matviews_refresh(&refreshed, &d->empty, d->writer, changed.data, err);
    rt_str_clear(&changed);
    return rc;
}

/* Behind those that were NOT VALID before. */
static void add_violated(struct delta *d)
{
    const struct rt_suspended *more = &d->suspended;
    struct rt_delta *job = d->job;
    size_t count = job->violated_count + more->violated_count;
    const char **all = rt_arena_alloc(d->arena, (count + 1) * sizeof(*all));

    for (size_t i = 0; i < count; i++)
        all[i] = i < job->violated_count ? job->violated[i]
                                         : more->violated[i - job->violated_count];
    job->violated = all;
    job->violated_count = count;
}

static int write_rows(struct delta *d, struct rt_err *err)
{
    int rc = rt_write_resolve(d->stage, err);

    if (rc < 0)
        return rc;
    make_loads(d);
    if (d->job->tables_changed == 0)
        return 0;
    rt_progress_phase(d->job->progress, "writing", d->job->tables_changed, 0);
    rc = rt_suspend(&d->suspended, d->writer, d->loads, d->count, d->all_keys, err);
    if (rc == 0)
        rc = rt_write(d->stage, d->loads, err);
    if (rc == 0)
        rc = rt_resume(&d->suspended, d->arena, d->writer, err);
    if (rc == 0)
        add_violated(d);
    return rc;
}

static int write_receipt(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    struct rt_receipt *receipt = &job->receipt;
    const struct rt_twin_mark mark = {
        .source = job->source,
        .snapshot_at = job->snapshot.taken_at,
        .lsn = job->snapshot.lsn,
        .method = RT_DELTA,
        .version = RT_VERSION,
        .adopted_at = job->adopted_at,
    };
    int rc;

    receipt->taken_at = job->snapshot.taken_at;
    receipt->origin = d->origin;
    receipt->method = RT_DELTA;
    receipt->why = d->find.why;
    receipt->incremental_runs = d->find.incremental_runs;
    receipt->verified = d->find.compared == d->count;
    receipt->rows_read = job->progress->rows_read;
    receipt->bytes_written = receipt->bytes_read;
    receipt->seconds = (double)(rt_clock_us() - d->start) / 1e6;
    receipt->table_count = d->count;
    receipt->tables = rt_arena_alloc(d->arena, (d->count + 1) * sizeof(*receipt->tables));
    for (size_t i = 0; i < d->count; i++)
        receipt->tables[i] = (struct rt_receipt_table){
            .schema = d->pairs[i].prod->schema,
            .name = d->pairs[i].prod->name,
            .prod_oid = d->pairs[i].prod->oid,
            .rows = d->find.rows[i],
        };
    rc = rt_mark_write(d->writer, &mark, err);
    return rc < 0 ? rc : rt_receipt_write(d->writer, receipt, err);
}

static int change(struct delta *d, struct rt_err *err)
{
    unsigned long moved;
    int rc = 0;

    rt_conn_on_wait(d->writer, show, d->job->progress);
    if (d->job->snapshot.tables.standby)
        rc = rt_left_out_empty(&d->twin_tables, d->writer, err);
    if (rc == 0)
        rc = write_rows(d, err);
    if (rc == 0)
        rc = rt_sequences_follow(&moved, &d->places, d->writer, err);
    if (rc == 0)
        rc = refresh_views(d, err);
    if (rc == 0)
        rc = write_receipt(d, err);
    if (rc == 0)
        rc = rt_resume_events(&d->suspended, d->writer, err);
    if (rc == 0)
        rc = rt_hold_commit(d->writer, d->job->settle_seconds, err);
    return rc;
}

/* ------------------------------------------------------------------ the whole */

/* A lock could not be had in time. */
static int clear_the_way(struct delta *d, struct rt_err *err)
{
    const struct rt_delta *job = d->job;
    struct rt_holders holders;
    struct rt_err ignored = {0};
    int rc = rt_holders_read(&holders, d->writer, &ignored);
    bool in_the_way = holders.staying > 0;

    if (rc == 0 && job->force)
        rc = rt_holders_end(&holders, d->writer, &ignored);
    d->again = rc == 0 && in_the_way && holders.staying == 0;
    rt_holders_refuse(&holders, job->wait_seconds, job->force, err);
    rt_holders_clear(&holders);
    rt_err_clear(&ignored);
    return -(int)err->status;
}

static int attempt(struct delta *d, struct rt_err *err)
{
    struct rt_delta *job = d->job;
    int rc = open_twin(d, err);

    if (rc == 0 && !job->unfit)
        rc = open_prod(d, err);
    if (rc == 0 && !job->unfit)
        rc = match(d, err);
    if (rc == 0 && !job->unfit) /* asleep they would differ from production's */
        rc = rt_suspend_events(&d->suspended, d->writer, err);
    if (rc == 0 && !job->unfit)
        rc = find_differences(d, err);
    if (rc == 0 && !job->unfit)
        rc = change(d, err);
    /* Not of production, which would leave the transaction whole. */
    if (rc < 0 && rt_err_is(err, RT_HOLDER_TIMEOUT) && !rt_conn_in_transaction(d->writer))
        rc = clear_the_way(d, err);
    rt_crew_close(d->crew);
    rt_hash_forget(&d->probe);
    rt_result_free(d->empty.rows);
    rt_stage_close(d->stage);
    rt_suspended_clear(&d->suspended);
    if (rc < 0 || job->unfit)
        rt_snapshot_close(&job->snapshot);
    else /* nothing is in the way of it, and it is about to end with its connection */
        rt_later_rollback(job->prod);
    rt_places_clear(&d->places);
    rt_conn_close(d->writer);
    return rc;
}

/* Production has rows that the twin's constraints refuse: its own were made NOT VALID, or
 * its triggers were off. */
static bool is_refused(const struct rt_err *err)
{
    return strncmp(err->sqlstate, "23", 2) == 0;
}

/* What cannot be done to the tables that there are, though new ones could be filled: a
 * published table without a replica identity loses no rows, and a table has no room for
 * a few more columns. */
static bool is_impossible(const struct rt_err *err)
{
    return rt_err_is(err, "55000") || strncmp(err->sqlstate, "54", 2) == 0;
}

/* Again after having met a constraint, once, and after having sent others away. */
static int attempts(struct rt_delta *job, struct rt_arena *arena, struct rt_err *err)
{
    int64_t start = rt_clock_us();
    bool all_keys = false, longer = false;
    int rc = 0;

    for (int i = 0; i < ATTEMPTS; i++) {
        struct delta d = {.job = job,
                          .arena = arena,
                          .start = start,
                          .longer = longer,
                          .all_keys = all_keys};

        rt_err_clear(err);
        job->unfit = NULL;
        job->receipt = (struct rt_receipt){0};
        job->tables = job->tables_changed = job->tables_compared = 0;
        job->missed = NULL;
        job->violated_count = 0;
        rc = attempt(&d, err);
        job->tables = d.count;
        if (rc == 0 || !(d.again || (is_refused(err) && !all_keys)))
            break;
        all_keys |= is_refused(err);
        longer |= d.again;
    }
    return rc;
}

int rt_delta(struct rt_delta *job, struct rt_arena *arena, struct rt_err *err)
{
    int rc = attempts(job, arena, err);

    if (rc < 0 && (is_refused(err) || is_impossible(err))) {
        job->unfit = rt_arena_format(
            arena, "%s: %s",
            is_refused(err) ? "the twin's constraints refuse rows of production"
                            : "the twin's tables cannot be changed in place",
            err->message);
        rt_err_clear(err);
        rc = 0;
    }
    if (rc < 0 && rc != -RT_EUNKNOWN)
        rt_err_wrap(err, "the twin is as it was");
    return rc;
}
