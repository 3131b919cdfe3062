#include "twin/delta/scan.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/str.h"
#include "pg/pipeline.h"

enum {
    RANGE = 1024,        /* blocks */
    RANGE_ROWS = 300000, /* more than they can have, with 4 MB of addresses as text */
    TID_RANGES = 140000, /* the version that reads a range of blocks without the others */
};

/* A job has many small tables, or a piece of a large one. */
static const unsigned long long job_bytes = 64ULL << 20;
static const size_t job_units = 256;

/* ------------------------------------------------------------------ addresses */

/* Not strtoul, which a sanitizer lets look for the end of the text: of megabytes. */
static rt_ctid read_number(const char **text)
{
    rt_ctid number = 0;

    for (; **text >= '0' && **text <= '9'; ++*text)
        number = number * 10 + (rt_ctid)(**text - '0');
    return number;
}

rt_ctid rt_ctid_parse(const char *text)
{
    rt_ctid block, offset = 0;

    text += *text == '(';
    block = read_number(&text);
    if (*text++ == ',')
        offset = read_number(&text) & 0xffff;
    return block << 16 | offset;
}

void rt_ctid_literal(struct rt_str *out, const rt_ctid *ctids, size_t count)
{
    rt_str_add(out, "{");
    for (size_t i = 0; i < count; i++)
        rt_str_addf(out, "%s\"(%llu,%u)\"", i ? "," : "",
                    (unsigned long long)(ctids[i] >> 16), (unsigned)(ctids[i] & 0xffff));
    rt_str_add(out, "}");
}

/* The elements of an array literal of addresses; the caller frees them. */
static rt_ctid *parse_literal(size_t *count, const char *text)
{
    rt_ctid *list = NULL;
    size_t cap = 0;

    *count = 0;
    while ((text = strchr(text, '(')) != NULL) {
        list = rt_grow(list, *count, &cap, sizeof(*list));
        list[(*count)++] = rt_ctid_parse(text++);
    }
    return list;
}

static int by_address(const void *a, const void *b)
{
    rt_ctid x = *(const rt_ctid *)a, y = *(const rt_ctid *)b;

    return (x > y) - (x < y);
}

/* ------------------------------------------------------------------ one range */

/* Blocks of one table on one side. */
struct unit {
    size_t pair;
    unsigned long long from, to; /* to is not in it; 0: to the end, however far it is */
    bool on_twin;
};

/*
 * The age of the moment is asked in the same statement as those of the rows: a
 * transaction keeps to the first "now" that it has counted from. Columns: rows, recent
 * ones, and their addresses.
 */
static void range_sql(struct rt_str *sql, const struct rt_table *table,
                      const struct rt_since *since, const struct unit *unit)
{
    rt_str_addf(sql,
                "SELECT n, coalesce(cardinality(recent), 0),"
                " CASE WHEN cardinality(recent) <= %d THEN recent END FROM ("
                "SELECT count(*) AS n, array_agg(ctid) FILTER (WHERE "
                "age(xmin) <= (SELECT age('%s'::xid))",
                unit->on_twin ? 0 : RANGE_ROWS, since->xid);
    if (since->own[0])
        rt_str_addf(sql, " AND xmin <> '%s'::xid", since->own);
    rt_str_add(sql, ") AS recent FROM ");
    rt_project_source(sql, table, "t");
    rt_str_add(sql, " WHERE ");
    rt_project_where(sql, table);
    if (unit->from > 0)
        rt_str_addf(sql, " AND ctid >= '(%llu,0)'", unit->from);
    if (unit->to > 0)
        rt_str_addf(sql, " AND ctid < '(%llu,0)'", unit->to);
    rt_str_add(sql, ") s");
}

static unsigned long long range_count(const struct rt_table *table, int version)
{
    unsigned long long blocks = table->bytes / RT_TABLE_PAGE;

    return version < TID_RANGES || blocks == 0 ? 1 : (blocks + RANGE - 1) / RANGE;
}

/* The i-th of so many ranges. The last one has no end: the table may have grown. */
static struct unit range_at(size_t pair, bool on_twin, unsigned long long i,
                            unsigned long long count)
{
    return (struct unit){.pair = pair,
                         .from = i * RANGE,
                         .to = i + 1 < count ? (i + 1) * RANGE : 0,
                         .on_twin = on_twin};
}

