/* The twin is brought to production's state, whatever its tables are like, by what
 * differs. */
#include "deltas.h"

static void test_a_bit_of_everything(void **state)
{
    struct deltas *f = *state;

    delta_case(f, world_schema,
               "update users set mail = 'new@x' where id % 7 = 0;"
               "delete from orders where id % 50 = 0; delete from users where id = 81;"
               "insert into users (name) values ('later');"
               "insert into orders (user_id, note) values (101, 'first'), (1, NULL);"
               "update \"Odd \"\"Name\".\"T t\" set n = 1.50, a = '{}';"
               "insert into events values ('2025-03-03', 'c');"
               "update events set at = '2026-02-02' where what = 'a';"
               "insert into revtwin.ledger values (3)",
               "update users set name = 'mine' where id = 5;"
               "delete from users where id between 20 and 30;"
               "insert into orders (user_id) values (3); select nextval('tickets')");
    assert_int_equal(f->job.tables_changed, 6);
    assert_int_equal(f->job.tables, 6);
    assert_query(&twin_server, "dev", "select source || ' ' || method from revtwin.twin",
                 "shop delta");
    assert_query(&twin_server, "dev", "select count(*) from revtwin.receipt", "2");
}

static void test_nothing_differs(void **state)
{
    struct deltas *f = *state;

    delta_case(f, world_schema, "", "");
    assert_int_equal(f->job.tables_changed, 0);
    delta_case(f, "create table t (id int)", "", "");
}

static void test_empty_production(void **state)
{
    delta_case(*state, "", "", "");
}

/* ------------------------------------------------------------------ unique values */

static void test_unique_values_swap(void **state)
{
    delta_case(
        *state,
        "create table t (id int primary key, a text unique, b int, c int,"
        "    r int4range, constraint u unique (b) deferrable initially deferred,"
        "    exclude using gist (r with &&));"
        "create unique index on t (lower(a)) where c > 0;"
        "create unique index on t ((c * 2)) where b < 100;"
        "insert into t select n, 'A' || n, n, n, int4range(n * 10, n * 10 + 5)"
        "    from generate_series(1, 20) n",
        "begin; set constraints all deferred;"
        "update t set b = 21 - b;"
        "commit;"
        "update t set a = 'x' || a; update t set a = 'A' || (21 - id);"
        "update t set c = c + 100; update t set c = 121 - c where id < 10;"
        "update t set r = 'empty'; update t set r = int4range(id * 10 + 5,"
        "    id * 10 + 15)",
        "update t set a = 'a' || (100 + id) where id > 15; delete from t where id = 3");
}

/* What is one value to the index, and two to the column, or the other way round. */
static void test_values_that_collations_tell_apart(void **state)
{
    static const char change[] =
        "update k set v = 'w' where a < 'k5'; update k set a = upper(a) where a > 'k8';"
        "update t set a = lower(a) where id % 2 = 0; update t set b = upper(b);"
        "update t set c = '~' || c; update t set c = 'C' || (41 - id);"
        "update t set d = -d; update t set d = 41 + d";

    delta_both("create collation loose (provider = icu, locale = 'und-u-ks-level2',"
               "    deterministic = false);"
               "create table k (a text collate loose primary key, v text);"
               "create table t (id int primary key, a text collate loose unique, b text,"
               "    c text collate \"C\", d int, exclude (d with =));"
               "create unique index on t (b collate loose);"
               "create unique index on t (c collate loose);"
               "create unique index on t ((b || c) collate \"C\", (d % 1000));"
               "insert into k select 'k' || n from generate_series(1, 90) n;"
               "insert into t select n, 'A' || n, 'b' || n, 'C' || n, n"
               "    from generate_series(1, 40) n");
    delta_case(*state, "", change, "update t set a = upper(a), c = lower(c)");
    /* And found by what was written. */
    delta_prod(
        "update k set a = lower(a), v = 'x'; update t set b = lower(b) where id < 9;"
        "update t set d = -d; update t set d = 41 + d where id > 4");
    delta_expect_equal(*state);
}

