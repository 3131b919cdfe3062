/* src/twin/rebuild/move and src/twin/compare/{rowsum,sum}: rows are hashed on their way
 * as a server hashes them, or not at all. */
#include "twin/rebuild/move.h"

#include "pg/query.h"
#include "twin/compare/sum.h"
#include "world.h"

struct moving {
    struct world *world;
    struct rt_conn *prod, *twin;
    struct rt_tables here, there;
    enum rt_hash_way way;
    size_t passed;
    struct rt_row_sum sum;
};

static struct rt_conn *open_side(struct world *w, const struct rt_server *server)
{
    struct rt_conn *conn;

    if (rt_conn_open(&conn, server, RT_READ_WRITE, &w->err) < 0)
        check_fail("%s", w->err.message);
    rt_projection_pin(conn);
    return conn;
}

/* Both have these tables, and production has these rows. */
static void begin(struct moving *m, struct world *w, const char *tables, const char *rows)
{
    cluster_exec(&prod_server, "shop", tables);
    cluster_exec(&prod_server, "shop", rows);
    cluster_exec(&twin_server, "dev", tables);
    *m = (struct moving){.world = w};
    m->prod = open_side(w, &w->prod);
    m->twin = open_side(w, &w->twin);
    if (rt_tables_read(&m->here, &w->arena, m->prod, &w->err) < 0 ||
        rt_tables_read(&m->there, &w->arena, m->twin, &w->err) < 0 ||
        rt_hash_way(&m->way, m->prod, m->twin, &w->err) < 0)
        check_fail("%s", w->err.message);
    assert_int_equal(m->way, RT_HASH_OURS);
}

static void end(struct moving *m)
{
    rt_row_sum_close(&m->sum);
    rt_conn_close(m->prod);
    rt_conn_close(m->twin);
}

static void count(void *context, size_t bytes)
{
    ((struct moving *)context)->passed += bytes;
}

static void sum_up(void *context, const char *piece, size_t bytes)
{
    count(context, bytes);
    rt_row_sum_add(&((struct moving *)context)->sum, piece, bytes);
}

static const struct rt_table *table(const struct rt_tables *tables, const char *name)
{
    const struct rt_table *found = rt_tables_find(tables, "public", name);

    if (found == NULL)
        check_fail("no table %s", name);
    return found;
}

/* Copy what production has, and sum it up on the way. */
static void sum_rows(struct moving *m, const char *name)
{
    const struct rt_table *t = table(&m->here, name);
    struct rt_str columns = {0}, source = {0}, sink = {0};
    struct rt_copied copied;

    rt_project_columns(&columns, t, "");
    rt_str_addf(&source, "COPY %s", t->ident);
    if (columns.len > 0)
        rt_str_addf(&source, " (%s)", columns.data);
    rt_str_addf(&sink, "TRUNCATE %s; %s FROM STDIN (FORMAT binary)", t->ident,
                source.data);
    rt_str_add(&source, " TO STDOUT (FORMAT binary)");
    rt_row_sum_close(&m->sum);
    rt_row_sum_open(&m->sum, t, m->way);
    if (rt_copy_pipe(&copied, m->prod, source.data, m->twin, sink.data, sum_up, m,
                     &m->world->err) < 0)
        check_fail("%s", m->world->err.message);
    assert_int_equal(copied.sent, m->sum.rows);
    rt_str_clear(&columns);
    rt_str_clear(&source);
    rt_str_clear(&sink);
}

static int move_all(struct moving *m, const char *name)
{
    const struct rt_move move = {.prod = table(&m->here, name),
                                 .next = table(&m->there, name),
                                 .passed = count,
                                 .context = m};
    struct rt_copied copied;

    rt_err_clear(&m->world->err);
    return rt_move_all(&copied, &move, m->way, m->prod, m->twin, &m->world->err);
}

/* What it has summed up on the way is what production's server says. */
static void expect_summed(struct moving *m, const char *name)
{
    const struct rt_table *t = table(&m->here, name);
    struct rt_result *row = NULL;
    struct rt_str sql = {0};

    check_context("table %s", name);
    sum_rows(m, name);
    rt_str_add(&sql, "SELECT count(*), sum(h) FROM (SELECT ");
    rt_project_row_hash(&sql, t, "", m->way);
    rt_str_addf(&sql, " AS h FROM %s OFFSET 0) _", t->ident);
    assert_int_equal(rt_query(&row, m->prod, sql.data, 0, NULL, &m->world->err), 0);
    assert_true(m->sum.able && m->sum.ended);
    if (!rt_row_sum_is(&m->sum, rt_result_get(row, 0, 0), rt_result_get(row, 0, 1)))
        check_fail("%llu rows, not %s with the sum %s", m->sum.rows,
                   rt_result_get(row, 0, 0), rt_result_get(row, 0, 1));
    rt_result_free(row);
    rt_str_clear(&sql);
    check_context(NULL);
}

/* Compared with what was read on the way, or, if production is asked, without. */
static int compare(struct moving *m, const char *name)
{
    unsigned long long rows = 0;

    rt_err_clear(&m->world->err);
    return rt_sum_compare(&rows, table(&m->here, name), m->way, &m->sum, m->prod, m->twin,
                          &m->world->err);
}

