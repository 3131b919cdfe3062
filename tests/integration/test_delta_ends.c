/* A delta that does not go straight to its end: somebody is in its way, or its connection
 * is lost at the commit, or it gives up for a rebuild, which would be faster. */
#include "deltas.h"

#include <sys/wait.h>
#include <unistd.h>

#include "relay.h"

/* ------------------------------------------------------------------ in the way */

static PGconn *developer(const char *sql)
{
    PGconn *conn = cluster_connect(&twin_server, "dev");

    PQclear(PQexec(conn, "set application_name = 'a developer'"));
    PQclear(PQexec(conn, sql));
    return conn;
}

static void expect_ended(PGconn *conn)
{
    PGresult *result = PQexec(conn, "select 1");

    assert_int_not_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
    PQfinish(conn);
}

static void test_force_ends_who_is_in_the_way(void **state)
{
    struct deltas *f = *state;
    PGconn *writer, *reader, *idle;

    delta_both("create table t (id int primary key, v text); create table c (n int "
               "primary key, id int references t);"
               "insert into t select n, 'v' from generate_series(1, 9) n;"
               "insert into c values (1, 7)");
    delta_prod("update t set v = 'w'; update c set id = 8; delete from t where id = 7");
    f->wait_seconds = 1;
    f->force = true;
    idle = developer("select * from t");
    writer = developer("begin; update t set v = 'mine' where id = 1");
    reader = developer("begin; select * from t"); /* of a key that has to go */
    assert_int_equal(delta_run(f), 0);
    world_expect_equal();
    expect_ended(writer);
    expect_ended(reader);
    assert_int_equal(PQstatus(idle), CONNECTION_OK);
    PQclear(PQexec(idle, "select 1"));
    assert_int_equal(PQstatus(idle), CONNECTION_OK);
    PQfinish(idle);
}

/* It has no session that could be ended, or closed. */
static void test_a_prepared_transaction_is_named(void **state)
{
    struct deltas *f = *state;

    delta_both(
        "create table t (id int primary key, v text); insert into t values (1, 'v')");
    delta_prod("update t set v = 'w'");
    delta_twin("begin; update t set v = 'mine'; prepare transaction 'it''s later'");
    f->wait_seconds = 1;
    f->force = true;
    assert_int_equal(delta_run(f), -RT_EINTERNAL);
    assert_contains(
        f->world->err.detail,
        "table public.t: prepared transaction 'it''s later' of postgres since ");
    delta_twin("rollback prepared 'it''s later'");
    assert_int_equal(delta_run(f), 0);
    world_expect_equal();
}

/* ------------------------------------------------------------------ the commit */

/* The reply to a COMMIT, or the COMMIT, is held on its way; what happens in the meantime
 * is up to the caller, who then lets the connection break. */
struct held {
    struct relay relay;
    struct rt_secret direct; /* the twin */
    pid_t child;
};

#define REST "user=postgres dbname=dev sslmode=disable gssencmode=disable"

/* next: where to go when the relay does not answer, or NULL. */
static void hold_commit(struct held *h, struct deltas *f, bool reply,
                        const struct cluster *next)
{
    struct relay_trap trap = {.act = RELAY_HOLD,
                              .side = reply ? RELAY_TO_CLIENT : RELAY_TO_SERVER,
                              .text = "COMMIT",
                              .ends = true,
                              .before = true,
                              .connection = RELAY_ANY};
    char *through;

    relay_start(&h->relay, twin_server.dir, twin_server.port, 0);
    relay_arm(&h->relay, &trap);
    through = next ? check_printf("host=127.0.0.1,%s port=%d,%d " REST, next->dir,
                                  h->relay.port, next->port)
                   : check_printf("host=127.0.0.1 port=%d " REST, h->relay.port);
    h->child = fork();
    if (h->child == 0) {
        int rc;

        world_point(&f->world->twin, through);
        rc = delta_run(f);
        if (rc == -RT_EUNKNOWN && !strstr(f->world->err.message, "the old one or the "))
            rc = -99;
        _exit(-rc);
    }
    free(through);
    if (!relay_holds(&h->relay, 30000))
        check_fail("it did not come so far");
}

static void expect_end(struct held *h, int wanted)
{
    int status;

    relay_release(&h->relay, RELAY_CUT);
    assert_int_equal(waitpid(h->child, &status, 0), h->child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), wanted);
    relay_stop(&h->relay);
}

