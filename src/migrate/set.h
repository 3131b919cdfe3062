/*
 * The set: every migration in the tree of a commit, with the checksum of its content.
 * Content is hashed and let go, so the memory is that of the largest file.
 */
#ifndef RT_MIGRATE_SET_H
#define RT_MIGRATE_SET_H

#include "base/hash.h"
#include "git/tree.h"
#include "migrate/ledger.h"

struct rt_migration {
    const char *path;
    struct rt_oid oid;
    struct rt_digest checksum;
    struct rt_digest with_lf, with_crlf; /* the checksum with these line ends; empty when
                                            there is no ledger, or it has the checksum */
    bool down;           /* undoes another one, or is none in this layout: listed, never
                            applied forward */
    bool line_ends_only; /* differs from what was applied only by CRLF against LF */
};

struct rt_set {
    struct rt_migration *migrations; /* in natural order of path, in the arena */
    size_t count;
};

/* Whether the file is a down migration by one of the usual naming rules:
 * NAME.down.sql, down.sql, U<version>__NAME.sql. */
bool rt_is_down(const char *path);

/*
 * Collect the set from a listing. With a ledger (NULL: none), line_ends_only is settled
 * for files whose row has another checksum: against the checksum, or where line ends are
 * mixed, against the file in the commit of the row, if it is there. Errors: -RT_EREFUSED
 * with the path for a symbolic link, a submodule, or a path that is not UTF-8.
 */
int rt_set_collect(struct rt_set *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_listing *listing, const struct rt_ledger *ledger,
                   struct rt_err *err) RT_CHECKED;

/* Settle line_ends_only against another set, which counts as applied when there is no
 * ledger yet. */
int rt_set_compare(struct rt_set *set, struct rt_repo *repo, const struct rt_set *applied,
                   struct rt_err *err) RT_CHECKED;

/* Whether it is what has this checksum, if need be with other line ends. */
bool rt_migration_is(const struct rt_migration *migration, const char *checksum);

/* The migration of the path, or NULL. */
const struct rt_migration *rt_set_find(const struct rt_set *set, const char *path);

#endif