/* How often production has read a table as a whole; its session tells at once. */
static long scans(struct moving *m, const char *name)
{
    struct rt_err *err = &m->world->err;
    struct rt_result *row = NULL;
    char *sql = check_printf(
        "select seq_scan from pg_stat_user_tables where relname = '%s'", name);
    long count_of;

    if (rt_exec(NULL, m->prod, "select pg_stat_force_next_flush()", err) < 0 ||
        rt_query(&row, m->prod, sql, 0, NULL, err) < 0)
        check_fail("%s", err->message);
    count_of = strtol(rt_result_get(row, 0, 0), NULL, 10);
    rt_result_free(row);
    free(sql);
    return count_of;
}

/* ------------------------------------------------------------------ hashes */

#define TYPES                                                                            \
    "i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, b bool, t text,"        \
    "v varchar(9), c char(5), nm name, ch \"char\", by bytea, d date, ti time,"          \
    "tz timetz, ts timestamp, tt timestamptz, iv interval, u uuid, j json, jb jsonb,"    \
    "x xml, ip inet, bi bit(3), m money, p point, tv tsvector, l pg_lsn, o oid,"         \
    "r4 int4range, mr int4multirange, a int[], at text[], e mood, dm adult, de feeling," \
    "da tags"

static const char *const tables =
    "create type mood as enum ('sad', 'ok'); create domain adult as int;"
    "create domain feeling as mood; create domain tags as text[];"
    "create table many (" TYPES ");"
    "create table plain (a int not null, b bigint not null, c text not null,"
    "    g int generated always as (a + 1) stored);"
    "create table late (n numeric not null, t text not null, d date not null);"
    "create table narrow (d date); create table empty (a int); create table nothing ();"
    "do $$begin execute 'create table broad (' || (select string_agg("
    "    'c' || n || case n % 3 when 0 then ' int' when 1 then ' text' else ' date' end,"
    "    ',') from generate_series(1, 200) n) || ')'; end$$;"
    /* each column by itself, with and without NULLs */
    "do $$declare c text; begin for c in select attname from pg_attribute where attrelid "
    "="
    "    'many'::regclass and attnum > 0 loop"
    "    execute format('create table null_%1$s as select %1$I from many with no data;"
    "        create table full_%1$s as select %1$I from many with no data;"
    "        alter table full_%1$s alter %1$I set not null', c); end loop; end$$";
static const char *const rows =
    "insert into many select -n, -n * 1000, n * -10000000000, n * 0.1, n, n * 1.10,"
    "    n % 2 = 0, repeat('\xc3\xa4', n % 40), 'v' || n, 'c', 'n', 'c',"
    "    decode(md5(n::text), 'hex'), date '2025-01-01' + n, '12:00', '12:00+02',"
    "    'infinity', now(), '1 mon -1 day', md5(n::text)::uuid, '{\"a\": 1.10}',"
    "    '{\"a\": 1.10}', '<a/>', '1.2.3.4/8', '101', '12.34', '(1,2)', 'a:1 b', '1/2',"
    "    4711, '[1,5)', '{[1,2),[5,6)}', array[n, null], '{a,NULL}', 'ok', 18, 'sad',"
    "    '{x}' from generate_series(1, 3000) n;"
    "insert into many select;"                  /* only NULLs */
    "insert into many (i4) values (null), (7);" /* NULLs beside a link */
    "insert into many (i2, i4, i8) values (-32768, -2147483648, -9223372036854775808);"
    "insert into many (f4, f8) values ('NaN', 'NaN'), (-'NaN'::float4, -'NaN'::float8),"
    "    (-0.0, -0.0), ('infinity', '-infinity');"
    "insert into plain select n, -n, n from generate_series(1, 9) n;"
    "insert into late select n, n, 'infinity' from generate_series(1, 9) n;"
    "insert into narrow values (null), ('2025-01-01');"
    "insert into nothing select from generate_series(1, 5);"
    "insert into broad (c1, c2, c3, c200) values ('x', 'today', 1, 'today');"
    "insert into broad (c1, c67) values ('x', 'y');"
    "do $$declare c text; begin for c in select attname from pg_attribute where attrelid "
    "="
    "    'many'::regclass and attnum > 0 loop"
    "    execute format('insert into null_%1$s select %1$I from many;"
    "        insert into full_%1$s select %1$I from many where %1$I is not null', c);"
    "    end loop; end$$";

static void rows_are_hashed_as_the_server_does(void **state)
{
    struct moving m;

    begin(&m, *state, tables, rows);
    assert_true(m.here.count > 70);
    for (size_t i = 0; i < m.here.count; i++) {
        expect_summed(&m, m.here.table[i].name);
        assert_int_equal(compare(&m, m.here.table[i].name), 0);
    }
    assert_true(m.passed > 100000);
    end(&m);
}

/* ------------------------------------------------------------------ not at all */

static const char *const few =
    "create table t (a int primary key, b text); create table o (c regclass)";
