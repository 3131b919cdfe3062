/* When a table, or all of them, cannot be told by the transactions that wrote the rows:
 * what must then be compared in full. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "follow.h"
#include "run.h"

#define PROD(sql) cluster_exec(&prod_server, "shop", sql)
#define TWIN(sql) cluster_exec(&twin_server, "dev", sql)

static void start(struct follow *f)
{
    follow_both(f, "create table t (id int primary key, v text);"
                   "create table other (id int primary key);"
                   "insert into t select n, 'v' || n from generate_series(1, 20) n;"
                   "insert into other values (1)");
    follow_receipt(f);
}

/* ------------------------------------------------------------------ tables */

static void table_renamed_over(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create table spare (id int primary key, v text);"
                   "insert into spare select n, 'spare' from generate_series(1, 20) n");
    start(f);
    PROD("alter table t rename to old; alter table spare rename to t");
    TWIN("alter table t rename to old; alter table spare rename to t");
    follow_look(f);
    follow_compare(f, "t", "another table on production");
    follow_compare(f, "old", "not there at the last resync");
    follow_same(f, "other");
}

static void table_replaced_on_the_twin(void **state)
{
    struct follow *f = *state;

    start(f);
    TWIN("create table n (like t including all); insert into n select id, 'mine' from t;"
         "drop table t; alter table n rename to t");
    follow_look(f);
    follow_compare(f, "t", "another table on the twin");
    follow_same(f, "other");
}

static void tables_swapped(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create schema a; create table a.t (id int primary key, v text);"
                   "insert into a.t select n, 'a' from generate_series(1, 20) n");
    start(f);
    PROD("create schema b; alter table t set schema b; alter table a.t set schema public;"
         "alter table b.t set schema a");
    follow_look(f);
    follow_compare(f, "t", "another table on production");
    follow_same(f, "other");
}

/* The value is not written to the rows, and is another one on each side. */
static void column_with_a_default_of_the_ddl(void **state)
{
    struct follow *f = *state;

    start(f);
    PROD("alter table t add at timestamptz default now()");
    TWIN("alter table t add at timestamptz default now()");
    follow_look(f);
    follow_compare(f, "t", "altered on production");
    follow_same(f, "other");
    follow_receipt(f);
    follow_look(f);
    follow_same(f, "t");
    TWIN("alter table t add more int default 1");
    follow_look(f);
    follow_compare(f, "t", "altered on the twin");
    PROD("alter table t add more int default 2");
    PROD("vacuum full t");
    TWIN("vacuum full t");
    follow_look(f);
    follow_compare(f, "t", "altered on production");
}

static void column_of_another_type(void **state)
{
    struct follow *f = *state;

    start(f);
    follow_both(f, "alter table t alter v type varchar(30)");
    follow_look(f);
    follow_compare(f, "t", "altered on production");
    follow_same(f, "other");
}

static void types_altered(void **state)
{
    struct follow *f = *state;

    follow_both(
        f, "create type mood as enum ('sad', 'ok'); create type pair as (a int, b int);"
           "create domain feeling as mood; create type moods as range (subtype = mood);"
           "create type crate as (inside mood);"
           "create table plain (id int primary key, m mood);"
           "create table wrapped (id int primary key, m feeling[]);"
           "create table ranged (id int primary key, m moods);"
           "create table boxed (id int primary key, m crate[]);"
           "create table paired (id int primary key, p pair)");
    start(f);
    PROD("alter type mood rename value 'ok' to 'fine'");
    follow_look(f);
    follow_compare(f, "plain", "types were altered on production");
    follow_compare(f, "wrapped", "types were altered on production");
    follow_compare(f, "ranged", "types were altered on production");
    follow_compare(f, "boxed", "types were altered on production");
    follow_same(f, "paired");
    follow_same(f, "t");
    follow_receipt(f);
    TWIN("alter type pair drop attribute b; alter type pair add attribute b int");
    follow_look(f);
    follow_compare(f, "paired", "types were altered on the twin");
    follow_same(f, "plain");
    follow_same(f, "t");
}

/* What changes neither rows nor what they mean. */
static void harmless_ddl(void **state)
{
    struct follow *f = *state;

    start(f);
    PROD("create index on t (v); analyze t; comment on table t is 'x';"
         "alter table t add check (id > 0); create table later (id int);"
         "create type nobody_uses as enum ('a'); grant select on t to public;"
         "create view w as select * from t; reindex table t");
    follow_look(f);
    follow_same(f, "t");
    follow_same(f, "other");
}

