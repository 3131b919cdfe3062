/*
 * BLAKE2b with 32 bytes of output (RFC 7693; libsodium's crypto_generichash without a
 * key), as lower-case hex.
 */
#ifndef RT_BASE_HASH_H
#define RT_BASE_HASH_H

#include <stdalign.h>

#include "base/attr.h"

#define RT_HASH_ALGORITHM "blake2b-256"
enum { RT_HASH_HEX = 64 };

struct rt_hash {
    alignas(64) unsigned char state[384];
};
/* 64 hex digits and a NUL. */
struct rt_digest {
    char hex[RT_HASH_HEX + 1];
};

void rt_hash_init(struct rt_hash *hash);
void rt_hash_add(struct rt_hash *hash, const void *bytes, size_t len);

/* Add a field so that no two lists of fields give the same bytes: its length as eight
 * bytes, little-endian, then its bytes. NULL is a length of all ones and no bytes. */
void rt_hash_field(struct rt_hash *hash, const char *text);
struct rt_digest rt_hash_end(struct rt_hash *hash);

struct rt_digest rt_hash_of(const void *bytes, size_t len);

/* Of the text with each of its line ends, LF or CRLF, written as line_end. */
struct rt_digest rt_hash_lines(const char *text, size_t len, const char *line_end);

#endif
