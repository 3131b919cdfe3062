/* revtwin verify --twin: every row of the twin against production's. */
#include <signal.h>

#include "relay.h"
#include "run.h"
#include "world.h"

static const char *const schema =
    "create table t (id int primary key, v text);"
    "insert into t select n, 'v' || n from generate_series(1, 1000) n;"
    "create schema \"S s\"; create table \"S s\".\"a.b\" (x text, y int, primary key (x, "
    "y));"
    "insert into \"S s\".\"a.b\" values ('one', 1), ('two', 2);"
    "create table bag (a int, b text); insert into bag values (1, 'x'), (1, 'x'), (2, "
    "NULL);"
    "create table nothing (id int);";

static const char *const objects =
    "create sequence \"S s\".\"a\"\"s\" start 40; select nextval('\"S s\".\"a\"\"s\"');"
    "create sequence calm; create sequence same; select nextval('same');"
    "create materialized view now_ as select now();"
    "create materialized view later as select 1 with no data;";

/* Both with these rows, and the twin then with a change. */
static void make(const char *change)
{
    cluster_exec(&prod_server, "shop", schema);
    cluster_exec(&twin_server, "dev", "create schema revtwin");
    cluster_exec(&twin_server, "dev", schema);
    if (change)
        cluster_exec(&twin_server, "dev", change);
}

/* Run it with one more argument, or NULL. */
static void verify(struct run *r, int status, const char *more)
{
    char prod[CLUSTER_URL_SIZE], twin[CLUSTER_URL_SIZE];
    char *prod_env =
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod));
    char *twin_env =
        check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin_server, "dev", twin));
    const char *const env[] = {prod_env, twin_env, NULL};

    run_revtwin(r, "/", env, "verify", "--twin", more, NULL);
    run_expect(r, status);
    free(prod_env);
    free(twin_env);
}

static void equal_rows(void **state)
{
    struct run r = {0};

    (void)state;
    make(NULL);
    verify(&r, 0, NULL);
    assert_contains(r.out, "row by row (tables: 4, rows: 1005)");
    assert_contains(r.out, "rows read from production: 1005");
    run_clear(&r);
}

static void differing_rows_are_named(void **state)
{
    struct run r = {0};

    (void)state;
    make("update t set v = 'changed' where id = 500; delete from t where id = 7;"
         "insert into t values (2000, 'x'); delete from \"S s\".\"a.b\" where y = 2;"
         "insert into bag values (1, 'x')");
    verify(&r, 7, NULL);
    assert_contains(r.out,
                    "differs: public.t (rows: 1000 in production, 1000 in the twin)");
    assert_contains(r.out, "differs: \"S s\".\"a.b\" (rows: 2 in production, 1 in");
    assert_contains(r.out, "differs: public.bag (rows: 3 in production, 4 in the twin)");
    assert_lacks(r.out, "nothing");
    assert_lacks(r.out, "id=");
    assert_contains(r.err, "3 of 4 tables differ");
    assert_contains(r.err,
                    "Nothing was changed. To make the twin equal, run: revtwin resync");
    run_clear(&r);
    verify(&r, 7, "-v");
    assert_contains(r.out, "    not the same: id=500\n");
    assert_contains(r.out, "    only in production: id=7\n");
    assert_contains(r.out, "    only in the twin: id=2000\n");
    assert_contains(r.out, "    only in production: x=two, y=2\n");
    assert_contains(r.out, "    only in the twin: a=1, b=x\n");
    run_clear(&r);
}

/* And no more is read to find them than the hashes of all. */
static void many_differing_rows_are_some(void **state)
{
    static const char told[] = "rows read from production: ";
    struct run r = {0};
    size_t count = 0;

    (void)state;
    make("insert into t select n, '' from generate_series(1001, 200000) n;"
         "update t set v = 'changed'");
    cluster_exec(&prod_server, "shop",
                 "insert into t select n, '' from generate_series(1001, 200000) n");
    verify(&r, 7, "-v");
    for (const char *at = r.out; (at = strstr(at, "not the same: ")) != NULL; at++)
        count++;
    assert_int_equal(count, 5);
    assert_contains(r.out, told);
    assert_in_range(strtoul(strstr(r.out, told) + strlen(told), NULL, 10), 200004,
                    201000);
    run_clear(&r);
}

static void sequences_and_views(void **state)
{
    struct run r = {0};

    (void)state;
    make(NULL);
    cluster_exec(&prod_server, "shop", objects);
    cluster_exec(&twin_server, "dev", objects);
    verify(&r, 0, NULL);
    run_clear(&r);
    cluster_exec(&twin_server, "dev",
                 "select nextval('\"S s\".\"a\"\"s\"'); select setval('calm', 1, true);"
                 "refresh materialized view later");
    verify(&r, 7, NULL);
    assert_contains(r.out,
                    "differs: sequence \"S s\".\"a\"\"s\" (at 40 in production, at "
                    "41 in the twin)\n");
    assert_contains(r.out, "differs: sequence \"public\".\"calm\" (at 1, not given out "
                           "yet, in production, at 1 in the twin)\n");
    assert_lacks(r.out, "\"same\"");
    assert_contains(r.out, "differs: materialized views that only one side has filled: "
                           "\"public\".\"later\"\n");
    assert_contains(r.err, ": 2 sequences, materialized views differ");
    run_clear(&r);
    cluster_exec(&twin_server, "dev",
                 "refresh materialized view later with no data; select setval('calm', 1, "
                 "false)");
    verify(&r, 7, "--json");
    assert_contains(r.out, "\"sequence\": \"\\\"S s\\\".\\\"a\\\"\\\"s\\\"\"");
    assert_contains(r.out, "\"last_value\": \"41\"");
    assert_contains(r.err, ": 1 sequence differs");
    run_clear(&r);
}

