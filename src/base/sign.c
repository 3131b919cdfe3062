#include "base/sign.h"

#include <sodium.h>

#include "base/hash.h"
#include "base/mem.h"

enum { BASE64 = sodium_base64_VARIANT_ORIGINAL, CHECK_BYTES = 4 };

struct rt_signing_key {
    unsigned char bytes[crypto_sign_SECRETKEYBYTES]; /* the seed, then the public key */
};

_Static_assert(sizeof(*(struct rt_public_keys){0}.keys) == crypto_sign_PUBLICKEYBYTES,
               "struct rt_public_keys must hold libsodium's");
_Static_assert(sizeof((struct rt_signature){0}.text) ==
                   sodium_base64_ENCODED_LEN(crypto_sign_BYTES, BASE64),
               "struct rt_signature must hold a signature");

static struct rt_signing_key *allocate(void)
{
    struct rt_signing_key *key =
        sodium_init() < 0 ? NULL : sodium_malloc(sizeof(struct rt_signing_key));

    if (key == NULL)
        rt_out_of_memory();
    return key;
}

static const unsigned char *public_half(const struct rt_signing_key *key)
{
    return key->bytes + crypto_sign_SEEDBYTES;
}

struct rt_signing_key *rt_signing_key_make(void)
{
    struct rt_signing_key *key = allocate();
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES];

    crypto_sign_keypair(public_key, key->bytes);
    return key;
}

void rt_signing_key_free(struct rt_signing_key *key)
{
    sodium_free(key);
}

struct rt_public_keys rt_signing_key_public(struct rt_arena *arena,
                                            const struct rt_signing_key *key)
{
    unsigned char(*copy)[crypto_sign_PUBLICKEYBYTES] =
        rt_arena_alloc(arena, sizeof(*copy));

    memcpy(copy, public_half(key), sizeof(*copy));
    return (struct rt_public_keys){(const unsigned char(*)[sizeof(*copy)])copy, 1};
}

/* ------------------------------------------------------------------ as text */

void rt_signing_key_text(struct rt_secret *out, const struct rt_signing_key *key)
{
    char text[sizeof(RT_SECRET_KEY_PREFIX) +
              sodium_base64_ENCODED_LEN(sizeof(key->bytes), BASE64)] =
        RT_SECRET_KEY_PREFIX;
    size_t prefix = strlen(text);

    sodium_bin2base64(text + prefix, sizeof(text) - prefix, key->bytes,
                      sizeof(key->bytes), BASE64);
    rt_secret_set(out, text);
    sodium_memzero(text, sizeof(text));
}

static void add_check(unsigned char *out, const unsigned char *public_key)
{
    unsigned char hash[32];

    crypto_generichash(hash, sizeof(hash), public_key, crypto_sign_PUBLICKEYBYTES, NULL,
                       0);
    memcpy(out, hash, CHECK_BYTES);
}

char *rt_public_key_text(struct rt_arena *arena, const struct rt_signing_key *key)
{
    unsigned char raw[crypto_sign_PUBLICKEYBYTES + CHECK_BYTES];
    char base64[sodium_base64_ENCODED_LEN(sizeof(raw), BASE64)];

    memcpy(raw, public_half(key), crypto_sign_PUBLICKEYBYTES);
    add_check(raw + crypto_sign_PUBLICKEYBYTES, raw);
    sodium_bin2base64(base64, sizeof(base64), raw, sizeof(raw), BASE64);
    return rt_arena_format(arena, "%s%s", RT_PUBLIC_KEY_PREFIX, base64);
}

/* ------------------------------------------------------------------ from text */

/* A line without the blanks around it; not NUL-terminated. */
struct line {
    const char *start;
    size_t len;
};

/* The next line that is neither blank nor a comment; false when there is none. */
static bool next_line(struct line *out, const char **text)
{
    while (**text) {
        size_t len = strcspn(*text, "\n");

        out->start = *text + strspn(*text, " \t\r");
        out->len = out->start < *text + len ? (size_t)(*text + len - out->start) : 0;
        while (out->len > 0 && strchr(" \t\r", out->start[out->len - 1]))
            out->len--;
        *text += len + ((*text)[len] == '\n');
        if (out->len > 0 && *out->start != '#')
            return true;
    }
    return false;
}

static bool starts_with(const struct line *line, const char *prefix)
{
    return line->len >= strlen(prefix) &&
           memcmp(line->start, prefix, strlen(prefix)) == 0;
}

/* Decode what follows the prefix; false unless it is exactly size bytes. */
static bool decode(unsigned char *out, size_t size, const struct line *line,
                   const char *prefix)
{
    size_t skip = strlen(prefix), got;

    return sodium_base642bin(out, size, line->start + skip, line->len - skip, NULL, &got,
                             NULL, BASE64) == 0 &&
           got == size;
}

static int refuse_damaged(const char *origin, struct rt_err *err)
{
    rt_err_set(err, RT_EUSAGE, "the key in %s is damaged", origin);
    return rt_err_hint(err, "Copy the whole line again from where it is kept.");
}

static int refuse_foreign(const char *origin, const char *prefix, struct rt_err *err)
{
    rt_err_set(err, RT_EUSAGE, "%s holds something that is not a key of revtwin", origin);
    return rt_err_hint(
        err, "The line should begin with %s; revtwin keygen makes such a pair.", prefix);
}

