#include "git/diff.h"

#include "base/mem.h"
#include "base/str.h"
#include "git/path.h"

/* A tree in git may be nested without limit, the stack may not. */
enum { MAX_DEPTH = 512 };

struct diff {
    struct rt_changes *out;
    struct rt_arena *arena;
    struct rt_repo *repo;
    struct rt_str path; /* of the folder being compared, with a slash unless empty */
    int depth;
};

static int diff_trees(struct diff *d, const git_oid *before, const git_oid *after,
                      struct rt_err *err);

/* Git's order: a folder sorts as if its name ended in a slash. An end sorts last. */
static int compare_nodes(const struct rt_node *a, const struct rt_node *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int order, x, y;

    if (a->mode == 0 || b->mode == 0)
        return (a->mode == 0) - (b->mode == 0);
    order = memcmp(a->name, b->name, len);
    if (order != 0)
        return order;
    x = a->len > len ? (unsigned char)a->name[len] : rt_node_is_folder(a) ? '/' : 0;
    y = b->len > len ? (unsigned char)b->name[len] : rt_node_is_folder(b) ? '/' : 0;
    return x - y;
}

static void add_change(struct diff *d, const struct rt_node *before,
                       const struct rt_node *after)
{
    const struct rt_node *node = after->mode ? after : before;
    struct rt_changes *out = d->out;
    size_t len = d->path.len;

    rt_str_addn(&d->path, node->name, node->len);
    out->items = rt_grow(out->items, out->count, &out->cap, sizeof(*out->items));
    out->items[out->count++] =
        (struct rt_change){rt_arena_strndup(d->arena, d->path.data, d->path.len),
                           before->oid, after->oid, node->mode};
    d->path.len = len;
}

/* before and after have the same name, and both or none is a folder; or one is none. */
static int diff_nodes(struct diff *d, const struct rt_node *before,
                      const struct rt_node *after, struct rt_err *err)
{
    const struct rt_node *node = after->mode ? after : before;
    size_t len = d->path.len;
    int rc;

    if (git_oid_equal(&before->oid, &after->oid))
        return 0;
    if (memchr(node->name, '/', node->len))
        return rt_err_set(err, RT_EINTERNAL, "a tree of \"%.*s\" is malformed", (int)len,
                          rt_str_text(&d->path));
    if (!rt_node_is_folder(node)) {
        if (rt_is_sql(node->name))
            add_change(d, before, after);
        return 0;
    }
    if (d->depth == MAX_DEPTH)
        return rt_err_set(err, RT_EREFUSED, "folders are nested deeper than %d: \"%.*s\"",
                          MAX_DEPTH, (int)d->path.len, d->path.data);
    rt_str_addn(&d->path, node->name, node->len);
    rt_str_add(&d->path, "/");
    rc = diff_trees(d, &before->oid, &after->oid, err);
    d->path.len = len;
    return rc;
}

/* Skip what both go on with: nearly all of two versions of a folder. */
static void skip_common(struct rt_tree_cursor *b, struct rt_tree_cursor *a)
{
    struct rt_tree_cursor next = *b;
    struct rt_node node;

    while (rt_tree_next(&node, &next) == 0 && node.mode != 0) {
        size_t len = (size_t)(next.at - b->at);

        if ((size_t)(a->end - a->at) < len || memcmp(a->at, b->at, len) != 0)
            return;
        a->at += len;
        b->at = next.at;
    }
}

static int merge_entries(struct diff *d, const git_oid *before, const git_oid *after,
                         struct rt_tree_cursor b, struct rt_tree_cursor a,
                         struct rt_err *err)
{
    const struct rt_node none = {0};

    for (;;) {
        struct rt_tree_cursor next_b, next_a;
        struct rt_node x, y;
        int order, rc;

        skip_common(&b, &a);
        next_b = b;
        next_a = a;
        if (rt_tree_next(&x, &next_b) != 0)
            return rt_tree_malformed(err, before);
        if (rt_tree_next(&y, &next_a) != 0)
            return rt_tree_malformed(err, after);
        if (x.mode == 0 && y.mode == 0)
            return 0;
        order = compare_nodes(&x, &y);
        rc = diff_nodes(d, order <= 0 ? &x : &none, order >= 0 ? &y : &none, err);
        if (rc != 0)
            return rc;
        b = order <= 0 ? next_b : b;
        a = order >= 0 ? next_a : a;
    }
}

static int diff_trees(struct diff *d, const git_oid *before, const git_oid *after,
                      struct rt_err *err)
{
    git_odb_object *b = NULL, *a = NULL;
    int rc = 0;

    d->depth++;
    if (!git_oid_is_zero(before))
        rc = rt_object_read(&b, d->repo, before, GIT_OBJECT_TREE, err);
    if (rc == 0 && !git_oid_is_zero(after))
        rc = rt_object_read(&a, d->repo, after, GIT_OBJECT_TREE, err);
    if (rc == 0)
        rc = merge_entries(d, before, after, rt_tree_cursor(b), rt_tree_cursor(a), err);
    git_odb_object_free(b);
    git_odb_object_free(a);
    d->depth--;
    return rc;
}

int rt_tree_diff(struct rt_changes *out, struct rt_arena *arena, struct rt_repo *repo,
                 const git_oid *before, const git_oid *after, const char *folder,
                 struct rt_err *err)
{
    struct diff d = {.out = out, .arena = arena, .repo = repo};
    int rc;

    if (git_oid_equal(before, after))
        return 0;
    rt_str_add(&d.path, folder);
    if (*folder)
        rt_str_add(&d.path, "/");
    rc = diff_trees(&d, before, after, err);
    rt_str_clear(&d.path);
    return rc;
}
