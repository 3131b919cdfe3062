/* The snapshot of production: nothing comes between it and the locks on its tables. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "relay.h"
#include "twin/snapshot.h"
#include "world.h"

/* Take a snapshot through the relay, and compare what it lists and reads. In a process of
 * its own; its exit status is 0 when both are as wanted. */
static int take(struct world *w, const char *want_tables, const char *sql,
                const char *want)
{
    struct rt_snapshot snapshot;
    struct rt_conn *conn = NULL;
    struct rt_result *found = NULL;
    struct rt_str tables = {0};
    bool good;

    if (rt_conn_open(&conn, &w->prod, RT_READ_ONLY, &w->err) < 0 ||
        rt_exec(NULL, conn, "ROLLBACK", &w->err) < 0 ||
        rt_snapshot_open(&snapshot, &w->arena, conn, &w->err) < 0 ||
        rt_query(&found, conn, sql, 0, NULL, &w->err) < 0)
        check_fail("%s", w->err.message);
    for (size_t i = 0; i < snapshot.tables.count; i++)
        rt_str_addf(&tables, "%s%s", i ? " " : "", snapshot.tables.table[i].ident);
    good = strcmp(rt_result_get(found, 0, 0), want) == 0 &&
           strcmp(rt_str_text(&tables), want_tables) == 0;
    if (!good)
        fprintf(stderr, "%s, tables %s\n", rt_result_get(found, 0, 0),
                rt_str_text(&tables));
    return !good;
}

static pid_t start(struct world *w, const struct relay *relay, const char *tables,
                   const char *sql, const char *want)
{
    char *url = check_printf("host=127.0.0.1 port=%d user=postgres dbname=shop "
                             "sslmode=disable",
                             relay->port);
    pid_t pid;

    world_point(&w->prod, url);
    free(url);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(take(w, tables, sql, want));
    return pid;
}

static void expect_good(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* What happens after the tables were listed, before they are locked. */
static void changes_before_the_lock_are_seen(void **state)
{
    static const struct {
        const char *change, *tables, *sql, *want;
    } cases[] = {
        {"truncate t; insert into t values (7), (8), (9)", "public.t public.u",
         "SELECT count(*) FROM public.t", "3"},
        {"drop table t", "public.u", "SELECT count(*) FROM public.u", "1"},
        {"create table n (a int); insert into n values (5)", "public.n public.t public.u",
         "SELECT sum(a) FROM public.n", "5"},
        {"drop table t; create table t (b int); insert into t values (4)",
         "public.t public.u", "SELECT sum(b) FROM public.t", "4"},
        {"alter table t rename to old; alter table u rename to t", "public.old public.t",
         "SELECT sum(a) FROM public.t", "3"},
        {"create schema other; alter table t set schema other", "other.t public.u",
         "SELECT sum(a) FROM other.t", "3"},
        {"drop table t, u", "", "SELECT 1", "1"},
    };
    const struct relay_trap trap = {
        .act = RELAY_HOLD, .side = RELAY_TO_SERVER, .text = "LOCK TABLE", .before = true};
    struct world *w = *state;

    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct relay relay;
        pid_t pid;

        check_context("%s", cases[i].change);
        cluster_exec(&prod_server, "shop",
                     "create table t (a int); insert into t values (1), (2);"
                     "create table u (a int); insert into u values (3)");
        relay_start(&relay, prod_server.dir, prod_server.port, 0);
        relay_arm(&relay, &trap);
        pid = start(w, &relay, cases[i].tables, cases[i].sql, cases[i].want);
        assert_true(relay_holds(&relay, 30000));
        cluster_exec(&prod_server, "shop", cases[i].change);
        relay_release(&relay, RELAY_PASS);
        expect_good(pid);
        relay_stop(&relay);
        cluster_exec(&prod_server, "shop",
                     "drop schema if exists other cascade;"
                     "drop schema public cascade; create schema public");
        check_context(NULL);
    }
}

/* Once they are locked, nothing can happen to them any more. */
static void tables_stay_once_they_are_locked(void **state)
{
    static const char *const changes[] = {"truncate t", "drop table t",
                                          "alter table t rename to u", "vacuum full t",
                                          "alter table t alter a type bigint"};
    const struct relay_trap trap = {.act = RELAY_HOLD,
                                    .side = RELAY_TO_SERVER,
                                    .text = "pg_export_snapshot",
                                    .before = true};
    struct world *w = *state;
    struct relay relay;
    PGconn *session;
    pid_t pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1), (2)");
    relay_start(&relay, prod_server.dir, prod_server.port, 0);
    relay_arm(&relay, &trap);
    pid = start(w, &relay, "public.t", "SELECT sum(a) FROM public.t", "13");
    assert_true(relay_holds(&relay, 30000));
    /* It came together with the lock, which the server may still be at. */
    cluster_wait(&prod_server, "shop",
                 "select exists (select from pg_locks where relation = 't'::regclass and "
                 "mode = 'AccessShareLock' and granted)");
    session = cluster_connect(&prod_server, "shop");
    PQclear(PQexec(session, "set lock_timeout = '50ms'"));
    for (size_t i = 0; i < RT_COUNT(changes); i++) {
        PGresult *result = PQexec(session, changes[i]);

        assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55P03");
        PQclear(result);
    }
    PQclear(PQexec(session, "insert into t values (10)")); /* which is not in its way */
    relay_release(&relay, RELAY_PASS);
    expect_good(pid);
    PQfinish(session);
    relay_stop(&relay);
}

