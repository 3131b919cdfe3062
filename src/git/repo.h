/*
 * A repository, read with libgit2: revisions, trees and blobs of commits. The checkout
 * is never read here, and a bare repository serves as well.
 */
#ifndef RT_GIT_REPO_H
#define RT_GIT_REPO_H

#include "base/arena.h"
#include "base/err.h"

/* An object name as lower-case hex; empty (hex[0] == 0) when there is none. */
struct rt_oid {
    char hex[65];
};

struct rt_repo; /* a handle; not thread-safe */

/*
 * Open the repository that contains dir. Errors: -RT_EUSAGE when there is none (dir is
 * named), -RT_EINTERNAL when git refuses it (other owner: the hint has the
 * safe.directory command).
 */
int rt_repo_open(struct rt_repo **out, const char *dir, struct rt_err *err) RT_CHECKED;
void rt_repo_close(struct rt_repo *repo); /* NULL is fine */

/*
 * Resolve a revision (as git rev-parse REV^{commit}) to a commit. Errors: -RT_EUSAGE for
 * an unknown revision, and for a HEAD without commits; an object that a shallow clone
 * lacks says fetch-depth: 0.
 */
int rt_repo_resolve(struct rt_oid *out, struct rt_repo *repo, const char *rev,
                    struct rt_err *err) RT_CHECKED;

/*
 * The first parent of a commit; out->hex is empty for a root commit. A parent that is
 * missing from a shallow clone is an error -RT_EREFUSED that says fetch-depth: 0, never
 * "no parent" (newer libgit2 hides it behind grafts, so the raw header is read).
 */
int rt_repo_first_parent(struct rt_oid *out, struct rt_repo *repo,
                         const struct rt_oid *commit, struct rt_err *err) RT_CHECKED;

/*
 * 1 when ancestor is reachable from commit or equal to it, 0 when not, or an error:
 * -RT_EREFUSED when a shallow clone cannot tell.
 */
int rt_repo_is_ancestor(struct rt_repo *repo, const struct rt_oid *ancestor,
                        const struct rt_oid *commit, struct rt_err *err) RT_CHECKED;

/* First line of the commit message, in the arena, invalid UTF-8 replaced. */
int rt_repo_subject(const char **out, struct rt_arena *arena, struct rt_repo *repo,
                    const struct rt_oid *commit, struct rt_err *err) RT_CHECKED;

/* A blob's bytes, borrowed from the handle until rt_blob_close: private memory, with a
 * NUL behind it (libgit2 sees to both). They have been checked to be what the object's
 * name says. */
struct rt_blob {
    void *handle;
    const char *data;
    size_t len;
};

int rt_blob_open(struct rt_blob *out, struct rt_repo *repo, const struct rt_oid *oid,
                 struct rt_err *err) RT_CHECKED;
void rt_blob_close(struct rt_blob *blob); /* {0} is fine; leaves {0} */

/* The name of the blob that the path is in the tree of the commit, or the blob: 1, or 0
 * when there is no such commit here, or no file, or an error. */
int rt_blob_find_at(struct rt_oid *out, struct rt_repo *repo, const struct rt_oid *commit,
                    const char *path, struct rt_err *err) RT_CHECKED;
int rt_blob_open_at(struct rt_blob *out, struct rt_repo *repo,
                    const struct rt_oid *commit, const char *path,
                    struct rt_err *err) RT_CHECKED;

#endif
