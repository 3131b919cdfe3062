/* The tables of the data set. */
#ifndef TEST_TABLES_H
#define TEST_TABLES_H

#include "dataset.h"

struct bench_table {
    const char *name;
    long rows;          /* at full size */
    int parent;         /* index of the table that rows refer to; its own: none */
    int copies;         /* tables of this kind, numbered; 0: one, named as it says */
    bool fixed;         /* as many rows at every size */
    const char *key;    /* columns, or what is as good to find a row by */
    const char *number; /* expression: the row's number; from 1, without gaps at first */
    const char *columns;
    const char *values; /* of row g; $3: rows that the parent has at first */
    const char *change; /* SET clause */
    const char *after;  /* statements: keys, indexes, constraints; or NULL */
};

/* Rows whose number leaves 2 when divided by 3 can be deleted: nothing refers to them. */
extern const struct bench_table bench_tables[DATASET_TABLES];
enum { BENCH_EVENTS = 2 }; /* the narrow ones */

/* Statements: tables that are there before, and never change. */
extern const char bench_tables_before[];

#endif
