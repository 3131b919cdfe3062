/* src/twin/table and src/twin/projection: which tables hold rows, and how they are read.
 */
#include "pg/query.h"
#include "twin/projection.h"
#include "world.h"

/* ------------------------------------------------------------------ helpers */

struct reader {
    struct world *world;
    struct rt_conn *conn;
    struct rt_tables tables;
};

static void open_reader(struct reader *r, struct world *w)
{
    *r = (struct reader){.world = w};
    if (rt_conn_open(&r->conn, &w->prod, RT_READ_WRITE, &w->err) < 0)
        check_fail("%s", w->err.message);
    rt_projection_pin(r->conn);
}

static void read_all(struct reader *r)
{
    struct world *w = r->world;

    if (rt_tables_read(&r->tables, &w->arena, r->conn, &w->err) < 0)
        check_fail("%s %s", w->err.message, w->err.hint ? w->err.hint : "");
}

static void close_reader(struct reader *r)
{
    rt_conn_close(r->conn);
}

/* What production has after these statements. */
static void read_after(struct reader *r, struct world *w, const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
    open_reader(r, w);
    read_all(r);
}

static const struct rt_table *table(const struct reader *r, const char *name)
{
    const struct rt_table *found = rt_tables_find(&r->tables, "public", name);

    if (found == NULL)
        check_fail("no table %s", name);
    return found;
}

/* The names of all, in order, for the caller to free. */
static char *names(const struct reader *r)
{
    struct rt_str text = {0};

    for (size_t i = 0; i < r->tables.count; i++)
        rt_str_addf(&text, "%s%s", i ? " " : "", r->tables.table[i].ident);
    return rt_str_take(&text);
}

/* The columns of its key. */
static void expect_key(const struct reader *r, const char *name, const char *want)
{
    const struct rt_table *t = table(r, name);
    struct rt_str text = {0};

    for (size_t i = 0; i < t->key_count; i++)
        rt_str_addf(&text, "%s%s", i ? " " : "", t->columns[t->key[i]].name);
    check_context("the key of %s", name);
    assert_string_equal(rt_str_text(&text), want);
    check_context(NULL);
    rt_str_clear(&text);
}

/* One value that a query gives which reads a table through its projection. */
static char *answer(const struct reader *r, const char *sql)
{
    struct rt_result *found = NULL;
    struct rt_err err = {0};
    char *value;

    if (rt_query(&found, r->conn, sql, 0, NULL, &err) < 0)
        check_fail("%s\n%s", err.message, sql);
    value = rt_strdup(rt_result_get(found, 0, 0) ? rt_result_get(found, 0, 0) : "");
    rt_result_free(found);
    return value;
}

/* "count sum" of the hashes of all rows. */
static char *digest(const struct reader *r, const char *name, enum rt_hash_way way)
{
    const struct rt_table *t = table(r, name);
    struct rt_str sql = {0};
    char *value;

    rt_str_add(&sql, "SELECT count(*) || ' ' || coalesce(sum(h), 0) FROM (SELECT ");
    rt_project_row_hash(&sql, t, "", way);
    rt_str_add(&sql, " AS h FROM ");
    rt_project_source(&sql, t, "");
    rt_str_add(&sql, " WHERE ");
    rt_project_where(&sql, t);
    rt_str_add(&sql, " OFFSET 0) x");
    value = answer(r, rt_str_text(&sql));
    rt_str_clear(&sql);
    return value;
}

/* ------------------------------------------------------------------ which tables */

