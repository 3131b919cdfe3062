/* Roles as a cloud gives them: on production one that may only read, on the twin the
 * owner of its database, who may create databases. Both methods are content with that. */
#include "deltas.h"

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

    delta_twin("drop schema revtwin");
    delta_prod("create role reader login bypassrls; grant pg_read_all_data to reader");
    cluster_exec(&twin_server, "postgres",
                 "create role keeper login createdb; alter database dev owner to keeper");
    world_point(&w->prod, prod);
    world_point(&w->twin, twin);
    free(prod);
    free(twin);
}

static void drop_roles(void)
{
    delta_prod("drop owned by reader; drop role reader");
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role keeper");
}

/* Rows of each in order, which is not that of a dump. */
static void expect_same_rows(const char *select)
{
    char *prod = cluster_query(&prod_server, "shop", select);

    assert_query(&twin_server, "dev", select, prod);
    free(prod);
}

/* No superuser helps, and none is asked for one. */
static void test_rebuild_and_delta(void **state)
{
    struct deltas *f = *state;

    delta_prod(schema);
    use_plain_roles(f->world);
    world_expect(f->world, 0);
    world_expect_equal();
    assert_query(&twin_server, "dev",
                 "select string_agg(distinct tableowner, ' ') from pg_tables where "
                 "schemaname = 'public'",
                 "keeper");

    delta_prod("delete from users where id < 20;"
               "update users set name = name || 'x', mood = 'sad' where id % 9 = 0;"
               "insert into orders (user_id) select max(id) from users;"
               "insert into events values ('2025-04-04', 'x');"
               "insert into heap values ('{\"b\": 2}'); insert into fast values (2);"
               "refresh materialized view busy");
    delta_twin("delete from users where id > 480; insert into fast values (3);"
               "insert into heap values (null)");
    f->full_compare = true;
    assert_int_equal(delta_run(f), 0);
    assert_null(f->job.unfit);
    assert_int_equal(f->job.tables_changed, 5);
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

/* A superuser's session stays, and it is said who may end it. */
static void test_session_of_a_superuser(void **state)
{
    struct deltas *f = *state;
    struct world *w = f->world;
    PGconn *session;
    char *pid;

    delta_prod("create table t (id int primary key); insert into t values (1)");
    use_plain_roles(w);
    world_expect(w, 0);
    cluster_exec(&twin_server, "postgres", "grant pg_signal_backend to keeper");
    delta_prod("insert into t values (2)");
    session = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(session, "begin; insert into t values (3)"));
    w->options.method = RT_METHOD_DELTA;
    w->options.swap_wait_seconds = 0;
    w->options.force = true;
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message,
                    "the twin is as it was: tables of the twin are in use");
    pid = check_printf("table public.t: pid %d, user postgres", PQbackendPID(session));
    assert_contains(w->err.detail, pid);
    assert_contains(w->err.hint, "a superuser's sessions only a superuser may end");
    PQclear(PQexec(session, "commit"));
    assert_int_equal(PQstatus(session), CONNECTION_OK);
    world_expect(w, 0);
    world_expect_equal();
    PQfinish(session);
    free(pid);
    drop_roles();
}

/* The owner of the twin's tables would see what the policies let it see: that is no
 * twin that could be compared, but one that can be made. */
static void test_forced_row_security(void **state)
{
    struct deltas *f = *state;
    struct world *w = f->world;

    delta_prod("create table own (a int primary key, who text);"
               "insert into own values (1, 'keeper'), (2, 'other');"
               "alter table own enable row level security;"
               "alter table own force row level security;"
               "create policy mine on own using (who = current_user)");
    use_plain_roles(w);
    for (int in_place = 0; in_place < 2; in_place++) {
        w->options.in_place = in_place;
        w->options.method = RT_METHOD_REBUILD;
        delta_prod("insert into own select max(a) + 1, 'more' from own");
        world_expect(w, 0);
        world_expect_equal();

        w->options.method = RT_METHOD_AUTO;
        delta_prod("insert into own select max(a) + 1, 'more' from own;"
                   "update own set who = 'nobody' where a = 1");
        world_expect(w, 0);
        world_expect_equal();
        assert_string_equal(w->result.method, "rebuild");
        assert_string_equal(w->result.why,
                            "row-level security would hide rows of table public.own of "
                            "the twin from role keeper");
    }
    drop_roles();
}

/* A rebuild beside the twin needs one more, to create and rename databases from. */
static void test_no_database_but_the_twin(void **state)
{
    struct deltas *f = *state;
    struct world *w = f->world;

    delta_prod("create table t (id int primary key); insert into t values (1)");
    use_plain_roles(w);
    world_expect(w, 0);
    cluster_exec(&twin_server, "postgres",
                 "revoke connect on database postgres, template1 from public");
    delta_prod("insert into t values (2)");
    w->options.method = RT_METHOD_AUTO;
    world_expect(w, 0);
    assert_string_equal(w->result.method, "delta");
    world_expect_equal();
    delta_prod("alter table t add v text");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "neither database postgres nor template1");
    assert_contains(w->err.hint, "resync --in-place");
    w->options.in_place = true;
    world_expect(w, 0);
    assert_string_equal(w->result.method, "rebuild");
    world_expect_equal();
    cluster_exec(&twin_server, "postgres",
                 "grant connect on database postgres, template1 to public");
    drop_roles();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_rebuild_and_delta),
        delta_test(test_session_of_a_superuser),
        delta_test(test_forced_row_security),
        delta_test(test_no_database_but_the_twin),
    };

    return cmocka_run_group_tests_name("plain roles", tests, world_start_servers,
                                       world_stop_servers);
}
