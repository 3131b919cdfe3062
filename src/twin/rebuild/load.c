#include "twin/rebuild/load.h"

#include "base/mem.h"
#include "pg/query.h"
#include "twin/compare/sum.h"
#include "twin/rebuild/move.h"

#define SPLIT_FROM \
    268435456.        /* bytes; ranges are not frozen, which is worth more below */
#define SMALL 262144. /* bytes; below, one waits for answers more than for rows */
enum { SERIES = 16 }; /* small tables a job */
enum { TID_RANGES = 140000 }; /* the version that finds a range of blocks by itself */

struct work; /* one table */

struct piece { /* some of its blocks */
    struct work *work;
    struct rt_blocks blocks;
};

struct build {
    struct work *work;
    const struct rt_index *index;
};

struct work {
    struct rt_load *load;
    size_t number;
    const struct rt_table *prod, *next;
    struct piece *pieces;
    size_t piece_count;
    struct build *builds;
    size_t build_count;
    atomic_ullong rows, bytes;
    atomic_size_t to_copy, to_build;
};

/* ------------------------------------------------------------------ indexes */

/* Constraints and statistics, once all indexes are there. A partition gets its statistics
 * with those of the whole, by the same ANALYZE. */
static int complete(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct work *work = context;
    char *analyze = rt_format("ANALYZE %s", work->prod->ident);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < work->build_count; i++) {
        const struct rt_index *index = work->builds[i].index;

        if (index->add)
            rc = rt_exec(NULL, worker->twin, index->add, err);
    }
    if (rc == 0 && !work->prod->rows_where && !work->next->parent &&
        !work->next->partition)
        rc = rt_exec(NULL, worker->twin, analyze, err);
    free(analyze);
    return rc;
}

static int build_index(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct build *build = context;
    struct work *work = build->work;
    int rc =
        build->index->create ? rt_exec(NULL, worker->twin, build->index->create, err) : 0;

    if (rc == 0 && atomic_fetch_sub(&work->to_build, 1) == 1)
        rc = complete(worker, work, err);
    return rc < 0 ? rt_err_wrap(err, "cannot build the indexes of table %s",
                                work->prod->ident)
                  : 0;
}

static void add_build(struct work *work, struct rt_crew *crew, void *context,
                      int (*run)(struct rt_worker *, void *, struct rt_err *))
{
    rt_crew_add(crew, &(struct rt_job){.run = run,
                                       .context = context,
                                       .weight = (double)work->prod->bytes,
                                       .twin_only = true});
}

static void build_indexes(struct work *work, struct rt_crew *crew)
{
    work->to_build = work->build_count;
    for (size_t i = 0; i < work->build_count; i++)
        add_build(work, crew, &work->builds[i], build_index);
    if (work->build_count == 0)
        add_build(work, crew, work, complete);
}

/* ------------------------------------------------------------------ copying */

static void count_bytes(void *context, size_t bytes)
{
    struct rt_load *load = ((struct work *)context)->load;

    ((struct work *)context)->bytes += bytes;
    load->progress->read += bytes;
    load->progress->written += bytes;
    load->progress->bytes += bytes;
}

static int copy_piece(const struct piece *piece, struct rt_worker *worker,
                      struct rt_err *err)
{
    struct work *work = piece->work;
    struct rt_load *load = work->load;
    bool whole = work->piece_count == 1;
    const struct rt_move move = {
        .prod = work->prod,
        .next = work->next,
        .blocks = whole ? NULL : &piece->blocks,
        .passed = count_bytes,
        .context = work,
    };
    struct rt_copied copied;
    int rc = whole
                 ? rt_move_all(&copied, &move, load->way, worker->prod, worker->twin, err)
                 : rt_move(&copied, &move, worker->prod, worker->twin, err);

    work->rows += copied.rows;
    return rc;
}

/* The last piece of a table has come. */
static int finish_table(struct work *work, struct rt_worker *worker, struct rt_err *err)
{
    struct rt_load *load = work->load;
    unsigned long long *rows = &load->table_rows[work->number];
    int rc = 0;

    *rows = work->rows;
    if (work->piece_count > 1)
        rc = rt_sum_compare(rows, work->prod, load->way, NULL, worker->prod, worker->twin,
                            err);
    if (rc < 0)
        return rc;
    load->progress->tables++;
    if (atomic_fetch_sub(&load->unread, 1) == 1)
        rt_crew_release(load->crew);
    build_indexes(work, load->crew);
    return 0;
}

static int run_piece(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct piece *piece = context;
    int rc = copy_piece(piece, worker, err);

    if (rc == 0 && atomic_fetch_sub(&piece->work->to_copy, 1) == 1)
        rc = finish_table(piece->work, worker, err);
    return rc;
}

/* Tables that one worker copies one after another. */
struct series {
    struct work **work;
    size_t count;
};

static int run_series(struct rt_worker *worker, void *context, struct rt_err *err)
{
    const struct series *series = context;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < series->count; i++)
        rc = run_piece(worker, &series->work[i]->pieces[0], err);
    return rc;
}

/* ------------------------------------------------------------------ planning */

static double size_of(const struct rt_table *table)
{
    return (double)table->bytes + (double)table->toast_bytes;
}

/* Ranges only for a table that others would have to wait for; only their number of
 * workers can be at it. */
static size_t pieces_for(const struct rt_load *load, const struct rt_table *table,
                         double all)
{
    double share = all / (double)load->workers;

    if (load->workers < 2 || table->rows_where || size_of(table) < SPLIT_FROM ||
        size_of(table) < 1.5 * share ||
        rt_conn_version(load->snapshot->conn) < TID_RANGES)
        return 1;
    return load->workers;
}