static void only_tables_with_rows_of_their_own(void **state)
{
    struct reader r;
    char *all;

    read_after(&r, *state,
               "create table plain (a int); create unlogged table u (a int);"
               "create temporary table temp (a int); create view v as select 1;"
               "create materialized view m as select 1;"
               "create table parts (a int) partition by range (a);"
               "create table part_1 partition of parts for values from (0) to (9)"
               "    partition by list (a);"
               "create table part_1_1 partition of part_1 for values in (1);"
               "create table child () inherits (plain);"
               "create table revtwin.twin (a int); create table revtwin.receipt (a int);"
               "create table revtwin.ledger (a int);"
               "create foreign data wrapper f; create server s foreign data wrapper f;"
               "create foreign table far (a int) server s;"
               "select lo_create(1); select lo_create(2);");
    all = names(&r);
    assert_string_equal(all, "public.child public.part_1_1 public.plain public.u "
                             "revtwin.ledger");
    free(all);
    assert_true(table(&r, "u")->unlogged && !table(&r, "plain")->unlogged);
    assert_true(table(&r, "part_1_1")->partition && !table(&r, "child")->partition);
    assert_null(rt_tables_find(&r.tables, "public", "v"));
    assert_null(rt_tables_find(&r.tables, "zzz", "plain"));
    assert_int_equal(r.tables.left_out_count, 2);
    assert_string_equal(r.tables.left_out[0], "2 large objects");
    assert_string_equal(r.tables.left_out[1], "foreign table public.far");
    close_reader(&r);
}

