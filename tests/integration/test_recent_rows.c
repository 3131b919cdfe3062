/* Which rows are found to have changed since a receipt, on production and on the twin. */
#include <stdlib.h>

#include "follow.h"
#include "pg/query.h"

#define PROD(sql) cluster_exec(&prod_server, "shop", sql)
#define TWIN(sql) cluster_exec(&twin_server, "dev", sql)

/* Table t with this many rows on both sides, and a receipt. */
static void start_with(struct follow *f, unsigned rows)
{
    char *sql =
        check_printf("create table t (id int primary key, v text);"
                     "create table other (id int primary key, v text);"
                     "insert into other select n, 'o' from generate_series(1, 10) n;"
                     "insert into t select n, 'v' || n from generate_series(1, %u) n",
                     rows);

    follow_both(f, sql);
    follow_receipt(f);
    free(sql);
}

static PGconn *begin(const struct cluster *c, const char *db, const char *sql)
{
    PGconn *conn = cluster_connect(c, db);
    PGresult *result = PQexec(conn, "begin");

    PQclear(result);
    result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_TUPLES_OK)
        check_fail("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    return conn;
}

static void finish(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        check_fail("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
}

/* ------------------------------------------------------------------ production */

static void nothing_has_changed(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create table keyless (a int); insert into keyless values (1), (1);"
                   "create table nothing (); create table empty (id int primary key)");
    start_with(f, 1000);
    follow_look(f);
    follow_same(f, "t");
    follow_same(f, "other");
    follow_same(f, "keyless");
    follow_same(f, "nothing");
    follow_same(f, "empty");
}

static void writes_are_found(void **state)
{
    struct follow *f = *state;

    start_with(f, 1000);
    PROD("insert into t values (2000, 'new'), (2001, 'new');"
         "update t set v = 'changed' where id between 10 and 14;"
         "delete from t where id = 500; update t set v = v where id = 501");
    follow_look(f);
    follow_changed(f, "t", 8);
    follow_same(f, "other");
}

static void only_deletes_are_found(void **state)
{
    struct follow *f = *state;

    start_with(f, 100);
    PROD("delete from t where id = 7");
    follow_look(f);
    follow_changed(f, "t", 0);
}

static void aborted_writes_are_not(void **state)
{
    struct follow *f = *state;

    start_with(f, 100);
    PROD("begin; insert into t values (1000, 'x'); update t set v = 'y'; rollback");
    TWIN("begin; insert into t values (1000, 'x'); delete from t; rollback");
    follow_look(f);
    follow_same(f, "t");
}

/* What is open when the receipt's snapshot is taken, and writes before and after. */
static void open_transactions_are_found(void **state)
{
    struct follow *f = *state;
    PGconn *open, *nested;

    follow_both(f, "create table t (id int primary key, v text);"
                   "create table u (id int primary key);"
                   "create table other (id int primary key);"
                   "insert into t select n, 'v' from generate_series(1, 50) n");
    open =
        begin(&prod_server, "shop",
              "insert into t values (100, 'before'); update t set v = 'b' where id = 1");
    nested = begin(&prod_server, "shop",
                   "insert into u values (1); savepoint a; insert into u values (2);"
                   "savepoint b; insert into u values (3); release b");
    PROD("begin; insert into t values (200, 'prepared');"
         "prepare transaction 'first'");
    follow_receipt(f);
    PQclear(PQexec(open, "insert into t values (101, 'after')"));
    PQclear(PQexec(nested, "savepoint c; insert into u values (4); rollback to c;"
                           "insert into u values (5)"));
    follow_look(f);
    follow_same(f, "t");
    follow_same(f, "u");
    finish(open, "commit");
    finish(nested, "commit");
    PROD("commit prepared 'first'");
    follow_look(f);
    follow_changed(f, "t", 4);
    follow_changed(f, "u", 4);
    follow_same(f, "other");
}

/* Rows that were written before, by transactions after one that was open, may have
 * changed for all we know. */
