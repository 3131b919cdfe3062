/* Whatever happens to rows and tables after a receipt: a delta that trusts it leaves the
 * twin equal, and a full comparison then finds nothing that it has missed. */
#include <stdlib.h>
#include <string.h>

#include "follow.h"

#define PROD(sql) cluster_exec(&prod_server, "shop", sql)
#define TWIN(sql) cluster_exec(&twin_server, "dev", sql)

static const char *const schema =
    "create table t (id int primary key, v text, n numeric);"
    "create table spare (id int primary key, v text, n numeric);"
    "create table d (k numeric primary key, v text);"
    "create table bag (a int, b text);"
    "create table p (id int primary key, v text) partition by range (id);"
    "create table p1 partition of p for values from (0) to (100);"
    "create table p2 partition of p for values from (100) to (200);"
    "create table p3 (id int primary key, v text);"
    "insert into t select n, 'v' || n, n from generate_series(1, 60) n;"
    "insert into spare select n, 'spare', n from generate_series(1, 60) n;"
    "insert into d select n, 'd' from generate_series(1, 40) n;"
    "insert into bag select n % 5, 'b' from generate_series(1, 30) n;"
    "insert into p select n, 'p' from generate_series(1, 199) n;"
    "insert into p3 select n, 'three' from generate_series(200, 220) n";

#define CHANGES                                                              \
    "update t set v = 'w' where id < 9; delete from t where id in (20, 21);" \
    "insert into t values (70, 'new', 1)"

/* What happens on each side; in_full: how many tables a scan does not do for. */
static const struct happening {
    const char *name, *both, *prod, *twin;
    unsigned in_full;
    const char *chore; /* on both sides, afterwards */
} happenings[] = {
    {"writes", "", CHANGES, "", .in_full = 0},
    {"deletes alone", "", "delete from t where id > 50; delete from p where id = 3", "",
     .in_full = 0},
    {"a table under another's name",
     "alter table t rename to old; alter table spare rename to t", CHANGES, "",
     .in_full = 2},
    {"a table dropped and made again", "",
     "create table n (like t including all); insert into n select id, 'n', 0 from t;"
     "drop table t; alter table n rename to t; alter index n_pkey rename to t_pkey",
     "", .in_full = 1},
    {"a default that the DDL evaluates",
     "alter table t add at timestamptz default clock_timestamp() - random() * interval "
     "'1 day'; alter table d add at timestamptz default now()",
     "", "", .in_full = 2},
    {"a column that goes and comes",
     "alter table t drop v; alter table t add v text "
     "default current_database()",
     "", "", .in_full = 1},
    {"a column of another type",
     "alter table t alter n type text using n || "
     "current_database()",
     "", "", .in_full = 1},
    {"another key",
     "alter table t drop constraint t_pkey; alter table t add primary key (v)",
     "update t set n = 0 where id < 9; delete from t where id = 20", "", .in_full = 1},
    {"VACUUM FREEZE", "", CHANGES, "", .in_full = 0, .chore = "vacuum (freeze)"},
    {"VACUUM FULL", "", CHANGES, "", .in_full = 0, .chore = "vacuum (full) t"},
    {"CLUSTER", "", CHANGES, "", .in_full = 0, .chore = "cluster t using t_pkey"},
    {"TRUNCATE, and loaded again", "",
     "begin; create temp table keep as select * from t; truncate t; insert into t select "
     "id, v || 'x', n from keep where id <> 5; drop table keep; commit",
     "", .in_full = 0},
    {"COPY FREEZE", "",
     "begin; truncate t; copy t (id) from program 'seq 3 80' with (freeze); commit", "",
     .in_full = 0},
    {"row locks, and writes beneath them", "",
     "begin; select count(*) from (select from t for share) s; commit;" CHANGES ";"
     "begin; select count(*) from (select from d for update) s; commit",
     "", .in_full = 0},
    {"subtransactions", "",
     "begin; savepoint a; update t set v = 'a' where id = 1; savepoint b; update t set v "
     "= 'b' where id = 2; rollback to b; delete from t where id = 3; release a; commit",
     "", .in_full = 0},
    {"partitions come and go",
     "alter table p attach partition p3 for values from (200) to (300);"
     "alter table p detach partition p1",
     "update p set v = 'x' where id % 10 = 0; update p1 set v = 'alone' where id = 5;"
     "delete from p where id = 205",
     "", .in_full = 2},
    {"rows that move between partitions", "",
     "delete from p where id between 110 and 120; update p set id = id + 100 where id "
     "between 10 and 20",
     "", .in_full = 0},
    {"drift", "", CHANGES,
     "update t set v = 'mine' where id = 30; delete from d where k = 3; insert into "
     "spare "
     "values (500, 'mine', 0)",
     .in_full = 3},
    {"drift under a change of the same row", "", CHANGES,
     "update t set v = 'mine' where id = 5; delete from t where id = 6; insert into t "
     "values (70, 'mine', 7)",
     .in_full = 1},
    {"a table without a key", "", "insert into bag values (1, 'b'), (9, 'c')", "",
     .in_full = 1},
    /* Equal for the key, but not the same: found by their hashes, these are too many. */
    {"keys that do not add up", "",
     "update d set k = k + 0.00 where k < 9; delete from d where k = 30", "",
     .in_full = 1},
};

