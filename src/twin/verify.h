/*
 * Verify: whether the twin has production's rows, by counts and row hashes, and whether
 * sequences are where production's are. Both sides are only read, each at one snapshot.
 * Of materialized views it only counts that they are populated where production's are:
 * what they hold is as of their last refresh, and a dump has not got it, either.
 */
#ifndef RT_TWIN_VERIFY_H
#define RT_TWIN_VERIFY_H

#include "twin/progress.h"
#include "twin/sequence.h"

enum { RT_VERIFY_ROWS = 5 };

struct rt_verified_table {
    const char *ident;
    unsigned long long prod_rows, twin_rows;
    bool differs;
    /* The first rows that do, when they were asked for: "only in production: id=5". */
    const char *rows[RT_VERIFY_ROWS];
    size_t row_count;
};

struct rt_verify {
    const struct rt_server *prod, *twin;
    unsigned workers;
    bool name_rows;
    struct rt_progress *progress;
    /* results: */
    struct rt_verified_table *tables;
    size_t count, differing;       /* tables */
    struct rt_sequence *sequences; /* that are elsewhere on the twin */
    size_t sequence_count;
    const char *views; /* populated on one side only: "public.m, ..."; NULL: none */
    unsigned long long rows, read; /* of production: that it has, that were read */
    const char *taken_at;          /* UTC, production's clock */
    const char **left_out;         /* what was not compared, as of rt_tables */
    size_t left_out_count;
};

/* Errors as rt_guard_direction and rt_tables_read, -RT_EDIFFERS when the schemas differ,
 * so that rows cannot be compared. Rows that differ are a result. */
int rt_verify(struct rt_verify *job, struct rt_arena *arena,
              struct rt_err *err) RT_CHECKED;

#endif
