/* What production may have in it, and the twin's server may lack. */
#include "world.h"

/* Resync; fail unless the twin has what production has, by two dumps. */
static void expect_copied(struct world *w)
{
    world_expect(w, 0);
    world_expect_equal();
}

static void test_extension_that_the_twin_does_not_offer(void **state)
{
    struct world *w = *state;
    char *before;

    world_expect(w, 0);
    before = world_databases();
    cluster_exec(&prod_server, "shop",
                 "update pg_extension set extname = 'Made Up' where extname = 'plpgsql'");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "does not offer what production has: extension "
                                    "\"Made Up\"");
    assert_contains(w->err.hint, "Install it on the twin's server");
    assert_query(&twin_server, "postgres",
                 "select datname || ' ' || oid from pg_database order by 1", before);
    free(before);
}

/* Its rows belong elsewhere on every twin. */
static void test_partitions_by_hash_of_an_enum(void **state)
{
    struct world *w = *state;
    char *before;

    world_expect(w, 0);
    before = world_databases();
    cluster_exec(
        &prod_server, "shop",
        "create type e as enum ('a', 'b', 'c', 'd');"
        "create table h (a int, k e) partition by hash (a, k);"
        "create table h0 partition of h for values with (modulus 2, remainder 0);"
        "create table h1 partition of h for values with (modulus 2, remainder 1);"
        "insert into h select 1, unnest(enum_range(null::e))");
    for (int i = 0; i < 2; i++) {
        w->options.in_place = i;
        world_expect(w, -RT_EREFUSED);
        assert_contains(w->err.message, "the twin is as it was: ");
        assert_contains(w->err.message, "by hash of an enum: table public.h");
    }
    assert_query(&twin_server, "postgres",
                 "select datname || ' ' || oid from pg_database order by 1", before);
    w->options.in_place = false;
    cluster_exec(&prod_server, "shop",
                 "drop table h; create table h (a int, k e) partition by list (k);"
                 "create table h0 partition of h default partition by hash (a);"
                 "create table h00 partition of h0 for values with (modulus 1, remainder "
                 "0); insert into h select 1, unnest(enum_range(null::e))");
    expect_copied(w);
    free(before);
}

static void test_empty_production(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    expect_copied(w);
    cluster_exec(&prod_server, "shop", "drop table t; drop schema revtwin");
    cluster_exec(&twin_server, "dev", "insert into t values (1)");
    world_expect(w, 0);
    assert_query(&twin_server, "dev",
                 "select string_agg(relname, ' ') from pg_class where relkind = 'r' and "
                 "relnamespace = 'public'::regnamespace",
                 "");
    assert_int_equal(w->result.tables, 0);
}

/* What the planner believes is not what is there. */
static void test_statistics_that_are_wrong(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table vast (id int primary key, t text);"
                 "create table tiny (id int primary key, t text);"
                 "insert into tiny select n, 'x' from generate_series(1, 3000) n;"
                 "create table never_analysed as select * from tiny;"
                 "update pg_class set reltuples = 4e12, relpages = 2000000000"
                 "    where relname in ('vast', 'vast_pkey');"
                 "update pg_class set reltuples = 0, relpages = 0"
                 "    where relname in ('tiny', 'tiny_pkey')");
    expect_copied(w);
    cluster_exec(&prod_server, "shop", "insert into vast values (1, 'one')");
    expect_copied(w);
}

static void test_tables_without_columns(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table nothing ();"
                 "insert into nothing default values; insert into nothing default values;"
                 "create table empty (); create table gone (a int, b int);"
                 "insert into gone values (1, 2); alter table gone drop a, drop b;"
                 "create table all_generated (a int generated always as (1) stored);"
                 "insert into all_generated default values;");
    world_expect(w, 0);
    assert_query(&twin_server, "dev", "select count(*) from nothing", "2");
    assert_query(&twin_server, "dev", "select count(*) from empty", "0");
    assert_query(&twin_server, "dev", "select count(*) from gone", "1");
    assert_query(&twin_server, "dev", "select a from all_generated", "1");
    expect_copied(w);
}

/* Sixty-three bytes, the most that a name may have, of which the last is of a letter. */
#define LONG "a23456789b23456789c23456789d23456789e23456789f23456789g234567\xc3\xa4"

static void test_names_that_need_quotes(void **state)
{
    struct world *w = *state;

    cluster_exec(
        &prod_server, "shop",
        "create schema \"a.b\"; create schema \"Sch\"\"ema'$x\\\";"
        "create schema \"" LONG "\";"
        "create table \"a.b\".\"c.d\" (\"e.f\" int primary key, \"G\" text unique);"
        "create table \"a.b\".\"select\" (\"from\" int references \"a.b\".\"c.d\","
        "    \"%s %I\" text default 'x');"
        "create table \"Sch\"\"ema'$x\\\".\"Ta\"\"ble'\" (\"Co\"\"l'umn\\\" int generated"
        "    always as identity primary key, \"\n\t\" text);"
        "create table \"" LONG "\".\"" LONG "\" (\"" LONG "\" bigserial primary key,"
        "    \"UPPER\" int, \"upper\" int);"
        "create index \"in.dex \"\" '\" on \"" LONG "\".\"" LONG "\" (\"UPPER\");"
        "create type \"a.b\".\"My Type\" as enum ('x', 'Y''\"');"
        "create table \"--\" (\"/*\" \"a.b\".\"My Type\", \";\" \"a.b\".\"My Type\"[]);"
        "insert into \"a.b\".\"c.d\" values (1, 'one'), (2, null);"
        "insert into \"a.b\".\"select\" values (1, E'a\\tb\\\\'), (null, '\\N');"
        "insert into \"Sch\"\"ema'$x\\\".\"Ta\"\"ble'\" (\"\n\t\") values ('y');"
        "insert into \"" LONG "\".\"" LONG "\" (\"UPPER\", \"upper\") values (1, 2);"
        "insert into \"--\" values ('Y''\"', '{x,\"Y''\\\"\"}');");
    expect_copied(w);
    expect_copied(w);
}

static void test_schema_without_rights(void **state)
{
    struct world *w = *state;
    char *url = check_printf("host=%s port=%d user=limited dbname=shop", prod_server.dir,
                             prod_server.port);

    cluster_exec(&prod_server, "shop",
                 "create role limited login; create table t ();"
                 "grant select on all tables in schema public to limited;"
                 "grant usage on schema revtwin to limited;"
                 "create schema secret; create table secret.t (a int)");
    world_point(&w->prod, url);
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "the twin is as it was");
    assert_contains(w->err.message, "secret");
    cluster_exec(&prod_server, "shop",
                 "grant usage on schema secret to limited;"
                 "grant select on secret.t to limited");
    world_expect(w, 0);
    cluster_exec(&prod_server, "shop", "drop owned by limited; drop role limited");
    world_expect_equal();
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_extension_that_the_twin_does_not_offer),
        world_test(test_partitions_by_hash_of_an_enum),
        world_test(test_empty_production),
        world_test(test_statistics_that_are_wrong),
        world_test(test_tables_without_columns),
        world_test(test_names_that_need_quotes),
        world_test(test_schema_without_rights),
    };

    return cmocka_run_group_tests_name("resync: input", tests, world_start_servers,
                                       world_stop_servers);
}