static void old_rows_look_as_if_changed(void **state)
{
    struct follow *f = *state;
    PGconn *open;

    follow_both(f, "create table t (id int primary key)");
    open = begin(&prod_server, "shop", "select pg_current_xact_id()");
    follow_both(f, "insert into t select generate_series(1, 20)");
    follow_receipt(f);
    finish(open, "commit");
    follow_look(f);
    follow_changed(f, "t", 20);
    follow_receipt(f);
    follow_look(f);
    follow_same(f, "t");
}

static void row_locks_do_not_count(void **state)
{
    struct follow *f = *state;
    PGconn *first, *second;

    follow_both(f, "create table child (id int primary key, t int)");
    start_with(f, 100);
    first = begin(&prod_server, "shop", "select * from t for key share");
    second =
        begin(&prod_server, "shop", "select * from t for key share"); /* multixacts */
    PROD("begin; select count(*) from (select from other for update) s; commit");
    TWIN("begin; select count(*) from (select from t for update) s; commit");
    follow_look(f);
    follow_same(f, "t");
    follow_same(f, "other");
    finish(first, "commit");
    PQclear(PQexec(second, "update t set v = 'locked, then changed' where id = 3"));
    finish(second, "commit");
    follow_look(f);
    follow_changed(f, "t", 1);
}

static void freezing_and_rewriting_keep_it(void **state)
{
    static const char *const ways[] = {"vacuum (freeze) t", "vacuum (full) t",
                                       "cluster t using t_pkey",
                                       "vacuum (full, freeze) t"};
    struct follow *f = *state;

    start_with(f, 1000);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        check_context("%s", ways[i]);
        PROD(ways[i]);
        TWIN(ways[i]);
        follow_look(f);
        follow_same(f, "t");
    }
    PROD("update t set v = 'x' where id <= 30");
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        check_context("%s after an update", ways[i]);
        PROD(ways[i]);
        follow_look(f);
        follow_changed(f, "t", 30);
    }
    check_context(NULL);
}

static void truncated_and_loaded_again(void **state)
{
    struct follow *f = *state;

    start_with(f, 100);
    PROD("truncate t; insert into t select n, 'w' from generate_series(1, 100) n;"
         "begin; truncate other;"
         "copy other (id) from program 'seq 10' with (freeze); commit");
    follow_look(f);
    follow_changed(f, "t", 100);
    follow_changed(f, "other", 10);
    PROD("truncate t, other");
    follow_look(f);
    follow_changed(f, "t", 0);
    follow_changed(f, "other", 0);
}

static void without_a_key_it_is_compared(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create table log (a int); insert into log values (1), (1), (2)");
    start_with(f, 10);
    PROD("insert into log values (1)");
    follow_look(f);
    follow_compare(f, "log", "no key");
    follow_same(f, "t");
}

static void most_of_a_large_table_is_compared(void **state)
{
    struct follow *f = *state;

    start_with(f, 3000);
    PROD("update t set v = 'x' where id <= 1600");
    follow_look(f);
    follow_compare(f, "t", "most of it");
}

/* Many ranges of blocks, changed here and there, and longer than when it was measured. */
static void large_tables_are_read_in_ranges(void **state)
{
    struct follow *f = *state;

    follow_both(
        f, "create table t (id int primary key, v text) with (fillfactor = 10);"
           "alter table t alter v set storage plain;"
           "insert into t select n, repeat('x', 700) from generate_series(1, 3000) n");
    assert_query(&prod_server, "shop", "select pg_relation_size('t') > 2 * 8192 * 1024",
                 "t");
    follow_receipt(f);
    PROD("update t set v = 'y' where id % 100 = 0");
    follow_look(f);
    follow_changed(f, "t", 30);
    assert_int_equal(f->found[0].prod_rows, 3000);
    assert_int_equal(f->found[0].twin_rows, 3000);
}

/* ------------------------------------------------------------------ the twin */

