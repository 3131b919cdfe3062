#include "twin/compare/cut.h"

#include <inttypes.h>

#include "pg/query.h"

/* A chunk should be small, since what differs in it is looked for row by row; and each is
 * a line from both sides, and a group that the servers keep in memory. */
enum { CHUNK_ROWS = 32, KEYS_PER_ROW = 16, MOST_CHUNKS = 1 << 18, LEAST_ROW_BYTES = 28 };

/* ------------------------------------------------------------------ cutting */

/* How many chunks there should be. Estimates may be wild, but sizes are not. */
static unsigned wanted_chunks(const struct rt_table *table)
{
    double most = (double)table->bytes / LEAST_ROW_BYTES;
    double rows = table->rows < 0 || table->rows > most ? most : table->rows;

    if (rows / CHUNK_ROWS > MOST_CHUNKS)
        return MOST_CHUNKS;
    return (unsigned)(rows / CHUNK_ROWS) + 1;
}

static bool has_leading_integer(const struct rt_table *table)
{
    return table->key_count > 0 && rt_column_is_integer(&table->columns[table->key[0]]);
}

static const char *leading(const struct rt_table *table)
{
    return table->columns[table->key[0]].name;
}

/* Production's first and last leading integer; NULLs when it has no rows. */
static void add_bounds(struct rt_str *sql, const struct rt_table *table)
{
    rt_str_add(sql, "SELECT min(");
    rt_quote_ident(sql, leading(table));
    rt_str_add(sql, "), max(");
    rt_quote_ident(sql, leading(table));
    rt_str_add(sql, ") FROM ");
    rt_project_source(sql, table, "");
    rt_str_add(sql, " WHERE ");
    rt_project_where(sql, table);
}

static void cut_ranges(struct rt_cut *cut, int64_t first, int64_t last, unsigned chunks)
{
    uint64_t span = (uint64_t)last - (uint64_t)first;

    cut->kind = RT_CUT_RANGES;
    cut->shift =
        1; /* so that there is a number before the first one and after the last */
    while (span >> cut->shift >= chunks)
        cut->shift++;
    cut->first = first >> cut->shift;
    cut->last = last >> cut->shift;
}

static void cut_buckets(struct rt_cut *cut, unsigned chunks)
{
    unsigned bits = 1;

    while (2U << bits <= chunks)
        bits++;
    cut->kind = RT_CUT_BUCKETS;
    cut->shift = 64 - bits;
    cut->first = INT64_MIN >> cut->shift;
    cut->last = INT64_MAX >> cut->shift;
}

bool rt_cut_begin(struct rt_str *query, struct rt_cut *cut, const struct rt_table *table)
{
    unsigned chunks = wanted_chunks(table);

    cut->kind = RT_CUT_NOT;
    if (chunks < 2)
        return false;
    if (!has_leading_integer(table)) {
        cut_buckets(cut, chunks);
        return false;
    }
    add_bounds(query, table);
    return true;
}

/* Few different values leave a part of the table in each chunk. By keys that does not
 * matter as soon: an index has them. */
static bool too_few(const struct rt_cut *cut, uint64_t span, unsigned chunks)
{
    return span < (cut->depth == RT_COMPARE_KEYS ? chunks / KEYS_PER_ROW : chunks);
}

void rt_cut_end(struct rt_cut *cut, const struct rt_table *table,
                const struct rt_result *rows)
{
    unsigned chunks = wanted_chunks(table);
    int64_t first, last;

    if (rt_result_get(rows, 0, 0) == NULL)
        return;
    first = strtoll(rt_result_get(rows, 0, 0), NULL, 10);
    last = strtoll(rt_result_get(rows, 0, 1), NULL, 10);
    if (table->key_count > 1 && too_few(cut, (uint64_t)last - (uint64_t)first, chunks))
        cut_buckets(cut, chunks);
    else
        cut_ranges(cut, first, last, chunks);
}

bool rt_cut_rescans(const struct rt_cut *cut)
{
    return cut->kind != RT_CUT_RANGES;
}

/* ------------------------------------------------------------------ statements */

/* A group for each chunk should fit into memory. */
#define SETTINGS "SET LOCAL work_mem = '64MB'; "

static int64_t first_in(const struct rt_cut *cut, int64_t chunk)
{
    return (int64_t)((uint64_t)chunk << cut->shift);
}

static int64_t last_in(const struct rt_cut *cut, int64_t chunk)
{
    return (int64_t)(((uint64_t)chunk << cut->shift) + ((UINT64_C(1) << cut->shift) - 1));
}

/* PostgreSQL reads -9223372036854775808 as the negation of what is no bigint. */
static void add_int8(struct rt_str *sql, int64_t value)
{
    rt_str_addf(sql, "'%" PRId64 "'::int8", value);
}