static void odd_names_and_shapes(void **state)
{
    struct reader r;
    struct world *w = *state;
    const struct rt_table *t;
    char *all;
    char name[64];

    memset(name, 'n', 63);
    name[63] = '\0';
    read_after(
        &r, w,
        "create schema \"A.b \"\"c\"; create table \"A.b \"\"c\".\"T'\\ t\" "
        "(\"C \"\"d.\" int primary key, \"select\" text);"
        "create table \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
        "nnn\" (a int); create table nothing ();"
        "insert into nothing default values; insert into nothing default values;"
        "create table gone (a int, b int, c int); alter table gone drop column b;");
    all = names(&r);
    assert_string_equal(all,
                        "\"A.b \"\"c\".\"T'\\ t\" public.gone public.nnnnnnnnnnnnnnnnnnnn"
                        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn public.nothing");
    free(all);
    t = rt_tables_find(&r.tables, "A.b \"c", "T'\\ t");
    assert_non_null(t);
    assert_string_equal(t->columns[0].name, "C \"d.");
    assert_string_equal(t->columns[1].name, "select");
    assert_non_null(rt_tables_find(&r.tables, "public", name));
    assert_int_equal(table(&r, "gone")->column_count, 2);
    assert_string_equal(table(&r, "gone")->columns[1].name, "c");
    assert_int_equal(table(&r, "nothing")->column_count, 0);
    all = digest(&r, "nothing", RT_HASH_CHAIN);
    assert_memory_equal(all, "2 ", 2);
    free(all);
    close_reader(&r);
}

static void estimates_and_sizes(void **state)
{
    struct reader r;

    read_after(
        &r, *state,
        "create table never (a int); insert into never select generate_series(1, 9);"
        "create table empty (a int); analyze empty;"
        "create table tall (a int, b text);"
        "alter table tall alter b set storage external;"
        "insert into tall select n, repeat('x', 5000) from generate_series(1, 99) n;"
        "analyze tall");
    assert_true(table(&r, "never")->rows < 0);
    assert_int_equal(table(&r, "never")->bytes, 8192);
    assert_int_equal(table(&r, "empty")->bytes, 0);
    assert_true(table(&r, "tall")->rows == 99);
    assert_in_range(table(&r, "tall")->bytes, 8192, 3 * 8192);
    assert_in_range(table(&r, "tall")->toast_bytes, 99 * 5000, 99 * 8192);
    close_reader(&r);
}

/* ------------------------------------------------------------------ columns */

static void keys_that_tell_rows_apart(void **state)
{
    struct reader r;

    read_after(
        &r, *state,
        "create table pk (a int not null unique, b int, primary key (b, a));"
        "create table late (a int primary key deferrable initially deferred);"
        "create table uniq (a int not null, b int not null, c int, unique (b, a));"
        "create unique index on uniq (a) where c is null;"
        "create unique index on uniq (abs(a)); create unique index on uniq (c);"
        "create table short (a int not null, b int not null, unique (a, b), unique (b));"
        "create table deferred (a int not null unique deferrable);"
        "create table computed (a int, b int not null generated always as (a) stored"
        "    unique);"
        "create table covering (a int not null, b int not null);"
        "create unique index on covering (b) include (a);"
        "create table none (a int not null);"
        "create table dropped (x int, a int, b int primary key);"
        "alter table dropped drop x;");
    expect_key(&r, "pk", "b a");
    expect_key(&r, "late", "a");
    expect_key(&r, "uniq", "b a");
    expect_key(&r, "short", "b");
    expect_key(&r, "deferred", "");
    expect_key(&r, "computed", "");
    expect_key(&r, "covering", "b");
    expect_key(&r, "none", "");
    expect_key(&r, "dropped", "b");
    close_reader(&r);
}

static void columns_say_how_they_are_read(void **state)
{
    struct reader r;
    const struct rt_table *t;
    struct rt_str text = {0};

    read_after(&r, *state,
               "create table c (a int generated always as identity,"
               "    b int generated by default as identity not null, c numeric(10,2),"
               "    d int generated always as (b + 1) stored, e varchar(7) default 'x')");
    t = table(&r, "c");
    assert_int_equal(t->columns[0].identity, 'a');
    assert_int_equal(t->columns[1].identity, 'd');
    assert_int_equal(t->columns[2].identity, 0);
    assert_true(t->columns[1].not_null && !t->columns[2].not_null);
    assert_true(t->columns[3].generated && !t->columns[4].generated);
    assert_string_equal(t->columns[2].type, "numeric(10,2)");
    assert_string_equal(t->columns[4].type, "character varying(7)");
    rt_project_columns(&text, t, "t.");
    assert_string_equal(rt_str_text(&text), "t.\"a\", t.\"b\", t.\"c\", t.\"e\"");
    rt_str_reset(&text);
    rt_project_source(&text, t, "t");
    assert_string_equal(rt_str_text(&text), "ONLY public.c t");
    rt_str_clear(&text);
    close_reader(&r);
}

static const char *const types =
    "create type mood as enum ('sad', 'ok');"
    "create domain age as int; create domain adult as age check (value > 17);"
    "create domain feeling as mood; create domain tags as text[];"
    "create type pair as (a int, m mood); create type span as range (subtype = float8);"
    "create type moods as range (subtype = mood);"
    "create table many (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric,"
    "    b bool, t text, v varchar(9), c char(5), nm name, ch \"char\", by bytea,"
    "    d date, ti time, tz timetz, ts timestamp, tt timestamptz, iv interval,"
    "    u uuid, j json, jb jsonb, jp jsonpath, x xml, ip inet, ci cidr, ma macaddr,"
    "    bi bit(3), vb bit varying, m money, p point, pg polygon, tv tsvector,"
    "    tq tsquery, l pg_lsn, o oid, r4 int4range, rn numrange, mr int4multirange,"
    "    a int[], at text[][], ar int4range[],"
    "    e mood, dm adult, de feeling, da tags, us span,"
    "    ea mood[], co pair, ca pair[], ad adult[], um moods, rc regclass,"
    "    ra regtype[], ac aclitem, cu refcursor, mm datemultirange[])";
static const char *const values =
    "insert into many select 1, -2, 3, 'NaN', -0.0, 1.00, true, 'ä', 'v', 'c', 'n', 'c',"
    "    '\\x00', '2025-01-01', '12:00', '12:00+02', 'infinity', '2025-01-01 12:00+02',"
    "    '1 mon -1 day', '00000000-0000-0000-0000-000000000001', '{\"a\": 1.10}',"
    "    '{\"a\": 1.10}', '$.a', '<a/>', '1.2.3.4/8', '10.0.0.0/8', '08:00:2b:01:02:03',"
    "    '101', '11', '12.34', '(1,2)', '((0,0),(1,1),(2,0))', 'a:1 b', 'a & b', '1/2',"
    "    4711, '[1,5)', '(1.0,)', '{[1,2),[5,6)}', '{1,NULL}', '{{a,b},{c,NULL}}',"
    "    '{\"[1,2)\"}', 'ok', 18, 'sad', '{x}', '[1,2)', '{ok,sad}', '(1,ok)',"
    "    array[row(1, 'sad')::pair], '{18,19}', '[sad,ok]', 'pg_class', '{int4,text}',"
    "    'postgres=r/postgres', 'cur', '{}'";

/* The same row has the same hash in databases where types have other OIDs, whatever the
 * session's settings were, and in either way. */
static void every_type_is_hashed_alike(void **state)
{
    static const char *const as_text[] = {"ea", "co", "ca", "ad", "um",
                                          "rc", "ra", "ac", "cu"};
    static const char *const floats[] = {"p", "pg", "us"};
    struct world *w = *state;
    struct reader one, other;
    const struct rt_table *t;
    size_t texts = 0;

    read_after(&one, w, types);
    cluster_exec(&prod_server, "shop", values);
    t = table(&one, "many");
    for (size_t i = 0; i < t->column_count; i++) {
        bool listed = false, floating = false;

        check_context("column %s", t->columns[i].name);
        for (size_t k = 0; k < RT_COUNT(as_text); k++)
            listed |= strcmp(t->columns[i].name, as_text[k]) == 0;
        for (size_t k = 0; k < RT_COUNT(floats); k++)
            floating |= strcmp(t->columns[i].name, floats[k]) == 0;
        assert_int_equal(t->columns[i].send == NULL, listed || floating);
        assert_int_equal(t->columns[i].binary, !listed);
        texts += listed;
    }
    check_context(NULL);
    assert_int_equal(texts, RT_COUNT(as_text));

    cluster_exec(&twin_server, "dev", "create type pad as enum ('x'); create table p ()");
    cluster_exec(&twin_server, "dev", types);
    cluster_exec(&twin_server, "dev", values);
    cluster_exec(&twin_server, "dev",
                 "alter database dev set datestyle = 'German';"
                 "alter database dev set timezone = 'Asia/Tokyo';"
                 "alter database dev set bytea_output = 'escape';"
                 "alter database dev set extra_float_digits = -5;"
                 "alter database dev set search_path = public, pg_catalog");
    other = (struct reader){.world = w};
    assert_int_equal(rt_conn_open(&other.conn, &w->twin, RT_READ_ONLY, &w->err), 0);
    rt_projection_pin(other.conn);
    read_all(&other);
    for (int way = RT_HASH_CHAIN; way <= RT_HASH_SHA256; way++) {
        char *a = digest(&one, "many", (enum rt_hash_way)way);
        char *b = digest(&other, "many", (enum rt_hash_way)way);

        assert_string_equal(a, b);
        assert_memory_equal(a, "1 ", 2);
        free(a);
        free(b);
    }
    assert_false(rt_project_binary(t, table(&other, "many")));
    close_reader(&one);
    close_reader(&other);
}

static void binary_needs_the_same_columns(void **state)
{
    struct reader r;

    read_after(&r, *state,
               "create type mood as enum ('sad');"
               "create table a (i int, m mood, g int generated always as (i) stored);"
               "create table b (i int, m mood, g int generated always as (2 * i) stored);"
               "create table c (i int, m mood, g int);"
               "create table d (i bigint, m mood, g int generated always as (2) stored);"
               "create table e (x int, m mood, g int generated always as (2) stored);"
               "create table f (i int, m mood);");
    assert_true(rt_project_binary(table(&r, "a"), table(&r, "b")));
    assert_false(rt_project_binary(table(&r, "a"), table(&r, "c")));
    assert_false(rt_project_binary(table(&r, "a"), table(&r, "d")));
    assert_false(rt_project_binary(table(&r, "a"), table(&r, "e")));
    assert_false(rt_project_binary(table(&r, "a"), table(&r, "f")));
    close_reader(&r);
}

/* ------------------------------------------------------------------ hashes */

/* Fail unless both sums differ before and after, in each way. */
static void expect_change(struct reader *r, const char *name, const char *change)
{
    for (int way = RT_HASH_CHAIN; way <= RT_HASH_SHA256; way++) {
        char *before = digest(r, name, (enum rt_hash_way)way), *after;
        struct rt_err err = {0};

        check_context("%s", change);
        assert_int_equal(rt_exec(NULL, r->conn, "BEGIN", &err), 0);
        assert_int_equal(rt_exec(NULL, r->conn, change, &err), 0);
        after = digest(r, name, (enum rt_hash_way)way);
        assert_string_not_equal(before, after);
        assert_int_equal(rt_exec(NULL, r->conn, "ROLLBACK", &err), 0);
        check_context(NULL);
        free(before);
        free(after);
    }
}

static void sums_see_every_change(void **state)
{
    struct reader r;

    read_after(&r, *state,
               "create table keyed (id int primary key, n numeric, a text, b text);"
               "insert into keyed values (1, 1.0, 'x', NULL), (2, 2, 'y', 'z');"
               "create table composite (i int, j text, v float8, primary key (i, j));"
               "insert into composite values (1, 'x', 0), (1, 'y', 1);"
               "create table keyless (a text, b text);"
               "insert into keyless values ('x', '1'), ('y', '2');");
    expect_change(&r, "keyed", "UPDATE public.keyed SET n = 1.00 WHERE id = 1");
    expect_change(&r, "keyed", "UPDATE public.keyed SET a = b, b = a WHERE id = 1");
    expect_change(&r, "keyed", "UPDATE public.keyed SET b = '' WHERE id = 1");
    expect_change(&r, "keyed",
                  "UPDATE public.keyed SET a = CASE id WHEN 1 THEN 'y' ELSE 'x' END");
    expect_change(&r, "composite", "UPDATE public.composite SET v = -v");
    expect_change(&r, "composite", "UPDATE public.composite SET v = 1 - v");
    expect_change(&r, "keyless",
                  "UPDATE public.keyless SET b = CASE a WHEN 'x' THEN '2' ELSE '1' END");
    expect_change(&r, "keyless", "INSERT INTO public.keyless VALUES ('x', '1')");
    close_reader(&r);
}

/* The server's own hash functions take these for the same, or for nothing. */
static void sums_see_what_hash_functions_do_not(void **state)
{
    struct reader r;

    read_after(&r, *state,
               "create domain flag as boolean;"
               "create table t (id numeric primary key, i int, b bigint NOT NULL, f flag,"
               "    c text, v varchar(9), u uuid, d date);"
               "insert into t values (1, 0, 0, false, '', '', NULL, '-infinity'),"
               "    (2, 1, 1, true, 'x', 'y', md5('')::uuid, NULL);"
               "create collation blind (provider = icu, locale = 'und-u-ks-level1',"
               "    deterministic = false);"
               "create table folded (id int, t text collate blind primary key);"
               "insert into folded values (1, 'a');"
               "do $$begin execute 'create table broad (' || (select string_agg("
               "    'c' || n || ' int', ',') from generate_series(1, 1200) n) || ')';"
               "end$$; insert into broad (c1, c1200) values (1, 2);");
    expect_change(&r, "t", "UPDATE public.t SET b = 4294967297 WHERE b = 0");
    expect_change(&r, "t", "UPDATE public.t SET b = b + 4294967297 * 5");
    expect_change(&r, "t", "UPDATE public.t SET b = 1 - b");
    expect_change(&r, "t", "UPDATE public.t SET i = b, b = i + 1 WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET i = NULL WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET f = NULL WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET f = NOT f");
    expect_change(&r, "t", "UPDATE public.t SET c = NULL WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET c = v, v = c WHERE id = 2");
    expect_change(&r, "t", "UPDATE public.t SET u = md5('')::uuid WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET u = NULL");
    expect_change(&r, "t", "UPDATE public.t SET d = 'infinity' WHERE id = 1");
    expect_change(&r, "t", "UPDATE public.t SET id = 1.0 WHERE id = 1");
    expect_change(&r, "folded", "UPDATE public.folded SET t = 'A'");
    expect_change(&r, "broad", "UPDATE public.broad SET c1 = 2");
    expect_change(&r, "broad", "UPDATE public.broad SET c1200 = 1");
    expect_change(&r, "broad", "UPDATE public.broad SET c1 = 2, c1200 = 1");
    close_reader(&r);
}

/* A value of a type in between shows whether values are cast on their way. */
static void key_hashes(void **state)
{
    static const struct {
        const char *table, *want;
    } cases[] = {{"i", "-5"}, {"d", "7"}, {"k", NULL}, {"s", NULL}, {"n", NULL}};
    struct reader r;

    read_after(&r, *state,
               "create domain id as smallint;"
               "create table i (a bigint primary key); insert into i values (-5);"
               "create table d (a id primary key, t text); insert into d values (7);"
               "create table k (a int, b int, primary key (a, b));"
               "insert into k values (1, 2);"
               "create table s (a text primary key); insert into s values ('x');"
               "create table n (a int); insert into n values (1);");
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        for (int way = RT_HASH_CHAIN; way <= RT_HASH_SHA256; way++) {
            struct rt_str sql = {0};
            char *value;

            rt_str_add(&sql, "SELECT ");
            rt_project_key_hash(&sql, table(&r, cases[i].table), (enum rt_hash_way)way);
            rt_str_addf(&sql, " FROM public.%s", cases[i].table);
            value = answer(&r, rt_str_text(&sql));
            if (cases[i].want)
                assert_string_equal(value, cases[i].want);
            else
                assert_true(strlen(value) > 10);
            free(value);
            rt_str_clear(&sql);
        }
    }
    close_reader(&r);
}

