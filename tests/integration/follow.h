/*
 * A production and a twin of it that are equal as of a receipt, for tests of what is
 * found to have changed since: database "shop" and database "dev", a server each.
 *
 *     follow_both(f, "create table t (id int primary key)");
 *     follow_receipt(f);
 *     cluster_exec(&prod_server, "shop", "insert into t values (1)");
 *     follow_look(f);
 *     follow_changed(f, "t", 1);
 */
#ifndef TEST_FOLLOW_H
#define TEST_FOLLOW_H

#include "check.h"
#include "cluster.h"
#include "twin/delta/delta.h"
#include "twin/delta/recent.h"

extern struct cluster prod_server, twin_server;
int follow_start_servers(void **state);
int follow_stop_servers(void **state);

struct follow {
    struct rt_server prod, twin;
    struct rt_arena arena;
    struct rt_err err;
    size_t keep;           /* of the deltas to come: see rt_recent_setup */
    struct rt_delta delta; /* the last one */
    /* of the last follow_look: */
    const char *unfit; /* why the receipt says nothing, or NULL */
    struct rt_pair *pairs;
    size_t count;
    struct rt_recent_table *found; /* one a pair */
};

int follow_open(void **state);
int follow_close(void **state);

#define follow_test(test) cmocka_unit_test_setup_teardown(test, follow_open, follow_close)

/* Run SQL on both sides. */
void follow_both(struct follow *f, const char *sql);

/* Write a receipt that says that both are equal; fail unless they have as many rows. */
void follow_receipt(struct follow *f);

/* Make the twin equal by a delta, as f->delta; everything is then checked to be so. */
void follow_delta(struct follow *f, bool full_compare);

/* Fail unless every table has the same rows on both sides. */
void follow_equal(struct follow *f);

/* Scan, as a resync would. */
void follow_look(struct follow *f);

/* The last look has found this of a table of the schema public. */
void follow_same(struct follow *f, const char *table);
void follow_changed(struct follow *f, const char *table, unsigned long long rows);
void follow_compare(struct follow *f, const char *table, const char *why);

#endif
