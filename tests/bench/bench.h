/* What the benches share: a clock, medians, and history made quickly. */
#ifndef TEST_BENCH_H
#define TEST_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "repo.h"

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

/* A pipe for commits of main in the language of git fast-import, and its end. */
static inline FILE *bench_import(const struct repo *repo)
{
    char *command =
        check_printf("git -C '%s' -c pack.compression=1 fast-import --quiet", repo->dir);
    FILE *pipe = popen(command, "w"); /* NOLINT(cert-env33-c): a command of our own */

    if (!pipe)
        check_fail("cannot run %s", command);
    free(command);
    return pipe;
}

static inline void bench_imported(FILE *pipe)
{
    if (pclose(pipe) != 0)
        check_fail("git fast-import failed");
}

/* The head of a commit. */
static inline void bench_commit(FILE *to, int number)
{
    fprintf(to,
            "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n"
            "data <<.\nstep %d\n.\n",
            1700000000 + number * 60, number);
}

#endif
