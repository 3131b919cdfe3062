#include "git/object.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/*
 * Settings of the whole process. Every object is read once, so a cache only costs.
 * Checking the hash of each commit and tree doubles the time of a long walk, and git
 * itself does not; rt_blob_open checks what is going to be run.
 */
static void set_options(void)
{
    /* Harmless to a reader, but libgit2 does not know them: sparse and partial clones,
     * both of which actions/checkout makes. */
    const char *extensions[] = {"worktreeconfig", "partialclone"};

    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, RT_COUNT(extensions));
}

/* The repository is there but belongs to somebody else, and is not trusted. */
static int refused_owner(struct rt_err *err, const char *found)
{
    size_t len = strlen(found);

    /* What git wants to hear is the checkout's folder, or the bare repository's. */
    if (len > 6 && strcmp(found + len - 6, "/.git/") == 0)
        len -= 6;
    else if (len > 1)
        len -= 1;
    rt_err_set(err, RT_EINTERNAL,
               "dubious ownership: the git repository \"%.*s\" belongs to another user",
               (int)len, found);
    return rt_err_hint(err,
                       "If you trust it: git config --global --add safe.directory '%.*s'",
                       (int)len, found);
}

static int open_error(struct rt_err *err, int error, const char *dir)
{
    git_buf found = {0};
    int rc;

    if (error != GIT_EOWNER && error != GIT_ENOTFOUND)
        return rt_git_error(err, RT_EINTERNAL, "cannot open the git repository of \"%s\"",
                            dir);
    /* libgit2 1.5 says "not found" for another owner too, when it finds no list of
     * trusted folders. */
    if (git_repository_discover(&found, dir, 0, NULL) == 0)
        rc = refused_owner(err, found.ptr);
    else if (access(dir, F_OK) != 0)
        rc = rt_err_set(err, RT_EUSAGE, "there is no folder \"%s\"", dir);
    else
        rc = rt_err_set(err, RT_EUSAGE, "no git repository in \"%s\" or above it", dir);
    git_buf_dispose(&found);
    return rc;
}

int rt_repo_open(struct rt_repo **out, const char *dir, struct rt_err *err)
{
    struct rt_repo *repo;
    int rc;

    if (git_libgit2_init() < 0)
        return rt_git_error(err, RT_EINTERNAL, "cannot start libgit2");
    set_options();
    repo = rt_alloc(sizeof(*repo));
    rc = git_repository_open_ext(&repo->git, dir, 0, NULL);
    if (rc != 0)
        rc = open_error(err, rc, dir);
    else if (git_repository_odb(&repo->odb, repo->git) != 0)
        rc = rt_git_error(err, RT_EINTERNAL, "cannot open the objects of \"%s\"", dir);
    if (rc != 0) {
        rt_repo_close(repo);
        return rc;
    }
    repo->shallow = git_repository_is_shallow(repo->git) == 1;
    *out = repo;
    return 0;
}

void rt_repo_close(struct rt_repo *repo)
{
    if (repo == NULL)
        return;
    git_odb_free(repo->odb);
    git_repository_free(repo->git);
    free(repo);
    git_libgit2_shutdown();
}

static int resolve_error(struct rt_err *err, int rc, struct rt_repo *repo,
                         const char *rev)
{
    if (strncmp(rev, "HEAD", 4) == 0 && git_repository_head_unborn(repo->git) == 1)
        return rt_err_set(err, RT_EUSAGE, "HEAD: the current branch has no commits yet");
    if (rc == GIT_EAMBIGUOUS)
        return rt_err_set(err, RT_EUSAGE, "revision \"%s\" is ambiguous", rev);
    rt_err_set(err, RT_EUSAGE, "unknown revision \"%s\"", rev);
    return rt_shallow_hint(err, repo);
}

int rt_repo_resolve(struct rt_oid *out, struct rt_repo *repo, const char *rev,
                    struct rt_err *err)
{
    git_object *object = NULL, *commit = NULL;
    int rc = git_revparse_single(&object, repo->git, rev);

    if (rc != 0)
        return resolve_error(err, rc, repo, rev);
    rc = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
    if (rc == 0) {
        *out = rt_oid_make(git_object_id(commit));
    } else if (rc == GIT_ENOTFOUND) { /* a tag of a commit that is not there */
        rt_git_error(err, RT_EUSAGE, "cannot read revision \"%s\"", rev);
        rc = rt_shallow_hint(err, repo);
    } else {
        rc = rt_err_set(err, RT_EUSAGE, "revision \"%s\" is a %s, not a commit", rev,
                        git_object_type2string(git_object_type(object)));
    }
    git_object_free(commit);
    git_object_free(object);
    return rc;
}

