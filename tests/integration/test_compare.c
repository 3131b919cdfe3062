/* Comparing tables: which rows differ, against what EXCEPT finds. */
#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "twin/compare/compare.h"
#include "twin/snapshot.h"
#include "world.h"

/* ------------------------------------------------------------------ helpers */

/* The table "t" of production as "setup" makes it, and of the twin, which then had a
 * "change". What the twin has is also in production's schema "o", for EXCEPT. */
struct ends {
    struct world *world;
    struct rt_worker worker;
    struct rt_snapshot snapshot;
    struct rt_tables twin;
    struct rt_pair pair;
};

static void make(const struct cluster *server, const char *db, const char *schema,
                 const char *setup, const char *change)
{
    char *sql = check_printf("set client_min_messages = error; create schema if not "
                             "exists %s; set search_path = %s; %s; "
                             "%s; analyze t",
                             schema, schema, setup, change);

    cluster_exec(server, db, sql);
    free(sql);
}

static void open_ends(struct ends *e, struct world *w, const char *setup,
                      const char *change)
{
    *e = (struct ends){.world = w};
    make(&prod_server, "shop", "public", setup, "");
    make(&prod_server, "shop", "o", setup, change);
    make(&twin_server, "dev", "public", setup, change);
    if (rt_conn_open(&e->worker.prod, &w->prod, RT_READ_WRITE, &w->err) < 0 ||
        rt_conn_open(&e->worker.twin, &w->twin, RT_READ_WRITE, &w->err) < 0 ||
        rt_snapshot_open(&e->snapshot, &w->arena, e->worker.prod, &w->err) < 0)
        check_fail("%s", w->err.message);
    rt_projection_pin(e->worker.twin);
    if (rt_tables_read(&e->twin, &w->arena, e->worker.twin, &w->err) < 0)
        check_fail("%s", w->err.message);
    e->pair.prod = rt_tables_find(&e->snapshot.tables, "public", "t");
    e->pair.twin = rt_tables_find(&e->twin, "public", "t");
}

static void close_ends(struct ends *e)
{
    rt_conn_close(e->worker.prod);
    rt_conn_close(e->worker.twin);
    cluster_exec(&prod_server, "shop",
                 "set client_min_messages = error;"
                 "drop schema public, o cascade; create schema public");
    cluster_exec(&twin_server, "dev",
                 "set client_min_messages = error;"
                 "drop schema public cascade; create schema public");
}

/* What was found, as arrays of ctids. */
struct found {
    struct rt_str prod, twin;
    unsigned long inserts, updates, deletes;
    int answer; /* what note returns */
};

static int note(void *context, const char *prod, const char *twin, struct rt_err *err)
{
    struct found *found = context;

    if (prod)
        rt_str_addf(&found->prod, "%s\"%s\"", found->prod.len ? "," : "", prod);
    if (twin)
        rt_str_addf(&found->twin, "%s\"%s\"", found->twin.len ? "," : "", twin);
    found->inserts += prod && !twin;
    found->updates += prod && twin;
    found->deletes += !prod;
    return found->answer < 0 ? rt_err_set(err, RT_EINTERNAL, "enough") : 0;
}

static void forget(struct found *found)
{
    rt_str_clear(&found->prod);
    rt_str_clear(&found->twin);
    *found = (struct found){0};
}

