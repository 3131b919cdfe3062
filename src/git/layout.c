#include "git/layout.h"

#include "git/object.h"

#define SCRIPT "migration.sql"

static const char *join(struct rt_arena *arena, const char *folder, const char *name)
{
    return rt_arena_format(arena, "%s%s%s", folder, *folder ? "/" : "", name);
}

bool rt_layout_has(const struct rt_layout *layout, const char *path)
{
    const char *name = path + strlen(layout->folder), *slash;

    if (!rt_folder_has(layout->folder, path))
        return false;
    name += *layout->folder != '\0';
    slash = strchr(name, '/');
    return slash && strcmp(slash + 1, SCRIPT) == 0;
}

/* The value of the first line that starts with "provider", as Prisma looks for it. */
static const char *provider_in(struct rt_arena *arena, const char *text, size_t len)
{
    static const char key[] = "provider", blanks[] = " \t=\"";

    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end ? (size_t)(end - text) : len;

        if (line >= strlen(key) && memcmp(text, key, strlen(key)) == 0) {
            char *value = rt_arena_strndup(arena, text + strlen(key), line - strlen(key));

            value += strspn(value, blanks);
            value[strcspn(value, " \t\r\"")] = '\0';
            return value;
        }
        line += end != NULL;
        text += line;
        len -= line;
    }
    return "";
}

static int read_lock(struct rt_layout *out, struct rt_arena *arena, struct rt_repo *repo,
                     const struct rt_node *node, struct rt_err *err)
{
    struct rt_oid oid = rt_oid_make(&node->oid);
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, repo, &oid, err);

    if (rc < 0)
        return rc;
    out->has_lock = true;
    out->provider = provider_in(arena, blob.data, blob.len);
    rt_blob_close(&blob);
    return 0;
}

static void take_folder(struct rt_layout *out, struct rt_arena *arena, const char *name,
                        const struct rt_listing *listing)
{
    const char *path = join(arena, out->folder, name);

    if (rt_listing_find(listing, join(arena, path, SCRIPT)))
        out->migrations++;
    else
        out->bare[out->bare_count++] = path;
}

/* 0, or -1 when the tree is malformed. */
static int count_folders(const git_odb_object *tree, size_t *count)
{
    struct rt_tree_cursor cursor = rt_tree_cursor(tree);
    struct rt_node node;
    int rc;

    *count = 0;
    while ((rc = rt_tree_next(&node, &cursor)) == 0 && node.mode)
        *count += rt_node_is_folder(&node);
    return rc;
}

static int read_folders(struct rt_layout *out, struct rt_arena *arena,
                        struct rt_repo *repo, const git_oid *oid,
                        const struct rt_listing *listing, struct rt_err *err)
{
    git_odb_object *object = NULL;
    struct rt_tree_cursor cursor;
    struct rt_node node;
    size_t count;
    int rc = rt_object_read(&object, repo, oid, GIT_OBJECT_TREE, err);

    if (rc < 0)
        return rc;
    if (count_folders(object, &count) < 0) {
        git_odb_object_free(object);
        return rt_tree_malformed(err, oid);
    }
    out->bare = rt_arena_alloc(arena, count * sizeof(*out->bare));
    cursor = rt_tree_cursor(object);
    while (rt_tree_next(&node, &cursor) == 0 && node.mode) {
        if (rt_node_is_folder(&node))
            take_folder(out, arena, node.name, listing);
    }
    git_odb_object_free(object);
    return 0;
}

int rt_layout_read(struct rt_layout *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *commit, const char *folder,
                   const struct rt_listing *listing, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    struct rt_node node, lock;
    struct rt_commit parsed;
    int rc;

    *out = (struct rt_layout){0};
    rc = rt_folder_normalize(&out->folder, arena, folder, err);
    if (rc == 0)
        rc = rt_commit_read(&parsed, repo, &oid, err);
    if (rc == 0)
        rc = rt_tree_lookup(&node, repo, &parsed.tree, out->folder, err);
    if (rc != 0 || !rt_node_is_folder(&node))
        return rc;
    rc = rt_tree_lookup(&lock, repo, &node.oid, RT_LAYOUT_LOCK, err);
    if (rc == 0 && (lock.mode & 0170000) == 0100000)
        rc = read_lock(out, arena, repo, &lock, err);
    return rc < 0 ? rc : read_folders(out, arena, repo, &node.oid, listing, err);
}