/* A server whose hash function differs, as that of another processor would. */
static void servers_that_hash_differently(void **state)
{
    struct world *w = *state;
    enum rt_hash_way way = RT_HASH_SHA256;
    struct rt_conn *twin = NULL;
    struct reader r;

    open_reader(&r, w);
    assert_int_equal(rt_conn_open(&twin, &w->twin, RT_READ_WRITE, &w->err), 0);
    assert_int_equal(rt_hash_way(&way, r.conn, twin, &w->err), 0);
    assert_int_equal(way, RT_HASH_OURS);
    cluster_exec(&twin_server, "dev",
                 "alter function pg_catalog.hash_array_extended(anyarray, bigint)"
                 "    rename to hidden;"
                 "create function pg_catalog.hash_array_extended(anyarray, bigint)"
                 "    returns bigint language sql as"
                 "    'select pg_catalog.hidden($1, $2) # 1'");
    assert_int_equal(rt_hash_way(&way, r.conn, twin, &w->err), 0);
    assert_int_equal(way, RT_HASH_SHA256);
    rt_conn_close(twin);
    close_reader(&r);
}

/* ------------------------------------------------------------------ rights */

static void login_as(struct world *w, const char *user)
{
    char *url = check_printf("host=%s port=%d user=%s dbname=shop", prod_server.dir,
                             prod_server.port, user);

    world_point(&w->prod, url);
    free(url);
}

