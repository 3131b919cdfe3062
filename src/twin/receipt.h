/*
 * The receipt: what a resync has done, in a row of revtwin.receipt on the twin, written
 * in the transaction that did it. The newest one says how old the twin is, and lets the
 * next resync look only for what has changed since.
 */
#ifndef RT_TWIN_RECEIPT_H
#define RT_TWIN_RECEIPT_H

#include "base/arena.h"
#include "pg/conn.h"

/* Production at the moment of a snapshot, as far as it tells. */
struct rt_origin {
    const char *system;   /* system identifier, or NULL where it may not be asked */
    const char *timeline; /* or NULL */
    const char *database; /* its OID */
    const char *snapshot; /* pg_current_snapshot() as text: "xmin:xmax:xip,..." */
    const char *lsn;      /* or NULL */
};

struct rt_receipt_table {
    const char *schema, *name;
    const char *prod_oid, *twin_oid;
    unsigned long long rows; /* the same on both */
};

struct rt_receipt {
    bool present;
    const char *id;       /* ascending; NULL when writing */
    const char *taken_at; /* of the snapshot, UTC, production's clock */
    struct rt_origin origin;
    const char *twin_xid;      /* the transaction that wrote it, of the twin's server */
    const char *twin_snapshot; /* and what it saw as running: pg_current_snapshot() */
    const char *twin_system;   /* system identifier of the twin's server, or NULL */
    const char *method, *why;
    unsigned incremental_runs; /* since the last one that compared or copied all */
    bool verified;             /* by row hashes */
    unsigned long long rows_read, rows_written, bytes_read, bytes_written;
    double seconds;
    struct rt_receipt_table *tables;
    size_t table_count;
};

/* The newest one; present is false when there is none. */
int rt_receipt_read(struct rt_receipt *out, struct rt_arena *arena, struct rt_conn *twin,
                    struct rt_err *err) RT_CHECKED;

/* Add one in the connection's transaction, or its own; the table is made where it is
 * missing. twin_xid, twin_snapshot, twin_system and the tables' twin OIDs are filled in
 * by the server. Of earlier ones only the newest few are kept. */
int rt_receipt_write(struct rt_conn *twin, const struct rt_receipt *receipt,
                     struct rt_err *err) RT_CHECKED;

#endif