static void test_keys_move(void **state)
{
    delta_case(
        *state,
        "create table t (id int primary key, v text);"
        "create table p (a uuid, b text collate \"C\", n numeric, v int,"
        "    primary key (b, a, n));"
        "insert into t select n, 'v' || n from generate_series(1, 100) n;"
        "insert into p select md5(n::text)::uuid, 'k' || n, n / 10.0, n"
        "    from generate_series(1, 100) n",
        "update t set id = id + 1000; update t set id = id - 990;"
        "update p set n = n + 0.00 where v < 10; update p set b = 'j' where v > 90;"
        "update p set v = -v where v between 40 and 50",
        "update t set id = -id where id < 5");
}

/* ------------------------------------------------------------------ kinds of tables */

static void test_tables_without_a_key(void **state)
{
    delta_case(
        *state,
        "create table t (a int, b json, d point);"
        "create table z (); create table g (a int generated always as (1)"
        "    stored);"
        "insert into t select n % 3, '{\"a\": 1}', '(1,2)'"
        "    from generate_series(1, 30) n;"
        "insert into z select from generate_series(1, 4);"
        "insert into g select from generate_series(1, 4)",
        "insert into t values (1, '{\"a\":  1}', '(1,2)'), (1, null, null);"
        "delete from t where ctid in (select ctid from t where a = 2 limit 3);"
        "insert into z select from generate_series(1, 2);"
        "delete from g where ctid = '(0,1)'",
        "insert into t values (0, '{}', '(0,0)'), (1, null, null), (1, null, null);"
        "delete from z where ctid = '(0,1)'");
}

static void test_computed_columns(void **state)
{
    delta_case(*state,
               "create table a (id int generated always as identity primary key,"
               "    v int, w int generated always as (v * 2) stored unique);"
               "create table d (id int generated by default as identity, k text"
               "    primary key, v text);"
               "create table n (k text primary key, id int generated always as identity,"
               "    v text);"
               "insert into a (v) select generate_series(1, 10);"
               "insert into d (k) select 'k' || generate_series(1, 10);"
               "insert into n (k) select 'k' || generate_series(1, 10)",
               "update a set v = v + 100; update a set v = 111 - v;"
               "insert into a (v) values (50); insert into a (id, v) overriding system"
               "    value values (-5, 51);"
               "update d set id = id + 5; insert into d (id, k) values (-1, 'x');"
               "delete from n where k = 'k3'; insert into n (k) values ('k3');"
               "update n set v = 'x' where k = 'k4'",
               "insert into a (v) values (1000), (1001); delete from n where k = 'k5'");
}

static void test_partitions(void **state)
{
    delta_case(
        *state,
        "create table p (id int, at date, v text, primary key (id, at))"
        "    partition by range (at);"
        "create table p1 partition of p for values from ('2025-01-01') to"
        "    ('2026-01-01') partition by list (id);"
        "create table p1a partition of p1 for values in (1, 2, 3);"
        "create table p1b (v text, gone int, at date not null, id int not null);"
        "alter table p1b drop column gone;"
        "alter table p1 attach partition p1b default;"
        "create table p2 partition of p default;"
        "create table c (id int, p int, at date,"
        "    foreign key (p, at) references p on delete cascade"
        "    on update cascade) partition by hash (id);"
        "create table c0 partition of c for values with (modulus 2, remainder 0);"
        "create table c1 partition of c for values with (modulus 2, remainder 1);"
        "insert into p select n, '2025-12-20'::date + n, 'v' from"
        "    generate_series(1, 30) n;"
        "insert into c select n, n, '2025-12-20'::date + n from"
        "    generate_series(1, 30) n",
        "update p set at = at + 7; update c set id = id + 1;"
        "delete from p where id = 30; insert into p values (31, '2027-01-01', 'x');"
        "insert into c values (50, 31, '2027-01-01')",
        "delete from p where id in (2, 5); update p1b set v = 'mine';"
        "insert into c values (51, 1, '2025-12-21')");
}

