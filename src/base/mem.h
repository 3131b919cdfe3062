/*
 * The heap. Running out of memory is the one error that is not returned: the process
 * says so and exits with status 1, and the server rolls back what was open.
 */
#ifndef RT_BASE_MEM_H
#define RT_BASE_MEM_H

#include <stdarg.h>

#include "base/attr.h"

/* Each returns memory that the caller frees; never NULL. rt_alloc zeroes it. */
void *rt_alloc(size_t size);
char *rt_strdup(const char *s);
char *rt_strndup(const char *s, size_t len);
char *rt_format(const char *fmt, ...) RT_PRINTF(1, 2);
char *rt_vformat(const char *fmt, va_list ap) RT_PRINTF(1, 0);

_Noreturn void rt_out_of_memory(void);

/*
 * Make room for at least count + 1 elements of the given size in a growing array.
 * items is NULL or from here; *cap is its capacity in elements and is updated.
 * Returns the array, possibly moved.
 */
void *rt_grow(void *items, size_t count, size_t *cap, size_t size);

#endif
