/* Compiler attributes, and the calls that no file may make. Every header includes this.
 */
#ifndef RT_BASE_ATTR_H
#define RT_BASE_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* declares what is poisoned below */
#include <stdlib.h>
#include <string.h>

#define RT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define RT_CHECKED __attribute__((warn_unused_result))
#define RT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Unbounded writes and parsers that cannot report an error; the idea is git's banned.h.
 */
#undef strcpy /* some libraries make macros of them */
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof

#endif
