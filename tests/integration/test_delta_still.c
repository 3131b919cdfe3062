/* Nothing acts when a delta writes: triggers, rules and event triggers sleep, and wake as
 * they were; sequences and materialized views follow; and whatever stops it leaves the
 * twin as it was. */
#include "deltas.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"

/* A function that fails on the twin unless it is told to be quiet. */
static const char *const traps =
    "create function trap() returns trigger language plpgsql as $$ begin"
    "    if current_database() = 'dev' and coalesce(current_setting('app.dev', true), '')"
    "    = '' then raise 'fired: %', tg_name; end if; return coalesce(new, old); end $$;";

static void test_triggers_and_rules(void **state)
{
    delta_both(traps);
    delta_case(
        *state,
        "set app.dev = 'yes'; create table l (what text);"
        "create table t (id int primary key, v int);"
        "create table p (id int primary key, v int) partition by range (id);"
        "create table p1 partition of p for values from (0) to (10);"
        "create table p2 partition of p default;"
        "insert into t select n, n from generate_series(1, 20) n;"
        "insert into p select n, n from generate_series(1, 20) n;"
        "create trigger a before insert or update or delete on t for each row"
        "    execute function trap();"
        "create trigger b after insert or update or delete on t for each statement"
        "    execute function trap();"
        "create trigger c after update on t for each row execute function trap();"
        "alter table t enable always trigger c;"
        "create trigger d after update on t for each row execute function trap();"
        "alter table t enable replica trigger d;"
        "create trigger e after update on t for each row execute function trap();"
        "alter table t disable trigger e;"
        "create constraint trigger f after insert on t deferrable initially deferred"
        "    for each row execute function trap();"
        "create trigger g before insert or update on p for each row"
        "    execute function trap();"
        "create trigger h after update on p for each row execute function trap();"
        "alter table only p1 disable trigger g; alter table only p2 enable always"
        "    trigger h;"
        "create rule nothing as on update to t where new.id = 3 do instead nothing;"
        "create rule also as on delete to t do also insert into l values ('rule');"
        "create rule no_more as on insert to t where new.id > 900 do instead nothing;"
        "alter table t enable always rule also; alter table t disable rule no_more",
        "update t set v = -v where id > 10; insert into t values (30, 1), (950, 1);"
        "delete from t where id = 12; set constraints all immediate; update p set v = "
        "-v; insert into p values (40, 1);"
        "update p set id = 50 where id = 5; alter table t disable rule nothing;"
        "update t set v = 99 where id = 3; alter table t enable rule nothing",
        "set app.dev = 'yes'; delete from l; update t set v = 7 where id = 4;"
        "delete from p where id = 20");
}

static void test_event_triggers(void **state)
{
    delta_case(*state,
               "create table t (id int primary key); create table ddl (what text);"
               "create function note() returns event_trigger language plpgsql as"
               "    'begin insert into public.ddl values (tg_tag); end';"
               "create event trigger e on ddl_command_end execute function note();"
               "create event trigger f on ddl_command_start execute function note();"
               "alter event trigger f enable always;"
               "create event trigger g on sql_drop execute function note();"
               "alter event trigger g disable",
               "insert into t values (1)", "delete from t");
}

static void test_sequences_and_views(void **state)
{
    struct deltas *f = *state;

    delta_case(f,
               "create sequence s cache 10; create sequence u increment -3;"
               "create sequence n start 7; create table t (id int generated always as"
               "    identity primary key, v int);"
               /* each of two relations, see world.c */
               "create view v as select sum(v) from t, (values (1)) one (x);"
               "create materialized view m1 as select v.* from v, (values (1)) one (x);"
               "create materialized view m2 as select m1.* from m1, (values (1)) one (x);"
               "create function f() returns bigint stable language sql as"
               "    'select sum(v) from public.t';"
               "create materialized view m3 as select f();"
               "create materialized view m4 as select 1 with no data",
               "select nextval('s'), nextval('u'), setval('n', 42, false);"
               "insert into t (v) values (1), (2), (3); alter table t alter id restart"
               "    with 77",
               "select nextval('n'), setval('u', -99); refresh materialized view m4");
    assert_query(&twin_server, "dev",
                 "select concat_ws(' ', m1.sum, m2.sum, m3.f) from m1, m2, m3", "6 6 6");
    assert_query(&twin_server, "dev",
                 "select string_agg(relname, ' ') from pg_class where relkind = 'm' and "
                 "not relispopulated",
                 "m4");
}

/* ------------------------------------------------------------------ stopped */

static const char *const shop =
    "create table t (id int primary key, v text);"
    "create sequence s;"
    "insert into t select n, 'v' from generate_series(1, 500) n";
static const char *const shop_now =
    "update t set v = 'w'; insert into t values (0, 'x'); select setval('s', 50)";

static char *state_of_twin(void)
{
    return cluster_query(
        &twin_server, "dev",
        "select count(*) || md5(string_agg(t::text, ',' order by id)) || "
        "(select last_value from s) || (to_regclass('revtwin.twin') is "
        "null) from t");
}

