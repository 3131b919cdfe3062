/* The migration files in the tree of a commit. */
#ifndef RT_GIT_TREE_H
#define RT_GIT_TREE_H

#include "git/path.h"
#include "git/repo.h"

enum rt_entry_kind { RT_ENTRY_FILE, RT_ENTRY_SYMLINK, RT_ENTRY_SUBMODULE };

struct rt_entry {
    const char *path; /* from the repository's root; raw bytes as git has them */
    struct rt_oid oid;
    enum rt_entry_kind kind;
};

struct rt_listing {
    struct rt_entry *entries; /* in natural order of path, in the arena */
    size_t count;
};

/*
 * All entries named *.sql at any depth below folder ("" or "." is the whole tree) in the
 * tree of commit; an empty commit oid is an empty listing. When the tree has no such
 * folder (nothing or something else is there), that is -RT_EUSAGE when must_exist,
 * otherwise an empty listing. A folder outside of the repository is always -RT_EUSAGE.
 */
int rt_tree_list(struct rt_listing *out, struct rt_arena *arena, struct rt_repo *repo,
                 const struct rt_oid *commit, const char *folder, bool must_exist,
                 struct rt_err *err) RT_CHECKED;

/* Leave out what is no regular file. */
void rt_listing_keep_files(struct rt_listing *listing);

/* Put the entries into natural order of path. */
void rt_listing_sort(struct rt_listing *listing);

/* The entry of the path, or NULL. */
const struct rt_entry *rt_listing_find(const struct rt_listing *listing,
                                       const char *path);

/*
 * New .sql files of the checkout below folder that are not in HEAD (untracked or only
 * staged, not ignored), in natural order; oid is that of the content as git hash-object
 * would give it. A bare repository has none.
 */
int rt_tree_uncommitted(struct rt_listing *out, struct rt_arena *arena,
                        struct rt_repo *repo, const char *folder,
                        struct rt_err *err) RT_CHECKED;

/* The bytes of such a file in the checkout, for the caller to free. */
int rt_tree_read_checkout(char **out, size_t *len, struct rt_repo *repo, const char *path,
                          struct rt_err *err) RT_CHECKED;

#endif
