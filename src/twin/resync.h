/*
 * Resync: production into the twin, whole and atomically. Collects and decides first
 * (the guards, the tools), then rebuilds the twin; production is only read.
 */
#ifndef RT_TWIN_RESYNC_H
#define RT_TWIN_RESYNC_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_resync_options {
    bool adopt;            /* the twin may have contents that no resync has made */
    const char *bindir;    /* folder of pg_dump and pg_restore; NULL: look for them */
    int swap_wait_seconds; /* for sessions on the twin to end */
    bool force;            /* end them for the swap */
    bool keep_previous;    /* the twin that a rebuild replaces stays beside it */
};

/* Texts live in the arena. */
struct rt_resync_result {
    const char *method;      /* "rebuild" */
    const char *source;      /* "DATABASE on HOST", of production */
    const char *twin;        /* the same of the twin */
    const char *snapshot_at; /* UTC; everything committed by then is in the twin */
    double seconds;
    unsigned long long size; /* of the twin, in bytes */
    unsigned long tables;
    const char *kept;    /* the database that the twin was, or NULL */
    const char *kept_at; /* which is production as of then, UTC; NULL: not known */
};

/*
 * Errors: -RT_EREFUSED and -RT_EUSAGE from the guards, -RT_ELOCKED when another resync of
 * this twin runs, -RT_EINT and -RT_ETERM, -RT_EINTERNAL: the twin is as it was.
 * -RT_EUNKNOWN when the connection was lost during the swap and could not be made again.
 */
int rt_resync(struct rt_resync_result *out, struct rt_arena *arena,
              const struct rt_server *prod, const struct rt_server *twin,
              const struct rt_resync_options *options, struct rt_err *err) RT_CHECKED;

#endif
