/*
 * The rebuild method: copy production into a database beside the twin, its schema
 * with pg_dump and pg_restore and its rows over connections of our own, prove the copy
 * equal, and put it in the twin's place. Until that moment the twin
 * is not touched; the next database is dropped when anything fails.
 *
 * Owners and rights of objects are not copied (--no-owner --no-acl), nor are comments on
 * extensions, which only their owner may write, nor publications (FOR ALL TABLES is the
 * superuser's), subscriptions, security labels and tablespaces. Large objects and the
 * rows of foreign tables are left out (snapshot.tables.left_out).
 */
#ifndef RT_TWIN_REBUILD_REBUILD_H
#define RT_TWIN_REBUILD_REBUILD_H

#include "twin/progress.h"
#include "twin/rebuild/site.h"
#include "twin/receipt.h"
#include "twin/snapshot.h"
#include "twin/tools.h"

#define RT_REBUILD "rebuild" /* the method's name */

struct rt_rebuild {
    struct rt_conn *prod; /* outside of any transaction; only read */
    const struct rt_server *twin;
    struct rt_place place;
    const struct rt_tools *tools;
    const char *source;     /* for the mark: what production is called */
    const char *adopted_at; /* for the mark: of the twin that is replaced, or NULL */
    struct rt_swap swap;
    const char *why;              /* for the receipt, or NULL */
    unsigned workers;             /* 0: as many as is usual */
    struct rt_progress *progress; /* or NULL */
    /* results: */
    struct rt_receipt receipt; /* what was written to the twin */
    const char **violated;     /* as of rt_resync_result */
    size_t violated_count;
    int64_t started;
    struct rt_snapshot snapshot; /* closed */
    unsigned long long size;     /* bytes */
    unsigned long tables;
    const char *kept; /* the database that the twin was, or NULL; in the arena */
};

/* Errors say that the twin is as it was, except -RT_EUNKNOWN, which says that this is not
 * known. */
int rt_rebuild(struct rt_rebuild *job, struct rt_arena *arena,
               struct rt_err *err) RT_CHECKED;

#endif