static void expect_refused(struct world *w, int status)
{
    struct reader r;

    rt_err_clear(&w->err);
    open_reader(&r, w);
    assert_int_equal(rt_tables_read(&r.tables, &w->arena, r.conn, &w->err), status);
    close_reader(&r);
}

static void expect_readable(struct world *w)
{
    struct reader r;

    open_reader(&r, w);
    read_all(&r);
    close_reader(&r);
}

static void missing_rights_are_named(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table a (x int); create schema \"S s\";"
                 "create table \"S s\".b (x int); create table \"S s\".c (x int);"
                 "create role \"re ader\" login;"
                 "grant select on \"S s\".b to \"re ader\"; grant select (x) on a "
                 "to \"re ader\"");
    login_as(w, "'re ader'");
    expect_refused(w, -RT_EINTERNAL);
    assert_string_equal(w->err.message,
                        "role \"re ader\" may not read table \"S s\".b of production");
    assert_string_equal(w->err.detail, "It may not read 3 tables.");
    assert_string_equal(w->err.hint,
                        "Run there: GRANT USAGE ON SCHEMA \"S s\" TO \"re ader\"; GRANT "
                        "SELECT ON TABLE \"S s\".c TO \"re ader\"; GRANT SELECT ON TABLE "
                        "public.a TO \"re ader\";");
    cluster_exec(&prod_server, "shop", w->err.hint + strlen("Run there: "));
    expect_readable(w);
    cluster_exec(&prod_server, "shop",
                 "revoke all on a from \"re ader\";"
                 "do $$ begin for i in 1..20 loop execute format("
                 "    'create table t%s ()', i); end loop; end $$");
    expect_refused(w, -RT_EINTERNAL);
    assert_string_equal(w->err.detail, "It may not read 21 tables.");
    assert_contains(w->err.hint, "GRANT pg_read_all_data");
    assert_lacks(w->err.hint, "t19");
    cluster_exec(&prod_server, "shop", "grant pg_read_all_data to \"re ader\"");
    expect_readable(w);
    cluster_exec(&prod_server, "shop",
                 "drop owned by \"re ader\"; drop role \"re ader\"");
}

