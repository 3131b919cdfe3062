/*
 * How far a resync is: counters that workers raise and one thread shows now and then.
 * What it looks like is up to report/.
 */
#ifndef RT_TWIN_PROGRESS_H
#define RT_TWIN_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>

struct rt_progress {
    _Atomic(const char *) phase; /* "copying", "comparing", ...: a literal; NULL: none */
    atomic_ullong tables, tables_all;
    atomic_ullong bytes, bytes_all; /* done, and expected (0: not known) */
    atomic_ullong rows_read;        /* of production, for comparing */
    atomic_ullong keys_read;        /* in its indexes alone */
    atomic_ullong read, written;    /* bytes from production, and to the twin */
    void (*show)(void *context, const struct rt_progress *progress); /* or NULL */
    void *context;
};

/* Begin a phase: its name, and counters from zero but rows_read and those after it. */
void rt_progress_phase(struct rt_progress *progress, const char *name,
                       unsigned long long tables_all, unsigned long long bytes_all);

/* Show it, by whoever waits. */
void rt_progress_show(struct rt_progress *progress);

#endif
