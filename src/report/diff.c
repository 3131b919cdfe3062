#include "report/diff.h"

#include "base/str.h"
#include "git/patch.h"

static void add_side(struct rt_str *out, const char *sign, const char *side,
                     const struct rt_object *object)
{
    char *name = object ? rt_printable(object->name) : NULL;

    if (object)
        rt_str_addf(out, "%s %s: %s %s\n", sign, side, object->kind, name);
    else
        rt_str_addf(out, "%s %s: not there\n", sign, side);
    free(name);
}

static json_t *change_json(const struct rt_schema_change *change, const char *diff)
{
    const struct rt_object *any = change->prod ? change->prod : change->twin;
    json_t *object = json_object();

    rt_json_put(object, "kind", any->kind);
    rt_json_put(object, "name", any->name);
    json_object_set_new(object, "production",
                        rt_json_text(change->prod ? change->prod->definition : NULL));
    json_object_set_new(object, "twin",
                        rt_json_text(change->twin ? change->twin->definition : NULL));
    rt_json_put(object, "diff", diff);
    return object;
}

static int report_change(const struct rt_report *report, json_t *list,
                         const struct rt_schema_change *change, struct rt_err *err)
{
    struct rt_str text = {0};
    int rc;

    add_side(&text, "---", "production", change->prod);
    add_side(&text, "+++", "twin", change->twin);
    rc = rt_patch_add(&text, change->prod ? change->prod->definition : "",
                      change->twin ? change->twin->definition : "", err);
    if (rc == 0)
        rt_report_line(report, "%.*s", (int)text.len - 1, text.data);
    if (rc == 0 && list)
        json_array_append_new(list, change_json(change, text.data));
    rt_str_clear(&text);
    return rc;
}

int rt_report_diff(const struct rt_report *report, const struct rt_schema *prod,
                   const struct rt_schema *twin, const struct rt_schema_change *changes,
                   size_t count, struct rt_err *err)
{
    json_t *doc = rt_report_json(report), *list = doc ? json_array() : NULL;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = report_change(report, list, &changes[i], err);
    if (doc) {
        json_t *prints = json_object();

        rt_json_put(prints, "production", prod->fingerprint);
        rt_json_put(prints, "twin", twin->fingerprint);
        json_object_set_new(doc, "fingerprints", prints);
        json_object_set_new(doc, "objects", json_integer((json_int_t)prod->count));
        json_object_set_new(doc, "differences", list);
    }
    return rc;
}