static void hidden_rows_are_refused(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create role owner login; create role other login;"
                 "create table s (a int); alter table s owner to owner;"
                 "alter table s enable row level security; grant select on s to other;"
                 "create policy p on s using (a > 1)");
    expect_readable(w); /* the superuser */
    login_as(w, "owner");
    expect_readable(w);
    login_as(w, "other");
    expect_refused(w, -RT_EREFUSED);
    assert_string_equal(w->err.message,
                        "row-level security would hide rows of table public.s of "
                        "production from role other");
    assert_contains(w->err.hint, "ALTER ROLE other BYPASSRLS;");
    cluster_exec(&prod_server, "shop", "alter role other bypassrls");
    expect_readable(w);
    cluster_exec(&prod_server, "shop", "alter table s force row level security");
    login_as(w, "owner");
    expect_refused(w, -RT_EREFUSED);
    cluster_exec(&prod_server, "shop",
                 "drop owned by owner, other; drop role owner, other");
}

/* ------------------------------------------------------------------ extensions */

/* An extension's tables, registered as its script would have. */
static void rows_of_extensions(void **state)
{
    struct reader r;
    char *text;

    read_after(&r, *state,
               "create table own (a int); create table marked (a int, standard bool);"
               "create table every (a int); insert into every values (1);"
               "insert into marked values (1, true), (2, false), (3, false);"
               "alter extension plpgsql add table own;"
               "alter extension plpgsql add table marked;"
               "alter extension plpgsql add table every;"
               "update pg_extension set extconfig = array['marked'::regclass::oid,"
               "    'every'::regclass::oid], extcondition = array["
               "    '  where NOT standard -- theirs', ''] where extname = 'plpgsql'");
    text = names(&r);
    assert_string_equal(text, "public.every public.marked");
    free(text);
    assert_string_equal(table(&r, "every")->rows_where, "true");
    assert_string_equal(table(&r, "marked")->rows_where, " NOT standard -- theirs");
    text = digest(&r, "marked", RT_HASH_CHAIN);
    assert_memory_equal(text, "2 ", 2);
    free(text);
    text = digest(&r, "every", RT_HASH_CHAIN);
    assert_memory_equal(text, "1 ", 2);
    free(text);
    close_reader(&r);
}

