/* The .sql files in which two trees differ; a tree against none is its listing. */
#ifndef RT_GIT_DIFF_H
#define RT_GIT_DIFF_H

#include "git/object.h"

/* One side of a path is zero (oid and mode) where the file is not. */
struct rt_change {
    const char *path; /* in the arena */
    git_oid before, after;
    uint32_t mode; /* of the side that there is; after's when there are both */
};

struct rt_changes {
    struct rt_change *items;
    size_t count, cap;
}; /* starts as {0}; items are the caller's to free */

/*
 * Append the entries named *.sql that differ in content between the trees before and
 * after (each may be zero) to out, in git's order. Paths are prefixed with folder. Equal
 * subtrees are not read.
 */
int rt_tree_diff(struct rt_changes *out, struct rt_arena *arena, struct rt_repo *repo,
                 const git_oid *before, const git_oid *after, const char *folder,
                 struct rt_err *err) RT_CHECKED;

#endif
