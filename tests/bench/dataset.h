/*
 * The database that the benches of the twin copy: the tables of pgbench with foreign
 * keys, the history without a key; narrow rows; wide ones of jsonb, some stored out of
 * line; one with three secondary indexes; uuid and composite keys; a partitioned table;
 * forty small ones. About fourteen million rows and 2 GB at full size.
 */
#ifndef TEST_DATASET_H
#define TEST_DATASET_H

#include "bench.h"
#include "cluster.h"

enum { DATASET_TABLES = 9 }; /* that change; the small ones count as one */

struct dataset {
    const struct cluster *server;
    const char *db;
    long filled[DATASET_TABLES]; /* rows at first; 0: the table is not there */
    long last[DATASET_TABLES];   /* the number of the newest row */
};

/* Fill a database that is there, with about so many megabytes; or with only one table, of
 * narrow rows. */
void dataset_fill(struct dataset *set, int megabytes);
void dataset_fill_narrow(struct dataset *set, long rows);

/* What a transaction is to change, in every table. */
struct dataset_change {
    int permille;   /* of the rows; of 8 changes 5 are updates, 1 a delete, 2 inserts */
    bool scattered; /* all over the table, else the newest; inserts have the next keys */
};
void dataset_change(struct dataset *set, const struct dataset_change *change);

/*
 * The same, and then what the changed rows cost as plain statements: other is a database
 * that is as this one was, and becomes as this one is, from temporary tables that are
 * there already. Returns the seconds of that transaction.
 */
double dataset_change_both(struct dataset *set, const struct dataset_change *change,
                           const struct cluster *other, const char *db);

/* Fail unless the twin has the same rows: sums of another hash than revtwin's, of the
 * rows' text. */
void dataset_expect_equal(const struct dataset *set, const struct cluster *twin,
                          const char *db);

/* VACUUM, ANALYZE and CHECKPOINT: no measurement is to pay for the one before. */
void dataset_settle(const struct cluster *server, const char *db);

#endif