static void types_of_extensions(void **state)
{
    struct reader r;
    const struct rt_table *t;
    char *text;

    read_after(&r, *state,
               "create schema \"E x\"; create extension hstore schema \"E x\";"
               "create extension citext schema \"E x\"; create table e (h \"E x\".hstore,"
               "    c \"E x\".citext primary key, a \"E x\".citext[]);"
               "insert into e values ('a=>1', 'X', '{x}')");
    t = table(&r, "e");
    assert_string_equal(t->columns[0].send, "\"E x\".hstore_send");
    assert_string_equal(t->columns[1].type, "\"E x\".citext");
    assert_true(t->columns[0].binary && t->columns[1].binary);
    assert_false(t->columns[2].binary || t->columns[2].send);
    text = digest(&r, "e", RT_HASH_CHAIN);
    assert_memory_equal(text, "1 ", 2);
    free(text);
    close_reader(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(only_tables_with_rows_of_their_own),
        world_test(odd_names_and_shapes),
        world_test(estimates_and_sizes),
        world_test(keys_that_tell_rows_apart),
        world_test(columns_say_how_they_are_read),
        world_test(every_type_is_hashed_alike),
        world_test(binary_needs_the_same_columns),
        world_test(sums_see_every_change),
        world_test(sums_see_what_hash_functions_do_not),
        world_test(key_hashes),
        world_test(servers_that_hash_differently),
        world_test(missing_rights_are_named),
        world_test(hidden_rows_are_refused),
        world_test(rows_of_extensions),
        world_test(types_of_extensions),
    };

    return cmocka_run_group_tests_name("tables", tests, world_start_servers,
                                       world_stop_servers);
}
