/* What the benches share: a clock, medians, and history made quickly. */
#ifndef TEST_BENCH_H
#define TEST_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double bench_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts the times. */
static inline double bench_median(double *times, size_t count)
{
    qsort(times, count, sizeof(*times), bench_compare);
    return times[count / 2];
}

/* The head of a commit in the language of git fast-import. */
static inline void bench_commit(FILE *to, int number)
{
    fprintf(to,
            "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n"
            "data <<.\nstep %d\n.\n",
            1700000000 + number * 60, number);
}

#endif
