/* The twin that a rebuild replaces can be kept and put back, and sessions in the way of a
 * swap are ended only when that was asked for. */
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "relay.h"
#include "run.h"
#include "world.h"

static char prod_env[CLUSTER_URL_SIZE + 32], twin_env[CLUSTER_URL_SIZE + 32];
static const char *env[] = {prod_env, twin_env, NULL, NULL};
static struct run run;

static void point(const char *prod, const char *twin)
{
    snprintf(prod_env, sizeof(prod_env), "%s=%s", prod ? "PROD_DATABASE_URL" : "NO_PROD",
             prod ? prod : "");
    snprintf(twin_env, sizeof(twin_env), "DEV_DATABASE_URL=%s", twin);
}

static int open_twin(void **state)
{
    char prod[CLUSTER_URL_SIZE], twin[CLUSTER_URL_SIZE];

    world_open(state);
    point(cluster_url(&prod_server, "shop", prod),
          cluster_url(&twin_server, "dev", twin));
    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    return 0;
}

static int close_twin(void **state)
{
    run_clear(&run);
    cluster_exec(&twin_server, "postgres",
                 "drop database if exists dev_revtwin_previous with (force)");
    return world_close(state);
}

#define twin_test(test) cmocka_unit_test_setup_teardown(test, open_twin, close_twin)

/* revtwin resync, a rebuild or with --undo first, with these arguments up to NULL, in a
 * folder that is no repository. */
static void resync(int status, ...)
{
    const char *args[8] = {"resync"};
    size_t count = 1;
    va_list more;

    va_start(more, status);
    while ((args[count] = va_arg(more, const char *)) != NULL)
        count++;
    va_end(more);
    if (args[1] == NULL || strcmp(args[1], "--undo") != 0)
        args[count] = "--method=rebuild";
    run_clear(&run);
    run_start_revtwin(&run, "/", env, args);
    run_finish(&run);
    run_expect(&run, status);
}

#define assert_twin(want) assert_query(&twin_server, "dev", "table t order by 1", want)
#define assert_kept(want) \
    assert_query(&twin_server, "dev_revtwin_previous", "table t order by 1", want)
#define assert_databases(want)                                                        \
    assert_query(&twin_server, "postgres",                                            \
                 "select string_agg(datname, ' ' order by datname) from pg_database " \
                 "where datname like 'dev%'",                                         \
                 want)

/* A twin with 1, replaced by one with 2; what is kept has a developer's 10 too. */
static void keep_one(void)
{
    resync(0, NULL);
    cluster_exec(&twin_server, "dev", "insert into t values (10)");
    cluster_exec(&prod_server, "shop", "update t set a = 2");
    resync(0, "--keep-previous", NULL);
}

