/* revtwin diff: where the twin's schema is not production's, object by object. */
#include "base/json.h"
#include "relay.h"
#include "run.h"
#include "world.h"

/* Run it on both; the caller clears r. */
static void diff(struct run *r, int status, const char *option)
{
    char prod[CLUSTER_URL_SIZE], twin[CLUSTER_URL_SIZE];
    char *env[] = {
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod)),
        check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin_server, "dev", twin)),
        NULL};

    run_revtwin(r, NULL, (const char *const *)env, "diff", option, NULL);
    run_expect(r, status);
    free(env[0]);
    free(env[1]);
}

static void both_sides(const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
    cluster_exec(&twin_server, "dev", sql);
}

static char *next_xids(void)
{
    static const char *const sql = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
    char *prod = cluster_query(&prod_server, "postgres", sql);
    char *twin = cluster_query(&twin_server, "postgres", sql);
    char *both = check_printf("%s %s", prod, twin);

    free(prod);
    free(twin);
    return both;
}

static void test_same(void **state)
{
    struct run r = {0};

    cluster_exec(&prod_server, "shop",
                 "create table t (a int primary key); insert into t values (1);"
                 "create publication p for table t; comment on extension plpgsql is 'x'");
    world_adopt(*state); /* which leaves revtwin's own tables on the twin */
    cluster_exec(&twin_server, "dev",
                 "create role r; alter table t owner to r; grant select on t to public;"
                 "create table if not exists revtwin.receipt (id serial)");
    diff(&r, 0, NULL);
    assert_text_equal(r.out, "the twin's schema is production's (objects: 2)\n");
    run_clear(&r);
    diff(&r, 0, "--quiet");
    assert_string_equal(r.out, "");
    run_clear(&r);
    cluster_exec(&twin_server, "dev", "drop owned by r cascade; drop role r");
}

static void test_differences_are_a_unified_diff(void **state)
{
    struct run r = {0};
    char *before, *after;

    both_sides("create table t (a int, b text, c text)");
    cluster_exec(&prod_server, "shop",
                 "alter table t add d int not null default 5; create sequence only_prod");
    cluster_exec(&twin_server, "dev",
                 "create view only_twin as select 1 as one;"
                 "create table \"odd\n+++ twin: \x1b[1m\" ()");
    before = next_xids();
    diff(&r, 7, NULL);
    after = next_xids();
    assert_string_equal(after, before);
    assert_text_equal(r.out, "--- production: sequence public.only_prod\n"
                             "+++ twin: not there\n"
                             "@@ -1,6 +0,0 @@\n"
                             "-CREATE SEQUENCE public.only_prod AS bigint\n"
                             "-    START WITH 1\n"
                             "-    INCREMENT BY 1\n"
                             "-    MINVALUE 1\n"
                             "-    MAXVALUE 9223372036854775807\n"
                             "-    CACHE 1;\n"
                             "--- production: not there\n"
                             "+++ twin: table public.\"odd\\n+++ twin: \\x1b[1m\"\n"
                             "@@ -0,0 +1,3 @@\n"
                             "+CREATE TABLE public.\"odd\n"
                             "++++ twin: \\x1b[1m\" (\n"
                             "+);\n"
                             "--- production: table public.t\n"
                             "+++ twin: table public.t\n"
                             "@@ -1,6 +1,5 @@\n"
                             " CREATE TABLE public.t (\n"
                             "     a integer,\n"
                             "     b text,\n"
                             "-    c text,\n"
                             "-    d integer DEFAULT 5 NOT NULL\n"
                             "+    c text\n"
                             " );\n"
                             "--- production: not there\n"
                             "+++ twin: view public.only_twin\n"
                             "@@ -0,0 +1,2 @@\n"
                             "+CREATE VIEW public.only_twin AS\n"
                             "+ SELECT 1 AS one;\n");
    assert_contains(r.err, "4 objects differ");
    assert_contains(r.err, "Lines with \"-\" are production's");
    run_clear(&r);
    free(before);
    free(after);
    (void)state;
}

