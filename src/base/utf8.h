/* UTF-8 text as files and servers give it: validity, characters, terminal columns. */
#ifndef RT_BASE_UTF8_H
#define RT_BASE_UTF8_H

#include "base/attr.h"

/*
 * Length in bytes of the valid prefix of s (len when all of it is valid). Follows
 * RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is valid.
 */
size_t rt_utf8_valid(const char *s, size_t len);

/* Number of characters in valid UTF-8. */
size_t rt_utf8_count(const char *s, size_t len);

/* Byte offset of the character with 0-based index n, at most len. */
size_t rt_utf8_offset(const char *s, size_t len, size_t n);

/* Decode the character at s (len > 0), store its byte length; invalid bytes are U+FFFD.
 */
uint32_t rt_utf8_decode(const char *s, size_t len, size_t *bytes);

#endif