static void drift_is_found(void **state)
{
    static const char *const drifts[] = {
        "update t set v = 'mine' where id = 5",
        "update t set v = v where id = 5",
        "insert into t values (1000, 'mine')",
        "delete from t where id = 5; insert into t values (5, 'mine')",
        "delete from t where id = 5; insert into t values (1000, 'mine')",
        "truncate t; insert into t select n, 'v' || n from generate_series(1, 100) n",
    };
    struct follow *f = *state;

    start_with(f, 100);
    for (size_t i = 0; i < sizeof(drifts) / sizeof(*drifts); i++) {
        check_context("%s", drifts[i]);
        TWIN(drifts[i]);
        PROD("update t set v = 'theirs' where id = 6");
        follow_look(f);
        follow_compare(f, "t", "written on the twin");
        follow_same(f, "other");
        TWIN("truncate t; insert into t select n, 'v' || n from generate_series(1, 100) "
             "n");
        PROD("truncate t; insert into t select n, 'v' || n from generate_series(1, 100) "
             "n");
        follow_receipt(f);
    }
    check_context(NULL);
    TWIN("delete from t where id = 5");
    follow_look(f);
    follow_compare(f, "t", "deleted on the twin");
    TWIN("truncate t");
    follow_look(f);
    follow_compare(f, "t", "deleted on the twin");
}

/* Its number is lower than ours, but it writes after our commit. */
static void older_transaction_on_the_twin_writes_later(void **state)
{
    struct follow *f = *state;
    PGconn *older, *idle;

    follow_both(f, "create table t (id int primary key); insert into t values (1);"
                   "create table other (id int primary key)");
    older = begin(&twin_server, "dev", "select pg_current_xact_id()");
    idle = begin(&twin_server, "dev", "select pg_current_xact_id(); savepoint a");
    follow_receipt(f);
    PQclear(PQexec(older, "update t set id = 2"));
    finish(older, "commit");
    follow_look(f);
    follow_compare(f, "t", "written on the twin");
    follow_same(f, "other");
    PQclear(PQexec(idle, "insert into other values (1)"));
    finish(idle, "commit");
    follow_look(f);
    follow_compare(f, "other", "written on the twin");
}

/* The rows of the very transaction that wrote the receipt are no drift. */
static void own_rows_are_no_drift(void **state)
{
    struct follow *f = *state;
    struct rt_receipt receipt;
    struct rt_conn *conn;

    start_with(f, 10);
    if (rt_conn_open(&conn, &f->twin, RT_READ_WRITE, &f->err) < 0 ||
        rt_receipt_read(&receipt, &f->arena, conn, &f->err) < 0 ||
        rt_exec(NULL, conn,
                "BEGIN; UPDATE t SET v = v; TRUNCATE other;"
                "INSERT INTO other SELECT n, 'o' FROM generate_series(1, 10) n",
                &f->err) < 0 ||
        rt_receipt_write(conn, &receipt, &f->err) < 0 ||
        rt_exec(NULL, conn, "COMMIT", &f->err) < 0)
        check_fail("%s", f->err.message);
    rt_conn_close(conn);
    follow_look(f);
    follow_same(f, "t");
    follow_same(f, "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        follow_test(nothing_has_changed),
        follow_test(writes_are_found),
        follow_test(only_deletes_are_found),
        follow_test(aborted_writes_are_not),
        follow_test(open_transactions_are_found),
        follow_test(old_rows_look_as_if_changed),
        follow_test(row_locks_do_not_count),
        follow_test(freezing_and_rewriting_keep_it),
        follow_test(truncated_and_loaded_again),
        follow_test(without_a_key_it_is_compared),
        follow_test(most_of_a_large_table_is_compared),
        follow_test(large_tables_are_read_in_ranges),
        follow_test(drift_is_found),
        follow_test(older_transaction_on_the_twin_writes_later),
        follow_test(own_rows_are_no_drift),
    };

    return cmocka_run_group_tests_name("recent: rows", tests, follow_start_servers,
                                       follow_stop_servers);
}
