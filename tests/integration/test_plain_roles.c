/* Roles as a cloud gives them: on production one that may only read, on the twin the
 * owner of its database, who may create databases. Both methods are content with that. */
#include "pg/query.h"
#include "twin/delta/delta.h"
#include "world.h"

static const char schema[] =
    "create type mood as enum ('sad', 'ok');"
    "create table users (id int generated always as identity primary key,"
    "    name text unique, mood mood, at timestamptz default now());"
    "create table orders (id bigserial primary key, user_id int not null"
    "    references users on delete cascade, note text);"
    "create index on orders (user_id);"
    "create table events (at date, what text) partition by range (at);"
    "create table events_1 partition of events for values from ('2025-01-01')"
    "    to ('2026-01-01');"
    "create table heap (what jsonb); create unlogged table fast (a int primary key);"
    "create function stamp() returns trigger language plpgsql as"
    "    'begin new.note := ''stamped''; return new; end';"
    "create trigger stamp before insert or update on orders for each row execute"
    "    function stamp();"
    /* of two tables, see world.c */
    "create materialized view busy as select user_id, count(*) from orders"
    "    join users on users.id = user_id group by 1;"
    "create view names as select name from users join orders on users.id = user_id;"
    "insert into users (name) select 'u' || n from generate_series(1, 500) n;"
    "insert into orders (user_id) select 1 + n % 500 from generate_series(1, 900) n;"
    "insert into events select '2025-03-03', n from generate_series(1, 50) n;"
    "insert into heap values ('{\"a\": 1}'), ('{\"a\": 1}'); insert into fast values "
    "(1);";

static void use_plain_roles(struct world *w)
{
    char *prod = check_printf("host=%s port=%d user=reader dbname=shop", prod_server.dir,
                              prod_server.port);
    char *twin = check_printf("host=%s port=%d user=keeper dbname=dev", twin_server.dir,
                              twin_server.port);

    cluster_exec(&prod_server, "shop", schema);
    cluster_exec(&prod_server, "shop",
                 "create role reader login; grant pg_read_all_data to reader");
    cluster_exec(&twin_server, "postgres",
                 "create role keeper login createdb; alter database dev owner to keeper");
    world_point(&w->prod, prod);
    world_point(&w->twin, twin);
    free(prod);
    free(twin);
}

static void drop_roles(void)
{
    cluster_exec(&prod_server, "shop", "drop owned by reader; drop role reader");
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role keeper");
}

/* No superuser helps, and none is asked for one. */
static void delta(struct world *w)
{
    struct rt_progress progress = {.phase = NULL};
    struct rt_delta job = {.prod_server = &w->prod,
                           .twin_server = &w->twin,
                           .full_compare = true,
                           .workers = 2,
                           .wait_seconds = 5,
                           .settle_seconds = 30,
                           .source = "shop",
                           .progress = &progress};
    int rc = rt_conn_open(&job.prod, &w->prod, RT_READ_ONLY, &w->err);

    if (rc == 0)
        rc = rt_exec(NULL, job.prod, "ROLLBACK", &w->err);
    if (rc == 0)
        rc = rt_delta(&job, &w->arena, &w->err);
    if (rc < 0 || job.unfit)
        check_fail("%s", rc < 0 ? w->err.message : job.unfit);
    assert_int_equal(job.tables_changed, 5);
    rt_conn_close(job.prod);
}

/* Rows of each in order, which is not that of a dump. */
static void expect_same_rows(const char *select)
{
    char *prod = cluster_query(&prod_server, "shop", select);

    assert_query(&twin_server, "dev", select, prod);
    free(prod);
}

static void test_rebuild_and_delta(void **state)
{
    struct world *w = *state;

    use_plain_roles(w);
    world_expect(w, 0);
    world_expect_equal();
    assert_query(&twin_server, "dev",
                 "select string_agg(distinct tableowner, ' ') from pg_tables where "
                 "schemaname = 'public'",
                 "keeper");

    cluster_exec(&prod_server, "shop",
                 "delete from users where id < 20;"
                 "update users set name = name || 'x', mood = 'sad' where id % 9 = 0;"
                 "insert into orders (user_id) select max(id) from users;"
                 "insert into events values ('2025-04-04', 'x');"
                 "insert into heap values ('{\"b\": 2}'); insert into fast values (2);"
                 "refresh materialized view busy");
    cluster_exec(&twin_server, "dev",
                 "delete from users where id > 480; insert into fast values (3);"
                 "insert into heap values (null)");
    delta(w);
    expect_same_rows("select u::text from users u order by 1");
    expect_same_rows("select o::text from orders o order by 1");
    expect_same_rows("select e::text from events e order by 1");
    expect_same_rows("select h::text from heap h order by 1");
    expect_same_rows("select f::text from fast f order by 1");
    expect_same_rows("select b::text from busy b order by 1");
    expect_same_rows("select last_value, is_called from orders_id_seq");
    expect_same_rows("select last_value, is_called from users_id_seq");
    assert_query(&twin_server, "dev",
                 "select count(*) filter (where tgenabled = 'O') "
                 "from pg_trigger",
                 "5");
    drop_roles();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_rebuild_and_delta),
    };

    return cmocka_run_group_tests_name("plain roles", tests, world_start_servers,
                                       world_stop_servers);
}
