/*
 * The checksums that other migration tools keep of a file, computed as they do.
 *
 * Sources: prisma migration-connector/checksum.rs; Flyway ChecksumCalculator; sqlx
 * migrate/migration.rs; graphile-migrate, tried.
 */
#ifndef RT_MIGRATE_FOREIGN_SUM_H
#define RT_MIGRATE_FOREIGN_SUM_H

#include "base/arena.h"

enum rt_sum_verdict {
    RT_SUM_FITS,
    RT_SUM_DIFFERS,
    RT_SUM_UNKNOWN, /* the tool had more than the file to make it of */
};

/* Whether a file of this key (foreign_name.h) has the checksum. */
typedef enum rt_sum_verdict rt_sum_check(const char *key, const char *bytes, size_t len,
                                         const char *sum);

/* SHA-256 in hex, of the bytes or with all line ends as LF or as CRLF. Old versions wrote
 * bytes below 16 with one digit. */
rt_sum_check rt_prisma_sum;

/* What Prisma keeps of a file: the SHA-256 of its bytes in hex, in the arena. */
const char *rt_prisma_checksum(struct rt_arena *arena, const char *bytes, size_t len);

/* SHA-384 in hex; other line ends count as the same, as everywhere in revtwin. */
rt_sum_check rt_sqlx_sum;

/* CRC-32 over the lines without their ends and a byte-order mark, as a signed number.
 * Unknown for a repeatable migration with placeholders, which have been replaced. */
rt_sum_check rt_flyway_sum;

/* The hash that stands in the file's own header. */
rt_sum_check rt_graphile_sum;

#endif