/* The chunk of a row, from the column "c" of what is read. */
static void add_chunk(struct rt_str *sql, const struct rt_cut *cut)
{
    if (cut->kind == RT_CUT_NOT) {
        rt_str_add(sql, "0");
    } else if (cut->kind == RT_CUT_BUCKETS) {
        rt_str_addf(sql, "c >> %u", cut->shift);
    } else {
        rt_str_add(sql, "CASE WHEN c < ");
        add_int8(sql, first_in(cut, cut->first));
        rt_str_add(sql, " THEN ");
        add_int8(sql, cut->first - 1);
        rt_str_add(sql, " WHEN c > ");
        add_int8(sql, last_in(cut, cut->last));
        rt_str_add(sql, " THEN ");
        add_int8(sql, cut->last + 1);
        rt_str_addf(sql, " ELSE c >> %u END", cut->shift);
    }
}

static void add_source(struct rt_str *sql, const struct rt_table *table)
{
    rt_str_add(sql, " FROM ");
    rt_project_source(sql, table, "");
    rt_str_add(sql, " WHERE ");
    rt_project_where(sql, table);
}

/* What a row's chunk is made of. */
static void add_chunk_source(struct rt_str *sql, const struct rt_cut *cut,
                             const struct rt_table *table)
{
    if (cut->kind == RT_CUT_NOT) {
        rt_str_add(sql, "0");
    } else if (cut->kind == RT_CUT_BUCKETS) {
        rt_project_key_hash(sql, table, cut->way);
    } else {
        /* A bare bigint column that is unique would let the planner expect a group a row,
         * and sort the table on disk; of an expression it expects few, and hashes. */
        rt_str_add(sql, "OPERATOR(pg_catalog.+) ");
        rt_quote_ident(sql, leading(table));
        rt_str_add(sql, "::pg_catalog.int8");
    }
}

/* Whether the sum is of what the chunks are made of, too: the row or the key. Of a key of
 * several columns it is at least the first. */
static bool sums_chunk_source(const struct rt_cut *cut, const struct rt_table *table)
{
    if (cut->depth == RT_COMPARE_KEYS)
        return cut->kind != RT_CUT_NOT;
    return cut->kind == RT_CUT_BUCKETS && table->key_count == 0;
}

static void add_scan_sums(struct rt_str *sql, const struct rt_cut *cut,
                          const struct rt_table *table)
{
    bool shared = sums_chunk_source(cut, table);

    rt_str_add(sql, SETTINGS "COPY (SELECT ");
    add_chunk(sql, cut);
    rt_str_addf(sql, ", count(*), sum(%s) FROM (SELECT ", shared ? "c" : "h");
    add_chunk_source(sql, cut, table);
    rt_str_add(sql, " AS c");
    if (!shared) {
        rt_str_add(sql, ", ");
        if (cut->depth == RT_COMPARE_KEYS)
            rt_project_key_hash(sql, table, cut->way);
        else
            rt_project_row_hash(sql, table, "", cut->way);
        rt_str_add(sql, " AS h");
    }
    add_source(sql, table);
    /* Without the fence a hash is computed again wherever it is used. */
    rt_str_add(sql, " OFFSET 0) x GROUP BY 1 ORDER BY 1) TO STDOUT");
}

/* The first number of chunk n, or its last. */
static void add_bound(struct rt_str *sql, const struct rt_cut *cut, bool last)
{
    rt_str_add(sql, last ? " <= CASE WHEN revtwin_chunk.n > "
                         : " >= CASE WHEN revtwin_chunk.n < ");
    add_int8(sql, last ? cut->last : cut->first);
    rt_str_add(sql, " THEN ");
    add_int8(sql, last ? INT64_MAX : INT64_MIN);
    rt_str_addf(sql, " ELSE (revtwin_chunk.n << %u)", cut->shift);
    if (last) {
        rt_str_add(sql, " + ");
        add_int8(sql, (int64_t)((UINT64_C(1) << cut->shift) - 1));
    }
    rt_str_add(sql, " END");
}

/* The same from the index alone: a third of the time of grouping what a scan reads. */
static void add_index_sums(struct rt_str *sql, const struct rt_cut *cut,
                           const struct rt_table *table)
{
    rt_str_add(sql,
               SETTINGS "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan "
                        "= off; COPY (SELECT revtwin_chunk.n, x.count, x.sum FROM "
                        "generate_series(");
    /* Before the least number there is nothing, nor after the greatest. */
    add_int8(sql, cut->first - (first_in(cut, cut->first) > INT64_MIN));
    rt_str_add(sql, ", ");
    add_int8(sql, cut->last + (last_in(cut, cut->last) < INT64_MAX));
    rt_str_add(sql, ") AS revtwin_chunk (n), LATERAL (SELECT count(*), sum(");
    rt_quote_ident(sql, leading(table));
    rt_str_add(sql, "::pg_catalog.int8)");
    add_source(sql, table);
    rt_str_add(sql, " AND ");
    rt_quote_ident(sql, leading(table));
    add_bound(sql, cut, false);
    rt_str_add(sql, " AND ");
    rt_quote_ident(sql, leading(table));
    add_bound(sql, cut, true);
    rt_str_add(sql, " OFFSET 0) x WHERE x.count > 0) TO STDOUT; SET LOCAL enable_seqscan "
                    "= on; SET LOCAL enable_bitmapscan = on");
}