static void start(struct follow *f)
{
    follow_both(f, "set client_min_messages = error; drop schema public cascade; create "
                   "schema public; drop schema if exists revtwin cascade");
    follow_both(f, schema);
    follow_delta(f, false);
}

/* The twin is equal: a full comparison has nothing to do, nor to complain of. */
static void expect_nothing_missed(struct follow *f)
{
    follow_delta(f, true);
    if (f->delta.tables_changed > 0 || f->delta.missed)
        check_fail("%lu tables were not equal: %s", f->delta.tables_changed,
                   f->delta.missed ? f->delta.missed : "");
}

static void whatever_happens(void **state)
{
    struct follow *f = *state;

    for (size_t i = 0; i < sizeof(happenings) / sizeof(*happenings); i++) {
        const struct happening *h = &happenings[i];

        check_context("%s", h->name);
        start(f);
        follow_both(f, h->both);
        PROD(h->prod);
        TWIN(h->twin);
        if (h->chore)
            follow_both(f, h->chore);
        follow_delta(f, false);
        assert_contains(f->delta.receipt.why, "incremental: ");
        if (f->delta.tables_compared != h->in_full)
            check_fail("%lu tables were compared in full", f->delta.tables_compared);
        expect_nothing_missed(f);
    }
    check_context(NULL);
}

/* Who was at work when the receipt was written, and ends later. */
static void what_was_under_way(void **state)
{
    struct follow *f = *state;
    PGconn *open;

    start(f);
    open = cluster_connect(&prod_server, "shop");
    PQclear(PQexec(open, "begin; savepoint a; update t set v = 'open' where id = 1;"
                         "savepoint b; insert into d values (1000, 'open')"));
    PROD("begin; delete from d where k = 5; insert into spare values (100, 'later', 0);"
         "prepare transaction 'later'");
    PROD("update t set v = 'w' where id = 2");
    follow_delta(f, false);
    PQclear(PQexec(open, "rollback to b; insert into d values (1001, 'open'); commit"));
    PQfinish(open);
    follow_delta(f, false);
    assert_int_equal(f->delta.tables_compared, 0);
    PROD("commit prepared 'later'");
    follow_delta(f, false);
    assert_int_equal(f->delta.tables_compared, 0);
    assert_int_equal(f->delta.tables_changed, 2);
    expect_nothing_missed(f);
}

/* Addresses of rows that do not fit into memory are asked for once more. */
static void more_than_can_be_kept(void **state)
{
    struct follow *f = *state;

    start(f);
    f->keep = 10;
    PROD("update t set v = 'w' where id < 30; delete from t where id = 50;"
         "update d set v = 'w' where k < 8; insert into p select n, 'x' from "
         "generate_series(50, 52) n on conflict do nothing; update p set v = 'y' where "
         "id between 101 and 140");
    follow_delta(f, false);
    assert_int_equal(f->delta.tables_changed, 3);
    assert_int_equal(f->delta.tables_compared, 0);
    expect_nothing_missed(f);
    /* And where a full comparison checks the scan, nothing of it counts as missed. */
    PROD("update t set v = 'x'");
    follow_delta(f, true);
    assert_null(f->delta.missed);
}

/* Somebody has hidden a change of the twin from its receipt: with the same counts, other
 * keys. What is wrong shows as soon as rows come or go. */
static void counts_that_cannot_be(void **state)
{
    struct follow *f = *state;

    start(f);
    TWIN("update t set id = 500 where id = 5");
    TWIN("update revtwin.receipt set twin_snapshot = pg_current_snapshot()");
    PROD("insert into t values (500, 'new', 0)");
    follow_delta(f, false);
    assert_int_equal(f->delta.tables_compared, 1);
    expect_nothing_missed(f);
    follow_both(f,
                "insert into t select n, 'more', 0 from generate_series(1000, 1300) n");
    follow_delta(f, false);
    TWIN("update t set id = 9000 where id = 6");
    TWIN("update revtwin.receipt set twin_snapshot = pg_current_snapshot()");
    PROD("delete from t where id = 1200");
    follow_delta(f, false);
    assert_int_equal(f->delta.tables_compared, 1);
    expect_nothing_missed(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        follow_test(whatever_happens),
        follow_test(what_was_under_way),
        follow_test(more_than_can_be_kept),
        follow_test(counts_that_cannot_be),
    };

    return cmocka_run_group_tests_name("recent: cases", tests, follow_start_servers,
                                       follow_stop_servers);
}
