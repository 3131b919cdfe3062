/* Production is a hot standby: a read replica of what applications write to. */
#include <pthread.h>

#include "relay.h"
#include "twin/verify.h"
#include "world.h"

static struct cluster standby = {.primary = &prod_server};

static int start_servers(void **state)
{
    world_start_servers(state);
    cluster_start(&standby, (const char *const[]){"max_standby_streaming_delay=0", NULL});
    return 0;
}

static int stop_servers(void **state)
{
    cluster_stop(&standby);
    return world_stop_servers(state);
}

static int open_behind(void **state)
{
    char url[CLUSTER_URL_SIZE];
    struct world *w;

    world_open(state);
    w = *state;
    world_point(&w->prod, cluster_url(&standby, "shop", url));
    w->options.method = RT_METHOD_AUTO;
    return 0;
}

#define standby_test(test) cmocka_unit_test_setup_teardown(test, open_behind, world_close)

/* On the primary, and it has arrived. */
static void change(const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
    cluster_catch_up(&standby);
}

static void expect_followed(struct world *w, const char *method, const char *why)
{
    world_expect(w, 0);
    assert_string_equal(w->result.method, method);
    assert_contains(w->result.why, why);
    world_expect_equal_to(&standby); /* where sequences are ahead of the primary's */
}

static void test_every_method(void **state)
{
    struct world *w = *state;

    change(world_schema);
    expect_followed(w, "rebuild", "no resync has made this twin");
    change(
        "insert into users (name) select 'more' || n from generate_series(1, 50) n;"
        "update orders set note = 'x' where id % 70 = 1; delete from users where id = 7;"
        "select nextval('tickets')");
    expect_followed(w, "delta", "since");
    assert_int_equal(w->result.tables_compared, 0);
    change("update users set name = name || '!'; truncate events_1");
    w->options.full_compare = true;
    expect_followed(w, "delta", "--full-compare");
    change("create table another (id int primary key); insert into another values (1)");
    w->options.full_compare = false;
    w->options.in_place = true;
    expect_followed(w, "rebuild", "the schemas are not the same");
}

/* A transaction that has not ended is none that the standby's snapshot has seen. */
static void test_open_transactions_of_the_primary(void **state)
{
    struct world *w = *state;
    PGconn *open;

    change("create table t (id int primary key, v text);"
           "insert into t select n, 'v' from generate_series(1, 1000) n");
    open = cluster_connect(&prod_server, "shop");
    PQclear(PQexec(open, "begin; update t set v = 'w' where id = 5; savepoint one;"
                         "insert into t values (2000, 'w'); release one;"
                         "delete from t where id = 9"));
    change("insert into t values (3000, 'v')");
    world_expect(w, 0);
    PQclear(PQexec(open, "commit"));
    PQfinish(open);
    cluster_catch_up(&standby);
    expect_followed(w, "delta", "since");
    assert_int_equal(w->result.tables_compared, 0);
    assert_int_equal(w->result.rows_written, 3);
}

static const char unlogged[] =
    "create table kept (id int primary key, v text);"
    "create unlogged table public.\"Not\" (id serial primary key,"
    "    kept int references kept on delete cascade, v text unique,"
    "    exclude (id with =));"
    "insert into kept select n, 'v' from generate_series(1, 100) n;"
    "insert into \"Not\" (kept, v) select n, n from generate_series(1, 100) n";

static void expect_left_out(struct world *w, const char *method)
{
    world_expect(w, 0);
    assert_string_equal(w->result.method, method);
    assert_int_equal(w->result.left_out_count, 1);
    assert_string_equal(w->result.left_out[0],
                        "unlogged table public.\"Not\", which a standby has no rows of");
}

static void test_unlogged_tables_are_left_out(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];

    change(unlogged);
    expect_left_out(w, "rebuild");
    assert_query(&twin_server, "dev", "select count(*) from kept", "100");
    assert_query(&twin_server, "dev", "select count(*) from \"Not\"", "0");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_index where indrelid = "
                 "'\"Not\"'::regclass",
                 "3");
    cluster_exec(&twin_server, "dev", "insert into \"Not\" (kept) values (3), (4)");
    change("delete from kept where id = 3; update kept set v = 'w' where id = 4");
    expect_left_out(w, "delta");
    assert_int_equal(w->result.tables_compared, 0);
    assert_query(&twin_server, "dev", "select count(*) from kept", "99");
    assert_query(&twin_server, "dev", "select count(*) from \"Not\"", "0");
    assert_int_equal(w->result.violated_count, 0);
    w->options.full_compare = true;
    expect_left_out(w, "delta");
    w->options.method = RT_METHOD_REBUILD;
    w->options.full_compare = false;
    w->options.in_place = true;
    expect_left_out(w, "rebuild");

    /* From the primary itself they come along. */
    world_point(&w->prod, cluster_url(&prod_server, "shop", url));
    w->options.method = RT_METHOD_AUTO;
    w->options.in_place = false;
    world_expect(w, 0);
    assert_int_equal(w->result.left_out_count, 0);
    world_expect_equal();
}

