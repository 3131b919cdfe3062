/* Foreign keys never act when the twin is brought to production's state, whatever goes
 * away under them, and are as before. */
#include "deltas.h"

/* A parent and one child table for each action. */
static const char *const family =
    "create table parent (id int primary key, name text unique, v int);"
    "create table c_cascade (id int primary key, p int references parent"
    "    on delete cascade on update cascade);"
    "create table c_null (id int primary key, p int references parent"
    "    on delete set null on update set null);"
    "create table c_default (id int primary key, p int default 1 references parent"
    "    on delete set default);"
    "create table c_restrict (id int primary key, p int references parent"
    "    on delete restrict);"
    "create table c_name (id int primary key, p text references parent (name)"
    "    on delete cascade deferrable initially deferred);"
    "comment on constraint c_name_p_fkey on c_name is 'it''s kept';"
    "insert into parent select n, 'n' || n, n from generate_series(1, 40) n;"
    "insert into c_cascade select n, 1 + n % 30 from generate_series(1, 60) n;"
    "insert into c_null select n, 1 + n % 30 from generate_series(1, 60) n;"
    "insert into c_default select n, 1 + n % 30 from generate_series(1, 60) n;"
    "insert into c_restrict select n, 1 + n % 30 from generate_series(1, 60) n;"
    "insert into c_name select n, 'n' || 1 + n % 30 from generate_series(1, 60) n;";

/* The keys of the twin that were not touched keep their OIDs. */
static char *keys(void)
{
    return cluster_query(&twin_server, "dev",
                         "select string_agg(oid || ' ' || conname, ',' order by oid) "
                         "from pg_constraint where contype = 'f'");
}

static void test_parents_change_under_their_children(void **state)
{
    delta_case(*state, family,
               "alter table c_name alter constraint c_name_p_fkey deferrable;"
               "begin; set constraints all deferred;"
               "update parent set name = 'm' || id where id < 20;"
               "update c_name set p = 'm' || substr(p, 2) where substr(p, 2)::int < 20;"
               "commit;"
               "delete from parent where id > 35;"
               "insert into parent select n, 'x' || n, n from generate_series(50, 55) n;"
               "update c_null set p = 50 + id % 5 where id < 10;"
               "alter table c_name alter constraint c_name_p_fkey deferrable initially"
               "    deferred",
               "update parent set v = 0; delete from c_name where id = 7;"
               "delete from parent where id = 35");
}

