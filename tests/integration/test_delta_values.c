/* Values, names and settings that could make two rows look equal that are not, or the
 * other way round. */
#include "deltas.h"

/* The settings of a database, as a role could have them, too. */
static void set_both(const char *setting)
{
    char *prod = check_printf("alter database shop set %s", setting);
    char *twin = check_printf("alter database dev set %s", setting);

    delta_prod(prod);
    delta_twin(twin);
    free(prod);
    free(twin);
}

/* What our own statements call their columns. */
static void test_names_of_results(void **state)
{
    delta_case(
        *state,
        "create table h (h int primary key, v text);"
        "create table k (k bigint primary key, v text);"
        "create table part (part int, c int, run int, lower int, x int,"
        "    primary key (part, c));"
        "create table t (id int primary key, x text, t int, s int, d int, g int unique);"
        "insert into h select n, 'v' from generate_series(1, 3000) n;"
        "insert into k select n, 'v' from generate_series(1, 3000) n;"
        "insert into part select n, 1, 1, 1, 1 from generate_series(1, 3000) n;"
        "insert into t select n, 'x', n, n, n, n from generate_series(1, 3000) n;"
        "analyze",
        "update h set v = 'x' where h % 100 = 7; delete from h where h % 300 = 1;"
        "update k set v = 'x' where k % 100 = 7; delete from k where k % 300 = 1;"
        "update part set x = 2 where part % 100 = 7; delete from part where part = 5;"
        "update t set t = 4 where g % 50 = 3; update t set g = g + 5000 where s % 70 = 4",
        "update h set h = -h where h < 10");
}

static void test_settings_that_change_statements(void **state)
{
    set_both("standard_conforming_strings = off");
    set_both("array_nulls = off");
    delta_case(*state,
               "create table t (k text primary key, v text, a text[]);"
               "insert into t select 'k' || n, 'v', array['NULL', null, n::text]"
               "    from generate_series(1, 5000) n; analyze",
               "update t set v = 'x' where k like '%77';"
               "insert into t values ('new', '\\\\', array[null, 'null'])",
               "delete from t where k like '%78'");
}

/* On one side only: names are then quoted there that are not quoted here. */
static void test_names_always_quoted(void **state)
{
    struct deltas *f = *state;

    delta_both("create table t (id int primary key, v text, c regclass);"
               "insert into t select n, 'v', 'pg_class' from generate_series(1, 3000) n;"
               "insert into t values (-1, 'x', 't'); analyze");
    delta_prod("update t set v = 'x' where id % 1000 = 1");
    delta_twin("alter database dev set quote_all_identifiers = on");
    assert_int_equal(delta_run(f), 0);
    assert_null(f->job.unfit);
    assert_int_equal(f->job.receipt.rows_written, 3);
    delta_twin("alter database dev reset quote_all_identifiers");
    delta_expect_equal(f);
    assert_int_equal(f->job.tables_changed, 0);
}

/* A cast to text may hide what differs. */
static void test_casts_of_users(void **state)
{
    delta_case(*state,
               "create type pair as (a int, b text);"
               "create function pair_text(pair) returns text immutable language sql"
               "    as $$ select 'pair'::text $$;"
               "create cast (pair as text) with function pair_text(pair) as assignment;"
               "create domain twins as pair;"
               "create table t (id int primary key, p pair, d twins);"
               "create table k (p pair primary key, v text);"
               "insert into t select n, (n, 'x')::pair, (n, '')::pair"
               "    from generate_series(1, 1000) n;"
               "insert into k select (n, 'x')::pair, 'v' from generate_series(1, 100) n; "
               "analyze",
               "update t set p = (id, 'y')::pair where id % 100 = 1;"
               "update t set d = null where id = 3; update t set d = (null, null)::pair"
               "    where id = 4; update t set d = (4, null)::pair where id = 5;"
               "update k set v = 'x' where (p).a % 10 = 1; delete from k where (p).a = 7",
               "update t set p = (null, null)::pair where id = 9;"
               "update t set p = null where id = 10");
}

/* As a sum on x86 has it: another bit pattern than 'NaN' in text has. */
static void test_every_nan(void **state)
{
    delta_case(*state,
               "create type pair as (a int, b text); create domain dose as float8;"
               "create table t (id int primary key, p pair, d dose, f float8, g float4);"
               "insert into t select n from generate_series(1, 1000) n; analyze",
               "update t set p = (1, 'x')::pair, f = 'Infinity'::float8 - 'Infinity',"
               "    g = 'Infinity'::float4 - 'Infinity'::float4,"
               "    d = 'Infinity'::float8 - 'Infinity' where id % 100 = 1;"
               "update t set f = 'NaN', g = '-0', d = '-0' where id % 100 = 2;"
               "update t set f = '0', g = '0', d = 'NaN' where id % 100 = 3",
               "update t set f = '-0', g = '-0' where id % 100 = 3");
}

