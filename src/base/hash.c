#include "base/hash.h"

#include <sodium.h>

enum { BYTES = RT_HASH_HEX / 2 };

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct rt_hash),
               "struct rt_hash must hold libsodium's state");

static crypto_generichash_state *state(struct rt_hash *hash)
{
    return (crypto_generichash_state *)(void *)hash->state;
}

void rt_hash_init(struct rt_hash *hash)
{
    crypto_generichash_init(state(hash), NULL, 0, BYTES);
}

void rt_hash_add(struct rt_hash *hash, const void *bytes, size_t len)
{
    crypto_generichash_update(state(hash), bytes, len);
}

void rt_hash_field(struct rt_hash *hash, const char *text)
{
    uint64_t len = text ? strlen(text) : UINT64_MAX;
    unsigned char prefix[8];

    for (size_t i = 0; i < sizeof(prefix); i++)
        prefix[i] = (unsigned char)(len >> 8 * i);
    rt_hash_add(hash, prefix, sizeof(prefix));
    if (text)
        rt_hash_add(hash, text, len);
}

struct rt_digest rt_hash_end(struct rt_hash *hash)
{
    unsigned char raw[BYTES];
    struct rt_digest digest;

    crypto_generichash_final(state(hash), raw, sizeof(raw));
    sodium_bin2hex(digest.hex, sizeof(digest.hex), raw, sizeof(raw));
    return digest;
}

struct rt_digest rt_hash_of(const void *bytes, size_t len)
{
    struct rt_hash hash;

    rt_hash_init(&hash);
    rt_hash_add(&hash, bytes, len);
    return rt_hash_end(&hash);
}

struct rt_digest rt_hash_lines(const char *text, size_t len, const char *line_end)
{
    const char *at = text, *end = text + len;
    struct rt_hash hash;

    rt_hash_init(&hash);
    while (at < end) { /* line by line: a file may be large */
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        if (newline && stop > at && stop[-1] == '\r')
            stop--;
        rt_hash_add(&hash, at, (size_t)(stop - at));
        if (newline)
            rt_hash_add(&hash, line_end, strlen(line_end));
        at = newline ? newline + 1 : end;
    }
    return rt_hash_end(&hash);
}
