#include "migrate/set.h"

#include <ctype.h>

#include "base/str.h"
#include "base/utf8.h"

static bool ends_with(const char *s, const char *end)
{
    size_t ls = strlen(s), le = strlen(end);

    return ls >= le && strcasecmp(s + ls - le, end) == 0;
}

bool rt_is_down(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path, *separator;

    if (strcasecmp(name, "down.sql") == 0 || ends_with(name, ".down.sql"))
        return true;
    /* Flyway's undo: U, a version of digits, dots and underscores, two underscores. */
    separator = strstr(name, "__");
    return name[0] == 'U' && isdigit((unsigned char)name[1]) && separator != NULL &&
           strspn(name + 1, "0123456789._") >= (size_t)(separator - name) - 1;
}

static int check_entry(const struct rt_entry *entry, struct rt_err *err)
{
    size_t len = strlen(entry->path);
    int rc = 0;

    if (entry->kind != RT_ENTRY_FILE) {
        rc = rt_err_set(err, RT_EREFUSED, "%s is not a file but a %s", entry->path,
                        entry->kind == RT_ENTRY_SYMLINK ? "symbolic link" : "submodule");
        rt_err_hint(err, "A migration has to be a regular file of its own: what a link "
                         "points to could change unseen.");
    } else if (rt_utf8_valid(entry->path, len) != len) {
        rc = rt_err_set(err, RT_EREFUSED, "the name of a migration is not valid UTF-8");
        rt_err_hint(err, "Rename the file: the ledger keeps paths as text.");
    }
    if (rc < 0)
        rt_err_at(err, entry->path, 0, 0);
    return rc;
}

static bool same_text(const struct rt_blob *a, const struct rt_blob *b)
{
    struct rt_digest x = rt_hash_lines(a->data, a->len, "\n");
    struct rt_digest y = rt_hash_lines(b->data, b->len, "\n");

    return strcmp(x.hex, y.hex) == 0;
}

/* Against the file as it was applied, which the ledger's row leads to. */
static int compare_with_applied(struct rt_migration *migration, struct rt_repo *repo,
                                const struct rt_blob *blob,
                                const struct rt_ledger_row *row, struct rt_err *err)
{
    const char *checksum = row->column[RT_COL_CHECKSUM];
    struct rt_oid commit = {""};
    struct rt_blob applied = {0};
    struct rt_digest found;
    int rc;

    snprintf(commit.hex, sizeof(commit.hex), "%s", row->column[RT_COL_COMMIT]);
    rc = rt_blob_open_at(&applied, repo, &commit, migration->path, err);
    if (rc <= 0)
        return rc;
    found = rt_hash_of(applied.data, applied.len);
    migration->line_ends_only =
        strcmp(found.hex, checksum) == 0 && same_text(blob, &applied);
    rt_blob_close(&applied);
    return 0;
}

static int compare_with_row(struct rt_migration *migration, struct rt_repo *repo,
                            const struct rt_blob *blob, const struct rt_ledger_row *row,
                            struct rt_err *err)
{
    const char *checksum = rt_row_applied(row) ? row->column[RT_COL_CHECKSUM] : NULL;

    if (checksum && strcmp(checksum, migration->checksum.hex) == 0)
        return 0;
    migration->with_lf = rt_hash_lines(blob->data, blob->len, "\n");
    migration->with_crlf = rt_hash_lines(blob->data, blob->len, "\r\n");
    if (checksum == NULL)
        return 0;
    migration->line_ends_only = rt_migration_is(migration, checksum);
    if (migration->line_ends_only)
        return 0;
    return compare_with_applied(migration, repo, blob, row, err);
}

static int read_checksum(struct rt_migration *migration, struct rt_repo *repo,
                         const struct rt_ledger *ledger, struct rt_err *err)
{
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, repo, &migration->oid, err);

    if (rc == 0)
        migration->checksum = rt_hash_of(blob.data, blob.len);
    if (rc == 0 && ledger && !migration->down)
        rc = compare_with_row(migration, repo, &blob,
                              rt_ledger_find(ledger, migration->path), err);
    rt_blob_close(&blob);
    return rc < 0 ? rt_err_at(err, migration->path, 0, 0) : 0;
}

int rt_set_collect(struct rt_set *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_listing *listing, const struct rt_ledger *ledger,
                   struct rt_err *err)
{
    out->count = listing->count;
    out->migrations = rt_arena_alloc(arena, listing->count * sizeof(*out->migrations));
    for (size_t i = 0; i < listing->count; i++) {
        const struct rt_entry *entry = &listing->entries[i];
        struct rt_migration *migration = &out->migrations[i];
        int rc = check_entry(entry, err);

        if (rc < 0)
            return rc;
        migration->path = entry->path;
        migration->oid = entry->oid;
        migration->down = rt_is_down(entry->path);
        rc = read_checksum(migration, repo, ledger, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int rt_set_compare(struct rt_set *set, struct rt_repo *repo, const struct rt_set *applied,
                   struct rt_err *err)
{
    for (size_t i = 0; i < applied->count; i++) {
        const struct rt_migration *was = &applied->migrations[i];
        struct rt_migration *now = (struct rt_migration *)rt_set_find(set, was->path);
        struct rt_blob old = {0}, new = {0};
        int rc;

        if (now == NULL || strcmp(now->oid.hex, was->oid.hex) == 0)
            continue;
        rc = rt_blob_open(&old, repo, &was->oid, err);
        if (rc == 0)
            rc = rt_blob_open(&new, repo, &now->oid, err);
        now->line_ends_only = rc == 0 && same_text(&old, &new);
        rt_blob_close(&old);
        rt_blob_close(&new);
        if (rc < 0)
            return rt_err_at(err, now->path, 0, 0);
    }
    return 0;
}

bool rt_migration_is(const struct rt_migration *migration, const char *checksum)
{
    return *checksum && (strcmp(migration->checksum.hex, checksum) == 0 ||
                         strcmp(migration->with_lf.hex, checksum) == 0 ||
                         strcmp(migration->with_crlf.hex, checksum) == 0);
}

const struct rt_migration *rt_set_find(const struct rt_set *set, const char *path)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = rt_natural_compare(path, set->migrations[middle].path);

        if (order == 0)
            return &set->migrations[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
