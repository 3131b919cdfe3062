/* A list of names for the detail of an error, one a line. */
#ifndef RT_BASE_NAMES_H
#define RT_BASE_NAMES_H

#include "base/err.h"
#include "base/str.h"

struct rt_names {
    size_t limit; /* of lines; 0: none */
    struct rt_str text;
    size_t count;
}; /* starts as {0}, or with a limit */

void rt_names_add(struct rt_names *names, const char *name);

/* Make the list the detail, with how many are left out, and forget it. */
void rt_names_give(struct rt_names *names, struct rt_err *err);

#endif