/* How many connections the twin gets. */
static unsigned long connections(const char *jobs)
{
    char prod[CLUSTER_URL_SIZE];
    struct run r = {0};
    struct relay relay;
    unsigned long count;
    char *env[3] = {0};

    relay_start(&relay, twin_server.dir, twin_server.port, 0);
    env[0] =
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod));
    env[1] = check_printf("DEV_DATABASE_URL=host=127.0.0.1 port=%d user=postgres "
                          "dbname=dev sslmode=disable gssencmode=disable",
                          relay.port);
    run_revtwin(&r, "/", (const char *const *)env, "verify", "--twin", "--jobs", jobs,
                NULL);
    run_expect(&r, 0);
    count = relay.counts->connections;
    relay_stop(&relay);
    run_clear(&r);
    free(env[0]);
    free(env[1]);
    return count;
}

static void as_many_at_a_time_as_asked(void **state)
{
    unsigned long one;

    (void)state;
    make(NULL);
    one = connections("1");
    assert_int_equal(connections("4"), one + 3);
}

static void as_json(void **state)
{
    struct run r = {0};

    (void)state;
    make("delete from t where id = 7");
    verify(&r, 7, "--json");
    assert_contains(r.out, "\"table\": \"public.t\"");
    assert_contains(r.out, "\"production_rows\": 1000");
    assert_contains(r.out, "\"twin_rows\": 999");
    assert_contains(r.out, "\"snapshot_at\": \"2");
    run_clear(&r);
}

static void another_schema(void **state)
{
    struct run r = {0};

    (void)state;
    make("alter table t add more int");
    verify(&r, 7, NULL);
    assert_contains(r.err, "the twin's schema is not production's");
    assert_contains(r.err, "public.t");
    assert_contains(r.err, "revtwin diff");
    run_clear(&r);
}

static void both_are_only_read(void **state)
{
    static const char *const sql = "select pg_snapshot_xmax(pg_current_snapshot())";
    struct run r = {0};
    char *prod, *twin;

    (void)state;
    make("delete from t where id = 7");
    cluster_exec(&prod_server, "postgres", "checkpoint");
    prod = cluster_query(&prod_server, "shop", sql);
    twin = cluster_query(&twin_server, "dev", sql);
    verify(&r, 7, "-v");
    assert_query(&prod_server, "shop", sql, prod);
    assert_query(&twin_server, "dev", sql, twin);
    run_clear(&r);
    free(prod);
    free(twin);
}

static void signals_end_it(void **state)
{
    static const struct relay_trap trap = {.act = RELAY_HOLD,
                                           .side = RELAY_TO_SERVER,
                                           .text = "COPY (",
                                           .before = true,
                                           .connection = RELAY_ANY};
    static const int signals[] = {SIGINT, SIGTERM};

    (void)state;
    make(NULL);
    for (size_t i = 0; i < RT_COUNT(signals); i++) {
        struct run r = {0};
        struct relay relay;
        char twin[CLUSTER_URL_SIZE];
        char *env[3] = {0};

        relay_start(&relay, prod_server.dir, prod_server.port, 0);
        relay_arm(&relay, &trap);
        env[0] = check_printf("PROD_DATABASE_URL=host=127.0.0.1 port=%d user=postgres "
                              "dbname=shop sslmode=disable",
                              relay.port);
        env[1] =
            check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin_server, "dev", twin));
        run_start_revtwin(&r, "/", (const char *const *)env,
                          (const char *const[]){"verify", "--twin", NULL});
        assert_true(relay_holds(&relay, 30000));
        kill(r.pid, signals[i]);
        run_finish(&r);
        run_expect(&r, 128 + signals[i]);
        relay_stop(&relay);
        run_clear(&r);
        free(env[0]);
        free(env[1]);
    }
}

static void wrong_use(void **state)
{
    struct run r = {0};
    char prod[CLUSTER_URL_SIZE];
    char *env_text;

    (void)state;
    make(NULL);
    verify(&r, 2, "HEAD");
    assert_contains(r.err, "--twin compares rows");
    run_clear(&r);
    env_text =
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod));
    run_revtwin(&r, "/", (const char *const[]){env_text, NULL}, "verify", "--twin", NULL);
    run_expect(&r, 2);
    assert_contains(r.err, "DEV_DATABASE_URL is not set");
    assert_lacks(r.err, "or use");
    run_clear(&r);
    free(env_text);
    cluster_exec(
        &twin_server, "dev",
        "create table revtwin.ledger (a int); insert into revtwin.ledger values (1)");
    verify(&r, 3, NULL);
    assert_contains(r.err, "seem to be swapped");
    run_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(equal_rows),
        world_test(differing_rows_are_named),
        world_test(many_differing_rows_are_some),
        world_test(sequences_and_views),
        world_test(as_many_at_a_time_as_asked),
        world_test(as_json),
        world_test(another_schema),
        world_test(both_are_only_read),
        world_test(signals_end_it),
        world_test(wrong_use),
    };

    return cmocka_run_group_tests_name("verify --twin", tests, world_start_servers,
                                       world_stop_servers);
}