bool rt_cut_by_index(const struct rt_cut *cut, const struct rt_table *table)
{
    return cut->depth == RT_COMPARE_KEYS && cut->kind == RT_CUT_RANGES && table->visible;
}

void rt_cut_sums(struct rt_str *sql, const struct rt_cut *cut,
                 const struct rt_table *table)
{
    if (rt_cut_by_index(cut, table))
        add_index_sums(sql, cut, table);
    else
        add_scan_sums(sql, cut, table);
}

/* ------------------------------------------------------------------ rows */

/* "key hash AS k, row hash AS h, ctid". */
static void add_row(struct rt_str *sql, const struct rt_cut *cut,
                    const struct rt_table *table)
{
    rt_project_key_hash(sql, table, cut->way);
    rt_str_add(sql, " AS k, ");
    if (cut->depth == RT_COMPARE_ROWS && table->key_count > 0)
        rt_project_row_hash(sql, table, "", cut->way);
    else
        rt_str_add(sql, "0");
    rt_str_add(sql, " AS h, ctid");
}

/* By the index that makes the column a key; each range sorted by itself. */
static void add_ranges(struct rt_str *sql, const struct rt_cut *cut,
                       const struct rt_table *table, const struct rt_run *runs,
                       size_t count)
{
    rt_str_add(sql, SETTINGS "SET LOCAL enable_seqscan = off; COPY (SELECT part, k, h, "
                             "ctid FROM unnest('{");
    for (size_t i = 0; i < count; i++)
        rt_str_addf(sql, "%s%" PRId64, i ? "," : "",
                    runs[i].first < cut->first ? INT64_MIN
                                               : first_in(cut, runs[i].first));
    rt_str_add(sql, "}'::int8[], '{");
    for (size_t i = 0; i < count; i++)
        rt_str_addf(sql, "%s%" PRId64, i ? "," : "",
                    runs[i].last > cut->last ? INT64_MAX : last_in(cut, runs[i].last));
    rt_str_add(sql, "}'::int8[]) WITH ORDINALITY revtwin_run (lower, upper, part), "
                    "LATERAL (SELECT ");
    add_row(sql, cut, table);
    add_source(sql, table);
    rt_str_add(sql, " AND ");
    rt_quote_ident(sql, leading(table));
    rt_str_add(sql, " >= revtwin_run.lower AND ");
    rt_quote_ident(sql, leading(table));
    rt_str_add(sql, " <= revtwin_run.upper ORDER BY ");
    if (table->key_count == 1) { /* alone it could be the name of a result, h */
        rt_str_addf(sql, "%s.", table->ident);
        rt_quote_ident(sql, leading(table));
    } else {
        rt_str_add(sql, "1, 2");
    }
    rt_str_add(sql, ") x) TO STDOUT; SET LOCAL enable_seqscan = on");
}

/* A bytea with a bit for each chunk. */
static void add_bitmap(struct rt_str *sql, const struct rt_cut *cut,
                       const struct rt_run *runs, size_t count)
{
    int64_t chunk = cut->first;
    size_t i = 0;

    rt_str_add(sql, "'\\x");
    while (chunk <= cut->last) {
        unsigned byte = 0;

        for (unsigned bit = 0; bit < 8; bit++, chunk++) {
            while (i < count && chunk > runs[i].last)
                i++;
            if (i < count && chunk >= runs[i].first)
                byte |= 1U << bit;
        }
        rt_str_addf(sql, "%02x", byte);
    }
    rt_str_add(sql, "'::pg_catalog.bytea");
}

static void add_filtered(struct rt_str *sql, const struct rt_cut *cut,
                         const struct rt_table *table, const struct rt_run *runs,
                         size_t count)
{
    bool keyed = table->key_count > 0;

    rt_str_add(sql, SETTINGS "COPY (SELECT 1, k, h, ctid FROM (SELECT ");
    add_row(sql, cut, table);
    add_source(sql, table);
    if (cut->kind == RT_CUT_BUCKETS) {
        /* The row is not hashed where the key says enough. */
        rt_str_add(sql, keyed ? " AND " : " OFFSET 0) x WHERE ");
        rt_str_add(sql, "get_bit(");
        add_bitmap(sql, cut, runs, count);
        rt_str_add(sql, ", (((");
        if (keyed)
            rt_project_key_hash(sql, table, cut->way);
        else
            rt_str_add(sql, "k");
        rt_str_addf(sql, ") >> %u) - (%" PRId64 "))::int4) = 1", cut->shift, cut->first);
    }
    if (keyed || cut->kind != RT_CUT_BUCKETS)
        rt_str_add(sql, " OFFSET 0) x");
    rt_str_add(sql, " ORDER BY 2, 3) TO STDOUT");
}

void rt_cut_rows(struct rt_str *sql, const struct rt_cut *cut,
                 const struct rt_table *table, const struct rt_run *runs, size_t count)
{
    if (cut->kind == RT_CUT_RANGES)
        add_ranges(sql, cut, table, runs, count);
    else
        add_filtered(sql, cut, table, runs, count);
}
