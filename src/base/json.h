/*
 * JSON by jansson: the one place that includes it. Values are jansson's (json_t), owned
 * and shared by its rules; see https://jansson.readthedocs.io.
 */
#ifndef RT_BASE_JSON_H
#define RT_BASE_JSON_H

#include <jansson.h>

#include "base/err.h"

/* A string value from any bytes: invalid UTF-8 becomes U+FFFD, NULL becomes null. */
json_t *rt_json_text(const char *text);

/* Set object[key] to the text; nothing when text is NULL. */
void rt_json_put(json_t *object, const char *key, const char *text);

/*
 * Read a file. *out is the caller's (json_decref). Errors, all
 * -RT_EUSAGE with path, and line and column of a syntax error: what it is called in
 * messages is given by what.
 */
int rt_json_read(json_t **out, const char *path, const char *what,
                 struct rt_err *err) RT_CHECKED;

#endif
