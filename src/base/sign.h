/*
 * Ed25519 signatures (RFC 8032; libsodium's crypto_sign) and keys as text.
 *
 * A key is a line of its own, blank lines and comments (#) around it:
 *
 *   revtwin-secret-key-1:BASE64   the 32 bytes of the seed, then those of the public key
 *   revtwin-public-key-1:BASE64   the 32 bytes, then the first 4 of their BLAKE2b-256
 *
 * so that a damaged key is told from one that did not sign. Several public keys are a
 * rotation: what any of them signed is good.
 *
 * The message that is signed is RT_SIGNED_PREFIX and the text, so that a signature made
 * for something else can never pass for one of ours. A signature is base64 too.
 */
#ifndef RT_BASE_SIGN_H
#define RT_BASE_SIGN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"

#define RT_SIGNED_PREFIX "revtwin ledger entry 1\n"
#define RT_SECRET_KEY_PREFIX "revtwin-secret-key-1:"
#define RT_PUBLIC_KEY_PREFIX "revtwin-public-key-1:"

struct rt_signing_key; /* guarded memory, wiped when it is freed */

struct rt_public_keys {
    const unsigned char (*keys)[32]; /* in the arena */
    size_t count;
};

struct rt_signature {
    char text[89]; /* 64 bytes as base64, and a NUL */
};

/* Another pair, from the system's source of randomness. */
struct rt_signing_key *rt_signing_key_make(void);
void rt_signing_key_free(struct rt_signing_key *key); /* NULL is fine */

/* What it signs is good for these. */
struct rt_public_keys rt_signing_key_public(struct rt_arena *arena,
                                            const struct rt_signing_key *key);

/* The two lines, without line ends. */
void rt_signing_key_text(struct rt_secret *out, const struct rt_signing_key *key);
char *rt_public_key_text(struct rt_arena *arena, const struct rt_signing_key *key);

/*
 * Read keys from text; origin names it in messages, which never quote it. Exactly one
 * secret key, at least one public one. Errors: -RT_EUSAGE for what is not a key, the
 * other half of a pair, a damaged key.
 */
int rt_signing_key_parse(struct rt_signing_key **out, const char *text,
                         const char *origin, struct rt_err *err) RT_CHECKED;
int rt_public_keys_parse(struct rt_public_keys *out, struct rt_arena *arena,
                         const char *text, const char *origin,
                         struct rt_err *err) RT_CHECKED;

struct rt_signature rt_sign(const struct rt_signing_key *key, const char *text);

/* Whether signature (any text) is one of the keys' for the text. */
bool rt_is_signed(const struct rt_public_keys *keys, const char *text,
                  const char *signature);

#endif
