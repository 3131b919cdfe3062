#include "git/path.h"

#include <strings.h>

#include "base/str.h"

bool rt_is_sql(const char *path)
{
    size_t len = strlen(path);

    return len >= 4 && strcasecmp(path + len - 4, ".sql") == 0;
}

int rt_folder_normalize(const char **out, struct rt_arena *arena, const char *folder,
                        struct rt_err *err)
{
    struct rt_str path = {0};

    for (const char *at = folder; *at;) {
        size_t len = strcspn(at, "/");

        if (len == 2 && memcmp(at, "..", 2) == 0) {
            rt_str_clear(&path);
            return rt_err_set(err, RT_EUSAGE,
                              "the folder \"%s\" is not below the repository's root",
                              folder);
        }
        if (len > 0 && !(len == 1 && *at == '.')) {
            rt_str_add(&path, path.len ? "/" : "");
            rt_str_addn(&path, at, len);
        }
        at += len;
        at += *at == '/';
    }
    *out = rt_arena_strdup(arena, rt_str_text(&path));
    rt_str_clear(&path);
    return 0;
}

bool rt_folder_has(const char *folder, const char *path)
{
    size_t len = strlen(folder);

    return len == 0 || (strncmp(path, folder, len) == 0 && path[len] == '/');
}