static int plan_table(struct work *work, struct rt_load *load, size_t number, double all,
                      struct rt_arena *arena, struct rt_err *err)
{
    const struct rt_table *table = &load->snapshot->tables.table[number];
    const struct rt_index *indexes;
    double blocks = (double)table->bytes / RT_TABLE_PAGE;

    work->load = load;
    work->number = number;
    work->prod = table;
    work->next = rt_tables_find(load->next, table->schema, table->name);
    if (work->next == NULL)
        return rt_err_set(err, RT_EINTERNAL, "table %s is missing in the new twin",
                          table->ident);
    work->piece_count = pieces_for(load, table, all);
    work->to_copy = work->piece_count;
    work->pieces = rt_arena_alloc(arena, work->piece_count * sizeof(*work->pieces));
    for (size_t i = 0; i < work->piece_count; i++) {
        double step = blocks / (double)work->piece_count;

        work->pieces[i].work = work;
        work->pieces[i].blocks.from = (double)(uint32_t)(step * (double)i);
        if (i > 0)
            work->pieces[i - 1].blocks.to = work->pieces[i].blocks.from;
    }
    indexes = rt_indexes_of(&work->build_count, load->indexes, table->oid);
    work->builds = rt_arena_alloc(arena, work->build_count * sizeof(*work->builds));
    for (size_t i = 0; i < work->build_count; i++)
        work->builds[i] = (struct build){work, &indexes[i]};
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double one = size_of((*(struct work *const *)a)->prod);
    double other = size_of((*(struct work *const *)b)->prod);

    return (one < other) - (one > other);
}

static int by_oid(const void *a, const void *b)
{
    unsigned long one = strtoul((*(struct work *const *)a)->prod->oid, NULL, 10);
    unsigned long other = strtoul((*(struct work *const *)b)->prod->oid, NULL, 10);

    return (one > other) - (one < other);
}

static double weight_of(const struct work *work)
{
    return size_of(work->prod) / (double)work->piece_count;
}

static void add_series(struct rt_crew *crew, struct work **work, size_t count,
                       double weight, struct rt_arena *arena)
{
    struct series *series = rt_arena_alloc(arena, sizeof(*series));

    *series = (struct series){work, count};
    rt_crew_add(crew,
                &(struct rt_job){.run = run_series, .context = series, .weight = weight});
}

/* Small tables take turns with the biggest, so that somebody reads while somebody waits
 * for answers. */
static void add_tables(struct rt_crew *crew, struct work **work, size_t count,
                       struct rt_arena *arena)
{
    size_t small, series = 0;

    qsort(work, count, sizeof(struct work *), by_size);
    for (small = 0; small < count && size_of(work[small]->prod) >= SMALL; small++) {
        for (size_t i = 0; i < work[small]->piece_count; i++)
            rt_crew_add(crew, &(struct rt_job){.run = run_piece,
                                               .context = &work[small]->pieces[i],
                                               .weight = weight_of(work[small])});
    }
    for (size_t i = small; i < count; i += SERIES, series++)
        add_series(crew, &work[i], count - i < SERIES ? count - i : SERIES,
                   series < small ? weight_of(work[series]) : 0, arena);
}

/* The tables of extensions may refer to each other, and have their keys already: in the
 * order in which they were made. */
static void add_extensions(struct rt_crew *crew, struct work **work, size_t count,
                           struct rt_arena *arena)
{
    if (count == 0)
        return;
    qsort(work, count, sizeof(struct work *), by_oid);
    add_series(crew, work, count, 0, arena);
}

/* From both ends of one array. */
static void add_jobs(struct work *works, struct rt_load *load, struct rt_arena *arena)
{
    size_t count = load->snapshot->tables.count, tables = 0, rest = count;
    struct work **work = rt_arena_alloc(arena, (count + 1) * sizeof(struct work *));

    for (size_t i = 0; i < count; i++) {
        if (works[i].prod->rows_where)
            work[--rest] = &works[i];
        else
            work[tables++] = &works[i];
    }
    add_tables(load->crew, work, tables, arena);
    add_extensions(load->crew, work + rest, count - rest, arena);
}

void rt_load_tick(void *context)
{
    struct rt_load *load = context;

    if (load->crew && load->unread == 0 && load->snapshot->conn) {
        rt_snapshot_close(load->snapshot);
        rt_progress_phase(load->progress, "building indexes", 0, 0);
    }
    rt_progress_show(load->progress);
}

int rt_load_run(struct rt_load *load, struct rt_arena *arena, struct rt_err *err)
{
    size_t count = load->snapshot->tables.count;
    struct work *works = rt_arena_alloc(arena, count * sizeof(*works));
    double all = 0;
    int rc = 0;

    load->table_rows = rt_arena_alloc(arena, count * sizeof(*load->table_rows));
    load->unread = count;
    for (size_t i = 0; i < count; i++)
        all += size_of(&load->snapshot->tables.table[i]);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = plan_table(&works[i], load, i, all, arena, err);
    if (rc < 0)
        return rc;
    rt_progress_phase(load->progress, "copying", count, (unsigned long long)all);
    add_jobs(works, load, arena);
    rc = rt_crew_finish(load->crew, err);
    for (size_t i = 0; i < count; i++) {
        load->rows += works[i].rows;
        load->bytes += works[i].bytes;
    }
    return rc;
}
