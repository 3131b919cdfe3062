#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pg/query.h"
#include "twin/snapshot.h"

struct cluster prod_server, twin_server;

static const char *const settings[] = {"max_prepared_transactions=5", NULL};

int follow_start_servers(void **state)
{
    (void)state;
    cluster_start(&prod_server, settings);
    cluster_start(&twin_server, settings);
    return 0;
}

int follow_stop_servers(void **state)
{
    (void)state;
    cluster_stop(&prod_server);
    cluster_stop(&twin_server);
    return 0;
}

static void point(struct rt_server *server, const struct cluster *c, const char *db)
{
    char url[CLUSTER_URL_SIZE];

    rt_secret_set(&server->conninfo, cluster_url(c, db, url));
}

int follow_open(void **state)
{
    struct follow *f = rt_alloc(sizeof(*f));

    f->prod = (struct rt_server){.role = "production", .source = "PROD_DATABASE_URL"};
    f->twin = (struct rt_server){.role = "the twin", .source = "DEV_DATABASE_URL"};
    cluster_createdb(&prod_server, "shop");
    cluster_createdb(&twin_server, "dev");
    point(&f->prod, &prod_server, "shop");
    point(&f->twin, &twin_server, "dev");
    *state = f;
    return 0;
}

int follow_close(void **state)
{
    struct follow *f = *state;

    cluster_exec(&prod_server, "postgres", "drop database shop with (force)");
    cluster_exec(&twin_server, "postgres", "drop database dev with (force)");
    rt_secret_clear(&f->prod.conninfo);
    rt_secret_clear(&f->twin.conninfo);
    rt_arena_clear(&f->arena);
    rt_err_clear(&f->err);
    free(f);
    return 0;
}

void follow_both(struct follow *f, const char *sql)
{
    (void)f;
    cluster_exec(&prod_server, "shop", sql);
    cluster_exec(&twin_server, "dev", sql);
}

