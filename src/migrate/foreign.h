/*
 * The history that another migration tool keeps in a table of its own on production, as
 * that tool reads it: Prisma, Flyway, dbmate, golang-migrate, goose, sqlx,
 * node-pg-migrate, graphile-migrate. Nothing here writes.
 */
#ifndef RT_MIGRATE_FOREIGN_H
#define RT_MIGRATE_FOREIGN_H

#include "base/str.h"
#include "migrate/foreign_name.h"
#include "migrate/foreign_sum.h"
#include "pg/conn.h"

struct rt_foreign_tool {
    const char *name;        /* for --from, and in messages */
    const char *table;       /* its default name, */
    const char *schema;      /* and schema; NULL: any */
    const char *columns;     /* that it has at least, between spaces */
    const char *query;       /* src/pg/queries/foreign_*.sql */
    rt_sum_check *check_sum; /* NULL: the tool keeps no checksums */
    const char *caution;     /* what its users have to know from here on, or NULL */
    enum rt_naming naming;
    bool exact; /* the table has no other columns */
};

extern const struct rt_foreign_tool rt_foreign_tools[];
extern const size_t rt_foreign_tool_count;

/* The tool of that name, or -RT_EUSAGE with the names there are. */
int rt_foreign_tool(const struct rt_foreign_tool **out, const char *name,
                    struct rt_err *err) RT_CHECKED;

enum rt_foreign_state {
    RT_FOREIGN_APPLIED,
    RT_FOREIGN_FAILED, /* failed, never finished, or dirty: what of it is in is unknown */
    RT_FOREIGN_BELOW,  /* stands for every file up to its key (rt_foreign_at_most) */
};

struct rt_foreign_row {
    const char *key;      /* rt_foreign_row_key */
    const char *label;    /* how the tool would call it in a message */
    const char *checksum; /* NULL: none */
    enum rt_foreign_state state;
};

struct rt_foreign {
    const struct rt_foreign_tool *tool;
    const char *table;           /* with its schema, as SQL; NULL: there is none */
    struct rt_foreign_row *rows; /* in the order in which they were applied */
    size_t count;
};

/*
 * Read the table: the one named (as SQL, with or without its schema), or with NULL the
 * tool's default on the search path, or in the one schema that has it. A row that was
 * rolled back or undone is left out. No such table is an empty history without a table
 * when none was named. Errors: -RT_EUSAGE for a named one that is not there,
 * -RT_EREFUSED when several schemas have one or when it lacks columns, -RT_EINTERNAL.
 */
int rt_foreign_read(struct rt_foreign *out, struct rt_arena *arena, struct rt_conn *conn,
                    const struct rt_foreign_tool *tool, const char *table,
                    struct rt_err *err) RT_CHECKED;

#endif