/* Keys once more, twice at a time, one of them by the index alone. */
static void expect_same(struct ends *e, const struct found *want, enum rt_hash_way way,
                        const struct rt_compared *compared)
{
    struct rt_table prod = *e->pair.prod, twin = *e->pair.twin;
    const struct rt_pair visible = {&prod, &twin};
    struct found found[2] = {0};
    const struct rt_differences differences[] = {{.found = note, .context = &found[0]},
                                                 {.found = note, .context = &found[1]}};
    struct rt_comparing items[] = {{&e->pair, &differences[0], {0}},
                                   {&visible, &differences[1], {0}}};

    prod.visible = twin.visible = true;
    if (rt_compare_tables(items, 2, &e->worker, way, RT_COMPARE_KEYS, &e->world->err) < 0)
        check_fail("%s", e->world->err.message);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(items[i].compared.prod_rows, compared->prod_rows);
        assert_int_equal(items[i].compared.twin_rows, compared->twin_rows);
        assert_int_equal(items[i].compared.differing, compared->differing);
        assert_text_equal(rt_str_text(&found[i].prod), rt_str_text(&want->prod));
        assert_text_equal(rt_str_text(&found[i].twin), rt_str_text(&want->twin));
        forget(&found[i]);
    }
}

static struct rt_compared compare(struct ends *e, struct found *found,
                                  enum rt_hash_way way, enum rt_compare_depth depth)
{
    struct rt_differences differences = {.found = note, .context = found};
    struct rt_err *err = &e->world->err;
    struct rt_compared compared;

    if (rt_compare_table(&compared, &e->worker, &e->pair, way, depth, &differences, err) <
        0)
        check_fail("%s", err->message);
    if (depth == RT_COMPARE_KEYS)
        expect_same(e, found, way, &compared);
    return compared;
}

static char *one_text(struct rt_conn *conn, const char *sql)
{
    struct rt_result *result = NULL;
    struct rt_err err = {0};
    char *text;

    if (rt_query(&result, conn, sql, 0, NULL, &err) < 0)
        check_fail("%s\n%s", err.message, sql);
    text = rt_strdup(rt_result_get(result, 0, 0) ? rt_result_get(result, 0, 0) : "");
    rt_result_free(result);
    return text;
}

/* The rows that were found on one side are those that EXCEPT ALL finds; cols: what of a
 * row is compared. */
static void expect_rows(struct ends *e, struct rt_conn *conn, const char *cols,
                        const struct rt_str *ctids, const char *minuend,
                        const char *subtrahend)
{
    char *want_sql = check_printf(
        "SELECT string_agg(x, E'\\n' ORDER BY x COLLATE \"C\") FROM ("
        "SELECT row(%s)::text AS x FROM ONLY %s.t EXCEPT ALL SELECT row(%s)::text FROM "
        "ONLY %s.t) y",
        cols, minuend, cols, subtrahend);
    char *got_sql = check_printf(
        "SELECT string_agg(row(%s)::text, E'\\n' ORDER BY row(%s)::text COLLATE \"C\") "
        "FROM ONLY public.t WHERE ctid = ANY ('{%s}'::tid[])",
        cols, cols, rt_str_text(ctids));
    char *want = one_text(e->worker.prod, want_sql), *got = one_text(conn, got_sql);

    assert_text_equal(got, want);
    free(want_sql);
    free(got_sql);
    free(want);
    free(got);
}

struct scenario {
    const char *setup, *change;
    const char *key; /* its columns, or NULL */
    const char *columns;
};

/* Which of the found are pairs. */
static void expect_pairs(struct ends *e, const struct scenario *s,
                         const struct found *found)
{
    char *sql, *got, *want;

    if (s->key == NULL) {
        assert_int_equal(found->updates, 0);
        return;
    }
    sql = check_printf("SELECT count(*) FROM ONLY public.t AS p JOIN ONLY o.t AS q ON "
                       "(SELECT row(%s)::text FROM (SELECT p.*) x) = "
                       "(SELECT row(%s)::text FROM (SELECT q.*) x) "
                       "WHERE (SELECT row(%s)::text FROM (SELECT p.*) x) <> "
                       "(SELECT row(%s)::text FROM (SELECT q.*) x)",
                       s->key, s->key, s->columns, s->columns);
    want = one_text(e->worker.prod, sql);
    got = check_printf("%lu", found->updates);
    assert_string_equal(got, want);
    free(sql);
    free(got);
    free(want);
}