static void test_writer_on_the_twin_is_named(void **state)
{
    struct deltas *f = *state;
    PGconn *writer, *reader;

    delta_both(shop);
    delta_both("create table c (n int primary key, id int references t);"
               "insert into c values (1, 7)");
    delta_prod(shop_now);
    delta_prod("update c set id = 8; delete from t where id = 7");
    f->wait_seconds = 1;
    writer = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(writer, "set application_name = 'a developer'"));
    PQclear(PQexec(writer, "begin; update t set v = 'mine' where id = 1"));
    assert_int_equal(delta_run(f), -RT_EINTERNAL);
    assert_contains(f->world->err.message,
                    "the twin is as it was: tables of the twin are "
                    "in use, and were still after 1 s");
    assert_contains(f->world->err.detail, "table public.t: pid ");
    assert_contains(f->world->err.detail, "application a developer");
    PQfinish(writer);
    /* A reader is in the way of a foreign key only that has to go. */
    reader = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(reader, "begin; select * from t"));
    assert_int_equal(delta_run(f), -RT_EINTERNAL);
    assert_contains(f->world->err.detail, "table public.t: pid ");
    PQclear(PQexec(reader, "commit"));
    delta_expect_equal(f);
    PQfinish(reader);
}

/* Also by what they do with sequences and views. */
static void test_whoever_is_in_the_way_is_named(void **state)
{
    static const struct {
        const char *does, *named;
    } cases[] = {
        {"select nextval('s')", "table public.s: pid "},
        {"select * from m", "table public.m: pid "},
        {"lock table c in share mode", "table public.c: pid "},
    };
    struct deltas *f = *state;

    delta_both(shop);
    delta_both("create materialized view m as select count(*) from t, (values (1)) one;"
               "create table c (id int)");
    delta_prod(shop_now);
    delta_prod("refresh materialized view m");
    f->wait_seconds = 1;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        PGconn *session = cluster_connect(&twin_server, "dev");

        check_context("%s", cases[i].does);
        PQclear(PQexec(session, "begin"));
        PQclear(PQexec(session, cases[i].does));
        assert_int_equal(delta_run(f), -RT_EINTERNAL);
        assert_contains(f->world->err.message, "in use, and were still after 1 s");
        assert_contains(f->world->err.detail, cases[i].named);
        PQfinish(session);
        check_context(NULL);
    }
    delta_expect_equal(f);
}

/* Unless a foreign key has to go: a trigger sleeps without that. */
static void test_readers_are_not_in_the_way(void **state)
{
    struct deltas *f = *state;
    PGconn *reader;

    delta_both(shop);
    delta_both(traps);
    delta_both("create table calm (id int primary key, up int references calm,"
               "    t int references t);"
               "create trigger a after insert or update on t for each row"
               "    execute function trap(); create table empty (id int references t);"
               "create materialized view m as select count(*) from calm");
    delta_prod(shop_now);
    f->wait_seconds = 0;
    reader = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(reader, "begin; select * from t, calm, empty, m"));
    delta_expect_equal(f);
    PQclear(PQexec(reader, "commit"));
    PQfinish(reader);
}

static int signals_to_come;
static int signal_sent;

/* Once in each of the places where the progress is shown. */
static void send_signal(void *context, const struct rt_progress *progress)
{
    (void)context;
    if (progress->phase && signals_to_come-- == 0)
        kill(getpid(), signal_sent);
}

static void expect_stopped_by(struct deltas *f, int number, int after)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        rt_cancel_install();
        signal_sent = number;
        signals_to_come = after;
        f->progress.show = send_signal;
        _exit(-delta_run(f));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) != 0)
        assert_int_equal(WEXITSTATUS(status), 128 + number);
}

static void test_signals(void **state)
{
    struct deltas *f = *state;
    char *before, *after;

    delta_both(shop);
    delta_prod(shop_now);
    before = state_of_twin();
    for (int i = 0; i < 2; i++) {
        expect_stopped_by(f, i ? SIGTERM : SIGINT, i);
        cluster_wait(&twin_server, "dev",
                     "select count(*) = 0 from pg_stat_activity where datname = 'dev' "
                     "and application_name = 'revtwin'");
        after = state_of_twin();
        assert_string_equal(after, before);
        free(after);
    }
    delta_expect_equal(f);
    free(before);
}

/* What fails after the sequences were moved leaves them where they were. */
static void test_failure_at_the_end(void **state)
{
    struct deltas *f = *state;
    char *before, *after;

    delta_both(shop);
    delta_both("create materialized view m as select 1 / count(*) from t where id = 3");
    delta_prod(shop_now);
    delta_prod("delete from t where id = 3");
    before = state_of_twin();
    assert_int_equal(delta_run(f), -RT_EINTERNAL);
    assert_contains(f->world->err.message, "division by zero");
    after = state_of_twin();
    assert_string_equal(after, before);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_triggers_and_rules),
        delta_test(test_event_triggers),
        delta_test(test_sequences_and_views),
        delta_test(test_writer_on_the_twin_is_named),
        delta_test(test_whoever_is_in_the_way_is_named),
        delta_test(test_readers_are_not_in_the_way),
        delta_test(test_signals),
        delta_test(test_failure_at_the_end),
    };

    return cmocka_run_group_tests_name("delta: still", tests, world_start_servers,
                                       world_stop_servers);
}
