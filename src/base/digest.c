#include "base/digest.h"

#include <sodium.h>

_Static_assert(RT_SHA256_BYTES == crypto_hash_sha256_BYTES, "SHA-256 has 32 bytes");

void rt_sha256(unsigned char out[RT_SHA256_BYTES], const void *bytes, size_t len)
{
    crypto_hash_sha256(out, bytes, len);
}

/* libsodium has no SHA-384, which is SHA-512 cut short, from other initial values. */
void rt_sha384(unsigned char out[RT_SHA384_BYTES], const void *bytes, size_t len)
{
    static const uint64_t initial[8] = {
        0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
        0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
    unsigned char whole[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_state state;

    crypto_hash_sha512_init(&state);
    memcpy(state.state, initial, sizeof(initial));
    crypto_hash_sha512_update(&state, bytes, len);
    crypto_hash_sha512_final(&state, whole);
    memcpy(out, whole, RT_SHA384_BYTES);
}

uint32_t rt_crc32(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    crc = ~crc;
    while (len-- > 0) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}
