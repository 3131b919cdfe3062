#include "git/tree.h"

#include "base/str.h"
#include "git/diff.h"

static enum rt_entry_kind kind_of(uint32_t mode)
{
    switch (mode & 0170000) {
    case 0120000:
        return RT_ENTRY_SYMLINK;
    case 0160000:
        return RT_ENTRY_SUBMODULE;
    default:
        return RT_ENTRY_FILE;
    }
}

static int compare_entries(const void *a, const void *b)
{
    return rt_natural_compare(((const struct rt_entry *)a)->path,
                              ((const struct rt_entry *)b)->path);
}

void rt_listing_sort(struct rt_listing *listing)
{
    if (listing->count > 1)
        qsort(listing->entries, listing->count, sizeof(*listing->entries),
              compare_entries);
}

void rt_listing_keep_files(struct rt_listing *listing)
{
    size_t kept = 0;

    for (size_t i = 0; i < listing->count; i++) {
        if (listing->entries[i].kind == RT_ENTRY_FILE)
            listing->entries[kept++] = listing->entries[i];
    }
    listing->count = kept;
}

static void fill_listing(struct rt_listing *out, struct rt_arena *arena,
                         const struct rt_changes *changes)
{
    out->count = changes->count;
    out->entries = rt_arena_alloc(arena, changes->count * sizeof(*out->entries));
    for (size_t i = 0; i < changes->count; i++) {
        const struct rt_change *change = &changes->items[i];

        out->entries[i] = (struct rt_entry){change->path, rt_oid_make(&change->after),
                                            kind_of(change->mode)};
    }
    rt_listing_sort(out);
}

/* The subtree to list; zero when there is none and need not be. */
static int find_folder(git_oid *out, struct rt_repo *repo, const struct rt_oid *commit,
                       const char *folder, bool must_exist, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    struct rt_commit parsed;
    struct rt_node node;
    int rc = rt_commit_read(&parsed, repo, &oid, err);

    if (rc == 0)
        rc = rt_tree_lookup(&node, repo, &parsed.tree, folder, err);
    if (rc != 0)
        return rc;
    if (node.mode == 0 && must_exist)
        return rt_err_set(err, RT_EUSAGE, "there is no folder \"%s\" in commit %.12s",
                          folder, commit->hex);
    if (!rt_node_is_folder(&node) && must_exist)
        return rt_err_set(err, RT_EUSAGE, "\"%s\" is not a folder in commit %.12s",
                          folder, commit->hex);
    *out = rt_node_is_folder(&node) ? node.oid : (git_oid){0};
    return 0;
}

int rt_tree_list(struct rt_listing *out, struct rt_arena *arena, struct rt_repo *repo,
                 const struct rt_oid *commit, const char *folder, bool must_exist,
                 struct rt_err *err)
{
    struct rt_changes changes = {0};
    git_oid none = {0}, tree;
    const char *path;
    int rc;

    *out = (struct rt_listing){0};
    if (commit->hex[0] == '\0')
        return 0;
    rc = rt_folder_normalize(&path, arena, folder, err);
    if (rc == 0)
        rc = find_folder(&tree, repo, commit, path, must_exist, err);
    if (rc == 0)
        rc = rt_tree_diff(&changes, arena, repo, &none, &tree, path, err);
    if (rc == 0)
        fill_listing(out, arena, &changes);
    free(changes.items);
    return rc;
}

const struct rt_entry *rt_listing_find(const struct rt_listing *listing, const char *path)
{
    struct rt_entry key = {.path = path};

    if (listing->count == 0)
        return NULL;
    return bsearch(&key, listing->entries, listing->count, sizeof(key), compare_entries);
}
