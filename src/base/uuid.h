/* Random identifiers: UUID version 4 (RFC 9562). */
#ifndef RT_BASE_UUID_H
#define RT_BASE_UUID_H

#include "base/attr.h"

enum { RT_UUID_SIZE = 37 }; /* text and NUL */

/* A fresh one, in lower case: "f81d4fae-7dec-41d0-a765-00a0c91e6bf6". */
void rt_uuid(char out[RT_UUID_SIZE]);

#endif