#define must(call)                                       \
    do {                                                 \
        if ((call) < 0)                                  \
            check_fail("%s: %s", #call, f->err.message); \
    } while (0)

/* ------------------------------------------------------------------ both sides */

struct sides {
    struct rt_conn *prod, *twin;
    struct rt_snapshot snapshot;
    struct rt_origin prod_origin, twin_origin;
    struct rt_tables twin_tables;
};

/* A snapshot on production; and on the twin a transaction that keeps writers away. */
static void open_sides(struct sides *s, struct follow *f)
{
    struct rt_str lock = {0};

    *s = (struct sides){0};
    must(rt_conn_open(&s->twin, &f->twin, RT_READ_WRITE, &f->err));
    must(rt_exec(NULL, s->twin, "BEGIN", &f->err));
    must(rt_tables_read(&s->twin_tables, &f->arena, s->twin, &f->err));
    for (size_t i = 0; i < s->twin_tables.count; i++)
        rt_str_addf(&lock, "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE;",
                    s->twin_tables.table[i].ident);
    if (lock.len > 0)
        must(rt_exec(NULL, s->twin, lock.data, &f->err));
    rt_str_clear(&lock);
    must(rt_conn_open(&s->prod, &f->prod, RT_READ_ONLY, &f->err));
    must(rt_exec(NULL, s->prod, "ROLLBACK", &f->err));
    must(rt_snapshot_open(&s->snapshot, &f->arena, s->prod, &f->err));
    must(rt_origin_read(&s->prod_origin, &f->arena, s->prod, &f->err));
    must(rt_origin_read(&s->twin_origin, &f->arena, s->twin, &f->err));
}

static void close_sides(struct sides *s)
{
    rt_snapshot_close(&s->snapshot);
    rt_conn_close(s->prod);
    rt_conn_close(s->twin);
}

static char *count_rows(struct follow *f, struct rt_conn *conn,
                        const struct rt_table *table)
{
    struct rt_result *found;
    char *sql = check_printf("SELECT count(*) FROM ONLY %s", table->ident), *rows;

    must(rt_query(&found, conn, sql, 0, NULL, &f->err));
    rows = rt_strdup(rt_result_get(found, 0, 0));
    rt_result_free(found);
    free(sql);
    return rows;
}

void follow_receipt(struct follow *f)
{
    struct rt_receipt receipt = {.method = "delta"};
    struct sides s;

    open_sides(&s, f);
    receipt.taken_at = s.snapshot.taken_at;
    receipt.origin = s.prod_origin;
    receipt.table_count = s.snapshot.tables.count;
    receipt.tables = rt_alloc((receipt.table_count + 1) * sizeof(*receipt.tables));
    assert_int_equal(s.twin_tables.count, receipt.table_count);
    for (size_t i = 0; i < receipt.table_count; i++) {
        const struct rt_table *table = &s.snapshot.tables.table[i];
        char *here = count_rows(f, s.prod, table), *there = count_rows(f, s.twin, table);

        assert_string_equal(here, there);
        receipt.tables[i] = (struct rt_receipt_table){.schema = table->schema,
                                                      .name = table->name,
                                                      .prod_oid = table->oid,
                                                      .rows = strtoull(here, NULL, 10)};
        free(here);
        free(there);
    }
    must(rt_receipt_write(s.twin, &receipt, &f->err));
    must(rt_exec(NULL, s.twin, "COMMIT", &f->err));
    free(receipt.tables);
    close_sides(&s);
}

void follow_equal(struct follow *f)
{
    char *tables = cluster_query(
        &prod_server, "shop",
        "select string_agg(format('select %L || chr(10) || coalesce(string_agg(t::text, "
        "chr(10) order by t::text), %L) from only %s t', oid::regclass, '', "
        "oid::regclass), ' union all ' order by oid::regclass::text) from pg_class "
        "where relkind = 'r' and relnamespace = 'public'::regnamespace");
    char *prod = cluster_query(&prod_server, "shop", tables);
    char *twin = cluster_query(&twin_server, "dev", tables);

    (void)f;
    assert_text_equal(twin, prod);
    free(tables);
    free(prod);
    free(twin);
}

void follow_delta(struct follow *f, bool full_compare)
{
    struct rt_progress progress = {.phase = NULL};
    struct rt_conn *prod;

    must(rt_conn_open(&prod, &f->prod, RT_READ_ONLY, &f->err));
    must(rt_exec(NULL, prod, "ROLLBACK", &f->err));
    f->delta = (struct rt_delta){.prod = prod,
                                 .prod_server = &f->prod,
                                 .twin_server = &f->twin,
                                 .full_compare = full_compare,
                                 .workers = 2,
                                 .keep = f->keep,
                                 .wait_seconds = 10,
                                 .settle_seconds = 30,
                                 .source = "shop",
                                 .progress = &progress};
    must(rt_delta(&f->delta, &f->arena, &f->err));
    rt_conn_close(prod);
    if (f->delta.unfit)
        check_fail("%s", f->delta.unfit);
    follow_equal(f);
}

/* ------------------------------------------------------------------ looking */

static void pair_up(struct follow *f, const struct sides *s)
{
    const struct rt_tables *tables = &s->snapshot.tables;

    f->count = 0;
    f->pairs = rt_arena_alloc(&f->arena, (tables->count + 1) * sizeof(*f->pairs));
    f->found = rt_arena_alloc(&f->arena, (tables->count + 1) * sizeof(*f->found));
    for (size_t i = 0; i < tables->count; i++) {
        const struct rt_table *twin = rt_tables_find(
            &s->twin_tables, tables->table[i].schema, tables->table[i].name);

        if (twin)
            f->pairs[f->count++] = (struct rt_pair){&tables->table[i], twin};
    }
}

static void scan(struct follow *f, struct sides *s, const struct rt_receipt *receipt)
{
    const struct rt_crew_setup setup = {.size = 2,
                                        .prod = &f->prod,
                                        .snapshot = s->snapshot.id,
                                        .twin = &f->twin,
                                        .access = RT_READ_ONLY};
    struct rt_recent_setup job = {.receipt = receipt,
                                  .pairs = f->pairs,
                                  .count = f->count,
                                  .prod = s->prod,
                                  .twin = s->twin};
    struct rt_recent *recent;

    must(rt_crew_open(&job.crew, &setup, &f->err));
    must(rt_recent_open(&recent, &job, &f->err));
    for (size_t i = 0; i < f->count; i++)
        f->found[i] = *rt_recent_of(recent, i);
    rt_recent_close(recent);
    rt_crew_close(job.crew);
}

void follow_look(struct follow *f)
{
    struct rt_receipt receipt;
    struct sides s;

    open_sides(&s, f);
    pair_up(f, &s);
    must(rt_receipt_read(&receipt, &f->arena, s.twin, &f->err));
    f->unfit = rt_recent_unfit(&f->arena, &receipt, &s.prod_origin, &s.twin_origin);
    if (f->unfit == NULL)
        scan(f, &s, &receipt);
    close_sides(&s);
}

static const struct rt_recent_table *found(struct follow *f, const char *table)
{
    if (f->unfit)
        check_fail("%s", f->unfit);
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->pairs[i].prod->name, table) == 0 &&
            strcmp(f->pairs[i].prod->schema, "public") == 0)
            return &f->found[i];
    }
    check_fail("there is no table %s on both sides", table);
}

static const char *tell(const struct rt_recent_table *found)
{
    static char text[200];
    static const char *const verdicts[] = {"same", "changed", "compare"};

    snprintf(text, sizeof(text), "%s%s%s, %llu of %llu rows may have changed",
             verdicts[found->verdict], found->why ? ": " : "",
             found->why ? found->why : "", found->changed, found->prod_rows);
    return text;
}

void follow_same(struct follow *f, const char *table)
{
    const struct rt_recent_table *got = found(f, table);

    if (got->verdict != RT_RECENT_SAME)
        check_fail("table %s is expected to be the same: %s", table, tell(got));
}

void follow_changed(struct follow *f, const char *table, unsigned long long rows)
{
    const struct rt_recent_table *got = found(f, table);

    if (got->verdict != RT_RECENT_CHANGED || got->changed != rows)
        check_fail("%llu rows of table %s are expected to have changed: %s", rows, table,
                   tell(got));
}

void follow_compare(struct follow *f, const char *table, const char *why)
{
    const struct rt_recent_table *got = found(f, table);

    if (got->verdict != RT_RECENT_COMPARE || strstr(got->why, why) == NULL)
        check_fail("table %s is expected to be compared, because %s: %s", table, why,
                   tell(got));
}
