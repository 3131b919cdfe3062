/*
 * Text that must not be seen: kept in guarded memory that is wiped when it is freed
 * (libsodium's sodium_malloc), and taken out of messages before they are shown.
 */
#ifndef RT_BASE_SECRET_H
#define RT_BASE_SECRET_H

#include "base/attr.h"

struct rt_secret {
    char *text; /* NUL-terminated, or NULL when unset */
};              /* starts as {0} */

void rt_secret_set(struct rt_secret *secret, const char *text); /* copies; NULL unsets */
void rt_secret_clear(struct rt_secret *secret);

/* A copy of text, for the caller to free, with every occurrence of word as "****".
 * word may be NULL or empty: nothing is replaced. */
char *rt_redact(const char *text, const char *word);

#endif