static void test_inheritance(void **state)
{
    delta_case(
        *state,
        "create table a (id int primary key, v text check (v <> 'bad'));"
        "create table b (w int) inherits (a); create table c () inherits (b);"
        "insert into a select n, 'a' from generate_series(1, 10) n;"
        "insert into b select n, 'b', n from generate_series(1, 10) n;"
        "insert into c select n, 'c', n from generate_series(5, 15) n",
        "update a set v = v || id where id % 2 = 0; delete from only b where id = 5;"
        "insert into c values (6, 'twice', 1)",
        "update only a set v = 'mine' where id < 4; delete from c where id > 10");
}

static void test_odd_names(void **state)
{
    delta_case(
        *state,
        "create schema \"S.\"\"1\"; create table \"S.\"\"1\".\"select\" (\"from\" int,"
        "    \"a\"\"b\" text, \"T\" int generated always as identity,"
        "    \"x123456789x123456789x123456789x123456789x123456789x123456789xyz\" int,"
        "    t int, s int, g int, w int, d int, ctids int, primary key (\"from\"));"
        "create table \"S.\"\"1\".\"t\" (\"t\" int primary key, s int references"
        "    \"S.\"\"1\".\"select\" on delete cascade);"
        "create sequence \"S.\"\"1\".\"my seq\"; create sequence \"S.\"\"1\".\"b\\s'q\";"
        "create trigger \"tr \"\"g\" before update on \"S.\"\"1\".\"select\" for each row"
        "    execute function suppress_redundant_updates_trigger();"
        "create materialized view \"S.\"\"1\".\"M v\" as select count(*) from"
        "    \"S.\"\"1\".\"t\";"
        "insert into \"S.\"\"1\".\"select\" overriding system value"
        "    select n, 'x', n, n, n, n, n, n, n, n from"
        "    generate_series(1, 9) n;"
        "insert into \"S.\"\"1\".\"t\" select n, n from generate_series(1, 9) n",
        "update \"S.\"\"1\".\"select\" set \"a\"\"b\" = E'tab\\t\\\\ ''\"' where t < 4;"
        "insert into \"S.\"\"1\".\"select\" values (20, 'y');"
        "delete from \"S.\"\"1\".\"select\" where s = 9;"
        "select setval('\"S.\"\"1\".\"my seq\"', 7, false);"
        "select nextval(E'\"S.\"\"1\".\"b\\\\s''q\"')",
        "delete from \"S.\"\"1\".\"select\" where s = 5");
}

/* As the stage names its own columns, and what queries here call things. */
static const char *const own_names =
    "create table revtwin_table (\"revtwin ctid\" int primary key, \"revtwin hash\" int"
    "    unique, \"revtwin 0\" text, \"revtwin 1\" int generated always as identity,"
    "    prod text, twin text, d text, written int, hash text, g int, k int, h int, c "
    "int,"
    "    part int, run int, x text);"
    "create table revtwin_rows_0 (\"revtwin 1\" text, ctid_ int, \"revtwin hash\" text);"
    "insert into revtwin_table overriding system value select n, n, 'a', n, 'p', 't', "
    "'d', n, 'h', n, n, n, n, n,"
    "    n, 'x' from generate_series(1, 40) n;"
    "insert into revtwin_rows_0 select 'a', n % 3, 'h' from generate_series(1, 30) n";

static const char *const own_names_now =
    "update revtwin_table set \"revtwin ctid\" = -\"revtwin ctid\" where k < 5;"
    "update revtwin_table set \"revtwin hash\" = -\"revtwin hash\" where k between 5 and "
    "9; update revtwin_table set hash = 'new', x = 'y', written = 0 where k > 35;"
    "insert into revtwin_table values (100, 100, 'b'); delete from revtwin_table where g "
    "= "
    "20; insert into revtwin_rows_0 values ('b', 1, 'h'); delete from revtwin_rows_0 "
    "where "
    "ctid = '(0,3)'";

