/* What differs between two lists of definitions. */
#include "schema/render.h"
#include "schema/schema.h"

static int order(const struct rt_object *a, const struct rt_object *b)
{
    int kinds = strcmp(a->kind, b->kind);

    return kinds != 0 ? kinds : strcmp(a->name, b->name);
}

static bool is_kind(const struct rt_object *object, const char *kind)
{
    return strcmp(object->kind, kind) == 0;
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
    return is_kind(prod, "constraint") &&
           strstr(prod->definition, "\n    FOREIGN KEY (") &&
           is_extended(prod->definition, twin->definition, " NOT VALID");
}

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
    *out = changes;
    return count;
}
