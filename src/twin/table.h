/*
 * The tables of a database that hold rows of their own: ordinary tables, leaves of
 * partitioned ones, parents and children of inheritance each by itself (ONLY), and the
 * configuration tables of extensions as far as the extension marks their rows. Not
 * views, foreign tables, temporary tables, other tables of extensions, what revtwin
 * keeps about the twin itself (revtwin.twin, revtwin.receipt).
 */
#ifndef RT_TWIN_TABLE_H
#define RT_TWIN_TABLE_H

#include "base/arena.h"
#include "pg/conn.h"

/* Bytes of a page, as servers are built by default. Where it is another, ranges of pages
 * are only less even, and estimates less right. */
enum { RT_TABLE_PAGE = 8192 };

struct rt_column {
    const char *name; /* not quoted */
    const char *type; /* of format_type: "numeric(10,2)" */
    /* What of a value is the same on every server that has it: the output of this
     * function, "pg_catalog.int8send"; NULL where there is none or it carries OIDs: then
     * it is the text. */
    const char *send;
    const char *base; /* of a domain: what to cast to before sending; else NULL */
    bool binary;      /* COPY may send it in the binary format */
    bool not_null;
    bool generated; /* computed, so never copied nor compared */
    char identity;  /* 'a' always, 'd' by default, or 0 */
};

struct rt_table {
    const char *oid;
    const char *schema, *name; /* not quoted */
    const char *ident;         /* "schema"."name", quoted where needed */
    struct rt_column *columns; /* in order; dropped ones are not there */
    size_t column_count;
    /* The columns that tell rows apart (indexes into columns): the primary key, else a
     * valid, immediate unique index without expression or predicate over NOT NULL
     * columns; none is count 0. */
    size_t *key;
    size_t key_count;
    /* Of an extension's configuration table the condition that its rows meet ("true"
     * when all do), else NULL. */
    const char *rows_where;
    unsigned long long bytes;       /* of its heap by now */
    unsigned long long toast_bytes; /* and besides it */
    double rows; /* the planner's estimate; negative when never analysed */
    bool unlogged, partition;
    bool parent; /* others inherit from it, or have done so */
    /* Nearly all of it has been vacuumed: an index tells of its rows alone. */
    bool visible;
};

struct rt_tables {
    struct rt_table *table; /* ordered by schema and name, bytewise */
    size_t count;
    /* What a twin does not have, for the report, as texts: "foreign table public.f",
     * "3 large objects". */
    const char **left_out;
    size_t left_out_count;
    const char *far; /* OIDs of materialized views among them, a space around each */
    bool standby;    /* unlogged tables are left out, too: they have no rows there */
};

/*
 * As the connection's transaction sees them; its search_path is empty from here on.
 * -RT_EREFUSED when rows of a table would be hidden from this role by row-level security,
 * -RT_EINTERNAL with the GRANT to give when the role may not read one. Everything lives
 * in the arena.
 */
int rt_tables_read(struct rt_tables *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;

/* On disk, without indexes. */
unsigned long long rt_tables_bytes(const struct rt_tables *tables);

/* NULL when there is none of that name. */
const struct rt_table *rt_tables_find(const struct rt_tables *tables, const char *schema,
                                      const char *name);

#endif
