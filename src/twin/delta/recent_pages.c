/*
 * On how many pages of the twin there are rows that production has changed. Where these
 * are now on production tells nothing: an update puts a row elsewhere.
 */
#include <math.h>

#include "base/str.h"
#include "pg/query.h"
#include "twin/delta/recent_private.h"

enum { SAMPLE = 200 };

/* Of other types the operators may not be found by their names. */
static bool is_plain(const struct rt_table *table)
{
    static const char builtin[] = "pg_catalog.";

    for (size_t i = 0; i < table->key_count; i++) {
        const char *send = table->columns[table->key[i]].send;

        if (send == NULL || strncmp(send, builtin, strlen(builtin)) != 0)
            return false;
    }
    return true;
}

static void add_keys(struct rt_str *sql, const struct rt_table *table, const char *before,
                     const char *between, const char *after)
{
    for (size_t i = 0; i < table->key_count; i++) {
        rt_str_addf(sql, "%s%st.", i ? between : "", before);
        rt_quote_ident(sql, table->columns[table->key[i]].name);
        rt_str_add(sql, after);
    }
}

/* Literals of the keys of some of the rows: "('1', 'a'), ('2', 'b')". */
static int read_keys(struct rt_result **out, const struct rt_recent *recent, size_t pair,
                     struct rt_err *err)
{
    const struct rt_table *table = recent->setup.pairs[pair].prod;
    const struct rt_scanned *scanned = &recent->entries[pair].scanned;
    rt_ctid some[SAMPLE];
    struct rt_str sql = {0};
    int rc;

    for (size_t i = 0; i < SAMPLE; i++)
        some[i] = scanned->ctids[i * scanned->count / SAMPLE];
    rt_str_add(&sql, "SELECT string_agg('(' || ");
    add_keys(&sql, table, "quote_literal(", " || ', ' || ", "::text)");
    rt_str_add(&sql, " || ')', ', ') FROM unnest('");
    rt_ctid_literal(&sql, some, SAMPLE);
    rt_str_add(&sql, "'::tid[]) AS d (address) JOIN ");
    rt_project_source(&sql, table, "t");
    rt_str_add(&sql, " ON t.ctid = d.address");
    rc = rt_query(out, recent->setup.prod, sql.data, 0, NULL, err);
    rt_str_clear(&sql);
    return rc;
}

/* Half of those that the twin has are in so many pages; negative: it has none. */
static int read_span(double *span, struct rt_conn *conn, const struct rt_table *table,
                     const char *keys, struct rt_err *err)
{
    struct rt_result *rows;
    struct rt_str sql = {0};
    int rc;

    rt_str_add(&sql, "SELECT coalesce(percentile_disc(0.75) WITHIN GROUP (ORDER BY b) - "
                     "percentile_disc(0.25) WITHIN GROUP (ORDER BY b), -1) FROM (SELECT "
                     "(t.ctid::text::point)[0] AS b FROM ");
    rt_project_source(&sql, table, "t");
    rt_str_add(&sql, " WHERE (");
    add_keys(&sql, table, "", ", ", "");
    rt_str_addf(&sql, ") IN (%s)) s", keys);
    rc = rt_query(&rows, conn, sql.data, 0, NULL, err);
    rt_str_clear(&sql);
    if (rc < 0)
        return rc;
    *span = strtod(rt_result_get(rows, 0, 0), NULL);
    rt_result_free(rows);
    return 0;
}

int rt_recent_pages(double *pages, const struct rt_recent *recent, size_t pair,
                    struct rt_err *err)
{
    const struct rt_pair *both = &recent->setup.pairs[pair];
    const struct rt_scanned *scanned = &recent->entries[pair].scanned;
    double rows = (double)scanned->prod.recent,
           all = (double)both->twin->bytes / RT_TABLE_PAGE;
    struct rt_table twin = *both->twin;
    struct rt_result *keys;
    double span;
    int rc;

    *pages = rows < all ? rows : all;
    if (scanned->count < SAMPLE || !is_plain(both->prod))
        return 0;
    twin.key = both->prod->key;
    twin.key_count = both->prod->key_count;
    rc = read_keys(&keys, recent, pair, err);
    if (rc < 0)
        return rc;
    rc = read_span(&span, recent->setup.twin, &twin, rt_result_get(keys, 0, 0), err);
    rt_result_free(keys);
    if (rc < 0)
        return rc;
    span = span < 0 ? 0 : 2 * span + 1; /* of all of them, evenly */
    if (span < all)
        all = span;
    *pages = all > 0 ? -all * expm1(-rows / all) : 0;
    return 0;
}