/* Inside of other values, in a table that goes as text for another column's sake: there
 * only one of them is left. */
static void test_nans_that_go_as_text(void **state)
{
    struct deltas *f = *state;

    delta_case(f,
               "create type pair as (a int, b text); create domain list as float8[];"
               "create type span as range (subtype = float8);"
               "create table t (id int primary key, p pair, a float8[], l list, s span,"
               "    x point, y point[]);"
               "create table b (id int primary key, a float8[], x point);"
               "insert into t select n from generate_series(1, 1000) n;"
               "insert into b select n from generate_series(1, 1000) n; analyze",
               "update t set a = array['Infinity'::float8 - 'Infinity', 1],"
               "    l = array['Infinity'::float8 - 'Infinity'],"
               "    s = span(1, 'Infinity'::float8 - 'Infinity'),"
               "    x = point('Infinity'::float8 - 'Infinity', -0.0),"
               "    y = array[point(1, 'Infinity'::float8 - 'Infinity')]"
               "    where id % 100 = 1;"
               "update t set a = '{NaN,-0,0}' where id = 5;"
               "update b set a = array['Infinity'::float8 - 'Infinity', -0.0],"
               "    x = point('Infinity'::float8 - 'Infinity', -0.0) where id = 7",
               "update t set a = '{NaN,0,0}' where id = 5;"
               "update b set a = '{NaN,-0}', x = '(NaN,-0)' where id = 7");
    f->world->options.method = RT_METHOD_REBUILD;
    world_expect(f->world, 0);
    world_expect_equal();
}

/* As the stage calls its own. */
static void test_names_of_the_stage(void **state)
{
    struct deltas *f = *state;

    delta_case(f,
               "create table revtwin_rows_0 (\"revtwin 0\" int primary key,"
               "    \"revtwin 1\" text unique, \"revtwin ctid\" int,"
               "    \"revtwin hash\" text, \"revtwin twin\" int, revtwin_table text,"
               "    d int, prod text);"
               "create table revtwin_gone_0 (s text primary key, t int, g int,"
               "    \"revtwin 0\" int, twin text, tid text);"
               "insert into revtwin_rows_0 select n, n, n, n, n, n, n, n"
               "    from generate_series(1, 1000) n;"
               "insert into revtwin_gone_0 select n, n, n, n, n, n"
               "    from generate_series(1, 1000) n; analyze",
               "update revtwin_rows_0 set \"revtwin 1\" = 'x' || \"revtwin 1\","
               "    \"revtwin ctid\" = 0, d = 5 where \"revtwin 0\" % 100 = 1;"
               "update revtwin_gone_0 set s = 'x' || s where t % 100 = 2;"
               "update revtwin_gone_0 set twin = 'x' where t % 100 = 3;"
               "delete from revtwin_gone_0 where t = 7",
               "update revtwin_rows_0 set \"revtwin hash\" = 'y' where d = 9;"
               "delete from revtwin_rows_0 where d = 10");
    delta_prod("update revtwin_rows_0 set \"revtwin 1\" = 'z', prod = 'y' where d = 12;"
               "update revtwin_gone_0 set g = 0, tid = 'u' where t = 13;"
               "delete from revtwin_rows_0 where d = 20");
    f->full_compare = false;
    delta_expect_equal(f);
    assert_int_equal(f->job.tables_compared, 0);
}

/* As statements over a table call what they bring along, with so many changes that these
 * are sampled. */
static void test_names_of_statements(void **state)
{
    struct deltas *f = *state;

    delta_case(
        f,
        "create table run (id int primary key, d int, t int, b text, s int, g int,"
        "    x int, k int, h int, lower int, upper int, part int, address int);"
        "create table d (d int primary key, t int, b int);"
        "insert into run select n, n, n, n, n, n, n, n, n, n, n, n, n"
        "    from generate_series(1, 20000) n;"
        "insert into d select n, n, n from generate_series(1, 20000) n; analyze",
        "update run set k = 0, b = 'x' where id % 200 = 1; update d set t = 0 where"
        "    d % 200 = 2; delete from d where d % 1000 = 3",
        "update run set h = 0 where id % 500 = 9; delete from d where d = 20");
    delta_prod(
        "update run set d = 0, t = 1 where id % 20 = 3; delete from run where id = 8;"
        "update d set b = 0 where d % 20 = 3; delete from d where d = 8");
    f->full_compare = false;
    f->may_give_up = true;
    delta_expect_equal(f);
    assert_int_equal(f->job.tables_compared, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_names_of_results),
        delta_test(test_settings_that_change_statements),
        delta_test(test_names_always_quoted),
        delta_test(test_casts_of_users),
        delta_test(test_every_nan),
        delta_test(test_nans_that_go_as_text),
        delta_test(test_names_of_the_stage),
        delta_test(test_names_of_statements),
    };

    return cmocka_run_group_tests_name("delta: values", tests, world_start_servers,
                                       world_stop_servers);
}
