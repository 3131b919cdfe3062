/*
 * What the files of this folder share: the inside of a handle, and objects by name.
 *
 * Commits and trees are read raw from the object database: a walk over thousands of
 * steps needs two lines of each commit and one entry of each tree, and the raw header of
 * a commit names parents that libgit2 hides in a shallow clone.
 */
#ifndef RT_GIT_OBJECT_H
#define RT_GIT_OBJECT_H

#include <git2.h>

#include "git/repo.h"

struct rt_repo {
    git_repository *git;
    git_odb *odb;
    bool shallow;
};

/* The zero name stands for "none": no parent, no folder, no file. */
struct rt_oid rt_oid_make(const git_oid *oid);
git_oid rt_oid_parse(const struct rt_oid *oid);

/* Fill err with the message and what libgit2 said last. Returns -status. */
int rt_git_error(struct rt_err *err, enum rt_status status, const char *fmt, ...)
    RT_PRINTF(3, 4);

/* After that: say how to get the full history, when the repository lacks some. */
int rt_shallow_hint(struct rt_err *err, const struct rt_repo *repo);

/*
 * Read an object, for the caller to free with git_odb_object_free. When it is missing,
 * the error names it: -RT_EREFUSED in a shallow clone, otherwise -RT_EINTERNAL.
 */
int rt_object_read(git_odb_object **out, struct rt_repo *repo, const git_oid *oid,
                   git_object_t type, struct rt_err *err) RT_CHECKED;

struct rt_commit {
    git_oid tree;
    git_oid parent; /* the first one */
};

int rt_commit_read(struct rt_commit *out, struct rt_repo *repo, const git_oid *oid,
                   struct rt_err *err) RT_CHECKED;

/* One entry of a raw tree. The name, borrowed from the object, is followed by a NUL. */
struct rt_node {
    const char *name;
    size_t len;
    uint32_t mode; /* 0: no entry */
    git_oid oid;
};

static inline bool rt_node_is_folder(const struct rt_node *node)
{
    return (node->mode & 0170000) == 0040000;
}

/* The unread rest of a raw tree. */
struct rt_tree_cursor {
    const char *at, *end;
};

struct rt_tree_cursor rt_tree_cursor(const git_odb_object *tree); /* NULL is empty */

/* Take the next entry; mode is 0 at the end. -1 when the tree is malformed. */
int rt_tree_next(struct rt_node *out, struct rt_tree_cursor *cursor) RT_CHECKED;
int rt_tree_malformed(struct rt_err *err, const git_oid *tree);

/*
 * What a name is in a tree (there is nothing in the zero tree), and what a path is: parts
 * joined by single slashes, "" for the tree itself. mode is 0 when there is no such
 * entry; name is not filled.
 */
int rt_tree_find(struct rt_node *out, struct rt_repo *repo, const git_oid *tree,
                 const char *name, size_t len, struct rt_err *err) RT_CHECKED;
int rt_tree_lookup(struct rt_node *out, struct rt_repo *repo, const git_oid *tree,
                   const char *path, struct rt_err *err) RT_CHECKED;

#endif
