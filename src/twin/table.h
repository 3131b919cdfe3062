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

/* The send function's output identifies a value across servers; where it carries OIDs,
 * or there is none, the text does. */
enum rt_form { RT_FORM_SEND, RT_FORM_TEXT };

struct rt_column {
    const char *name; /* not quoted */
    const char *type; /* of format_type: "numeric(10,2)" */
    const char *send; /* qualified and quoted: "pg_catalog.int8send"; NULL: as text */
    bool binary;      /* has send and receive functions that agree on both servers */
    bool not_null;
    bool generated; /* stored: computed, so never copied nor compared */
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
    const char *rows_where;         /* of an extension's configuration table, else NULL */
    unsigned long long bytes;       /* of its heap by now */
    unsigned long long toast_bytes; /* and besides it */
    double rows; /* the planner's estimate; negative when never analysed */
    bool unlogged, partition;
};

struct rt_tables {
    struct rt_table *table; /* ordered by schema and name, bytewise */
    size_t count;
    /* What a twin does not have, for the report, as texts: "foreign table public.f",
     * "3 large objects". */
    const char **left_out;
    size_t left_out_count;
};

/*
 * As the connection's transaction sees them. -RT_EREFUSED when rows of a table would be
 * hidden from this role by row-level security, -RT_EINTERNAL with the GRANT to give when
 * the role may not read one. Everything lives in the arena.
 */
int rt_tables_read(struct rt_tables *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;

/* NULL when there is none of that name. */
const struct rt_table *rt_tables_find(const struct rt_tables *tables, const char *schema,
                                      const char *name);

#endif
