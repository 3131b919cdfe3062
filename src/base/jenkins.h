/*
 * PostgreSQL's own hash of bytes with a seed: what its extended hash functions of text,
 * bytea, uuid and integers give on a little-endian server. Not for secrets.
 *
 * hash_bytes_extended and hash_bytes_uint32_extended of PostgreSQL's
 * src/common/hashfn.c, after Bob Jenkins' lookup3.c (May 2006, public domain).
 */
#ifndef RT_BASE_JENKINS_H
#define RT_BASE_JENKINS_H

#include <stddef.h>
#include <stdint.h>

uint64_t rt_jenkins(const void *bytes, size_t size, uint64_t seed);
uint64_t rt_jenkins_uint32(uint32_t value, uint64_t seed);

#endif
