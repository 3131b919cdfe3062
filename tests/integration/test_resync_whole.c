/* Promise 4: whenever a resync dies, the twin is the old one or the new one. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "relay.h"
#include "world.h"

/* ------------------------------------------------------------------ leftovers */

static void test_leftovers_of_a_killed_run_are_dropped(void **state)
{
    struct world *w = *state;
    PGconn *late;

    cluster_createdb(&twin_server, "dev_revtwin_next");
    cluster_exec(&twin_server, "dev_revtwin_next", "create table half ()");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_next is 'revtwin: being built'");
    cluster_createdb(&twin_server, "dev_revtwin_previous");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_previous is 'revtwin: replaced'");
    cluster_createdb(&twin_server, "dev_revtwin_old");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_old is 'revtwin: replaced'");
    late =
        cluster_connect(&twin_server, "dev_revtwin_next"); /* of the killed pg_restore */
    world_expect(w, 0);
    PQfinish(late);
    cluster_createdb(&twin_server, "dev_revtwin_next"); /* killed before the comment */
    world_expect(w, 0);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

/* ------------------------------------------------------------------ failures */

/* Run something that fails; the twin must be as it was, byte for byte. */
static void expect_untouched(struct world *w, int wanted)
{
    char *names = world_databases(), *contents = cluster_dump(&twin_server, "dev", NULL);
    char *names_after, *contents_after;

    world_expect(w, wanted);
    assert_contains(w->err.message, "the twin is as it was");
    names_after = world_databases();
    contents_after = cluster_dump(&twin_server, "dev", NULL);
    assert_text_equal(names_after, names);
    assert_text_equal(contents_after, contents);
    free(names);
    free(contents);
    free(names_after);
    free(contents_after);
}

static void test_failed_restore_leaves_the_twin(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", world_schema);
    world_adopt(w);
    cluster_exec(&twin_server, "dev",
                 "create table mine (a int); insert into mine values (1)");
    cluster_exec(&prod_server, "shop",
                 "create materialized view m as "
                 "select 1 / (current_database() = 'shop')::int");
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "division by zero");
    assert_contains(w->err.message, "pg_restore");
    assert_contains(w->err.detail, "REFRESH MATERIALIZED VIEW");
}

static void test_unreadable_production_leaves_the_twin(void **state)
{
    struct world *w = *state;
    char *url = check_printf("host=%s port=%d user=limited dbname=shop", prod_server.dir,
                             prod_server.port);

    cluster_exec(&prod_server, "shop", world_schema);
    world_adopt(w);
    cluster_exec(&prod_server, "shop",
                 "create role limited login; grant usage on schema revtwin to limited");
    world_point(&w->prod, url);
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "role limited may not read table ");
    assert_contains(w->err.hint, "GRANT SELECT ON TABLE revtwin.ledger TO limited;");
    cluster_exec(&prod_server, "shop", "drop owned by limited; drop role limited");
    free(url);
}

static void test_open_session_on_the_twin(void **state)
{
    struct world *w = *state;
    PGconn *session;
    pid_t closer;
    char *pid;
    int status;

    cluster_exec(&prod_server, "shop", world_schema);
    world_adopt(w);
    w->options.swap_wait_seconds = 0;
    session = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(session, "set application_name = 'a psql'"));
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "after 0 s");
    pid = check_printf("pid %d, user postgres, application a psql, since 2",
                       PQbackendPID(session));
    assert_contains(w->err.detail, pid);
    assert_contains(w->err.hint, "revtwin resync --force");
    free(pid);

    /* It ends while the swap waits for it. */
    w->options.swap_wait_seconds = 20;
    closer = fork();
    if (closer == 0) {
        cluster_wait(
            &twin_server, "postgres",
            "select exists (select from pg_database where datname like '%next')");
        sleep(2);
        cluster_exec(&twin_server, "postgres",
                     "select pg_terminate_backend(pid) from pg_stat_activity "
                     "where application_name = 'a psql'");
        _exit(0);
    }
    world_expect(w, 0);
    waitpid(closer, &status, 0);
    PQfinish(session);
    world_expect_equal();
}

/* ------------------------------------------------------------------ ended runs */

/* Makes a restore wait where it is busiest: in an index over the function. */
static const char *const slow =
    "create function public.slow(n int) returns int language plpgsql immutable as $$"
    "begin if current_database() like '%revtwin_next' then perform pg_sleep(60); end if;"
    "return n; end $$; create table public.s (a int); insert into public.s values (1);"
    "create index on public.s (public.slow(a));";