static void test_json(void **state)
{
    struct run r = {0};
    json_t *doc, *list, *first;

    cluster_exec(&prod_server, "shop", "create type mood as enum ('a', 'b')");
    cluster_exec(&twin_server, "dev", "create type mood as enum ('b', 'a')");
    diff(&r, 7, "--json");
    doc = json_loads(r.out, 0, NULL);
    list = json_object_get(doc, "differences");
    assert_int_equal(json_array_size(list), 1);
    first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "type");
    assert_string_equal(json_string_value(json_object_get(first, "name")), "public.mood");
    assert_contains(json_string_value(json_object_get(first, "production")), "'a',\n");
    assert_contains(json_string_value(json_object_get(first, "twin")), "'b',\n");
    assert_contains(json_string_value(json_object_get(first, "diff")), "\n-    'b'\n");
    json_decref(doc);
    run_clear(&r);
    (void)state;
}

/* Each side is asked while the other still has its question. */
static void test_both_sides_at_once(void **state)
{
    static const struct relay_trap trap = {.act = RELAY_HOLD,
                                           .side = RELAY_TO_SERVER,
                                           .text = "revtwin.pinned",
                                           .before = true,
                                           .connection = RELAY_ANY};
    const struct cluster *servers[] = {&prod_server, &twin_server};
    static const char *const names[] = {"PROD_DATABASE_URL", "DEV_DATABASE_URL"};
    static const char *const databases[] = {"shop", "dev"};

    for (int held = 0; held < 2; held++) {
        const struct cluster *other = servers[!held];
        char url[CLUSTER_URL_SIZE];
        struct run r = {0};
        struct relay relay;
        char *env[3] = {0};

        relay_start(&relay, servers[held]->dir, servers[held]->port, 0);
        relay_arm(&relay, &trap);
        env[0] = check_printf("%s=host=127.0.0.1 port=%d user=postgres dbname=%s "
                              "sslmode=disable",
                              names[held], relay.port, databases[held]);
        env[1] = check_printf("%s=%s", names[!held],
                              cluster_url(other, databases[!held], url));
        run_start_revtwin(&r, NULL, (const char *const *)env,
                          (const char *const[]){"diff", NULL});
        assert_true(relay_holds(&relay, 30000));
        cluster_wait(other, "postgres",
                     "select exists (select from pg_stat_activity where application_name "
                     "= 'revtwin' and query like '%revtwin.pinned%')");
        relay_release(&relay, RELAY_PASS);
        run_finish(&r);
        run_expect(&r, 0);
        run_clear(&r);
        relay_stop(&relay);
        free(env[0]);
        free(env[1]);
    }
    (void)state;
}

static void test_guards_and_errors(void **state)
{
    char prod[CLUSTER_URL_SIZE];
    char *env[] = {
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod)),
        check_printf("DEV_DATABASE_URL=%s", prod), NULL};
    char *gone[] = {env[0], (char *)"DEV_DATABASE_URL=host=/nowhere dbname=dev", NULL};
    struct run r = {0};

    run_revtwin(&r, NULL, (const char *const *)env, "diff", NULL);
    run_expect(&r, 3);
    assert_contains(r.err, "are the same database");
    run_clear(&r);
    run_revtwin(&r, NULL, (const char *const *)gone, "diff", NULL);
    run_expect(&r, 1);
    assert_contains(r.err, "/nowhere");
    run_clear(&r);
    run_revtwin(&r, NULL, (const char *const[]){env[0], NULL}, "diff", NULL);
    run_expect(&r, 2);
    assert_contains(r.err, "DEV_DATABASE_URL is not set");
    run_clear(&r);
    free(env[0]);
    free(env[1]);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_same),
        world_test(test_differences_are_a_unified_diff),
        world_test(test_json),
        world_test(test_both_sides_at_once),
        world_test(test_guards_and_errors),
    };

    return cmocka_run_group_tests_name("diff", tests, world_start_servers,
                                       world_stop_servers);
}
