/* What differs between two lists of definitions. */
#include "schema/render.h"
#include "schema/schema.h"

static int order(const struct rt_object *a, const struct rt_object *b)
{
    int kinds = strcmp(a->kind, b->kind);

    return kinds != 0 ? kinds : strcmp(a->name, b->name);
}

/* NULL, for what one side lacks, is of no kind. */
static bool is_kind(const struct rt_object *object, const char *kind)
{
    return object && strcmp(object->kind, kind) == 0;
}

static bool same(const struct rt_object *prod, int prod_version,
                 const struct rt_object *twin, int twin_version)
{
    bool later = twin_version >= 160000;

    if (strcmp(prod->definition, twin->definition) == 0)
        return true;
    if (!is_kind(prod, "view") && !is_kind(prod, "materialized view"))
        return false;
    if ((prod_version >= 160000) == later)
        return false;
    return rt_render_same(later ? prod->definition : twin->definition,
                          later ? twin->definition : prod->definition);
}

/* Whether b is a with more at its end, but for the semicolon. */
static bool is_extended(const char *a, const char *b, const char *more)
{
    size_t len = strlen(a) - strlen(";\n");

    return strncmp(a, b, len) == 0 && strncmp(b + len, more, strlen(more)) == 0 &&
           strcmp(b + len + strlen(more), ";\n") == 0;
}

static bool is_foreign_key(const struct rt_object *object)
{
    return is_kind(object, "constraint") &&
           strstr(object->definition, "\n    FOREIGN KEY (") != NULL;
}

static bool stays(const struct rt_object *prod, const struct rt_object *twin)
{
    if (prod == NULL || twin == NULL)
        return false;
    if (is_kind(prod, "extension")) {
        /* The version has a line to itself. */
        size_t len = strcspn(prod->definition, "\n");

        return len == strcspn(twin->definition, "\n") &&
               memcmp(prod->definition, twin->definition, len) == 0;
    }
    return is_foreign_key(prod) &&
           is_extended(prod->definition, twin->definition, " NOT VALID");
}

/* ------------------------------------------------------------------ on partitions */

/* Whether the twin's is production's but for the table, and NOT VALID. */
static bool stands_in(const struct rt_schema_change *prod,
                      const struct rt_schema_change *twin)
{
    static const char start[] = "\n    FOREIGN KEY (";

    return twin->prod == NULL && is_foreign_key(twin->twin) &&
           is_extended(strstr(prod->prod->definition, start),
                       strstr(twin->twin->definition, start), " NOT VALID");
}

/* Whether this is the comment of the key. */
static bool is_comment(const struct rt_schema_change *comment,
                       const struct rt_schema_change *key)
{
    static const char on[] = "on constraint ";

    return comment->twin == NULL && is_kind(comment->prod, "comment") &&
           strncmp(comment->prod->name, on, strlen(on)) == 0 &&
           strcmp(comment->prod->name + strlen(on), key->prod->name) == 0;
}

/* A key that only production has stays away where the twin's partitions have it. */
static void find_stand_ins(struct rt_schema_change *changes, size_t count,
                           struct rt_schema_change *key)
{
    for (size_t i = 0; i < count; i++) {
        if (stands_in(key, &changes[i]))
            key->stays = changes[i].stays = true;
    }
    for (size_t i = 0; key->stays && i < count; i++) {
        if (is_comment(&changes[i], key))
            changes[i].stays = true;
    }
}

/* ------------------------------------------------------------------ the whole */

size_t rt_schema_compare(struct rt_schema_change **out, struct rt_arena *arena,
                         const struct rt_schema *prod, const struct rt_schema *twin)
{
    struct rt_schema_change *changes =
        rt_arena_alloc(arena, (prod->count + twin->count + 1) * sizeof(*changes));
    size_t count = 0, p = 0, t = 0;

    while (p < prod->count || t < twin->count) {
        int which = p == prod->count   ? 1
                    : t == twin->count ? -1
                                       : order(&prod->objects[p], &twin->objects[t]);
        struct rt_schema_change change = {.prod = which <= 0 ? &prod->objects[p++] : NULL,
                                          .twin =
                                              which >= 0 ? &twin->objects[t++] : NULL};

        if (which == 0 && same(change.prod, prod->version, change.twin, twin->version))
            continue;
        change.stays = stays(change.prod, change.twin);
        changes[count++] = change;
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].twin == NULL && is_foreign_key(changes[i].prod))
            find_stand_ins(changes, count, &changes[i]);
    }
    *out = changes;
    return count;
}
