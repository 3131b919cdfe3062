/* The programs that dump and restore, in a version that fits both servers. */
#ifndef RT_TWIN_TOOLS_H
#define RT_TWIN_TOOLS_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_tools {
    const char *pg_dump, *pg_restore; /* paths, of one installation; in the arena */
    int major;                        /* 15 */
};

/*
 * Choose the lowest version that is not older than production, from bindir when it is
 * given, else from /usr/lib/postgresql and PATH. -RT_EINTERNAL with the package to
 * install when there is none: pg_dump refuses a server newer than itself, and pg_restore
 * from version 17 on sets a parameter that older servers do not know.
 */
int rt_tools_find(struct rt_tools *out, struct rt_arena *arena, const char *bindir,
                  struct rt_conn *prod, const struct rt_conn *twin,
                  struct rt_err *err) RT_CHECKED;

#endif