/* When the twin in a database was taken. */
static char *taken_at(const char *database)
{
    return cluster_query(&twin_server, database,
                         "select to_char(snapshot_at at time zone 'UTC', "
                         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from revtwin.twin");
}

/* ------------------------------------------------------------------ there and back */

static void test_kept_twin_is_put_back(void **state)
{
    char *when;

    (void)state;
    resync(0, NULL);
    assert_lacks(run.out, "is kept");
    cluster_exec(
        &twin_server, "dev",
        "insert into t values (10);"
        "update revtwin.twin set snapshot_at = '2025-01-31 12:00:00+00';"
        "comment on database dev is 'ours'; alter database dev set work_mem = 99");
    cluster_exec(&prod_server, "shop", "update t set a = 2");
    resync(0, "--keep-previous", NULL);
    assert_contains(run.out, "the twin that was, production as of 2025-01-31T12:00:00Z, "
                             "is kept as database \"dev_revtwin_previous\"");
    assert_twin("2");
    assert_kept("1\n10");
    when = taken_at("dev");

    cluster_halt(&prod_server, CLUSTER_FAST); /* production is not needed */
    resync(0, "--undo", NULL);
    cluster_resume(&prod_server);
    assert_contains(run.out, "the twin (database \"dev\") is production as of "
                             "2025-01-31T12:00:00Z");
    assert_contains(run.out, when);
    assert_contains(run.out, "kept as database \"dev_revtwin_previous\"");
    assert_twin("1\n10");
    assert_kept("2");
    assert_query(&twin_server, "postgres",
                 "select shobj_description(oid, 'pg_database') from pg_database "
                 "where datname = 'dev'",
                 "ours");
    assert_query(&twin_server, "dev", "show work_mem", "99kB");

    point(NULL, strchr(twin_env, '=') + 1);
    resync(0, "--undo", "--json", NULL);
    assert_contains(run.out, "\"database\": \"dev_revtwin_previous\"");
    assert_contains(run.out, "\"snapshot_at\": \"2025-01-31T12:00:00Z\"");
    assert_twin("2");
    assert_databases("dev dev_revtwin_previous");
    free(when);
}

static void test_next_rebuild_replaces_what_was_kept(void **state)
{
    (void)state;
    keep_one();
    cluster_exec(&prod_server, "shop", "update t set a = 3");
    resync(0, "--keep-previous", NULL);
    assert_twin("3");
    assert_kept("2");
    assert_databases("dev dev_revtwin_previous");
    resync(0, NULL);
    assert_databases("dev");
    resync(3, "--undo", NULL);
    assert_contains(run.err, "no previous twin of database dev is kept");
    assert_contains(run.err, "the twin is as it was");
    assert_contains(run.err, "--keep-previous");
    assert_twin("3");
}

/* What was there before the first resync is worth keeping, too. */
static void test_adopted_database_can_be_had_back(void **state)
{
    (void)state;
    cluster_exec(&twin_server, "dev", "create table t as select 5 as a");
    resync(0, "--adopt", "--keep-previous", NULL);
    assert_twin("1");
    resync(0, "--undo", NULL);
    assert_contains(run.out, "was never resynced");
    assert_twin("5");
    resync(3, NULL);
    assert_contains(run.err, "--adopt");
    assert_databases("dev dev_revtwin_previous");
}

static void test_failed_rebuild_leaves_what_was_kept(void **state)
{
    (void)state;
    keep_one();
    cluster_exec(&prod_server, "shop",
                 "create role auditor; create policy p on t to auditor using (true)");
    resync(1, NULL);
    cluster_exec(&prod_server, "shop", "drop owned by auditor; drop role auditor");
    assert_databases("dev dev_revtwin_previous");
    assert_kept("1\n10");
    resync(0, "--undo", NULL);
    assert_twin("1\n10");
}

static void test_options_that_make_no_sense_together(void **state)
{
    (void)state;
    resync(2, "--undo", "--adopt", NULL);
    assert_contains(run.err, "--undo and --adopt exclude each other");
    resync(2, "--undo", "--keep-previous", NULL);
    assert_contains(run.err, "--undo and --keep-previous exclude each other");
}

/* The reply to the COMMIT never arrives. */
static void test_lost_connection_during_an_undo(void **state)
{
    /* One session looks at the twin, the next makes the swap. */
    const struct relay_trap trap = {
        .act = RELAY_HOLD, .side = RELAY_TO_SERVER, .text = "COMMIT", .connection = 2};
    const char *const args[] = {"resync", "--undo", NULL};
    struct relay relay;
    char *url;

    (void)state;
    keep_one();
    relay_start(&relay, twin_server.dir, twin_server.port, 0);
    relay_arm(&relay, &trap);
    url = check_printf(
        "host=127.0.0.1,%s port=%d,%d user=postgres dbname=dev sslmode=disable",
        twin_server.dir, relay.port, twin_server.port);
    point(NULL, url);
    run_clear(&run);
    run_start_revtwin(&run, "/", env, args);
    assert_true(relay_holds(&relay, 60000));
    cluster_wait(&twin_server, "postgres",
                 "select not exists (select from pg_stat_activity where "
                 "application_name = 'revtwin' and state <> 'idle')");
    relay_stop(&relay);
    run_finish(&run);
    run_expect(&run, 0);
    assert_twin("1\n10");
    assert_kept("2");
    free(url);
}

/* ------------------------------------------------------------------ sessions */

/* Whether a session is still there. */
static void expect_answer(PGconn *conn, ExecStatusType status)
{
    PGresult *result = PQexec(conn, "select 1");

    assert_int_equal(PQresultStatus(result), status);
    PQclear(result);
}

static void test_force_ends_sessions(void **state)
{
    PGconn *on_twin, *on_kept;

    (void)state;
    keep_one();
    on_twin = cluster_connect(&twin_server, "dev");
    on_kept = cluster_connect(&twin_server, "dev_revtwin_previous");
    PQclear(PQexec(on_twin, "begin; lock table t"));
    resync(0, "--force", "--keep-previous", NULL);
    assert_contains(run.err, "ended a session: dev: pid ");
    assert_contains(run.err, "ended a session: dev_revtwin_previous: pid ");
    expect_answer(on_twin, PGRES_FATAL_ERROR);
    assert_databases("dev dev_revtwin_previous");
    PQfinish(on_twin);
    PQfinish(on_kept);

    on_twin = cluster_connect(&twin_server, "dev");
    resync(0, "--undo", "--force", NULL);
    PQfinish(on_twin);
    assert_twin("2");
}

static PGconn *connect_as(const char *role, const char *database)
{
    char *url = check_printf("host=%s port=%d user=%s dbname=%s", twin_server.dir,
                             twin_server.port, role, database);
    PGconn *conn = PQconnectdb(url);

    if (PQstatus(conn) != CONNECTION_OK)
        check_fail("%s", PQerrorMessage(conn));
    free(url);
    return conn;
}

/* Who may end whose sessions is the server's to say; the others are named. */
static void test_force_goes_as_far_as_the_role_may(void **state)
{
    char *url = check_printf("host=%s port=%d user=keeper dbname=dev", twin_server.dir,
                             twin_server.port);
    PGconn *own, *developer;

    (void)state;
    cluster_exec(&twin_server, "postgres",
                 "create role keeper login createdb; create role dora login;"
                 "alter database dev owner to keeper");
    point(strchr(prod_env, '=') + 1, url);
    env[2] = "REVTWIN_SWAP_WAIT=0";
    resync(0, "--keep-previous", NULL);
    own = connect_as("keeper", "dev");
    developer = connect_as("dora", "dev");
    resync(1, NULL);
    assert_contains(run.err, "user keeper");
    assert_contains(run.err, "revtwin resync --force");
    resync(1, "--undo", "--force", NULL);
    assert_contains(run.err, "ended a session: dev: pid ");
    assert_contains(run.err, "in use, and was still after 0 s");
    assert_contains(run.err, "user dora");
    assert_contains(run.err, "GRANT pg_signal_backend TO keeper");
    expect_answer(own, PGRES_FATAL_ERROR);
    expect_answer(developer, PGRES_TUPLES_OK);
    cluster_exec(&twin_server, "postgres", "grant pg_signal_backend to keeper");
    resync(0, "--undo", "--force", NULL);
    PQfinish(own);
    PQfinish(developer);
    env[2] = NULL;
    cluster_exec(&twin_server, "postgres", "drop database dev with (force)");
    cluster_exec(&twin_server, "postgres",
                 "drop database dev_revtwin_previous with (force)");
    cluster_exec(&twin_server, "postgres", "drop role keeper, dora");
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twin_test(test_kept_twin_is_put_back),
        twin_test(test_next_rebuild_replaces_what_was_kept),
        twin_test(test_adopted_database_can_be_had_back),
        twin_test(test_failed_rebuild_leaves_what_was_kept),
        twin_test(test_options_that_make_no_sense_together),
        twin_test(test_lost_connection_during_an_undo),
        twin_test(test_force_ends_sessions),
        twin_test(test_force_goes_as_far_as_the_role_may),
    };

    return cmocka_run_group_tests_name("resync: undo", tests, world_start_servers,
                                       world_stop_servers);
}
