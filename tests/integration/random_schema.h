/*
 * Random schemas with data, and random changes, as SQL: the same seed gives the same SQL.
 * Triggers raise an error unless test.mute is on, so that one that fires is noticed.
 */
#ifndef TEST_RANDOM_SCHEMA_H
#define TEST_RANDOM_SCHEMA_H

#include "base/str.h"

enum { RANDOM_TABLES = 7 };

struct random_schema {
    unsigned seed;
    int tables; /* t0, t1, ... */
    struct {
        char key; /* 'i'dentity, 'd' by default, 's'erial, 'u'uid, 'c'omposite, 'n'one,
                     'x' a unique index only */
        bool partitioned, unique, exclusion, generated, child;
        int columns; /* c0, c1, ... */
        int type[6];
        int refers; /* to the table of this number; -1: to none */
    } table[RANDOM_TABLES];
};

void random_schema_make(struct random_schema *out, unsigned seed);

/* Appends what makes the tables with their rows, and then everything else. */
void random_schema_create(struct rt_str *sql, struct random_schema *schema);

/* Appends one change, which may fail, and then has done nothing. */
void random_schema_change(struct rt_str *sql, struct random_schema *schema);

/* Numbers below limit. */
int random_below(struct random_schema *schema, int limit);

#endif