static const char *const few_rows =
    "insert into t select n, n from generate_series(1, 20000) n;"
    "insert into o values ('pg_class')";

static void expect_scans(struct moving *m, const char *name, long wanted)
{
    long before = scans(m, name);

    assert_int_equal(move_all(m, name), 0);
    assert_int_equal(scans(m, name), before + wanted);
}

static int move_half(struct moving *m)
{
    static const struct rt_blocks half = {.from = 0, .to = 20};
    const struct rt_move move = {.prod = table(&m->here, "t"),
                                 .next = table(&m->there, "t"),
                                 .blocks = &half,
                                 .passed = count,
                                 .context = m};
    struct rt_copied copied;

    return rt_move(&copied, &move, m->prod, m->twin, &m->world->err);
}

/* Production reads a table once where that is enough, and again where it is not. */
static void production_is_asked_where_it_has_to_be(void **state)
{
    unsigned long long found;
    struct moving m;

    begin(&m, *state, few, few_rows);
    expect_scans(&m, "t", 1);
    expect_scans(&m, "o", 2); /* as text */
    m.way = RT_HASH_CHAIN;
    expect_scans(&m, "t", 2);
    m.way = RT_HASH_OURS;
    sum_rows(&m, "t");
    m.sum.sum++;
    assert_int_equal(compare(&m, "t"), 0);

    assert_int_equal(move_half(&m), -RT_EINTERNAL); /* parts do not empty it first */
    rt_err_clear(&m.world->err);
    cluster_exec(&twin_server, "dev", "truncate t");
    assert_int_equal(move_half(&m), 0);
    assert_int_equal(rt_sum_compare(&found, table(&m.here, "t"), m.way, NULL, m.prod,
                                    m.twin, &m.world->err),
                     -RT_EDIFFERS);
    end(&m);
}

static void what_could_have_changed_on_the_way(void **state)
{
    struct world *w = *state;
    struct moving m;
    char *url = check_printf("host=%s hostaddr=127.0.0.1 port=%d user=postgres "
                             "dbname=shop password='%s' sslmode=disable "
                             "gssencmode=disable",
                             prod_server.dir, prod_server.port, "p@ss:w/o?r#d%\"\\\\ $x");

    world_point(&w->prod, url);
    begin(&m, w, few, few_rows);
    assert_false(rt_conn_intact(m.prod));
    assert_true(rt_conn_intact(m.twin));
    expect_scans(&m, "t", 2);
    end(&m);
    free(url);
}

/* Of the twin it is always the server that says what it has. */
static void what_the_twin_has_made_of_it(void **state)
{
    static const char *const changes[] = {
        "update t set b = 'x' where a = 7", "delete from t where a = 7",
        "insert into t values (-1, NULL)",
        "update t set b = case a when 1 then '2' else '1' end where a < 3"};
    struct moving m;

    begin(&m, *state, few, few_rows);
    for (size_t i = 0; i < RT_COUNT(changes); i++) {
        sum_rows(&m, "t");
        assert_true(m.sum.able && m.sum.ended);
        assert_int_equal(compare(&m, "t"), 0);
        cluster_exec(&twin_server, "dev", changes[i]);
        assert_int_equal(compare(&m, "t"), -RT_EDIFFERS);
    }
    end(&m);
}

/* Pieces of what COPY has written, as a server may not send them. */
static void what_is_not_understood(void **state)
{
    static const char good[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0" /* one row: 7, 'x' */
                               "\0\2\0\0\0\4\0\0\0\7\0\0\0\1x\377\377";
    enum { HEADER = 19, ROW = 15, END = 2 };
    struct rt_row_sum sum;
    struct moving m;

    begin(&m, *state, few, few_rows);
    for (size_t size = 1; size < sizeof(good); size++) {
        rt_row_sum_open(&sum, table(&m.here, "t"), RT_HASH_OURS);
        rt_row_sum_add(&sum, good, size);
        assert_int_equal(sum.able, size == HEADER || size == HEADER + ROW ||
                                       size == HEADER + ROW + END);
        assert_int_equal(sum.able && sum.ended, size == HEADER + ROW + END);
        rt_row_sum_add(&sum, good, sizeof(good) - 1); /* a second header is no row */
        assert_false(sum.able && sum.ended && size == HEADER + ROW + END);
        rt_row_sum_close(&sum);
    }
    rt_row_sum_open(&sum, table(&m.here, "o"), RT_HASH_OURS); /* of other columns */
    rt_row_sum_add(&sum, good, sizeof(good) - 1);
    assert_false(sum.able);
    rt_row_sum_close(&sum);
    rt_row_sum_open(&sum, table(&m.here, "t"), RT_HASH_CHAIN);
    rt_row_sum_add(&sum, good, sizeof(good) - 1);
    assert_false(sum.able);
    rt_row_sum_close(&sum);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(rows_are_hashed_as_the_server_does),
        world_test(production_is_asked_where_it_has_to_be),
        world_test(what_could_have_changed_on_the_way),
        world_test(what_the_twin_has_made_of_it),
        world_test(what_is_not_understood),
    };

    return cmocka_run_group_tests(tests, world_start_servers, world_stop_servers);
}