static void test_commit_that_came_through(void **state)
{
    struct deltas *f = *state;
    struct held h;

    delta_both("create table t (id int primary key)");
    delta_prod("insert into t values (1)");
    hold_commit(&h, f, true, NULL);
    world_expect_equal();
    expect_end(&h, 0);
    assert_query(&twin_server, "dev", "select count(*) from revtwin.receipt", "1");
}

/* Readers see what was there, and whoever would write has to wait, as would another
 * resync. */
static void test_others_before_the_commit(void **state)
{
    struct deltas *f = *state;
    PGconn *writer;
    PGresult *result;
    struct held h;

    delta_both("create table t (id int primary key, v text); create table u (id int);"
               "insert into t values (1, 'old')");
    delta_prod("update t set v = 'new'");
    hold_commit(&h, f, false, NULL);
    assert_query(&twin_server, "dev", "select v from t", "old");
    writer = developer("set lock_timeout = '100ms'");
    result = PQexec(writer, "insert into u values (1)"); /* of no changed table, too */
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55P03");
    PQclear(result);
    PQfinish(writer);
    f->wait_seconds = 0;
    assert_int_equal(delta_run(f), -RT_EINTERNAL);
    assert_contains(f->world->err.detail, "application revtwin");
    relay_release(&h.relay, RELAY_PASS);
    f->wait_seconds = 10;
    delta_expect_equal(f);
    expect_end(&h, 0);
    assert_query(&twin_server, "dev", "select v from t", "new");
}

static void test_commit_that_was_lost(void **state)
{
    struct deltas *f = *state;
    struct held h;

    delta_both("create table t (id int primary key)");
    delta_prod("insert into t values (1)");
    hold_commit(&h, f, false, NULL);
    expect_end(&h, RT_EINTERNAL);
    assert_query(&twin_server, "dev", "select count(*) from t", "0");
    delta_expect_equal(f);
}

/* Nobody can be asked any more. */
static void test_commit_of_which_nobody_knows(void **state)
{
    struct deltas *f = *state;
    struct held h;

    delta_both("create table t (id int primary key)");
    delta_prod("insert into t values (1)");
    f->settle_seconds = 1;
    hold_commit(&h, f, true, NULL);
    cluster_halt(&twin_server, CLUSTER_IMMEDIATE);
    expect_end(&h, RT_EUNKNOWN);
    cluster_resume(&twin_server);
    delta_expect_equal(f);
}

/* A standby that lags does not know of it yet, which is no answer. */
static void test_commit_that_a_standby_has_not_seen(void **state)
{
    struct cluster standby = {.primary = &twin_server};
    struct deltas *f = *state;
    struct held h;
    int status;

    delta_both("create table t (id int primary key)");
    cluster_start(&standby, (const char *const[]){"max_prepared_transactions=5", NULL});
    cluster_exec(&standby, "postgres", "select pg_wal_replay_pause()");
    delta_prod("insert into t values (1)");
    f->settle_seconds = 1;
    hold_commit(&h, f, true, &standby);
    relay_stop(&h.relay);
    assert_int_equal(waitpid(h.child, &status, 0), h.child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), RT_EUNKNOWN);
    assert_query(&twin_server, "dev", "select count(*) from t", "1");
    cluster_stop(&standby);
}

/* ------------------------------------------------------------------ giving up */

/* A delta that might give up; how many bytes of rows it has read. */
static unsigned long long try_delta(struct deltas *f, bool full_compare, bool gives_up)
{
    unsigned long long before = f->progress.read;

    f->may_give_up = true;
    f->full_compare = full_compare;
    assert_int_equal(delta_run(f), 0);
    if (!gives_up)
        assert_null(f->job.unfit);
    else
        assert_string_equal(f->job.unfit,
                            "so many rows differ that copying everything is faster");
    return f->progress.read - before;
}

/* Before anything is staged, and not where there is less to do. */
static void test_giving_up_early(void **state)
{
    struct deltas *f = *state;

    delta_both("create table t (id int primary key, v int);"
               "insert into t select n, 0 from generate_series(1, 250000) n");
    assert_int_equal(try_delta(f, false, false), 0);
    delta_prod("update t set v = 1 where id <= 120000");
    assert_int_equal(try_delta(f, false, true), 0); /* by the receipt */
    assert_int_equal(try_delta(f, true, true), 0);  /* by hashes */
    delta_prod("update t set v = 0 where id <= 120000");
    assert_int_equal(try_delta(f, true, false), 0); /* they are what they were */
    delta_prod("update t set v = 2 where id <= 40000");
    assert_true(try_delta(f, false, false) > 0);
    delta_prod("update t set v = 3 where id <= 40000");
    assert_true(try_delta(f, true, false) > 0);
    delta_prod("delete from t where id <= 150000");
    assert_int_equal(try_delta(f, false, true), 0);
    f->may_give_up = f->full_compare = false;
    delta_expect_equal(f);
}