static void test_children_come_and_go_and_keys_stay(void **state)
{
    struct deltas *f = *state;
    char *before, *after;

    delta_both(family);
    before = keys();
    delta_prod(
        "insert into parent values (100, 'new', 1); update parent set v = v + 1;"
        "insert into c_cascade values (100, 100), (101, 100);"
        "update c_restrict set p = 100 where id = 3;"
        "delete from c_null where id > 50; insert into c_name values (100, 'new')");
    delta_twin("update c_default set p = 9; insert into c_restrict values (200, 8)");
    delta_expect_equal(f);
    after = keys();
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* They would find nothing to act on. */
static void test_keys_stay_where_nobody_refers_any_more(void **state)
{
    struct deltas *f = *state;
    char *before, *after;

    delta_both(family);
    delta_both("create index on c_cascade (p); alter table parent add up int references"
               "    parent on delete cascade; update parent set up = id / 2 where id > 1;"
               "create table pair (a int, b text, primary key (a, b));"
               "create table c_pair (x text, y int, foreign key (y, x) references pair"
               "    (a, b) match full on delete cascade);"
               "insert into pair select n, 'b' || n from generate_series(1, 30) n;"
               "insert into c_pair select 'b' || n, n from generate_series(1, 20) n;"
               "insert into c_pair values (null, null); create index on c_pair (x, y)");
    before = keys();
    delta_prod("delete from c_cascade where p > 28; delete from c_null where p > 28;"
               "delete from c_default where p > 28; delete from c_restrict where p > 28;"
               "delete from c_name where substr(p, 2)::int > 28;"
               "delete from parent where id > 28; delete from pair where a > 15;"
               "insert into parent values (77, 'x', 1, 3);"
               "insert into c_cascade values (77, 77)");
    delta_expect_equal(f);
    after = keys();
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* Nothing of production references what goes away, but rows of the twin do. */
static void test_parents_vanish_with_children_of_the_twin(void **state)
{
    delta_case(
        *state, family, "delete from parent where id > 30",
        "insert into c_cascade values (200, 33), (201, 34);"
        "insert into c_null values (200, 33); insert into c_default values (200, 34);"
        "insert into c_restrict values (200, 35);"
        "insert into c_name values (200, 'n36')");
}

static void test_cycles_and_self_references(void **state)
{
    delta_case(
        *state,
        "create table a (id int primary key, b int);"
        "create table b (id int primary key, a int references a on delete cascade);"
        "alter table a add foreign key (b) references b on delete set null"
        "    deferrable;"
        "create table tree (id int primary key, up int references tree"
        "    on delete cascade, name text unique);"
        "insert into a select n, null from generate_series(1, 9) n;"
        "insert into b select n, n from generate_series(1, 9) n;"
        "update a set b = id;"
        "insert into tree select n, nullif(n / 2, 0), 't' || n from"
        "    generate_series(1, 30) n",
        "insert into a values (10, null); insert into b values (10, 10);"
        "update a set b = 10 where id = 10;"
        "delete from a where id = 3;"
        "insert into tree values (31, 1, 'x'), (32, 31, 'y');"
        "update tree set up = 32 where id = 20; update tree set up = 3 where id = 2;"
        "delete from tree where id = 30; update tree set name = 'u' || id",
        "delete from tree where id = 15; insert into a values (77, 5)");
}

static void test_new_rows_of_a_self_reference(void **state)
{
    delta_case(
        *state,
        "create table tree (id int primary key, up int references tree);"
        "insert into tree values (1, null), (2, 1)",
        "insert into tree values (3, 2), (4, 3); update tree set up = 4 where id = 2",
        "");
}

static void test_keys_of_partitioned_tables(void **state)
{
    delta_case(*state,
               "create table p (id int primary key, v text) partition by range (id);"
               "create table p1 partition of p for values from (0) to (100);"
               "create table p2 partition of p default;"
               "create table c (id int, p int references p on delete cascade, up int,"
               "    primary key (id)) partition by hash (id);"
               "create table c0 partition of c for values with (modulus 2, remainder 0);"
               "create table c1 (up int, p int, id int not null);"
               "alter table c1 add constraint mine foreign key (p) references p"
               "    on delete cascade;"
               "alter table c attach partition c1 for values with (modulus 2,"
               "    remainder 1);"
               "alter table c add foreign key (up) references c;"
               "create table leaf_only (p int references p1 on delete cascade);"
               "insert into p select n, 'v' from generate_series(1, 200) n;"
               "insert into c select n, n, n from generate_series(1, 200) n;"
               "insert into leaf_only select n from generate_series(1, 50) n",
               "insert into p values (300, 'x'); insert into c values (300, 300, 300),"
               "    (301, 300, 300), (302, 1, 301);"
               "delete from c where p between 60 and 70;"
               "delete from p where id between 60 and 70; update p set v = 'w'"
               "    where id < 50",
               "delete from p1 where id = 5");
}

/* ------------------------------------------------------------------ violated ones */

#define OFF(sql)                                      \
    "set session_replication_role = replica;" sql ";" \
    "set session_replication_role = origin;"

static void test_production_violates_its_key(void **state)
{
    struct deltas *f = *state;

    /* Where it goes, and where it would have stayed. */
    delta_both("create table p (id int primary key, u int unique);"
               "create table c (id int primary key, p int references p);"
               "insert into p select n, n from generate_series(1, 9) n");
    delta_prod(OFF("insert into c values (1, 77)") "delete from p where id = 9");
    assert_int_equal(delta_run(f), 0);
    assert_null(f->job.unfit);
    assert_query(&twin_server, "dev",
                 "select id || ' ' || p || ' ' || convalidated from c, pg_constraint "
                 "where conname = 'c_p_fkey'",
                 "1 77 false");
    delta_prod("insert into p values (10, 10)"); /* and from here on it may stay so */
    assert_int_equal(delta_run(f), 0);
    assert_null(f->job.unfit);
    assert_int_equal(f->job.tables_changed, 1);
    delta_both("alter table c drop constraint c_p_fkey");
    delta_both("delete from c; alter table c add foreign key (p) references p");
    delta_prod(OFF("insert into c values (2, 78)"));
    assert_int_equal(delta_run(f), 0);
    assert_null(f->job.unfit);
    assert_query(&twin_server, "dev",
                 "select id || ' ' || p || ' ' || convalidated from c, pg_constraint "
                 "where conname = 'c_p_fkey'",
                 "2 78 false");
}

static void test_key_that_is_not_valid(void **state)
{
    delta_case(*state,
               "create table p (id int primary key); create table c (id int primary key,"
               "    p int); insert into c values (1, 5), (2, 6);"
               "alter table c add foreign key (p) references p not valid;"
               "insert into p values (1), (2)",
               "delete from p where id = 2; " OFF("insert into c values (3, 9)"), "");
}

static void test_check_that_is_not_valid(void **state)
{
    delta_case(
        *state,
        "create table t (id int primary key, v int); create table u () inherits (t);"
        "insert into t values (1, -1), (2, -2); insert into u values (1, -1);"
        "alter table t add constraint positive check (v > 0) not valid;"
        "comment on constraint positive on t is 'soon'",
        "set constraints all immediate", "update t set v = 5; delete from u");
}

/* A domain's constraint cannot be put out of the way by the tables' owner alone. */
static void test_rows_that_the_twin_refuses(void **state)
{
    struct deltas *f = *state;

    delta_both("create domain positive as int; create table t (id int primary key,"
               "    v positive); insert into t values (1, -1);"
               "alter domain positive add constraint p check (value > 0) not valid");
    delta_twin("delete from t");
    assert_int_equal(delta_run(f), 0);
    assert_contains(f->job.unfit, "the twin's constraints refuse rows of production: ");
    assert_query(&twin_server, "dev", "select count(*) from t", "0");
}

/* The tables that there are stand in the way; a rebuild makes others. */
static void expect_rebuild(struct deltas *f, const char *both, const char *prod,
                           const char *why)
{
    delta_both(both);
    delta_expect_equal(f);
    delta_prod(prod);
    if (delta_run(f) < 0)
        check_fail("rt_delta: %s", f->world->err.message);
    assert_contains(f->job.unfit, "the twin's tables cannot be changed in place: ");
    assert_contains(f->job.unfit, why);
    f->world->options.method = RT_METHOD_AUTO;
    world_expect(f->world, 0);
    assert_string_equal(f->world->result.method, "rebuild");
    assert_contains(f->world->result.why, why);
}

/* It is on the partitions then. */
static void test_partitioned_key_that_production_violates(void **state)
{
    struct deltas *f = *state;

    delta_both("create table p (id int primary key);"
               "create table c (id int, p int references p) partition by range (id);"
               "create table c1 partition of c for values from (0) to (1000);"
               "insert into p select n from generate_series(1, 10) n;"
               "insert into c select n, n from generate_series(1, 10) n");
    delta_prod(OFF("delete from p where id = 5"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(delta_run(f), 0);
        assert_null(f->job.unfit);
        assert_int_equal(f->job.tables_changed, 1 - i);
        assert_int_equal(f->job.violated_count, 1);
        assert_string_equal(f->job.violated[0], "c_p_fkey on public.c");
    }
    assert_query(&twin_server, "dev", "select count(*) from p", "9");
    assert_query(&twin_server, "dev",
                 "select conrelid::regclass || ' ' || convalidated from pg_constraint "
                 "where contype = 'f'",
                 "c1 false");
}

static void test_published_table_without_a_key(void **state)
{
    expect_rebuild(*state,
                   "create table t (v text); insert into t values ('a'), ('b');"
                   "create publication everything for all tables",
                   "truncate t; insert into t values ('c')",
                   "does not have a replica identity");
    world_expect_equal();
}

static void test_table_with_room_for_no_column(void **state)
{
    expect_rebuild(*state,
                   "do $$ begin execute (select 'create table w (' || string_agg("
                   "'c' || n || ' bool', ',') || ')' from generate_series(1, 1599) n);"
                   "end $$; insert into w (c1) values (true)",
                   "update w set c2 = false", "at most 1600 columns");
    world_expect_equal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_parents_change_under_their_children),
        delta_test(test_children_come_and_go_and_keys_stay),
        delta_test(test_keys_stay_where_nobody_refers_any_more),
        delta_test(test_parents_vanish_with_children_of_the_twin),
        delta_test(test_cycles_and_self_references),
        delta_test(test_new_rows_of_a_self_reference),
        delta_test(test_keys_of_partitioned_tables),
        delta_test(test_production_violates_its_key),
        delta_test(test_key_that_is_not_valid),
        delta_test(test_check_that_is_not_valid),
        delta_test(test_rows_that_the_twin_refuses),
        delta_test(test_partitioned_key_that_production_violates),
        delta_test(test_published_table_without_a_key),
        delta_test(test_table_with_room_for_no_column),
    };

    return cmocka_run_group_tests_name("delta: keys", tests, world_start_servers,
                                       world_stop_servers);
}