static void test_names_of_our_own(void **state)
{
    struct deltas *f = *state;

    delta_case(f, own_names, own_names_now,
               "update revtwin_table set \"revtwin 0\" = 'mine' where k < 3");
    delta_prod(
        "update revtwin_table set h = 0 where k = 30; delete from revtwin_table "
        "where k = 31; update revtwin_table set \"revtwin hash\" = 77 where k = 32");
    delta_expect_equal(f); /* by the receipt */
    assert_int_equal(f->job.tables_changed, 1);
}

/* What an extension's configuration table has of users is copied; what the extension
 * itself has put there is its own. */
static void test_extension_configuration(void **state)
{
    delta_case(
        *state,
        "create table conf (id int primary key, v text, own boolean);"
        "create table inner_one (id int primary key);"
        "insert into conf values (1, 'of the extension', false), (2, 'x', true);"
        "alter extension plpgsql add table conf;"
        "alter extension plpgsql add table inner_one;"
        "update pg_extension set extconfig = array['conf'::regclass::oid],"
        "    extcondition = array['where own']"
        "    where extname = 'plpgsql'",
        "update conf set v = 'y' where own; insert into conf values (3, 'z', true);"
        "update conf set v = 'production' where not own;"
        "insert into inner_one values (1)",
        "insert into conf values (4, 'mine', true), (5, 'their own', false)");
    assert_query(&twin_server, "dev",
                 "select string_agg(v, ',' order by id) from conf where not own",
                 "of the extension,their own");
    assert_query(&twin_server, "dev", "select count(*) from inner_one", "0");
}

/* Types with and without a binary form, values of every size. */
static void test_types(void **state)
{
    delta_case(
        *state,
        "create type mood as enum ('sad', 'ok'); create type pair as (a int, b text);"
        "create domain email as text check (value like '%@%');"
        "create table t (id bigint primary key, m mood, p pair, ps pair[], e email,"
        "    n numeric(10,3), f float8, j jsonb, o json, ts timestamptz, i interval,"
        "    x bytea, r int4range, net inet, cls regclass, q tsvector, bits varbit(9),"
        "    c char(5), vs email[], mr int8multirange, acl aclitem);"
        "insert into t (id, m, e) select n, 'ok', 'a@b' from generate_series(1, 5) n",
        "update t set m = 'sad', p = (1, 'x\"y'), ps = array[(1, null)::pair, null],"
        "    e = 'c@d', n = 'NaN', f = '-0', j = '{\"b\": 1.10}', o = '{ \"a\" :1}',"
        "    ts = 'infinity', i = '-1 mon 3 days', x = '\\x00ff5c', r = '[1,5)',"
        "    net = '10.1.2.3/8', cls = 'pg_catalog.pg_class', q = 'a:1 b''c', bits = "
        "    '101', c = 'x', vs = '{a@b,c@d}', mr = '{[1,3),[7,9)}',"
        "    acl = 'postgres=r/postgres' where id = 1;"
        "update t set f = 0.1::float4, j = ('\"' || repeat('long', 100000) || "
        "'\"')::jsonb,"
        "    ts = '0044-03-15 12:00 BC', x = repeat('x', 300000)::bytea where id = 2;"
        "insert into t (id, f, n) values (9, '-Infinity', 1.500)",
        "update t set ts = now(), c = 'mine' where id = 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_a_bit_of_everything),
        delta_test(test_nothing_differs),
        delta_test(test_empty_production),
        delta_test(test_unique_values_swap),
        delta_test(test_values_that_collations_tell_apart),
        delta_test(test_keys_move),
        delta_test(test_tables_without_a_key),
        delta_test(test_computed_columns),
        delta_test(test_partitions),
        delta_test(test_inheritance),
        delta_test(test_odd_names),
        delta_test(test_names_of_our_own),
        delta_test(test_extension_configuration),
        delta_test(test_types),
    };

    return cmocka_run_group_tests_name("delta", tests, world_start_servers,
                                       world_stop_servers);
}
