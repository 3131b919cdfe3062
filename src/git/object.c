#include "git/object.h"

#include <stdarg.h>

#include "base/mem.h"

enum { OID_SIZE = sizeof(((git_oid *)NULL)->id) };

struct rt_oid rt_oid_make(const git_oid *oid)
{
    struct rt_oid out = {""};

    if (!git_oid_is_zero(oid))
        git_oid_tostr(out.hex, sizeof(out.hex), oid);
    return out;
}

git_oid rt_oid_parse(const struct rt_oid *oid)
{
    git_oid out = {0};

    if (oid->hex[0] == '\0' || git_oid_fromstr(&out, oid->hex) != 0)
        return (git_oid){0};
    return out;
}

int rt_git_error(struct rt_err *err, enum rt_status status, const char *fmt, ...)
{
    const git_error *last = git_error_last();
    va_list ap;
    char *message;

    va_start(ap, fmt);
    message = rt_vformat(fmt, ap);
    va_end(ap);
    rt_err_set(err, status, "%s: %s", message,
               last && last->message ? last->message : "no reason given");
    free(message);
    return -(int)status;
}

int rt_shallow_hint(struct rt_err *err, const struct rt_repo *repo)
{
    if (repo->shallow)
        rt_err_hint(err, "This is a shallow clone. Fetch the full history: "
                         "\"fetch-depth: 0\" for actions/checkout, or "
                         "\"git fetch --unshallow\".");
    return -(int)err->status;
}

static int missing(struct rt_err *err, const struct rt_repo *repo, const git_oid *oid,
                   git_object_t type)
{
    rt_err_set(err, repo->shallow ? RT_EREFUSED : RT_EINTERNAL,
               "%s %s is missing from the repository", git_object_type2string(type),
               rt_oid_make(oid).hex);
    if (!repo->shallow)
        return rt_err_hint(err, "The clone is partial or damaged. Clone it again, in "
                                "full.");
    return rt_shallow_hint(err, repo);
}

int rt_object_read(git_odb_object **out, struct rt_repo *repo, const git_oid *oid,
                   git_object_t type, struct rt_err *err)
{
    const char *name = git_object_type2string(type);
    git_odb_object *object = NULL;
    int rc = git_odb_read(&object, repo->odb, oid);

    if (rc == GIT_ENOTFOUND)
        return missing(err, repo, oid, type);
    if (rc != 0)
        return rt_git_error(err, RT_EINTERNAL, "cannot read %s %s", name,
                            rt_oid_make(oid).hex);
    if (git_odb_object_type(object) != type) {
        rt_err_set(err, RT_EINTERNAL, "object %s is not a %s", rt_oid_make(oid).hex,
                   name);
        git_odb_object_free(object);
        return -RT_EINTERNAL;
    }
    *out = object;
    return 0;
}

/* Take "key <hex>\n" off the front of a raw commit. */
static bool take_header(git_oid *out, const char **at, const char *end, const char *key)
{
    size_t len = strlen(key), line = len + 2 * OID_SIZE + 1;

    if ((size_t)(end - *at) < line || memcmp(*at, key, len) != 0 ||
        (*at)[line - 1] != '\n' || git_oid_fromstr(out, *at + len) != 0)
        return false;
    *at += line;
    return true;
}

int rt_commit_read(struct rt_commit *out, struct rt_repo *repo, const git_oid *oid,
                   struct rt_err *err)
{
    git_odb_object *object = NULL;
    const char *at, *end;
    bool ok;
    int rc = rt_object_read(&object, repo, oid, GIT_OBJECT_COMMIT, err);

    if (rc != 0)
        return rc;
    *out = (struct rt_commit){0};
    at = git_odb_object_data(object);
    end = at + git_odb_object_size(object);
    ok = take_header(&out->tree, &at, end, "tree ");
    if (ok)
        take_header(&out->parent, &at, end, "parent ");
    git_odb_object_free(object);
    if (!ok)
        return rt_err_set(err, RT_EINTERNAL, "commit %s is malformed",
                          rt_oid_make(oid).hex);
    return 0;
}

struct rt_tree_cursor rt_tree_cursor(const git_odb_object *tree)
{
    git_odb_object *object = (git_odb_object *)tree; /* libgit2 only reads it */
    const char *data = tree ? git_odb_object_data(object) : NULL;

    return (struct rt_tree_cursor){data,
                                   tree ? data + git_odb_object_size(object) : data};
}

/* An entry is the mode in octal, a space, the name, a NUL and the raw object name. */
int rt_tree_next(struct rt_node *out, struct rt_tree_cursor *cursor)
{
    static const git_oid none;
    const char *at = cursor->at, *nul;

    *out = (struct rt_node){0};
    if (at == cursor->end)
        return 0;
    for (; at < cursor->end && *at >= '0' && *at <= '7'; at++)
        out->mode = out->mode << 3 | (uint32_t)(*at - '0');
    if (out->mode == 0 || at == cursor->end || *at++ != ' ')
        return -1;
    nul = memchr(at, '\0', (size_t)(cursor->end - at));
    if (nul == NULL || nul == at || cursor->end - nul <= OID_SIZE)
        return -1;
    out->name = at;
    out->len = (size_t)(nul - at);
    memcpy(out->oid.id, nul + 1, OID_SIZE);
    if (memcmp(out->oid.id, none.id, OID_SIZE) == 0)
        return -1; /* it would read as "no entry" */
    cursor->at = nul + 1 + OID_SIZE;
    return 0;
}

int rt_tree_malformed(struct rt_err *err, const git_oid *tree)
{
    return rt_err_set(err, RT_EINTERNAL, "tree %s is malformed", rt_oid_make(tree).hex);
}

int rt_tree_find(struct rt_node *out, struct rt_repo *repo, const git_oid *tree,
                 const char *name, size_t len, struct rt_err *err)
{
    git_odb_object *object = NULL;
    struct rt_tree_cursor cursor;
    int rc = 0;

    *out = (struct rt_node){0};
    if (git_oid_is_zero(tree))
        return 0;
    rc = rt_object_read(&object, repo, tree, GIT_OBJECT_TREE, err);
    if (rc != 0)
        return rc;
    cursor = rt_tree_cursor(object);
    do {
        if (rt_tree_next(out, &cursor) != 0)
            rc = rt_tree_malformed(err, tree);
    } while (rc == 0 && out->name &&
             (out->len != len || memcmp(out->name, name, len) != 0));
    git_odb_object_free(object);
    out->name = NULL;
    return rc;
}

int rt_tree_lookup(struct rt_node *out, struct rt_repo *repo, const git_oid *tree,
                   const char *path, struct rt_err *err)
{
    struct rt_node node = {.mode = 0040000, .oid = *tree};

    while (*path != '\0' && rt_node_is_folder(&node)) {
        size_t len = strcspn(path, "/");
        git_oid parent = node.oid;
        int rc = rt_tree_find(&node, repo, &parent, path, len, err);

        if (rc != 0)
            return rc;
        path += len;
        path += *path == '/';
    }
    *out = *path == '\0' ? node : (struct rt_node){0};
    return 0;
}
