/* Every kind of object that production may have: a rebuild brings it over, or says that
 * it does not. The oracle is pg_dump. */
#include <unistd.h>

#include "world.h"

static void prod(const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
}

/* A rebuild, and the twin is equal by two dumps. */
static void copy(struct world *w)
{
    world_expect(w, 0);
    world_expect_equal();
    assert_true(w->result.verified);
    assert_string_equal(w->result.why, "--method rebuild asks for it");
}

/* ------------------------------------------------------------------ tables */

static void constraints_and_indexes(void **state)
{
    prod("create extension btree_gist; create extension pg_trgm;"
         "create table room (id int, day daterange, name text, floor int,"
         "    constraint \"no Overlap\" exclude using gist (id with =, day with &&)"
         "        where (floor > 0),"
         "    exclude using gist (day with &&) deferrable initially deferred,"
         "    constraint late unique (name) deferrable,"
         "    constraint later primary key (id, day) deferrable initially deferred,"
         "    unique nulls not distinct (floor, name), unique (id, name) include (floor),"
         "    check (floor < 99) no inherit);"
         "alter table room add constraint old check (id > 0) not valid;"
         "comment on constraint late on room is 'a comment';"
         "comment on index later is 'the key';"
         "create index on room (lower(name), (id + 1) desc nulls last) where id > 3;"
         "create index on room using brin (id) with (pages_per_range = 4);"
         "create index on room using gin (name gin_trgm_ops);"
         "create index on room using hash (floor);"
         "create index on room (name collate \"C\" text_pattern_ops)"
         "    with (fillfactor = 70);"
         "create unique index goes_by on room (floor, id); cluster room using goes_by;"
         "create index stat on room ((floor * 2)); alter index stat alter column 1 set"
         "    statistics 500; comment on index stat is 'with statistics';"
         "create statistics both_of_them on floor, id from room;"
         "create table log (id int not null unique, at timestamptz);"
         "alter table log replica identity using index log_id_key;"
         "create table quiet (a int primary key); alter table quiet replica identity"
         "    full; alter table quiet set (autovacuum_enabled = off);"
         "insert into room select n, daterange('2025-01-01'::date + n, null), 'r' || n,"
         "    n % 9 from generate_series(1, 1) n;"
         "insert into room select n, daterange('2024-01-01'::date + n,"
         "    '2024-01-02'::date + n), 'r' || n, n % 9 from generate_series(2, 200) n;"
         "insert into log select n, now() from generate_series(1, 50) n;"
         "insert into quiet select generate_series(1, 5)");
    copy(*state);
    assert_query(&twin_server, "dev",
                 "select string_agg(indexrelid::regclass::text, ' ' order by "
                 "indisclustered desc) from pg_index "
                 "where indisclustered or indisreplident",
                 "goes_by log_id_key");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_index where not indisvalid or not indisready",
                 "0");
}

/* Each piece is a range of blocks. The blocks in the middle were never used, as they are
 * where a server has ended while a table grew: so the table is not as big as it looks. */
static void large_table_in_ranges(void **state)
{
    struct world *w = *state;
    char *path, *log;

    prod("create table big (id bigint primary key, t text);"
         "create table small as select generate_series(1, 1000) as id;"
         "insert into big select n, 'before' from generate_series(1, 3000) n;"
         "alter database shop set log_statement = 'all'; checkpoint");
    path = cluster_query(&prod_server, "shop",
                         "select current_setting('data_directory') || '/' || "
                         "pg_relation_filepath('big')");
    assert_int_equal(truncate(path, 60000 * 8192), 0);
    prod("insert into big select n, 'after' from generate_series(3001, 6000) n;"
         "delete from big where id % 7 = 0; update big set t = 'moved' where id < 9");
    assert_query(&prod_server, "shop", "select pg_relation_size('big') / 8192 >= 60000",
                 "t");
    copy(w);
    log = cluster_log(&prod_server);
    assert_contains(log, "FROM ONLY public.big WHERE true AND ctid >= '(0,0)' AND ctid "
                         "< '(30");
    assert_contains(log, "FROM ONLY public.big WHERE true AND ctid >= '(30");
    assert_contains(log, "COPY public.small (\"id\") TO STDOUT (FORMAT binary)");
    assert_query(&twin_server, "dev", "select count(*) from big", "5143");
    /* One worker takes it in one piece, which is frozen at once; from version 16 on a
     * table grows by more blocks than it needs. */
    w->options.workers = 1;
    copy(w);
    assert_query(&twin_server, "dev",
                 "select relallvisible > 9 from pg_class where relname = 'big'", "t");
    free(path);
    free(log);
}