int rt_repo_first_parent(struct rt_oid *out, struct rt_repo *repo,
                         const struct rt_oid *commit, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    struct rt_commit child, parent;
    int rc = rt_commit_read(&child, repo, &oid, err);

    if (rc == 0 && !git_oid_is_zero(&child.parent))
        rc = rt_commit_read(&parent, repo, &child.parent, err);
    if (rc == 0)
        *out = rt_oid_make(&child.parent);
    return rc;
}

int rt_repo_is_ancestor(struct rt_repo *repo, const struct rt_oid *ancestor,
                        const struct rt_oid *commit, struct rt_err *err)
{
    git_oid a = rt_oid_parse(ancestor), c = rt_oid_parse(commit);
    int rc;

    if (git_oid_equal(&a, &c))
        return 1;
    rc = git_graph_descendant_of(repo->git, &c, &a);
    if (rc == 1 || (rc == 0 && !repo->shallow))
        return rc;
    /* The path between the two may lead through what the clone lacks, whether libgit2
     * stumbles over it or takes the last commit that there is for a root. */
    if (rc == 0)
        rt_err_set(err, RT_EREFUSED, "cannot tell whether %s comes before %s",
                   ancestor->hex, commit->hex);
    else
        rt_git_error(err, repo->shallow ? RT_EREFUSED : RT_EINTERNAL,
                     "cannot tell whether %s comes before %s", ancestor->hex,
                     commit->hex);
    return rt_shallow_hint(err, repo);
}

int rt_repo_subject(const char **out, struct rt_arena *arena, struct rt_repo *repo,
                    const struct rt_oid *commit, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    git_odb_object *object = NULL;
    const char *text, *end, *newline;
    struct rt_str subject = {0};
    int rc = rt_object_read(&object, repo, &oid, GIT_OBJECT_COMMIT, err);

    if (rc != 0)
        return rc;
    text = git_odb_object_data(object);
    end = text + git_odb_object_size(object);
    text = memmem(text, (size_t)(end - text), "\n\n", 2); /* the header ends there */
    if (text == NULL)
        text = end;
    while (text < end && *text == '\n')
        text++;
    newline = memchr(text, '\n', (size_t)(end - text));
    rt_str_add_clean(&subject, text, (size_t)((newline ? newline : end) - text));
    *out = rt_arena_strdup(arena, rt_str_text(&subject));
    rt_str_clear(&subject);
    git_odb_object_free(object);
    return 0;
}

int rt_blob_open(struct rt_blob *out, struct rt_repo *repo, const struct rt_oid *oid,
                 struct rt_err *err)
{
    git_oid wanted = rt_oid_parse(oid), real;
    git_odb_object *object = NULL;
    int rc = rt_object_read(&object, repo, &wanted, GIT_OBJECT_BLOB, err);

    if (rc != 0)
        return rc;
    if (git_odb_hash(&real, git_odb_object_data(object), git_odb_object_size(object),
                     GIT_OBJECT_BLOB) != 0 ||
        !git_oid_equal(&real, &wanted)) {
        git_odb_object_free(object);
        return rt_err_set(err, RT_EINTERNAL, "blob %s is damaged", oid->hex);
    }
    out->handle = object;
    out->data = git_odb_object_data(object);
    out->len = git_odb_object_size(object);
    return 0;
}

void rt_blob_close(struct rt_blob *blob)
{
    git_odb_object_free(blob->handle);
    *blob = (struct rt_blob){0};
}

int rt_blob_find_at(struct rt_oid *out, struct rt_repo *repo, const struct rt_oid *commit,
                    const char *path, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    struct rt_commit parsed;
    struct rt_node node = {0};
    int rc;

    if (git_oid_is_zero(&oid) || !git_odb_exists(repo->odb, &oid))
        return 0;
    rc = rt_commit_read(&parsed, repo, &oid, err);
    if (rc == 0)
        rc = rt_tree_lookup(&node, repo, &parsed.tree, path, err);
    if (rc < 0 || (node.mode & 0170000) != 0100000)
        return rc;
    *out = rt_oid_make(&node.oid);
    return 1;
}

int rt_blob_open_at(struct rt_blob *out, struct rt_repo *repo,
                    const struct rt_oid *commit, const char *path, struct rt_err *err)
{
    struct rt_oid blob;
    int rc = rt_blob_find_at(&blob, repo, commit, path, err);

    if (rc == 1 && rt_blob_open(out, repo, &blob, err) < 0)
        rc = -(int)err->status;
    return rc;
}