static int refuse_none(const char *origin, const char *prefix, struct rt_err *err)
{
    rt_err_set(err, RT_EUSAGE, "%s holds no key", origin);
    return rt_err_hint(
        err, "A line should begin with %s; revtwin keygen makes such a pair.", prefix);
}

/* Whether the seed and the public key belong together. */
static bool halves_fit(const struct rt_signing_key *key)
{
    struct rt_signing_key *again = allocate();
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
    bool fit;

    crypto_sign_seed_keypair(public_key, again->bytes, key->bytes);
    fit = memcmp(public_key, public_half(key), sizeof(public_key)) == 0;
    sodium_free(again);
    return fit;
}

static int read_secret(struct rt_signing_key *key, const char *text, const char *origin,
                       struct rt_err *err)
{
    struct line line;
    size_t count = 0;

    while (next_line(&line, &text)) {
        if (starts_with(&line, RT_PUBLIC_KEY_PREFIX)) {
            rt_err_set(err, RT_EUSAGE,
                       "%s holds a public key, but signing needs the secret one", origin);
            return rt_err_hint(err, "It is in the file that revtwin keygen wrote beside "
                                    "the .pub file.");
        }
        if (!starts_with(&line, RT_SECRET_KEY_PREFIX))
            return refuse_foreign(origin, RT_SECRET_KEY_PREFIX, err);
        if (count++ > 0)
            return rt_err_set(err, RT_EUSAGE, "%s holds more than one secret key",
                              origin);
        if (!decode(key->bytes, sizeof(key->bytes), &line, RT_SECRET_KEY_PREFIX) ||
            !halves_fit(key))
            return refuse_damaged(origin, err);
    }
    return count == 0 ? refuse_none(origin, RT_SECRET_KEY_PREFIX, err) : 0;
}

int rt_signing_key_parse(struct rt_signing_key **out, const char *text,
                         const char *origin, struct rt_err *err)
{
    struct rt_signing_key *key = allocate();
    int rc = read_secret(key, text, origin, err);

    *out = rc == 0 ? key : NULL;
    if (rc < 0)
        rt_signing_key_free(key);
    return rc;
}

static int read_public(unsigned char out[crypto_sign_PUBLICKEYBYTES],
                       const struct line *line, const char *origin, struct rt_err *err)
{
    unsigned char raw[crypto_sign_PUBLICKEYBYTES + CHECK_BYTES], check[CHECK_BYTES];

    if (starts_with(line, RT_SECRET_KEY_PREFIX)) {
        rt_err_set(err, RT_EUSAGE, "%s holds a secret key where public ones are expected",
                   origin);
        return rt_err_hint(err, "Name the .pub file that revtwin keygen wrote beside it. "
                                "If others can see this one, make another pair.");
    }
    if (!starts_with(line, RT_PUBLIC_KEY_PREFIX))
        return refuse_foreign(origin, RT_PUBLIC_KEY_PREFIX, err);
    if (!decode(raw, sizeof(raw), line, RT_PUBLIC_KEY_PREFIX))
        return refuse_damaged(origin, err);
    add_check(check, raw);
    if (memcmp(check, raw + crypto_sign_PUBLICKEYBYTES, CHECK_BYTES) != 0)
        return refuse_damaged(origin, err);
    memcpy(out, raw, crypto_sign_PUBLICKEYBYTES);
    return 0;
}

int rt_public_keys_parse(struct rt_public_keys *out, struct rt_arena *arena,
                         const char *text, const char *origin, struct rt_err *err)
{
    const char *rest = text;
    unsigned char(*keys)[crypto_sign_PUBLICKEYBYTES];
    struct line line;
    size_t lines = 0;

    *out = (struct rt_public_keys){0};
    while (next_line(&line, &rest))
        lines++;
    if (lines == 0)
        return refuse_none(origin, RT_PUBLIC_KEY_PREFIX, err);
    keys = rt_arena_alloc(arena, lines * sizeof(*keys));
    for (rest = text; next_line(&line, &rest); out->count++) {
        int rc = read_public(keys[out->count], &line, origin, err);

        if (rc < 0)
            return rc;
    }
    out->keys = (const unsigned char(*)[crypto_sign_PUBLICKEYBYTES])keys;
    return 0;
}

/* ------------------------------------------------------------------ signing */

struct rt_signature rt_sign(const struct rt_signing_key *key, const char *text)
{
    char *message = rt_format("%s%s", RT_SIGNED_PREFIX, text);
    unsigned char raw[crypto_sign_BYTES];
    struct rt_signature signature;

    crypto_sign_detached(raw, NULL, (const unsigned char *)message, strlen(message),
                         key->bytes);
    free(message);
    sodium_bin2base64(signature.text, sizeof(signature.text), raw, sizeof(raw), BASE64);
    return signature;
}

bool rt_is_signed(const struct rt_public_keys *keys, const char *text,
                  const char *signature)
{
    unsigned char raw[crypto_sign_BYTES];
    const struct line line = {signature, strlen(signature)};
    char *message;
    bool good = false;

    if (!decode(raw, sizeof(raw), &line, ""))
        return false;
    message = rt_format("%s%s", RT_SIGNED_PREFIX, text);
    for (size_t i = 0; !good && i < keys->count; i++)
        good = crypto_sign_verify_detached(raw, (const unsigned char *)message,
                                           strlen(message), keys->keys[i]) == 0;
    free(message);
    return good;
}
