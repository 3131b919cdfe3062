/* The difference of two texts, as git shows it. */
#ifndef RT_GIT_PATCH_H
#define RT_GIT_PATCH_H

#include "base/err.h"
#include "base/str.h"

/* Append the hunks of the unified diff ("@@ -1,3 +1,4 @@", then lines with " ", "-" or
 * "+"), nothing when the texts are equal. */
int rt_patch_add(struct rt_str *out, const char *before, const char *after,
                 struct rt_err *err) RT_CHECKED;

#endif
