/*
 * The schema of a database as text, object by object, from the catalogs: everything that
 * pg_dump would dump but owners, privileges and data. Two databases are of one schema
 * when all their definitions are the same.
 */
#ifndef RT_SCHEMA_SCHEMA_H
#define RT_SCHEMA_SCHEMA_H

#include "base/arena.h"
#include "base/hash.h"
#include "pg/conn.h"

struct rt_object {
    const char *kind;       /* "table", "function", ...: of the SQL standard or pg_dump */
    const char *name;       /* qualified, quoted where needed; unique with kind */
    const char *definition; /* readable SQL, lines ended by "\n" */
};

struct rt_schema {
    struct rt_object *objects; /* ordered by kind and name, bytewise */
    size_t count;
    int version; /* of the server, as 150020 */
    /* Of them all. Those of two databases are the same where nothing differs, unless
     * their servers are of different major versions, which write views differently. */
    char fingerprint[RT_HASH_HEX + 1];
};

/* As the connection's transaction sees it, in one round trip. What revtwin keeps about
 * the twin itself (revtwin.twin, revtwin.receipt) is not part of it. */
int rt_schema_read(struct rt_schema *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;

/* Both sides at once, which costs one round trip to the slower one. */
int rt_schema_read_both(struct rt_schema *prod, struct rt_schema *twin,
                        struct rt_arena *arena, struct rt_conn *prod_conn,
                        struct rt_conn *twin_conn, struct rt_err *err) RT_CHECKED;

/* An object that differs; one side is NULL when it has none. */
struct rt_schema_change {
    const struct rt_object *prod, *twin;
    /* No resync mends it, and no delta needs it mended: an extension of another version,
     * which is the server's affair, or a foreign key that is NOT VALID on the twin only,
     * as it has to be where production's rows violate it. One of a partitioned table is
     * on its partitions then, and the table has neither the key nor its comment. */
    bool stays;
};

/* Fill *out, in the arena, with what differs; returns how many. */
size_t rt_schema_compare(struct rt_schema_change **out, struct rt_arena *arena,
                         const struct rt_schema *prod, const struct rt_schema *twin);

#endif