/* A table that is never the same twice. */
static void tables_that_never_rest_are_given_up(void **state)
{
    struct world *w = *state;
    struct relay relay;
    struct rt_snapshot snapshot;
    struct rt_conn *conn = NULL;
    char *url;
    pid_t churn;

    cluster_exec(&prod_server, "shop", "create table t ()");
    churn = fork();
    if (churn == 0) {
        PGconn *session = cluster_connect(&prod_server, "shop");

        for (;;)
            PQclear(PQexec(session, "drop table t; create table t ()"));
    }
    relay_start(&relay, prod_server.dir, prod_server.port, 10);
    url = check_printf("host=127.0.0.1 port=%d user=postgres dbname=shop sslmode=disable",
                       relay.port);
    world_point(&w->prod, url);
    free(url);
    assert_int_equal(rt_conn_open(&conn, &w->prod, RT_READ_WRITE, &w->err), 0);
    assert_int_equal(rt_snapshot_open(&snapshot, &w->arena, conn, &w->err),
                     -RT_EINTERNAL);
    assert_string_equal(w->err.message, "cannot take a snapshot of production: tables "
                                        "came and went each of 10 times");
    assert_true(rt_conn_idle(conn));
    kill(churn, SIGKILL);
    waitpid(churn, NULL, 0);
    rt_conn_close(conn);
    relay_stop(&relay);
}

/* Hold a table so that nobody can read it, in a process of its own, for so long. */
static pid_t hold_table(unsigned seconds)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        PGconn *session = cluster_connect(&prod_server, "shop");

        PQclear(PQexec(session, "set application_name = 'alters'; begin; lock table t"));
        if (write(ready[1], "", 1) == 1)
            sleep(seconds);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void locked_tables_are_waited_for_a_few_times(void **state)
{
    struct world *w = *state;
    struct rt_snapshot snapshot;
    struct rt_conn *conn = NULL;
    pid_t holder;

    cluster_exec(&prod_server, "shop", "create table t (); create table u ()");
    assert_int_equal(rt_conn_open(&conn, &w->prod, RT_READ_WRITE, &w->err), 0);
    holder = hold_table(3);
    assert_int_equal(rt_snapshot_open(&snapshot, &w->arena, conn, &w->err), 0);
    assert_int_equal(snapshot.tables.count, 2);
    rt_snapshot_close(&snapshot);
    waitpid(holder, NULL, 0);

    holder = hold_table(60);
    assert_int_equal(rt_snapshot_open(&snapshot, &w->arena, conn, &w->err),
                     -RT_EINTERNAL);
    assert_string_equal(w->err.message,
                        "cannot take a snapshot of production: tables are "
                        "locked, and were so each of 4 times");
    assert_contains(w->err.detail, "table public.t: pid ");
    assert_contains(w->err.detail, "user postgres, application alters");
    assert_contains(w->err.hint, "Try again when that is done");
    assert_true(rt_conn_idle(conn));
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    rt_conn_close(conn);
}

static void an_empty_production_has_a_snapshot(void **state)
{
    struct world *w = *state;
    struct rt_snapshot snapshot;
    struct rt_conn *conn = NULL;

    assert_int_equal(rt_conn_open(&conn, &w->prod, RT_READ_WRITE, &w->err), 0);
    assert_int_equal(rt_snapshot_open(&snapshot, &w->arena, conn, &w->err), 0);
    assert_int_equal(snapshot.tables.count, 0);
    assert_true(rt_conn_in_transaction(conn));
    rt_snapshot_close(&snapshot);
    assert_true(rt_conn_idle(conn));
    rt_conn_close(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(changes_before_the_lock_are_seen),
        world_test(tables_stay_once_they_are_locked),
        world_test(tables_that_never_rest_are_given_up),
        world_test(locked_tables_are_waited_for_a_few_times),
        world_test(an_empty_production_has_a_snapshot),
    };

    return cmocka_run_group_tests_name("snapshot", tests, world_start_servers,
                                       world_stop_servers);
}
