/*
 * The mark: the table revtwin.twin, which a twin has and production never has. Its one
 * row says what the twin is a copy of, and as of when.
 */
#ifndef RT_TWIN_MARK_H
#define RT_TWIN_MARK_H

#include "base/arena.h"
#include "pg/conn.h"

/* Times are UTC as 2025-01-31T12:00:00Z. Texts live in the reader's arena. */
#define RT_MARK_EXISTS "SELECT to_regclass('revtwin.twin') IS NOT NULL"

struct rt_twin_mark {
    bool present;
    const char *source;      /* "DATABASE on HOST"; no secrets */
    const char *snapshot_at; /* production's clock: everything committed by then is in */
    const char *lsn;         /* of production, or NULL */
    const char *method;      /* "rebuild" */
    const char *version;     /* of the revtwin that made it */
    const char *adopted_at;  /* first resync into this twin; NULL when writing: now */
    const char *resynced_at; /* the twin's clock; not used when writing */
    long age;                /* seconds since snapshot_at by the twin's clock */
};

/* Read the mark; present is false when there is none. */
int rt_mark_read(struct rt_twin_mark *out, struct rt_arena *arena, struct rt_conn *conn,
                 struct rt_err *err) RT_CHECKED;

/* Make the table where it is missing, and its row, in place of the one that there is. */
int rt_mark_write(struct rt_conn *conn, const struct rt_twin_mark *mark,
                  struct rt_err *err) RT_CHECKED;

#endif
