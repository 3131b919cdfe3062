/*
 * The checksums that other migration tools keep: SHA-256 and SHA-384 (FIPS 180-4), and
 * CRC-32 (ISO 3309, as zlib and java.util.zip have it). The ledger's own is hash.h.
 */
#ifndef RT_BASE_DIGEST_H
#define RT_BASE_DIGEST_H

#include "base/attr.h"

enum { RT_SHA256_BYTES = 32, RT_SHA384_BYTES = 48 };

void rt_sha256(unsigned char out[RT_SHA256_BYTES], const void *bytes, size_t len);
void rt_sha384(unsigned char out[RT_SHA384_BYTES], const void *bytes, size_t len);

/* Go on from crc, which is 0 at first. */
uint32_t rt_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
