/*
 * The receipt: what a resync has done, in a row of revtwin.receipt on the twin, written
 * in the transaction that did it. The newest one says how old the twin is, and lets the
 * next resync look only for what has changed since.
 *
 * Rows and receipt change together, so that also a copy or an earlier state of the twin
 * has the receipt which its rows belong to.
 */
#ifndef RT_TWIN_RECEIPT_H
#define RT_TWIN_RECEIPT_H

#include "twin/origin.h"

struct rt_receipt_table {
    const char *schema, *name; /* not quoted */
    const char *prod_oid;
    const char *twin_oid;    /* NULL when the table was not there; unused in writing */
    unsigned long long rows; /* the same on both */
};

struct rt_receipt {
    bool present;
    const char *id;         /* ascending; NULL when writing */
    const char *taken_at;   /* of the snapshot, UTC, production's clock */
    const char *written_at; /* UTC, the twin's clock; not used when writing */
    long age;               /* seconds since taken_at by the twin's clock; negative when
                               the clocks disagree; not used when writing */
    struct rt_origin origin;
    const char *twin_xid;      /* the transaction that wrote it, of the twin's server */
    const char *twin_snapshot; /* and what it saw as running: pg_current_snapshot() */
    const char *twin_system;   /* system identifier of the twin's server, or NULL */
    const char *twin_database; /* the twin's OID there */
    const char *method, *why;
    unsigned incremental_runs; /* since the last one that compared or copied all */
    bool verified;             /* by row hashes */
    unsigned long long rows_read, rows_written, bytes_read, bytes_written;
    double seconds;
    struct rt_receipt_table *tables; /* ordered by schema and name, bytewise */
    size_t table_count;
};

/* The newest one; present is false when there is none. Texts live in the arena. */
int rt_receipt_read(struct rt_receipt *out, struct rt_arena *arena, struct rt_conn *twin,
                    struct rt_err *err) RT_CHECKED;

/*
 * Add one in the connection's transaction, or its own; the table is made where it is
 * missing. twin_xid to twin_database and the tables' twin OIDs are filled in
 * by the server. Of earlier ones only the newest few are kept.
 *
 * Every row of the tables must have been written by this transaction (not by one that is
 * nested in it: a savepoint's rows carry another number), or by one that had ended.
 */
int rt_receipt_write(struct rt_conn *twin, const struct rt_receipt *receipt,
                     struct rt_err *err) RT_CHECKED;

/* NULL when there is none of that name. */
const struct rt_receipt_table *rt_receipt_find(const struct rt_receipt *receipt,
                                               const char *schema, const char *name);

#endif