static void test_verify_leaves_them_out(void **state)
{
    struct world *w = *state;
    struct rt_progress progress = {.phase = NULL};
    struct rt_verify job = {
        .prod = &w->prod, .twin = &w->twin, .workers = 2, .progress = &progress};

    change(unlogged);
    world_expect(w, 0);
    assert_int_equal(rt_verify(&job, &w->arena, &w->err), 0);
    assert_int_equal(job.count, 1);
    assert_int_equal(job.differing, 0);
    assert_int_equal(job.sequence_count, 0);
}

/* The twin's standby has no rows of them, either. */
static void test_verify_by_standbys(void **state)
{
    struct cluster second = {.primary = &twin_server};
    struct world *w = *state;
    struct rt_progress progress = {.phase = NULL};
    struct rt_verify job = {
        .prod = &w->prod, .twin = &w->twin, .workers = 2, .progress = &progress};
    char url[CLUSTER_URL_SIZE];

    change(unlogged);
    world_point(&w->prod, cluster_url(&prod_server, "shop", url));
    world_expect(w, 0);
    cluster_start(&second, (const char *const[]){"max_prepared_transactions=5", NULL});
    world_point(&w->twin, cluster_url(&second, "dev", url));
    if (rt_verify(&job, &w->arena, &w->err) < 0)
        check_fail("%s %s", w->err.message, w->err.detail ? w->err.detail : "");
    assert_int_equal(job.count, 1);
    assert_int_equal(job.differing, 0);
    cluster_stop(&second);
}

static struct relay relay;

/* While somebody is about to copy a table, its dead rows are removed. */
static void *vacuum(void *unused)
{
    if (relay_holds(&relay, 30000)) {
        cluster_exec(&prod_server, "shop", "delete from t where id % 2 = 0");
        cluster_exec(&prod_server, "shop", "vacuum t");
        cluster_catch_up(&standby);
        relay_release(&relay, RELAY_PASS);
    }
    return unused;
}

static void test_conflict_with_recovery(void **state)
{
    struct world *w = *state;
    char *url;
    pthread_t other;

    change("create table t (id int primary key);"
           "insert into t select generate_series(1, 1000)");
    relay_start(&relay, standby.dir, standby.port, 0);
    url = check_printf("host=127.0.0.1 port=%d user=postgres dbname=shop sslmode=disable "
                       "gssencmode=disable",
                       relay.port);
    world_point(&w->prod, url);
    relay_arm(&relay, &(struct relay_trap){.side = RELAY_TO_CLIENT,
                                           .text = "COPY 1000",
                                           .before = true,
                                           .connection = RELAY_ANY,
                                           .act = RELAY_HOLD});
    pthread_create(&other, NULL, vacuum, NULL);
    world_expect(w, -RT_EINTERNAL);
    pthread_join(other, NULL);
    assert_contains(w->err.message, "conflict with recovery");
    assert_contains(w->err.message, "the twin is as it was");
    assert_contains(w->err.hint, "hot_standby_feedback = on");
    relay_stop(&relay);
    free(url);
}

/* They share no advisory lock that could tell. */
static void test_primary_as_its_own_twin(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];

    change("create table t (id int)");
    world_point(&w->twin, cluster_url(&prod_server, "shop", url));
    w->options.adopt = true;
    world_expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "is a standby of the twin's (DEV_DATABASE_URL)");
    /* Another database of that server is none of production. */
    cluster_createdb(&prod_server, "dev");
    cluster_catch_up(&standby);
    world_point(&w->twin, cluster_url(&prod_server, "dev", url));
    world_expect(w, 0);
    assert_query(&prod_server, "dev", "select to_regclass('t') is not null", "t");
    cluster_exec(&prod_server, "postgres", "drop database dev with (force)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        standby_test(test_every_method),
        standby_test(test_open_transactions_of_the_primary),
        standby_test(test_unlogged_tables_are_left_out),
        standby_test(test_verify_leaves_them_out),
        standby_test(test_conflict_with_recovery),
        standby_test(test_primary_as_its_own_twin),
        standby_test(test_verify_by_standbys),
    };

    return cmocka_run_group_tests_name("resync: standby", tests, start_servers,
                                       stop_servers);
}
