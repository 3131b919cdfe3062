#include "migrate/foreign_name.h"

#include "base/str.h"

#define DIGITS "0123456789"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The length of the name without the end, 0 when it has another end. */
static size_t stem(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);

    return len > tail && strcmp(name + len - tail, end) == 0 ? len - tail : 0;
}

static const char *number(struct rt_arena *arena, const char *digits, size_t len)
{
    while (len > 1 && *digits == '0') {
        digits++;
        len--;
    }
    return rt_arena_strndup(arena, digits, len);
}

static const char *numbered_file(struct rt_arena *arena, const char *name,
                                 const char *end)
{
    size_t len = strspn(name, DIGITS);

    if (len == 0 || name[len] != '_' || stem(name, end) == 0)
        return NULL;
    return number(arena, name, len);
}

static const char *folder(struct rt_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *start = slash;

    if (slash == NULL || strcmp(slash, "/migration.sql") != 0)
        return NULL;
    while (start > path && start[-1] != '/')
        start--;
    return start < slash ? rt_arena_strndup(arena, start, (size_t)(slash - start)) : NULL;
}

/* ------------------------------------------------------------------ Flyway */

/* "1_02.0" is 1.2: parts compare as numbers, and missing ones are zero. */
static const char *dotted(struct rt_arena *arena, char letter, const char *text,
                          size_t len)
{
    struct rt_str key = {0};
    const char *end = text + len, *result;
    size_t significant = 0;

    rt_str_addn(&key, &letter, 1);
    for (const char *at = text; at <= end; at++) {
        size_t digits = strspn(at, DIGITS);

        if (digits == 0 || at + digits > end ||
            (at + digits < end && at[digits] != '.' && at[digits] != '_')) {
            rt_str_clear(&key);
            return NULL;
        }
        rt_str_addf(&key, "%s%s", key.len > 1 ? "." : "", number(arena, at, digits));
        if (significant == 0 || strspn(at, "0") < digits)
            significant = key.len;
        at += digits;
    }
    result = rt_arena_strndup(arena, rt_str_text(&key), significant);
    rt_str_clear(&key);
    return result;
}

static const char *flyway_file(struct rt_arena *arena, const char *name)
{
    size_t len = stem(name, ".sql");
    const char *split = strstr(name, "__");
    size_t version = split && split < name + len ? (size_t)(split - name) : len;
    char *key;

    if (len == 0)
        return NULL;
    if (name[0] == 'V' || name[0] == 'B')
        return dotted(arena, name[0], name + 1, version - 1);
    if (name[0] != 'R' || version != 1)
        return NULL;
    key = rt_arena_format(arena, "R%.*s", (int)(len - 3), name + 3);
    for (char *at = key; *at; at++) {
        if (*at == '_')
            *at = ' ';
    }
    return key;
}

static const char *flyway_row(struct rt_arena *arena, const char *name)
{
    const char *key = NULL;

    if (name[0] == 'V' || name[0] == 'B')
        key = dotted(arena, name[0], name + 1, strlen(name + 1));
    return key ? key : name;
}

/* ------------------------------------------------------------------ keys */

const char *rt_foreign_file_key(struct rt_arena *arena, enum rt_naming naming,
                                const char *path)
{
    const char *name = base_name(path);
    size_t len = stem(name, ".sql"), digits = strspn(name, DIGITS);

    switch (naming) {
    case RT_NAMING_FOLDER:
        return folder(arena, path);
    case RT_NAMING_FLYWAY:
        return flyway_file(arena, name);
    case RT_NAMING_DIGITS:
        return len && digits ? rt_arena_strndup(arena, name, digits) : NULL;
    case RT_NAMING_NUMBER:
        return numbered_file(arena, name, ".sql");
    case RT_NAMING_NUMBER_UP:
        return numbered_file(arena, name, ".up.sql");
    case RT_NAMING_STEM:
        return len ? rt_arena_strndup(arena, name, len) : NULL;
    }
    return NULL;
}

const char *rt_foreign_row_key(struct rt_arena *arena, enum rt_naming naming,
                               const char *name)
{
    size_t digits = strspn(name, DIGITS);

    switch (naming) {
    case RT_NAMING_FLYWAY:
        return flyway_row(arena, name);
    case RT_NAMING_DIGITS:
        return digits ? rt_arena_strndup(arena, name, digits) : name;
    case RT_NAMING_NUMBER:
    case RT_NAMING_NUMBER_UP:
        return digits && name[digits] == '\0' ? number(arena, name, digits) : name;
    case RT_NAMING_FOLDER:
    case RT_NAMING_STEM:
        break;
    }
    return name;
}

bool rt_foreign_at_most(const char *key, const char *limit)
{
    size_t letters = strcspn(limit, DIGITS);

    return strncmp(key, limit, letters) == 0 && strspn(key + letters, DIGITS) > 0 &&
           rt_natural_compare(key + letters, limit + letters) <= 0;
}