/* Parents have rows of their own, children those of theirs. */
static void inheritance(void **state)
{
    prod("create table base (id int, note text default 'x' check (note <> ''));"
         "create table mid (extra int) inherits (base);"
         "create table other (id int, o int);"
         "create table low (note text default 'own') inherits (mid, other);"
         "alter table low alter extra set not null;"
         "alter table low no inherit other;"
         "create unlogged table fleeting (a int primary key) inherits (other);"
         "insert into base values (1), (2); insert into mid values (1, 'm', 3);"
         "insert into low values (1, 'l', 4, 5); insert into other values (6, 7), (8, 9);"
         "insert into fleeting values (1, 2, 3)");
    copy(*state);
    assert_query(
        &twin_server, "dev",
        "select concat_ws(' ', (select count(*) from only base), (select count(*)"
        " from base), (select count(*) from other), (select relpersistence from"
        " pg_class where relname = 'fleeting'))",
        "2 4 3 u");
}

static void partitions(void **state)
{
    prod(
        "create table e (id bigint generated always as identity, region text, at date,"
        "    v int check (v > 0), primary key (id, region)) partition by list (region);"
        "create index on e (at); create index on only e (v);"
        "create table e_eu partition of e for values in ('eu', 'uk')"
        "    partition by range (id);"
        "create table e_eu_1 partition of e_eu for values from (minvalue) to (100);"
        "create unlogged table e_eu_2 partition of e_eu default;"
        "create table e_rest (v int constraint e_v_check check (v > 0), gone int, at "
        "date, id bigint not null,"
        "    region text not null, primary key (id, region));"
        "alter table e_rest drop gone; alter table e attach partition e_rest default;"
        "create table h (k uuid primary key, t text) partition by hash (k);"
        "create table h0 partition of h for values with (modulus 2, remainder 0);"
        "create table h1 partition of h for values with (modulus 2, remainder 1)"
        "    with (fillfactor = 50);"
        "create table empty (a int) partition by range (a);"
        "create table child (id bigint, region text, foreign key (id, region) references"
        "    e on delete cascade) partition by hash (id);"
        "create table child0 partition of child for values with (modulus 1,"
        "    remainder 0);"
        "insert into e (region, at, v) select (array['eu', 'uk', 'us', 'ch'])[1 + n % 4],"
        "    '2025-01-01'::date + n, n from generate_series(1, 400) n;"
        "insert into h select md5(n::text)::uuid, n from generate_series(1, 300) n;"
        "alter table e detach partition e_rest; alter table e attach partition e_rest"
        "    for values in ('us', 'ch');"
        "insert into child select id, region from e where id % 5 = 0");
    copy(*state);
    assert_query(&twin_server, "dev",
                 "select string_agg(convalidated::text, ' ') from pg_constraint "
                 "where contype = 'f' and conparentid = 0",
                 "true");
}

static void sequences_and_computed_columns(void **state)
{
    prod(
        "create sequence fresh; create sequence used; create sequence set_only;"
        "create sequence down increment -5 minvalue -100 maxvalue 50 start 20 cycle;"
        "create sequence small as smallint cache 7; create unlogged sequence fast;"
        "select nextval('used'), nextval('used'), setval('set_only', 9, false),"
        "    setval('down', -100), nextval('small'), nextval('fast');"
        "create table i (a int generated always as identity (start 50 increment 10),"
        "    b bigint generated by default as identity, c serial,"
        "    d text default 'n' || nextval('used'));"
        "insert into i default values; insert into i default values;"
        "insert into i (a, b, c) overriding system value values (-1, 7777, 3);"
        "create table never (id int generated always as identity);"
        "create function thrice(n int) returns int immutable language sql"
        "    return n * 3;"
        "create table g (a int, b int generated always as (thrice(a)) stored,"
        "    c text generated always as ('<' || a || '>') stored, d int);"
        "create index on g (b); alter table g add unique (c);"
        "insert into g (a, d) select n, -n from generate_series(1, 99) n;"
        "create table of_type (a int, b text); create type kind as (x int, y text);"
        "create table typed of kind (primary key (x)); insert into typed values (1, 'y');"
        "alter sequence i_c_seq owned by none");
    copy(*state);
    assert_query(&twin_server, "dev",
                 "select concat_ws(' ', nextval('fresh'), nextval('used'),"
                 "    nextval('set_only'), nextval('down'), nextval('i_a_seq'))",
                 "1 6 9 50 70");
    cluster_exec(&twin_server, "dev", "insert into never default values");
    assert_query(&twin_server, "dev", "select id from never", "1");
}

