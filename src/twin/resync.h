/*
 * Resync: production into the twin, whole and atomically; production is only read.
 * Collects and decides first (the guards, the mark), then brings the twin in line by what
 * differs, or where that cannot be done builds it anew.
 */
#ifndef RT_TWIN_RESYNC_H
#define RT_TWIN_RESYNC_H

#include "base/arena.h"
#include "pg/conn.h"
#include "twin/progress.h"

enum rt_method {
    RT_METHOD_AUTO,        /* delta, and where that cannot be done, rebuild */
    RT_METHOD_DELTA,       /* or nothing */
    RT_METHOD_INCREMENTAL, /* delta by the last receipt, or nothing */
    RT_METHOD_REBUILD,
};

/* False when there is none of that name. */
bool rt_method_parse(enum rt_method *out, const char *name);

/*
 * Brings the twin's schema forward before rows are compared: how, this layer does not
 * know. Both connections are only read, outside of or in a read-only transaction, which
 * may be ended. 1 when something was done to the twin, 0 when not, or an error that ends
 * the resync; that the schemas still differ is none.
 */
struct rt_catch_up {
    int (*run)(void *context, struct rt_conn *prod, struct rt_conn *twin,
               struct rt_err *err);
    void *context;
};

struct rt_resync_options {
    bool adopt;            /* the twin may have contents that no resync has made */
    const char *bindir;    /* folder of pg_dump and pg_restore; NULL: look for them */
    int swap_wait_seconds; /* for sessions on the twin to end, and locks to be given back
                            */
    bool force;            /* end sessions that are in the way then */
    bool keep_previous;    /* the twin that a rebuild replaces stays beside it */
    bool in_place;         /* a rebuild is one transaction on the twin itself */
    enum rt_method method;
    bool full_compare; /* compare every table, whatever receipts say */
    unsigned workers;  /* 0: by the number of processors */
    struct rt_catch_up catch_up;
    struct rt_progress *progress; /* or NULL */
};

/* Texts live in the arena. */
struct rt_resync_result {
    const char *method;      /* "rebuild", "delta", ... */
    bool in_place;           /* the rebuild was */
    const char *why;         /* it was chosen */
    const char *source;      /* "DATABASE on HOST", of production */
    const char *twin;        /* the same of the twin */
    const char *snapshot_at; /* UTC; everything committed by then is in the twin */
    double seconds;
    bool verified;           /* what was written was compared with production again */
    unsigned long long size; /* of a twin that was rebuilt, in bytes */
    unsigned long tables, tables_changed, tables_compared; /* the last: in full */
    unsigned long long rows_read, rows_written, bytes_read, bytes_written;
    unsigned long long keys_read; /* in production's indexes, without reading a row */
    const char *missed; /* what earlier runs had wrongly taken for equal, mended by this
                           one; NULL: nothing */
    const char **left_out; /* what of production is not in the twin: "foreign table
                              public.f", of which it has no rows */
    size_t left_out_count;
    const char **violated; /* foreign keys that are NOT VALID on the twin, as production's
                              own rows violate them: "k on public.t" */
    size_t violated_count;
    const char *kept;    /* the database that the twin was, or NULL */
    const char *kept_at; /* which is production as of then, UTC; NULL: not known */
};

/*
 * Errors: -RT_EREFUSED and -RT_EUSAGE from the guards, and -RT_EREFUSED when the method
 * asked for cannot be used; -RT_ELOCKED when another resync of this twin runs, -RT_EINT
 * and -RT_ETERM, -RT_EDIFFERS when what would be the twin is not equal to production,
 * -RT_EINTERNAL: the twin is as it was, but for what catch_up did.
 * -RT_EUNKNOWN when the connection was lost at the moment of commit or swap and could not
 * be made again.
 */
int rt_resync(struct rt_resync_result *out, struct rt_arena *arena,
              const struct rt_server *prod, const struct rt_server *twin,
              const struct rt_resync_options *options, struct rt_err *err) RT_CHECKED;

#endif