/* Start a resync in a process of its own, up to the slow index. */
static pid_t start_slow(struct world *w)
{
    pid_t pid = fork();

    if (pid == 0) {
        rt_cancel_install();
        _exit(-world_run(w));
    }
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where datname = "
                 "'dev_revtwin_next' and wait_event = 'PgSleep')");
    return pid;
}

static int end_slow(pid_t pid, int sig)
{
    int status;

    kill(pid, sig);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_signals_leave_the_twin(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct world *w = *state;
    char *names, *contents, *names_after, *contents_after;

    cluster_exec(&twin_server, "dev", world_schema);
    cluster_exec(&prod_server, "shop", slow);
    cluster_exec(&prod_server, "shop",
                 "create table revtwin.ledger (seq bigint);"
                 "insert into revtwin.ledger values (1), (2)");
    w->options.adopt = true;
    names = world_databases();
    contents = cluster_dump(&twin_server, "dev", NULL);
    for (size_t i = 0; i < RT_COUNT(signals); i++) {
        time_t start = time(NULL);

        assert_int_equal(end_slow(start_slow(w), signals[i]),
                         signals[i] == SIGINT ? RT_EINT : RT_ETERM);
        assert_in_range(time(NULL) - start, 0, 20);
        names_after = world_databases();
        contents_after = cluster_dump(&twin_server, "dev", NULL);
        assert_text_equal(names_after, names);
        assert_text_equal(contents_after, contents);
        free(names_after);
        free(contents_after);
    }
    free(names);
    free(contents);
}

static void test_killed_run_is_cleaned_up_by_the_next(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", slow);
    assert_int_equal(end_slow(start_slow(w), SIGKILL), -SIGKILL);
    assert_query(&twin_server, "dev", "select to_regclass('public.s') is null", "t");
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname = 'dev_revtwin_next'",
                 "1");
    cluster_exec(&prod_server, "shop",
                 "create or replace function public.slow(n int) returns int language sql "
                 "immutable as 'select n'");
    world_expect(w, 0);
    world_expect_equal();
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

static void test_two_resyncs_at_once(void **state)
{
    struct world *w = *state;
    pid_t first;

    cluster_exec(&prod_server, "shop", slow);
    first = start_slow(w);
    world_expect(w, -RT_ELOCKED);
    assert_contains(w->err.message, "another resync of database dev");
    assert_contains(w->err.detail, "application revtwin, client local, since 2");
    assert_int_equal(end_slow(first, SIGTERM), RT_ETERM);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

static void test_signal_while_waiting_for_a_session(void **state)
{
    struct world *w = *state;
    PGconn *session = cluster_connect(&twin_server, "dev");
    char *before = world_databases(), *after;
    pid_t pid = fork();

    if (pid == 0) {
        rt_cancel_install();
        w->options.swap_wait_seconds = 60;
        _exit(-world_run(w));
    }
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where application_name = "
                 "'revtwin' and query like '%usename%')");
    assert_int_equal(end_slow(pid, SIGTERM), RT_ETERM);
    after = world_databases();
    assert_text_equal(after, before);
    PQfinish(session);
    free(before);
    free(after);
}

/* ------------------------------------------------------------------ meanwhile */

/* Let a restore wait at its index until the gate is opened. */
static pid_t start_gated(struct world *w, PGconn **gate)
{
    cluster_exec(&prod_server, "shop",
                 "create function public.wait(n int) returns int language plpgsql "
                 "immutable as $$ begin if current_database() like '%revtwin_next' then "
                 "while exists (select from pg_stat_activity where application_name = "
                 "'gate') loop perform pg_stat_clear_snapshot(), pg_sleep(0.1); end loop;"
                 "end if; return n; end $$;"
                 "create table public.s (a int); insert into public.s values (1);"
                 "comment on table public.s is 'kept';"
                 "create index on public.s (public.wait(a));");
    *gate = cluster_connect(&twin_server, "postgres");
    PQclear(PQexec(*gate, "set application_name = 'gate'"));
    return start_slow(w);
}

static int open_gate(pid_t pid, PGconn *gate)
{
    PQfinish(gate);
    return end_slow(pid, 0);
}

static void test_production_is_free_once_it_is_read(void **state)
{
    struct world *w = *state;
    PGconn *gate;
    pid_t pid = start_gated(w, &gate);

    cluster_wait(&prod_server, "postgres",
                 "select not exists (select from pg_stat_activity "
                 "where datname = 'shop' and xact_start is not null)");
    cluster_exec(&prod_server, "shop", "drop table s");
    assert_int_equal(open_gate(pid, gate), RT_DONE);
    assert_query(&twin_server, "dev", "select obj_description('s'::regclass)", "kept");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_index where indrelid = 's'::regclass", "1");
}

static void test_contents_that_came_meanwhile_are_kept(void **state)
{
    struct world *w = *state;
    PGconn *gate;
    pid_t pid = start_gated(w, &gate);

    cluster_exec(&twin_server, "dev", "create table precious ()");
    assert_int_equal(open_gate(pid, gate), RT_EREFUSED);
    assert_query(&twin_server, "dev", "select to_regclass('precious')", "precious");
}

static void test_database_that_came_meanwhile_is_kept(void **state)
{
    struct world *w = *state;
    char *before, *after;
    PGconn *gate;
    pid_t pid;

    w->options.adopt = true;
    pid = start_gated(w, &gate);
    cluster_dropdb(&twin_server, "dev");
    cluster_createdb(&twin_server, "dev");
    cluster_exec(&twin_server, "dev", "create table precious ()");
    before = cluster_query(&twin_server, "postgres",
                           "select oid from pg_database where datname = 'dev'");
    assert_int_equal(open_gate(pid, gate), RT_EREFUSED);
    after = cluster_query(&twin_server, "postgres",
                          "select oid from pg_database where datname like 'dev%'");
    assert_text_equal(after, before);
    assert_query(&twin_server, "dev", "select to_regclass('precious')", "precious");
    free(before);
    free(after);
}

static void test_lost_lock_leaves_the_twin(void **state)
{
    struct world *w = *state;
    char *before = world_databases(), *after;
    pid_t pid;

    cluster_exec(&prod_server, "shop", slow);
    pid = start_slow(w);
    cluster_exec(
        &twin_server, "postgres",
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
    cluster_exec(&twin_server, "postgres",
                 "select pg_cancel_backend(pid) from pg_stat_activity "
                 "where wait_event = 'PgSleep'");
    assert_int_equal(end_slow(pid, 0), RT_EINTERNAL);
    after = world_databases();
    assert_text_equal(after, before);
    free(before);
    free(after);
}

/* The reply to the COMMIT of the swap never arrives; the second host still does. */
static void test_lost_connection_during_the_swap(void **state)
{
    /* The guards look at the twin; the next session makes and swaps databases. */
    const struct relay_trap trap = {
        .act = RELAY_HOLD, .side = RELAY_TO_SERVER, .text = "COMMIT", .connection = 2};
    struct world *w = *state;
    struct relay relay;
    char *old = cluster_query(&twin_server, "postgres",
                              "select oid from pg_database where datname = 'dev'");
    char *swapped =
        check_printf("select oid <> %s from pg_database where datname = 'dev'", old);
    char *url;
    pid_t pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    relay_start(&relay, twin_server.dir, twin_server.port, 0);
    relay_arm(&relay, &trap);
    url = check_printf(
        "host=127.0.0.1,%s port=%d,%d user=postgres dbname=dev sslmode=disable",
        twin_server.dir, relay.port, twin_server.port);
    world_point(&w->twin, url);
    pid = fork();
    if (pid == 0)
        _exit(-world_run(w));
    assert_true(relay_holds(&relay, 60000));
    cluster_wait(&twin_server, "postgres", swapped);
    relay_stop(&relay);
    assert_int_equal(end_slow(pid, 0), RT_DONE);
    world_expect_equal();
    free(url);
    free(swapped);
    free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_leftovers_of_a_killed_run_are_dropped),
        world_test(test_failed_restore_leaves_the_twin),
        world_test(test_unreadable_production_leaves_the_twin),
        world_test(test_open_session_on_the_twin),
        world_test(test_signals_leave_the_twin),
        world_test(test_killed_run_is_cleaned_up_by_the_next),
        world_test(test_two_resyncs_at_once),
        world_test(test_signal_while_waiting_for_a_session),
        world_test(test_production_is_free_once_it_is_read),
        world_test(test_contents_that_came_meanwhile_are_kept),
        world_test(test_database_that_came_meanwhile_is_kept),
        world_test(test_lost_lock_leaves_the_twin),
        world_test(test_lost_connection_during_the_swap),
    };

    return cmocka_run_group_tests_name("resync: whole", tests, world_start_servers,
                                       world_stop_servers);
}