/* Each is named so that what it is of comes after it in every order of names. */
static void views_upon_views(void **state)
{
    prod("create table z (id int primary key, v int);"
         "insert into z select n, n from generate_series(1, 20) n;"
         "create materialized view y as select z.* from z, (values (1)) one (x)"
         "    where id > 10;"
         "create unique index on y (id);"
         "create view x as select sum(y.v) as s, count(*) as c from y, (values (1)) one;"
         "create materialized view w as select x.s from x, (values (1)) one;"
         "create function total() returns bigint stable language sql as"
         "    'select s from public.w';"
         "create materialized view a_function as select total();"
         "create materialized view a_empty as select w.s from w, (values (1)) one"
         "    with no data;"
         "comment on materialized view w is 'on top'; analyze w;"
         "update z set v = 100; refresh materialized view y;"
         "refresh materialized view w; refresh materialized view a_function");
    copy(*state);
    assert_query(&twin_server, "dev",
                 "select concat_ws(' ', sum(v), (select s from w), (select total from "
                 "a_function)) from y",
                 "1000 1000 1000");
    assert_query(&twin_server, "dev",
                 "select string_agg(relname, ' ') from pg_class where relkind = 'm' and "
                 "not relispopulated",
                 "a_empty");
}

/* A base type made of the server's own functions: with a text form only; with a binary
 * one that only goes out; and with both. */
static void types_without_a_binary_form(void **state)
{
    struct world *w = *state;

    prod("create type plain; create function plain_in(cstring) returns plain immutable"
         "    strict language internal as 'int4in';"
         "create function plain_out(plain) returns cstring immutable strict"
         "    language internal as 'int4out';"
         "create type plain (input = plain_in, output = plain_out, like = int4);"
         "create type out_only;"
         "create function oo_in(cstring) returns out_only immutable strict"
         "    language internal as 'int8in';"
         "create function oo_out(out_only) returns cstring immutable strict"
         "    language internal as 'int8out';"
         "create function oo_send(out_only) returns bytea immutable strict"
         "    language internal as 'int8send';"
         "create type out_only (input = oo_in, output = oo_out, send = oo_send,"
         "    like = int8);"
         "create table t (id int, p plain, ps plain[], o out_only, r regclass,"
         "    rs regtype[], a aclitem, snap txid_snapshot);"
         "insert into t select n, n::text::plain, array[n::text, null]::plain[],"
         "    n::text::out_only, 'pg_class', '{int4,public.plain}',"
         "    'postgres=r/postgres', '10:20:15' from generate_series(1, 50) n");
    copy(w);
    w->options.method = RT_METHOD_DELTA;
    prod("update t set p = '7', o = '8', ps = '{9}' where id = 3; delete from t where "
         "id = 4");
    world_expect(w, 0);
    world_expect_equal();
}

/* ------------------------------------------------------------------ extensions */

/* The twin's server makes each database with an extension that is there on production,
 * too: its tables, of which one keeps what users configure beside what it brings. */
static void configuration_of_extensions(void **state)
{
    static const char *const script =
        "create table setting (name text primary key, value text, standard bool);"
        "create table part (name text references setting, n int generated always as"
        "    identity);"
        "create table inner_state (a int);"
        "alter extension plpgsql add table setting; alter extension plpgsql add table "
        "part;"
        "alter extension plpgsql add table inner_state;"
        "update pg_extension set extconfig = array['setting'::regclass::oid,"
        "    'part'::regclass::oid], extcondition = array['WHERE NOT standard', '']"
        "    where extname = 'plpgsql';"
        "insert into setting values ('a', 'brought', true), ('b', 'brought', true);"
        "insert into inner_state values (1)";

    cluster_exec(&twin_server, "postgres",
                 "alter database template0 allow_connections true");
    cluster_exec(&twin_server, "template0", script);
    cluster_exec(&twin_server, "postgres",
                 "alter database template0 allow_connections false");
    prod(script);
    prod("update setting set value = 'production''s' where standard;"
         "update inner_state set a = 99;"
         "insert into setting select n, 'user', false from generate_series(1, 9) n;"
         "insert into part select n from generate_series(1, 9) n;"
         "create table own (a int); insert into own values (1)");
    world_expect(*state, 0);
    assert_query(&twin_server, "dev",
                 "select string_agg(name || value, ' ' order by name) from setting",
                 "1user 2user 3user 4user 5user 6user 7user 8user 9user abrought "
                 "bbrought");
    assert_query(&twin_server, "dev",
                 "select concat_ws(' ', (select count(*) from part), (select a from "
                 "inner_state), (select count(*) from own))",
                 "9 1 1");
    cluster_exec(&twin_server, "postgres",
                 "alter database template0 allow_connections true");
    cluster_exec(&twin_server, "template0",
                 "alter extension plpgsql drop table setting;"
                 "alter extension plpgsql drop table part;"
                 "alter extension plpgsql drop table inner_state;"
                 "drop table setting, part, inner_state");
    cluster_exec(&twin_server, "postgres",
                 "alter database template0 allow_connections false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(constraints_and_indexes),
        world_test(large_table_in_ranges),
        world_test(inheritance),
        world_test(partitions),
        world_test(sequences_and_computed_columns),
        world_test(views_upon_views),
        world_test(types_without_a_binary_form),
        world_test(configuration_of_extensions),
    };

    return cmocka_run_group_tests_name("resync: kinds", tests, world_start_servers,
                                       world_stop_servers);
}
