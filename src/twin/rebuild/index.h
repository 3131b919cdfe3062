/*
 * What a copy builds on its tables after their rows: indexes, and the foreign keys
 * between them, as statements that are production's own definitions. What is not here
 * is for pg_restore to make.
 */
#ifndef RT_TWIN_REBUILD_INDEX_H
#define RT_TWIN_REBUILD_INDEX_H

#include "base/arena.h"
#include "pg/conn.h"

struct rt_index {
    const char *table;      /* its OID */
    const char *oid;        /* of the index */
    const char *constraint; /* OID of the one that it is for, or NULL */
    const char *create;     /* NULL: add does it all */
    const char *add;        /* the constraint, once the index is there; or NULL */
    double bytes;
};

struct rt_foreign_key {
    const char *oid;
    const char *table; /* OID of the one that has it */
    const char *add;   /* and check the rows, unless it is not valid */
    const char
        *unchecked; /* add it NOT VALID, to the partitions of a partitioned table */
    const char *validate;
    const char *name;    /* for people: "k on public.t" */
    const char *comment; /* how the entry of its comment in an archive's list begins */
    bool partitioned;    /* one end is: it cannot be added first and validated later */
    bool on_partitions;  /* that is where it is when it was added unchecked */
    bool valid;          /* else add says NOT VALID already */
    bool violated;       /* set by rt_foreign_add: production's own rows do */
    double bytes;        /* of that table */
};

struct rt_indexes {
    struct rt_index *index; /* by table OID, bytewise */
    size_t count;
    struct rt_foreign_key *key; /* the same */
    size_t key_count;
};

/* As the connection's transaction sees them, with an empty search_path. Everything lives
 * in the arena. */
int rt_indexes_read(struct rt_indexes *out, struct rt_arena *arena, struct rt_conn *conn,
                    struct rt_err *err) RT_CHECKED;

/* The first one of the table; *count of them follow each other. */
const struct rt_index *rt_indexes_of(size_t *count, const struct rt_indexes *indexes,
                                     const char *table);

enum { RT_CATALOG_INDEXES = 1259, RT_CATALOG_CONSTRAINTS = 2606 }; /* their own OIDs */

/* Whether the index or the constraint of this OID is among them. What other catalogs
 * have under the same one is something else. */
bool rt_indexes_have(const struct rt_indexes *indexes, unsigned long catalog,
                     const char *oid);

#endif
