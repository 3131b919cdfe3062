#include "base/json.h"

#include <errno.h>

#include "base/mem.h"
#include "base/str.h"

json_t *rt_json_text(const char *text)
{
    struct rt_str clean = {0};
    json_t *value;

    if (text == NULL)
        return json_null();
    rt_str_add_clean(&clean, text, strlen(text));
    value = json_string(rt_str_text(&clean));
    rt_str_clear(&clean);
    if (value == NULL)
        rt_out_of_memory();
    return value;
}

void rt_json_put(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, rt_json_text(text));
}

int rt_json_read(json_t **out, const char *path, const char *what, struct rt_err *err)
{
    json_error_t why;
    FILE *file = fopen(path, "re");
    int rc = 0;

    *out = NULL;
    if (file == NULL) {
        rt_err_set(err, RT_EUSAGE, "cannot read %s: %s", what, strerror(errno));
        return rt_err_at(err, path, 0, 0);
    }
    *out = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    if (*out == NULL) {
        rc = rt_err_set(err, RT_EUSAGE, "%s is not valid JSON: %s", what, why.text);
        rt_err_at(err, path, why.line > 0 ? (unsigned long)why.line : 0,
                  why.column > 0 ? (unsigned long)why.column : 0);
    }
    fclose(file);
    return rc;
}
