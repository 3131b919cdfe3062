/*
 * How a row is hashed, column by column; hash.c writes it as SQL, and compare/rowsum.h
 * does it with rows as COPY has them.
 */
#ifndef RT_TWIN_HASH_H
#define RT_TWIN_HASH_H

#include "twin/projection.h"

/* A value that a function of the server hashes together with what came before it. */
enum rt_hash_link {
    RT_HASH_NO_LINK, /* its bytes are hashed before all links, in one array */
    RT_HASH_INT4,    /* also smallint and boolean */
    RT_HASH_INT8,
    RT_HASH_UUID,
    RT_HASH_TEXT,
};

/* Of a table's column; in the hash of a whole row. */
enum rt_hash_link rt_hash_link(const struct rt_table *table, size_t column);

/* Several bit patterns are NaN, of which text has only one: they are hashed as that. */
bool rt_hash_has_nans(const struct rt_column *column);

#endif