/* ------------------------------------------------------------------ jobs */

struct work {
    const struct rt_scan *scan;
    struct rt_scanned *out;
    struct unit *units;
    size_t unit_count, unit_cap;
    struct part *parts;
    size_t part_count, part_cap;
    pthread_mutex_t mutex; /* of out, and: */
    size_t kept;           /* addresses in memory */
};

/* What one job reads: units[first .. first + count). */
struct part {
    struct work *work;
    size_t first, count;
    unsigned long long bytes;
};

static int send_side(struct rt_worker *worker, const struct part *part, bool twin,
                     struct rt_err *err)
{
    const struct rt_scan *scan = part->work->scan;
    struct rt_conn *conn = twin ? worker->twin : worker->prod;
    int rc = rt_pipeline_begin(conn, err);

    for (size_t i = part->first; rc == 0 && i < part->first + part->count; i++) {
        const struct unit *unit = &part->work->units[i];
        const struct rt_pair *pair = &scan->pairs[unit->pair];
        struct rt_str sql = {0};

        if (unit->on_twin != twin)
            continue;
        range_sql(&sql, twin ? pair->twin : pair->prod, twin ? &scan->twin : &scan->prod,
                  unit);
        rc = rt_pipeline_send(conn, sql.data, 0, NULL, err);
        rt_str_clear(&sql);
    }
    return rc == 0 ? rt_pipeline_end(conn, err) : rc;
}

/* The addresses among them, for the caller to free. False when they were too many. */
static bool addresses(rt_ctid **out, size_t *count, const struct rt_result *rows)
{
    const char *literal = rt_result_get(rows, 0, 2);

    *out = literal ? parse_literal(count, literal) : NULL;
    return literal || strcmp(rt_result_get(rows, 0, 1), "0") == 0;
}

/* With the mutex held. */
static void keep(struct work *work, struct rt_scanned *table, const rt_ctid *ctids,
                 size_t count, bool all)
{
    if (!table->dropped && (!all || work->kept + count > work->scan->keep)) {
        work->kept -= table->count;
        free(table->ctids);
        table->ctids = NULL;
        table->count = 0;
        table->dropped = true;
    }
    if (table->dropped || count == 0)
        return;
    table->ctids =
        reallocarray(table->ctids, table->count + count, sizeof(*table->ctids));
    if (table->ctids == NULL)
        rt_out_of_memory();
    memcpy(table->ctids + table->count, ctids, count * sizeof(*ctids));
    table->count += count;
    work->kept += count;
}

static void note(struct work *work, const struct unit *unit, const struct rt_result *rows)
{
    struct rt_scanned *table = &work->out[unit->pair];
    struct rt_scan_side *side = unit->on_twin ? &table->twin : &table->prod;
    unsigned long long found = strtoull(rt_result_get(rows, 0, 0), NULL, 10);
    unsigned long long recent = strtoull(rt_result_get(rows, 0, 1), NULL, 10);
    size_t count = 0;
    rt_ctid *ctids;
    bool all = addresses(&ctids, &count, rows);

    pthread_mutex_lock(&work->mutex);
    side->rows += found;
    side->recent += recent;
    if (!unit->on_twin)
        keep(work, table, ctids, count, all);
    pthread_mutex_unlock(&work->mutex);
    free(ctids);
    if (!unit->on_twin && work->scan->progress)
        atomic_fetch_add(&work->scan->progress->rows_read, found);
}

static int receive_side(struct rt_worker *worker, const struct part *part, bool twin,
                        struct rt_err *err)
{
    struct rt_conn *conn = twin ? worker->twin : worker->prod;
    struct rt_result *rows;
    int rc = 0;

    for (size_t i = part->first; rc == 0 && i < part->first + part->count; i++) {
        const struct unit *unit = &part->work->units[i];
        const struct rt_pair *pair = &part->work->scan->pairs[unit->pair];

        if (unit->on_twin != twin)
            continue;
        rc = rt_pipeline_next(&rows, conn, err);
        if (rc == 0) {
            note(part->work, unit, rows);
            rt_result_free(rows);
        } else if (err->sqlstate[0]) {
            rt_err_wrap(err, "cannot read %s on %s", pair->prod->ident,
                        rt_conn_server(conn)->role);
        }
    }
    return rc == 0 ? rt_pipeline_next(&rows, conn, err) : rc;
}

