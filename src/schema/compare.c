/* What differs between two lists of definitions. */
#include "schema/schema.h"

static int order(const struct rt_object *a, const struct rt_object *b)
{
    int kinds = strcmp(a->kind, b->kind);

    return kinds != 0 ? kinds : strcmp(a->name, b->name);
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

        if (which != 0 || strcmp(change.prod->definition, change.twin->definition) != 0)
            changes[count++] = change;
    }
    *out = changes;
    return count;
}