static void test_so_much_that_a_rebuild_is_faster(void **state)
{
    struct deltas *f = *state;
    struct world *w = f->world;

    delta_prod("create table t (id int primary key, v int);"
               "insert into t select n, 0 from generate_series(1, 200000) n");
    cluster_exec(&twin_server, "dev", "drop schema revtwin");
    world_expect(w, 0);
    assert_string_equal(w->result.method, "rebuild");
    w->options.method = RT_METHOD_AUTO;
    delta_prod("update t set v = 1 where id <= 99000"); /* less than half: by receipt */
    world_expect(w, 0);
    assert_string_equal(w->result.method, "rebuild");
    assert_string_equal(w->result.why,
                        "so many rows differ that copying everything is faster");
    world_expect_equal();
    delta_prod("update t set v = 2"); /* all: by hashes */
    world_expect(w, 0);
    assert_string_equal(w->result.method, "rebuild");
    world_expect_equal();
    w->options.method = RT_METHOD_DELTA; /* somebody wants it all the same */
    delta_prod("update t set v = 3 where id <= 90000");
    world_expect(w, 0);
    assert_string_equal(w->result.method, "delta");
    assert_int_equal(w->result.rows_written, 90000);
    world_expect_equal();
}

/* ------------------------------------------------------------------ changed by hand */

/* Whatever developers do to the twin, with or without a rebuild it is equal again. */
static void test_twin_that_was_changed_by_hand(void **state)
{
    static const struct {
        const char *sql, *method;
    } changes[] = {
        {"update t set v = 'mine'; delete from u; insert into t values (100, 'mine');"
         "select setval('s', 99); alter table u disable trigger all;" /* no dump tells */
         "grant all on t to public; alter table t owner to pg_monitor",
         "delta"},
        {"drop table revtwin.receipt; truncate t, u", "delta"},
        {"alter table t add mine int", "rebuild"},
        {"drop view w; alter table t alter v type varchar(50); create index mine on t "
         "(v);"
         "alter table t drop constraint t_pkey cascade",
         "rebuild"},
        {"drop table u cascade; create schema mine; create table mine.t (a int);"
         "create or replace function f() returns int language sql as 'select 2'",
         "rebuild"},
        {"comment on table t is 'mine'", "rebuild"},
        {"alter sequence s increment 7", "rebuild"},
    };
    struct world *w = ((struct deltas *)*state)->world;

    cluster_exec(&twin_server, "dev", "drop schema revtwin");
    delta_prod("create table t (id int primary key, v text); create table u (id int "
               "references t); create view w as select t.v from t join u using (id);"
               "create sequence s; create function f() returns int language sql as "
               "'select 1'; insert into t select n, 'v' from generate_series(1, 50) n;"
               "insert into u select id from t");
    world_expect(w, 0);
    w->options.method = RT_METHOD_AUTO;
    for (size_t i = 0; i < RT_COUNT(changes); i++) {
        check_context("%s", changes[i].sql);
        delta_twin(changes[i].sql);
        world_expect(w, 0);
        if (strcmp(w->result.method, changes[i].method) != 0)
            check_fail("%s: %s", w->result.method, w->result.why);
        world_expect_equal();
    }
    check_context(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delta_test(test_force_ends_who_is_in_the_way),
        delta_test(test_a_prepared_transaction_is_named),
        delta_test(test_commit_that_came_through),
        delta_test(test_others_before_the_commit),
        delta_test(test_commit_that_was_lost),
        delta_test(test_commit_of_which_nobody_knows),
        delta_test(test_commit_that_a_standby_has_not_seen),
        delta_test(test_giving_up_early),
        delta_test(test_so_much_that_a_rebuild_is_faster),
        delta_test(test_twin_that_was_changed_by_hand),
    };

    return cmocka_run_group_tests_name("delta: ends", tests, world_start_servers,
                                       world_stop_servers);
}