static void partitions(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create table p (id int primary key, v text) partition by range (id);"
                   "create table p1 partition of p for values from (0) to (100);"
                   "create table p2 partition of p for values from (100) to (200);"
                   "create table p3 (id int primary key, v text);"
                   "insert into p3 values (250, 'x'), (251, 'y');"
                   "insert into p select n, 'p' from generate_series(1, 199) n where n "
                   "not between 100 and 120");
    start(f);
    PROD("update p set id = id + 100 where id between 10 and 14;" /* moves them */
         "delete from p where id = 150");
    follow_look(f);
    follow_changed(f, "p1", 0);
    follow_changed(f, "p2", 5);
    follow_both(f, "alter table p attach partition p3 for values from (200) to (300);"
                   "alter table p detach partition p1");
    follow_look(f);
    follow_compare(f, "p1", "altered on production");
    follow_compare(f, "p3", "altered on production");
    follow_changed(f, "p2", 5);
    /* Another partition of the same name. */
    PROD("drop table p1; create table p1 partition of p for values from (0) to (100)");
    follow_look(f);
    follow_compare(f, "p1", "another table on production");
    follow_same(f, "t");
}

static void tampered_receipt(void **state)
{
    struct follow *f = *state;

    start(f);
    TWIN("update revtwin.receipt set tables = (select jsonb_agg(t || '{\"rows\": 5}') "
         "from jsonb_array_elements(tables) t)");
    follow_look(f);
    follow_compare(f, "t", "deleted on the twin");
    TWIN("update revtwin.receipt set tables = '[{}, {\"schema\": 7}]'");
    follow_look(f);
    follow_compare(f, "t", "not there at the last resync");
    TWIN("delete from revtwin.receipt");
    follow_look(f);
    assert_string_equal(f->unfit, "no receipt of an earlier resync");
}

/* ------------------------------------------------------------------ servers */

static void expect_unfit(struct follow *f, const char *why)
{
    follow_look(f);
    if (f->unfit == NULL || strcmp(f->unfit, why) != 0)
        check_fail("%s, expected: %s", f->unfit ? f->unfit : "the receipt will do", why);
}

static void restarted(void **state)
{
    struct follow *f = *state;

    start(f);
    cluster_halt(&twin_server, CLUSTER_IMMEDIATE);
    cluster_resume(&twin_server);
    follow_look(f);
    follow_same(f, "t");
    cluster_halt(&prod_server, CLUSTER_FAST);
    cluster_resume(&prod_server);
    expect_unfit(f, "production was restarted, and may have been restored");
}

/* The server goes on; but what it had not logged yet is gone, with its numbers. */
static void crashed(void **state)
{
    struct follow *f = *state;
    PGconn *conn = cluster_connect(&prod_server, "shop");
    char url[CLUSTER_URL_SIZE];
    const struct timespec pause = {.tv_nsec = 50 * 1000000};

    start(f);
    PQclear(PQexec(conn, "copy (select) to program 'kill -KILL $PPID'"));
    PQfinish(conn);
    cluster_url(&prod_server, "shop", url);
    for (int i = 0; i < 600 && PQping(url) != PQPING_OK; i++)
        nanosleep(&pause, NULL);
    expect_unfit(f, "production was restarted, and may have been restored");
    follow_receipt(f);
    follow_look(f);
    follow_same(f, "t");
}

static void shell(const char *script)
{
    struct run r = {0};

    run_program(&r, NULL, NULL, (const char *const[]){"sh", "-ec", script, NULL});
    run_expect(&r, 0);
    run_clear(&r);
}

/* From a copy of its files; and then it goes on beyond where it was. */
static void restored_from_its_disk(void **state)
{
    struct follow *f = *state;
    char *copy = check_printf("cp -a %s/data %s/copy", prod_server.dir, prod_server.dir);
    char *restore = check_printf("rm -r %s/data; mv %s/copy %s/data", prod_server.dir,
                                 prod_server.dir, prod_server.dir);

    start(f);
    cluster_halt(&prod_server, CLUSTER_FAST);
    shell(copy);
    cluster_resume(&prod_server);
    follow_both(f, "update t set v = 'lost' where id = 1");
    follow_receipt(f);
    cluster_halt(&prod_server, CLUSTER_FAST);
    shell(restore);
    cluster_resume(&prod_server);
    PROD("insert into t values (99, 'kept')"); /* with the number of the lost one */
    for (int i = 0; i < 20; i++)
        PROD("create table filler as select 1 as a; drop table filler");
    assert_query(&prod_server, "shop", "select v from t where id = 1", "v1");
    expect_unfit(f, "production was restarted, and may have been restored");
    free(copy);
    free(restore);
}