static void expect_counts(const struct ends *e, const struct rt_compared *compared)
{
    char *got = check_printf("%llu %llu", compared->prod_rows, compared->twin_rows);
    char *want =
        one_text(e->worker.prod, "SELECT (SELECT count(*) FROM ONLY public.t) || ' ' || "
                                 "(SELECT count(*) FROM ONLY o.t)");

    assert_string_equal(got, want);
    free(got);
    free(want);
}

static void expect_found(struct world *w, const struct scenario *s)
{
    struct found found = {0};
    struct ends e;

    check_context("%s; %s", s->setup, s->change);
    open_ends(&e, w, s->setup, s->change);
    for (int way = RT_HASH_CHAIN; way <= RT_HASH_SHA256; way++) {
        struct rt_compared compared =
            compare(&e, &found, (enum rt_hash_way)way, RT_COMPARE_ROWS);

        expect_counts(&e, &compared);
        expect_rows(&e, e.worker.prod, s->columns, &found.prod, "public", "o");
        expect_rows(&e, e.worker.twin, s->columns, &found.twin, "o", "public");
        expect_pairs(&e, s, &found);
        assert_true((compared.differing > 0) == (found.prod.len + found.twin.len > 0));
        forget(&found);
        if (s->key) {
            compared = compare(&e, &found, (enum rt_hash_way)way, RT_COMPARE_KEYS);
            expect_counts(&e, &compared);
            expect_rows(&e, e.worker.prod, s->key, &found.prod, "public", "o");
            expect_rows(&e, e.worker.twin, s->key, &found.twin, "o", "public");
            assert_int_equal(found.updates, 0);
            forget(&found);
        }
    }
    close_ends(&e);
    check_context(NULL);
}

static void expect_all(struct world *w, const struct scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_found(w, &scenarios[i]);
}

/* ------------------------------------------------------------------ keys */

#define INTEGERS                                          \
    "create table t (id int primary key, a int, b text);" \
    "insert into t select n, n % 10, md5(n::text) from generate_series(1, 3000) n"
#define INTEGER(change)                    \
    {                                      \
        INTEGERS, change, "id", "id, a, b" \
    }