static int run_part(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct part *part = context;
    int rc = send_side(worker, part, false, err);

    if (rc == 0)
        rc = send_side(worker, part, true, err);
    if (rc == 0)
        rc = receive_side(worker, part, false, err);
    if (rc == 0)
        rc = receive_side(worker, part, true, err);
    rt_pipeline_close(worker->prod);
    rt_pipeline_close(worker->twin);
    if (rc == 0 && part->work->scan->progress)
        atomic_fetch_add(&part->work->scan->progress->bytes, part->bytes);
    return rc;
}

/* ------------------------------------------------------------------ cutting */

static void add_unit(struct work *work, struct unit unit)
{
    work->units =
        rt_grow(work->units, work->unit_count, &work->unit_cap, sizeof(*work->units));
    work->units[work->unit_count++] = unit;
}

static void end_part(struct work *work, unsigned long long *bytes)
{
    size_t first = work->part_count > 0 ? work->parts[work->part_count - 1].first +
                                              work->parts[work->part_count - 1].count
                                        : 0;

    if (first == work->unit_count)
        return;
    work->parts =
        rt_grow(work->parts, work->part_count, &work->part_cap, sizeof(*work->parts));
    work->parts[work->part_count++] = (struct part){
        .work = work, .first = first, .count = work->unit_count - first, .bytes = *bytes};
    *bytes = 0;
}

static void cut(struct work *work)
{
    const struct rt_scan *scan = work->scan;
    unsigned long long bytes = 0;
    size_t units = 0;

    for (size_t p = 0; p < scan->count; p++) {
        const struct rt_pair *pair = &scan->pairs[p];
        unsigned long long here = range_count(pair->prod, scan->prod_version);
        unsigned long long there = range_count(pair->twin, scan->twin_version);

        for (unsigned long long i = 0; !scan->skip[p] && (i < here || i < there); i++) {
            if (i < here)
                add_unit(work, range_at(p, false, i, here));
            if (i < there)
                add_unit(work, range_at(p, true, i, there));
            bytes += i + 1 < here ? RANGE * RT_TABLE_PAGE
                                  : pair->prod->bytes % (RANGE * RT_TABLE_PAGE);
            if (bytes >= job_bytes || ++units >= job_units) {
                end_part(work, &bytes);
                units = 0;
            }
        }
    }
    end_part(work, &bytes);
}

int rt_scan(struct rt_scanned *out, const struct rt_scan *scan, struct rt_err *err)
{
    struct work work = {.scan = scan, .out = out, .mutex = PTHREAD_MUTEX_INITIALIZER};
    int rc;

    cut(&work);
    for (size_t i = 0; i < work.part_count; i++)
        rt_crew_add(scan->crew, &(struct rt_job){.run = run_part,
                                                 .context = &work.parts[i],
                                                 .weight = (double)work.parts[i].bytes});
    rc = rt_crew_finish(scan->crew, err);
    for (size_t i = 0; rc == 0 && i < scan->count; i++) {
        if (out[i].count > 1)
            qsort(out[i].ctids, out[i].count, sizeof(*out[i].ctids), by_address);
    }
    free(work.units);
    free(work.parts);
    return rc;
}

/* ------------------------------------------------------------------ once more */

int rt_scan_again(bool *unable, struct rt_worker *worker, const struct rt_table *table,
                  const struct rt_since *since,
                  int (*found)(void *context, const rt_ctid *ctids, size_t count,
                               struct rt_err *err),
                  void *context, struct rt_err *err)
{
    unsigned long long ranges = range_count(table, rt_conn_version(worker->prod));
    int rc = 0;

    *unable = false;
    for (unsigned long long i = 0; rc == 0 && !*unable && i < ranges; i++) {
        struct unit unit = range_at(0, false, i, ranges);
        struct rt_result *rows = NULL;
        struct rt_str sql = {0};
        size_t count = 0;
        rt_ctid *ctids = NULL;

        range_sql(&sql, table, since, &unit);
        rc = rt_query(&rows, worker->prod, sql.data, 0, NULL, err);
        if (rc == 0)
            *unable = !addresses(&ctids, &count, rows);
        rt_result_free(rows);
        if (rc == 0 && count > 0)
            rc = found(context, ctids, count, err);
        free(ctids);
        rt_str_clear(&sql);
    }
    return rc;
}