static void promoted(void **state)
{
    struct follow *f = *state;
    char *standby = check_printf("install -o $(stat -c %%U %s/data) /dev/null "
                                 "%s/data/standby.signal",
                                 prod_server.dir, prod_server.dir);

    start(f);
    cluster_halt(&prod_server, CLUSTER_FAST);
    shell(standby);
    cluster_resume(&prod_server);
    expect_unfit(f, "production was restarted, and may have been restored");
    follow_receipt(f); /* a hot standby is as good a production */
    follow_look(f);
    follow_same(f, "t");
    PROD("select pg_promote()");
    PROD("insert into t values (100, 'after')");
    expect_unfit(f, "production was restored or promoted");
    follow_both(f, "truncate t");
    follow_receipt(f);
    follow_look(f);
    follow_same(f, "t");
    free(standby);
}

static void other_servers_and_databases(void **state)
{
    static const struct {
        const char *set, *why;
    } cases[] = {
        {"system = '1'", "production is another server"},
        {"system = null", "production is another server"},
        {"database = '1'", "production is another database"},
        {"timeline = '00000007'", "production was restored or promoted"},
        {"lsn = 'FFFF/0'", "production has gone back in its log"},
        {"snapshot = '100:9000000000:100'",
         "production has gone back to earlier transactions"},
        {"snapshot = null", "production does not tell its transactions"},
        {"twin_system = '1'", "the twin is on another server"},
        {"twin_database = '1'", "the twin is another database"},
        {"twin_snapshot = '100:9000000000:'",
         "the twin has gone back to earlier transactions"},
    };
    struct follow *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *sql = check_printf("update revtwin.receipt set %s", cases[i].set);

        check_context("%s", cases[i].set);
        if (i == 0)
            start(f);
        else
            follow_receipt(f);
        TWIN(sql);
        expect_unfit(f, cases[i].why);
        free(sql);
    }
    check_context(NULL);
}

static void database_made_anew(void **state)
{
    struct follow *f = *state;

    start(f);
    cluster_exec(&prod_server, "postgres", "create database copy template shop");
    cluster_exec(&prod_server, "postgres", "drop database shop");
    cluster_exec(&prod_server, "postgres", "alter database copy rename to shop");
    expect_unfit(f, "production is another database");
}

/* More than 2^31 transactions: numbers begin anew, and an old one may look like a new
 * one's. Last, because there is no way back. */
static void too_old(void **state)
{
    struct follow *f = *state;
    char *script = check_printf(
        "su $(stat -c %%U %s/data) -s /bin/sh -c '%s/pg_resetwal -e 1 %s/data'",
        twin_server.dir, run_pg_bindir(), twin_server.dir);

    start(f);
    cluster_halt(&twin_server, CLUSTER_FAST);
    shell(script);
    cluster_resume(&twin_server);
    assert_query(
        &twin_server, "dev",
        "select pg_snapshot_xmax(pg_current_snapshot())::text::numeric > 4294967296",
        "t");
    expect_unfit(f, "the twin has had too many transactions since");
    follow_receipt(f);
    follow_look(f);
    follow_same(f, "t");
    TWIN("update t set v = 'mine' where id = 1");
    follow_look(f);
    follow_compare(f, "t", "written on the twin");
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        follow_test(table_renamed_over),
        follow_test(table_replaced_on_the_twin),
        follow_test(tables_swapped),
        follow_test(column_with_a_default_of_the_ddl),
        follow_test(column_of_another_type),
        follow_test(types_altered),
        follow_test(harmless_ddl),
        follow_test(partitions),
        follow_test(tampered_receipt),
        follow_test(other_servers_and_databases),
        follow_test(database_made_anew),
        follow_test(restarted),
        follow_test(crashed),
        follow_test(restored_from_its_disk),
        follow_test(promoted),
        follow_test(too_old),
    };

    return cmocka_run_group_tests_name("recent: fallback", tests, follow_start_servers,
                                       follow_stop_servers);
}
