#include "twin/delta/recent_private.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

enum {
    KEEP = 2000000, /* addresses in memory, of 8 bytes */
    FEW = 1000, /* rows of which it does not matter whether they are most of a table */
};

/* ------------------------------------------------------------------ beforehand */

void rt_recent_xid(char out[static 12], const char *xid)
{
    snprintf(out, 12, "%lu", (unsigned long)(strtoull(xid, NULL, 10) & 0xffffffff));
}

/* Tables whose values may have changed without their rows: a sorted list of OIDs. */
struct altered {
    unsigned long *oids;
    size_t count;
};

static int by_oid(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

    return (x > y) - (x < y);
}

static int read_altered(struct altered *out, struct rt_conn *conn,
                        const struct rt_since *since, struct rt_err *err)
{
    const char *params[] = {since->xid, since->own[0] ? since->own : NULL};
    struct rt_result *rows;
    int rc = rt_query(&rows, conn, rt_sql_recent_catalog, RT_COUNT(params), params, err);

    if (rc < 0)
        return rc;
    out->count = rt_result_rows(rows);
    out->oids = rt_alloc((out->count + 1) * sizeof(*out->oids));
    for (size_t i = 0; i < out->count; i++)
        out->oids[i] = strtoul(rt_result_get(rows, i, 0), NULL, 10);
    qsort(out->oids, out->count, sizeof(*out->oids), by_oid);
    rt_result_free(rows);
    return 0;
}

static bool is_altered(const struct altered *altered, const struct rt_table *table)
{
    unsigned long oid = strtoul(table->oid, NULL, 10);

    return bsearch(&oid, altered->oids, altered->count, sizeof(oid), by_oid) != NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Why a table cannot be told by its rows, or NULL. */
static const char *unfit(const struct rt_pair *pair, const struct rt_receipt_table *then,
                         const struct altered *prod, const struct altered *twin)
{
    if (then == NULL)
        return "it was not there at the last resync";
    if (!same(then->prod_oid, pair->prod->oid))
        return "it is another table on production";
    if (!same(then->twin_oid, pair->twin->oid))
        return "it is another table on the twin";
    if (is_altered(prod, pair->prod))
        return "its columns or their types were altered on production";
    if (is_altered(twin, pair->twin))
        return "its columns or their types were altered on the twin";
    if (pair->prod->rows_where || pair->twin->rows_where)
        return "an extension chooses its rows";
    return NULL;
}

static const struct rt_receipt_table *receipt_table(const struct rt_recent *recent,
                                                    size_t pair)
{
    const struct rt_table *table = recent->setup.pairs[pair].prod;

    return rt_receipt_find(recent->setup.receipt, table->schema, table->name);
}

/* ------------------------------------------------------------------ deciding */

/* By what was counted. */
static void decide(struct rt_recent_table *out, const struct rt_scanned *scanned,
                   const struct rt_pair *pair, unsigned long long rows_then)
{
    const struct rt_scan_side *prod = &scanned->prod, *twin = &scanned->twin;

    out->prod_rows = prod->rows;
    out->twin_rows = twin->rows;
    out->changed = prod->recent;
    if (twin->recent > 0)
        out->why = "rows were written on the twin";
    else if (twin->rows != rows_then)
        out->why = "rows were deleted on the twin";
    else if (prod->rows > rows_then + prod->recent)
        out->why = "production has more old rows than there were";
    else if (prod->recent == 0 && prod->rows == rows_then)
        out->verdict = RT_RECENT_SAME;
    else if (pair->prod->key_count == 0 || pair->twin->key_count == 0)
        out->why = "it has changed, and has no key";
    else if (prod->recent > FEW && prod->recent > prod->rows / 2)
        out->why = "most of it may have changed";
    else
        out->verdict = RT_RECENT_CHANGED;
    if (out->why)
        out->verdict = RT_RECENT_COMPARE;
}

static int scan(struct rt_recent *recent, const bool *skip, struct rt_err *err)
{
    const struct rt_recent_setup *setup = &recent->setup;
    struct rt_scanned *scanned = rt_alloc((setup->count + 1) * sizeof(*scanned));
    const struct rt_scan job = {
        .pairs = setup->pairs,
        .count = setup->count,
        .skip = skip,
        .prod = recent->prod,
        .twin = recent->twin,
        .prod_version = rt_conn_version(setup->prod),
        .twin_version = rt_conn_version(setup->twin),
        .keep = setup->keep > 0 ? setup->keep : KEEP,
        .crew = setup->crew,
        .progress = setup->progress,
    };
    int rc = rt_scan(scanned, &job, err);

    for (size_t i = 0; i < setup->count; i++) {
        struct rt_recent_entry *entry = &recent->entries[i];

        entry->scanned = scanned[i];
        if (!skip[i])
            decide(&entry->table, &scanned[i], &setup->pairs[i],
                   receipt_table(recent, i)->rows);
    }
    free(scanned);
    return rc;
}

int rt_recent_open(struct rt_recent **out, const struct rt_recent_setup *setup,
                   struct rt_err *err)
{
    const struct rt_receipt *receipt = setup->receipt;
    struct altered prod = {0}, twin = {0};
    struct rt_recent *recent = rt_alloc(sizeof(*recent));
    bool *skip = rt_alloc(setup->count + 1);
    int rc;

    recent->setup = *setup;
    recent->entries = rt_alloc((setup->count + 1) * sizeof(*recent->entries));
    rt_recent_xid(recent->prod.xid, receipt->origin.snapshot);
    rt_recent_xid(recent->twin.xid, receipt->twin_snapshot);
    rt_recent_xid(recent->twin.own, receipt->twin_xid);
    rc = read_altered(&prod, setup->prod, &recent->prod, err);
    if (rc == 0)
        rc = read_altered(&twin, setup->twin, &recent->twin, err);
    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        struct rt_recent_table *table = &recent->entries[i].table;

        table->why = unfit(&setup->pairs[i], receipt_table(recent, i), &prod, &twin);
        table->verdict = RT_RECENT_COMPARE;
        skip[i] = table->why || (setup->skip && setup->skip[i]);
    }
    if (rc == 0)
        rc = scan(recent, skip, err);
    free(prod.oids);
    free(twin.oids);
    free(skip);
    if (rc < 0) {
        rt_recent_close(recent);
        recent = NULL;
    }
    *out = recent;
    return rc;
}

void rt_recent_close(struct rt_recent *recent)
{
    if (recent == NULL)
        return;
    for (size_t i = 0; i < recent->setup.count; i++)
        free(recent->entries[i].scanned.ctids);
    free(recent->entries);
    free(recent);
}

const struct rt_recent_table *rt_recent_of(const struct rt_recent *recent, size_t pair)
{
    return &recent->entries[pair].table;
}

/* ------------------------------------------------------------------ checking */

const char *rt_recent_missed(const struct rt_recent *recent,
                             const unsigned long long *old, struct rt_arena *arena)
{
    struct rt_str list = {0};
    const char *text = NULL;

    for (size_t i = 0; i < recent->setup.count; i++) {
        if (old[i] > 0 && recent->entries[i].table.verdict != RT_RECENT_COMPARE)
            rt_str_addf(&list, "%s%s (%llu row%s)", list.len ? ", " : "",
                        recent->setup.pairs[i].prod->ident, old[i],
                        old[i] == 1 ? "" : "s");
    }
    if (list.len > 0)
        text = rt_arena_strdup(arena, list.data);
    rt_str_clear(&list);
    return text;
}
