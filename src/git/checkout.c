/* The checkout: files that are not committed. Everything else reads commits only. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/diff.h"
#include "git/tree.h"

static int hash_link(git_oid *out, const char *path)
{
    char target[4096];
    ssize_t len = readlink(path, target, sizeof(target));

    return len < 0 ? -1 : git_odb_hash(out, target, (size_t)len, GIT_OBJECT_BLOB);
}

/* Fill the entry of a file of the checkout; its path is NULL when it is not there. */
static int fill_entry(struct rt_entry *out, struct rt_arena *arena, struct rt_repo *repo,
                      const char *path, struct rt_err *err)
{
    const char *full =
        rt_arena_format(arena, "%s%s", git_repository_workdir(repo->git), path);
    struct stat st;
    git_oid oid;
    int rc;

    *out = (struct rt_entry){0};
    if (lstat(full, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
        return 0;
    if (S_ISLNK(st.st_mode))
        rc = hash_link(&oid, full);
    else
        rc = git_repository_hashfile(&oid, repo->git, full, GIT_OBJECT_BLOB, path);
    if (rc != 0)
        return rt_git_error(err, RT_EINTERNAL, "cannot read \"%s\"", path);
    out->path = rt_arena_strdup(arena, path);
    out->oid = rt_oid_make(&oid);
    out->kind = S_ISLNK(st.st_mode) ? RT_ENTRY_SYMLINK : RT_ENTRY_FILE;
    return 0;
}

/* The path when the entry is a new file, else NULL. */
static const char *new_sql_file(const git_status_entry *entry)
{
    const git_diff_delta *delta =
        entry->index_to_workdir ? entry->index_to_workdir : entry->head_to_index;

    /* Removed from the index only: HEAD has it. */
    if ((entry->status & GIT_STATUS_INDEX_DELETED) ||
        !(entry->status & (GIT_STATUS_INDEX_NEW | GIT_STATUS_WT_NEW)) ||
        !rt_is_sql(delta->new_file.path))
        return NULL;
    return delta->new_file.path;
}

static int read_status(struct rt_listing *out, struct rt_arena *arena,
                       struct rt_repo *repo, git_status_list *list, struct rt_err *err)
{
    size_t count = git_status_list_entrycount(list);

    out->entries = rt_arena_alloc(arena, count * sizeof(*out->entries));
    for (size_t i = 0; i < count; i++) {
        const char *path = new_sql_file(git_status_byindex(list, i));
        int rc;

        if (path == NULL)
            continue;
        rc = fill_entry(&out->entries[out->count], arena, repo, path, err);
        if (rc != 0)
            return rc;
        out->count += out->entries[out->count].path != NULL;
    }
    rt_listing_sort(out);
    return 0;
}

int rt_tree_uncommitted(struct rt_listing *out, struct rt_arena *arena,
                        struct rt_repo *repo, const char *folder, struct rt_err *err)
{
    git_status_options options = {.version = GIT_STATUS_OPTIONS_VERSION};
    git_status_list *list = NULL;
    const char *path;
    char *only;
    int rc;

    *out = (struct rt_listing){0};
    rc = rt_folder_normalize(&path, arena, folder, err);
    if (rc != 0 || git_repository_is_bare(repo->git))
        return rc;
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags =
        GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
        GIT_STATUS_OPT_EXCLUDE_SUBMODULES | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
    only = (char *)path; /* libgit2 only reads it */
    options.pathspec = (git_strarray){&only, *path ? 1 : 0};
    if (git_status_list_new(&list, repo->git, &options) != 0)
        return rt_git_error(err, RT_EINTERNAL, "cannot compare the checkout with HEAD");
    rc = read_status(out, arena, repo, list, err);
    git_status_list_free(list);
    return rc;
}

/* Read to the end: the file may be growing, or shorter than it was. */
static bool read_all(struct rt_str *out, int fd)
{
    char chunk[65536];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
        if (got > 0)
            rt_str_addn(out, chunk, (size_t)got);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

int rt_tree_read_checkout(char **out, size_t *len, struct rt_repo *repo, const char *path,
                          struct rt_err *err)
{
    const char *workdir = git_repository_workdir(repo->git);
    char *full = rt_format("%s%s", workdir ? workdir : "", path);
    int fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct rt_str text = {0};
    struct stat st;
    int rc = 0;

    free(full);
    if (fd < 0 && errno != ELOOP)
        return rt_err_set(err, RT_EINTERNAL, "cannot read \"%s\": %s", path,
                          strerror(errno));
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        rc = rt_err_set(err, RT_EREFUSED, "\"%s\" is not a regular file", path);
    else if (!read_all(&text, fd))
        rc = rt_err_set(err, RT_EINTERNAL, "cannot read \"%s\": %s", path,
                        strerror(errno));
    if (fd >= 0)
        close(fd);
    if (rc != 0) {
        rt_str_clear(&text);
        return rc;
    }
    *len = text.len;
    *out = rt_str_take(&text);
    return 0;
}
