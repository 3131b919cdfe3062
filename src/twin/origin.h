/*
 * Which server and database rows come from, and how far it was: what tells whether the
 * numbers of its transactions (xmin) can be compared with those of an earlier moment.
 * A restored or promoted server is another one, or has gone backwards, or was started in
 * between.
 */
#ifndef RT_TWIN_ORIGIN_H
#define RT_TWIN_ORIGIN_H

#include "base/arena.h"
#include "pg/conn.h"

/* At one moment. Each is NULL where the server, or its version, refuses to tell. */
struct rt_origin {
    const char *system;   /* system identifier: of the files of initdb, or their copies */
    const char *timeline; /* changes when a server is restored or promoted */
    const char *started;  /* when it was, or has recovered: UTC with microseconds */
    const char *database; /* its OID */
    const char *snapshot; /* pg_current_snapshot() as text: "xmin:xmax:xip,..." */
    const char *lsn;      /* at or after the snapshot */
};

/* Ask in the connection's transaction, which goes on whatever the server refuses, or
 * outside of any. Texts live in the arena. An error is that of a lost connection, or a
 * signal. */
int rt_origin_read(struct rt_origin *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;

#endif