static void integer_keys(void **state)
{
    static const struct scenario scenarios[] = {
        INTEGER(""),
        INTEGER("update t set a = a + 1 where id = 1500"),
        INTEGER("delete from t where id in (1, 31, 32, 3000)"),
        INTEGER("insert into t values (0, 1, 'x'), (-70, 1, 'y'), (3001, 1, NULL),"
                "    (2000000000, 1, 'z')"),
        INTEGER("update t set id = id + 1000000 where id % 100 = 7"),
        INTEGER("update t set b = 'new', a = NULL where id between 1000 and 1999"),
        INTEGER("update t set b = (select u.b from t u where u.id = t.id + 1 - 2 * "
                "((t.id + 1) % 2)) where id in (101, 102, 1001, 1002)"),
        INTEGER("update t set b = 'x'"),
        INTEGER("truncate t"),
        INTEGER("delete from t where id % 3 = 0; update t set a = -a where id % 7 = 0;"
                "insert into t select n, 1, 'more' from generate_series(3001, 4000) n"),
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

#define SPARSE                                                                       \
    "create table t (id bigint primary key, v text);"                                \
    "insert into t select (n - 1000) * 9000000000000000, n from generate_series(0, " \
    "2000) n"

static void far_apart_integer_keys(void **state)
{
    static const struct scenario scenarios[] = {
        {SPARSE, "update t set v = 'x' where id % 7 = 0", "id", "id, v"},
        {SPARSE,
         "insert into t values (9223372036854775807, 'max'), (-9223372036854775808, "
         "'min'), (1, 'one'), (-1, 'minus')",
         "id", "id, v"},
        {SPARSE "; insert into t values (9223372036854775807, 'max'), "
                "(-9223372036854775808, 'min')",
         "delete from t where abs(id / 2) > 4611686018427387902; update t set v = 'y' "
         "where id = 0",
         "id", "id, v"},
        {"create domain d as smallint; create domain dd as d;"
         "create table t (v text, id dd primary key);"
         "insert into t select n, n from generate_series(-1500, 1500) n",
         "update t set v = 'x' where id in (-1500, -1, 0, 1500);"
         "delete from t where id = 7; insert into t values ('', 1501), ('', -32768)",
         "id", "v, id"},
        {"create table t (id bigint primary key, v text); insert into t values (5, 'x')",
         "insert into t select n, '' from generate_series(-100, 100) n where n <> 5",
         "id", "id, v"},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

#define UUIDS                                      \
    "create table t (id uuid primary key, v int);" \
    "insert into t select md5(n::text)::uuid, n from generate_series(1, 3000) n"
#define TEXTS                                      \
    "create table t (v int, id text primary key);" \
    "insert into t select n, 'k-' || n from generate_series(1, 3000) n"
#define COMPOSITES(a, b)                                                        \
    "create table t (i " a ", x text, j " b ", v numeric, primary key (j, i));" \
    "insert into t select n, 'x', n / 3, n from generate_series(1, 3000) n"
#define CHANGE                                                                   \
    "update t set v = v + 1 where v::int % 500 = 3; delete from t where v = 77;" \
    "delete from t where v::int % 300 = 5"

static void other_keys(void **state)
{
    static const struct scenario scenarios[] = {
        {UUIDS, CHANGE, "id", "id, v"},
        {UUIDS,
         "insert into t select md5('x' || n)::uuid, 1 from generate_series(1, 9) n", "id",
         "id, v"},
        {TEXTS, CHANGE, "id", "v, id"},
        {TEXTS, "update t set id = upper(id) where v % 400 = 0", "id", "v, id"},
        {COMPOSITES("int", "bigint"), CHANGE, "i, j", "i, x, j, v"},
        {COMPOSITES("int", "bigint"),
         "update t set j = j + 1000000 where i % 900 = 0; "
         "insert into t values (1, 'y', -5, 0)",
         "i, j", "i, x, j, v"},
        {COMPOSITES("text", "text"), CHANGE, "i, j", "i, x, j, v"},
        {"create table t (i int, j smallint, v int, primary key (j, i));"
         "insert into t select n, n % 4, n from generate_series(1, 3000) n",
         CHANGE, "i, j", "i, j, v"},
        {"create table t (id numeric primary key, v int);"
         "insert into t select n + 0.5, n from generate_series(1, 500) n",
         "update t set id = 7.50 where id = 7.5; " CHANGE, "id", "id, v"},
        {"create type k as enum ('a', 'b', 'c'); create table t (id k not null unique,"
         "    v int); insert into t values ('a', 1), ('b', 2)",
         "update t set v = 5 where id = 'b'; insert into t values ('c', 3)", "id",
         "id, v"},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

#define BAG                                                                          \
    "create table t (a int, b text); insert into t select n % 500, nullif(n % 3, 1)" \
    "    from generate_series(1, 3000) n; insert into t values (NULL, NULL), (1, NULL)"

static void rows_without_a_key(void **state)
{
    static const struct scenario scenarios[] = {
        {BAG, "", NULL, "a, b"},
        {BAG, "insert into t select * from t where a = 7", NULL, "a, b"},
        {BAG, "delete from t where ctid = (select min(ctid) from t where a = 9)", NULL,
         "a, b"},
        {BAG, "update t set b = 'x' where a in (3, 4); delete from t where a is null",
         NULL, "a, b"},
        {BAG, "delete from t; insert into t select 1, 'x' from generate_series(1, 700)",
         NULL, "a, b"},
        {"create table t (a int, b int); insert into t values (1, 1), (2, 2)",
         "update t set b = 3 - b", NULL, "a, b"},
        {"create table t (); insert into t default values",
         "insert into t default values; insert into t default values", NULL, ""},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

static void empty_sides(void **state)
{
#define NONE "create table t (id int primary key, v text)"
    static const struct scenario scenarios[] = {
        {NONE, "", "id", "id, v"},
        {NONE, "insert into t select n, 'x' from generate_series(1, 500) n", "id",
         "id, v"},
        {NONE "; insert into t select n, 'x' from generate_series(1, 500) n",
         "delete from t", "id", "id, v"},
        {"create table t (v text)", "insert into t values ('a'), ('a')", NULL, "v"},
        {"create table t (v text); insert into t values ('a'), ('a')", "delete from t",
         NULL, "v"},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

/* ------------------------------------------------------------------ values */

#define VALUE(type, one, other)                                                  \
    {                                                                            \
        "create table t (id int primary key, v " type "); insert into t values " \
        "(1, " one "), (2, " one ")",                                            \
            "update t set v = " other " where id = 2", "id", "id, v"             \
    }
#define LONG "(select string_agg(md5(n::text), '') from generate_series(1, 3000) n)"

static void values_that_are_nearly_the_same(void **state)
{
    static const struct scenario scenarios[] = {
        VALUE("numeric", "1.0", "1.00"),
        VALUE("numeric", "'NaN'", "NULL"),
        VALUE("numeric", "'NaN'", "'NaN'"),
        VALUE("float8", "0", "'-0'"),
        VALUE("float8", "0.1", "0.1 + 1e-17"),
        VALUE("float8", "0.3", "0.1::float8 + 0.2::float8"),
        VALUE("text", "''", "NULL"),
        VALUE("text", "'a'", "'a '"),
        VALUE("char(5)", "'a'", "'a '"),
        VALUE("bytea", "'\\x00'", "'\\x0000'"),
        VALUE("json", "'{\"a\":1}'", "'{\"a\": 1}'"),
        VALUE("jsonb", "'{\"a\":1}'", "'{\"a\": 1}'"),
        VALUE("jsonb", "'{\"a\":1.0}'", "'{\"a\": 1.00}'"),
        VALUE("interval", "'1 mon'", "'30 days'"),
        VALUE("timestamptz", "'2025-01-01 12:00+02'", "'2025-01-01 10:00+00'"),
        VALUE("timetz", "'12:00+02'", "'10:00+00'"),
        VALUE("int[]", "'{1,2}'", "'[0:1]={1,2}'"),
        VALUE("text[]", "'{a,NULL}'", "'{a,\"NULL\"}'"),
        VALUE("int4range", "'[1,5)'", "'[1,4]'"),
        VALUE("regclass", "'pg_class'", "'pg_type'"),
        VALUE("text", LONG, LONG),
        VALUE("text", LONG, "overlay(" LONG " placing 'x' from 50000)"),
        VALUE("text", "repeat('x', 100000)", "repeat('x', 100001)"),
        {"create table t (a text, b text, v int); insert into t values ('x', NULL, 1)",
         "update t set a = NULL, b = 'x'", NULL, "a, b, v"},
        {"create table t (id int primary key, a int, g int generated always as (a) "
         "stored); insert into t values (1, 1)",
         "alter table t drop g; alter table t add g int generated always as (a + 1) "
         "stored",
         "id", "id, a"},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

static void a_table_by_itself(void **state)
{
    static const struct scenario scenarios[] = {
        {"create table t (id int primary key, v int); create table c () inherits (t);"
         "insert into t values (1, 1); insert into c values (2, 2)",
         "update c set v = 3", "id", "id, v"},
        {"create table p (id int, v int, primary key (id)) partition by range (id);"
         "create table t partition of p for values from (0) to (10);"
         "create table u partition of p for values from (10) to (20);"
         "insert into p values (1, 1), (2, 2), (11, 1)",
         "update p set id = 12 where id = 1", "id", "id, v"},
    };

    expect_all(*state, scenarios, RT_COUNT(scenarios));
}

/* An estimate that has nothing to do with what is there. */
static void wild_estimates(void **state)
{
    static const char *const estimates[] = {
        "reltuples = 4e9, relpages = 1", "reltuples = 4e9, relpages = 400000000",
        "reltuples = -1, relpages = 0", "reltuples = 1, relpages = 1000000"};
    struct found found = {0};

    for (size_t i = 0; i < RT_COUNT(estimates); i++) {
        for (int full = 0; full < 2; full++) {
            char *tamper = check_printf(
                "update pg_class set %s where oid = 'public.t'::regclass", estimates[i]);
            struct ends e;

            make(&prod_server, "shop", "public",
                 full ? INTEGERS : "create table t (id int primary key)", "");
            make(&twin_server, "dev", "public",
                 full ? INTEGERS : "create table t (id int primary key)",
                 full ? "delete from t where id = 2" : "insert into t values (7)");
            cluster_exec(&prod_server, "shop", tamper);
            e = (struct ends){.world = *state};
            free(tamper);
            assert_int_equal(rt_conn_open(&e.worker.prod, &e.world->prod, RT_READ_WRITE,
                                          &e.world->err),
                             0);
            assert_int_equal(rt_conn_open(&e.worker.twin, &e.world->twin, RT_READ_WRITE,
                                          &e.world->err),
                             0);
            assert_int_equal(rt_tables_read(&e.snapshot.tables, &e.world->arena,
                                            e.worker.prod, &e.world->err),
                             0);
            assert_int_equal(
                rt_tables_read(&e.twin, &e.world->arena, e.worker.twin, &e.world->err),
                0);
            e.pair.prod = rt_tables_find(&e.snapshot.tables, "public", "t");
            e.pair.twin = rt_tables_find(&e.twin, "public", "t");
            compare(&e, &found, RT_HASH_CHAIN, RT_COMPARE_ROWS);
            assert_int_equal(found.inserts, full);
            assert_int_equal(found.deletes, !full);
            assert_int_equal(found.updates, 0);
            forget(&found);
            cluster_exec(&prod_server, "shop", "create schema o");
            close_ends(&e);
        }
    }
}

/* ------------------------------------------------------------------ at random */

static void random_changes(void **state)
{
    static const struct {
        const char *setup, *key, *columns;
    } tables[] = {{INTEGERS, "id", "id, a, b"},
                  {UUIDS, "id", "id, v"},
                  {COMPOSITES("int", "int"), "i, j", "i, x, j, v"},
                  {BAG, NULL, "a, b"}};

    for (size_t i = 0; i < RT_COUNT(tables); i++) {
        for (unsigned seed = 0; seed < 4; seed++) {
            /* The same rows in the same order on both servers. */
            char *change = check_printf(
                "select setseed(0.%u);"
                "create temp table r as select t as row, ctid as at, random() as a,"
                "    random() as b from t;"
                "delete from t using r where r.at = t.ctid and r.a < %u / 1000.0;"
                "update t set %s from r where r.at = t.ctid and r.b < %u / 500.0;"
                "drop table r",
                seed + 1, 1U << (2 * seed),
                i == 0   ? "b = t.b || 'x'"
                : i == 3 ? "a = t.a + 1"
                         : "v = t.v + 1",
                1U << (2 * seed));
            const struct scenario s = {tables[i].setup, change, tables[i].key,
                                       tables[i].columns};

            expect_found(*state, &s);
            free(change);
        }
    }
}

/* ------------------------------------------------------------------ what it costs */

static void reads_little_more_than_a_scan(void **state)
{
    struct found found = {0};
    struct rt_compared compared;
    struct ends e;

    open_ends(&e, *state,
              "create table t (id int primary key, v int);"
              "insert into t select n, n from generate_series(1, 20000) n",
              "update t set v = 0 where id in (777, 15000)");
    compared = compare(&e, &found, RT_HASH_CHAIN, RT_COMPARE_ROWS);
    assert_int_equal(found.updates, 2);
    assert_in_range(compared.chunks, 300, 700);
    assert_int_equal(compared.differing, 2);
    assert_in_range(compared.read, 20002, 20000 + 2 * 64);
    forget(&found);
    close_ends(&e);
}

static void only_chunks_when_nobody_wants_rows(void **state)
{
    struct rt_compared compared;
    struct ends e;

    open_ends(&e, *state, INTEGERS, "update t set a = -1 where id = 1500");
    assert_int_equal(rt_compare_table(&compared, &e.worker, &e.pair, RT_HASH_CHAIN,
                                      RT_COMPARE_ROWS, NULL, &e.world->err),
                     0);
    assert_int_equal(compared.differing, 1);
    assert_int_equal(compared.read, 3000);
    close_ends(&e);
}

static void the_receiver_may_stop_it(void **state)
{
    struct found found = {.answer = -1};
    struct rt_differences differences = {.found = note, .context = &found};
    struct rt_compared compared;
    struct ends e;

    open_ends(&e, *state, INTEGERS, "update t set a = -1");
    assert_int_equal(rt_compare_table(&compared, &e.worker, &e.pair, RT_HASH_CHAIN,
                                      RT_COMPARE_ROWS, &differences, &e.world->err),
                     -RT_EINTERNAL);
    assert_string_equal(e.world->err.message, "cannot compare table public.t: enough");
    assert_int_equal(found.updates, 1);
    forget(&found);
    close_ends(&e);
}

/* What is set for one statement does not stay in production's transaction. */
static void later_tables_are_scanned(void **state)
{
    struct found found = {0};
    struct ends e;
    char *text;

    open_ends(&e, *state, INTEGERS, "update t set a = -1 where id = 1500");
    compare(&e, &found, RT_HASH_CHAIN, RT_COMPARE_ROWS);
    assert_int_equal(found.updates, 1);
    assert_true(rt_conn_in_transaction(e.worker.prod));
    text = one_text(e.worker.prod, "SHOW enable_seqscan");
    assert_string_equal(text, "on");
    free(text);
    forget(&found);
    close_ends(&e);
}

static void a_side_that_fails(void **state)
{
    struct found found = {0};
    struct rt_differences differences = {.found = note, .context = &found};
    struct rt_compared compared;
    struct ends e;

    open_ends(&e, *state, INTEGERS, "");
    cluster_exec(&twin_server, "dev", "alter table t rename to gone");
    assert_int_equal(rt_compare_table(&compared, &e.worker, &e.pair, RT_HASH_CHAIN,
                                      RT_COMPARE_ROWS, &differences, &e.world->err),
                     -RT_EINTERNAL);
    assert_string_equal(e.world->err.message, "cannot compare table public.t: relation "
                                              "\"public.t\" does not exist");
    cluster_exec(&twin_server, "dev", "alter table gone rename to t");
    compare(&e, &found, RT_HASH_CHAIN, RT_COMPARE_ROWS);
    assert_int_equal(found.prod.len + found.twin.len, 0);
    close_ends(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(integer_keys),
        world_test(far_apart_integer_keys),
        world_test(other_keys),
        world_test(rows_without_a_key),
        world_test(empty_sides),
        world_test(values_that_are_nearly_the_same),
        world_test(a_table_by_itself),
        world_test(wild_estimates),
        world_test(random_changes),
        world_test(reads_little_more_than_a_scan),
        world_test(only_chunks_when_nobody_wants_rows),
        world_test(the_receiver_may_stop_it),
        world_test(later_tables_are_scanned),
        world_test(a_side_that_fails),
    };

    return cmocka_run_group_tests_name("compare", tests, world_start_servers,
                                       world_stop_servers);
}
