#include "git/config.h"

#include <errno.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "git/object.h"

/*
 * libgit2 follows includes while it parses and cannot be told not to, and the file comes
 * from whoever wrote the commit. So it must never see a text in which it could find a
 * section "include" or "includeIf". Section headers begin with '[', at the start of a
 * line or behind another header: "[include" is refused wherever it stands, but for lines
 * that are comments as a whole. Returns the line, or 0.
 */
static unsigned long find_include(const char *text)
{
    for (unsigned long number = 1; *text; number++) {
        const char *at = text + strspn(text, " \t\v\f\r");
        const char *end = at + strcspn(at, "\n");

        if (*at == '#' || *at == ';')
            at = end;
        for (; at < end; at++) {
            if (strncasecmp(at, "[include", 8) == 0)
                return number;
        }
        text = end + (*end == '\n');
    }
    return 0;
}

static int config_error(struct rt_err *err, unsigned long line, const char *message)
{
    rt_err_set(err, RT_EUSAGE, "%s", message);
    return rt_err_at(err, RT_CONFIG_FILE, line, 0);
}

/* What libgit2 said, "REASON (in PATH:LINE...)", without the path. */
static int parse_error(struct rt_err *err, const char *path)
{
    const git_error *last = git_error_last();
    const char *text = last && last->message ? last->message : "cannot be parsed";
    const char *place = strstr(text, " (in "), *name = strstr(text, path);
    unsigned long line = 0;
    char *reason;

    if (name && name[strlen(path)] == ':')
        line = strtoul(name + strlen(path) + 1, NULL, 10);
    reason = rt_strndup(text, place ? (size_t)(place - text) : strlen(text));
    config_error(err, line, strstr(reason, path) ? "cannot be read" : reason);
    free(reason);
    return -RT_EUSAGE;
}

static int read_entries(struct rt_config *out, struct rt_arena *arena, git_config *config)
{
    struct rt_config_entry *items = NULL;
    git_config_iterator *iterator = NULL;
    git_config_entry *entry;
    size_t count = 0, cap = 0;
    int rc = git_config_iterator_new(&iterator, config);

    while (rc == 0 && (rc = git_config_next(&entry, iterator)) == 0) {
        items = rt_grow(items, count, &cap, sizeof(*items));
        items[count++] = (struct rt_config_entry){
            rt_arena_strdup(arena, entry->name),
            rt_arena_strdup(arena, entry->value ? entry->value : "true")};
    }
    out->count = count;
    out->entries = rt_arena_alloc(arena, count * sizeof(*items));
    if (count > 0)
        memcpy(out->entries, items, count * sizeof(*items));
    free(items);
    git_config_iterator_free(iterator);
    return rc == GIT_ITEROVER ? 0 : rc;
}

/* A file in memory with this content, or -1. */
static int memory_file(const char *data, size_t len)
{
    int fd = memfd_create(RT_CONFIG_FILE, MFD_CLOEXEC);

    while (fd >= 0 && len > 0) {
        ssize_t written = write(fd, data, len);

        if (written < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        data += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return fd;
}

/* libgit2 parses files only. */
static int parse_file(struct rt_config *out, struct rt_arena *arena, const char *data,
                      size_t len, struct rt_err *err)
{
    int fd = memory_file(data, len), rc = 0;
    git_config *config = NULL;
    char *path;

    if (fd < 0)
        return rt_err_set(err, RT_EINTERNAL, "cannot make a file in memory: %s",
                          strerror(errno));
    path = rt_format("/proc/self/fd/%d", fd);
    if (access(path, R_OK) != 0)
        rc = rt_err_set(err, RT_EINTERNAL, "cannot read %s: %s", path, strerror(errno));
    else if (git_config_open_ondisk(&config, path) != 0 ||
             read_entries(out, arena, config) != 0)
        rc = parse_error(err, path);
    git_config_free(config);
    free(path);
    close(fd);
    return rc;
}

int rt_config_parse(struct rt_config *out, struct rt_arena *arena, const char *data,
                    size_t len, struct rt_err *err)
{
    char *text = rt_strndup(data, len);
    unsigned long line;
    int rc;

    *out = (struct rt_config){0};
    if (strlen(text) != len)
        rc = config_error(err, 0, "the file contains a NUL byte");
    else if ((line = find_include(text)) != 0)
        rc = config_error(err, line, "the file may not include another one");
    else
        rc = parse_file(out, arena, text, len, err);
    free(text);
    return rc;
}

int rt_config_read(struct rt_config *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *commit, struct rt_err *err)
{
    git_oid oid = rt_oid_parse(commit);
    struct rt_commit parsed;
    struct rt_blob blob = {0};
    struct rt_oid name;
    struct rt_node node;
    int rc = rt_commit_read(&parsed, repo, &oid, err);

    *out = (struct rt_config){0};
    if (rc == 0)
        rc = rt_tree_lookup(&node, repo, &parsed.tree, RT_CONFIG_FILE, err);
    if (rc != 0 || node.mode == 0)
        return rc;
    if ((node.mode & 0170000) != 0100000)
        return config_error(err, 0, "not a regular file");
    name = rt_oid_make(&node.oid);
    rc = rt_blob_open(&blob, repo, &name, err);
    if (rc == 0)
        rc = rt_config_parse(out, arena, blob.data, blob.len, err);
    rt_blob_close(&blob);
    return rc;
}
