/*
 * The projection of a table: what of it the twin has. These functions write SQL that
 * reads a table as its twin should be; a full twin is the identity. Copying, comparing
 * and verifying all read through them, so that they cannot disagree.
 */
#ifndef RT_TWIN_PROJECTION_H
#define RT_TWIN_PROJECTION_H

#include "base/str.h"
#include "pg/query.h"
#include "twin/table.h"

/* How rows are hashed, as rt_hash_way has found it. */
enum rt_hash_way {
    RT_HASH_OURS,   /* as RT_HASH_CHAIN, and compare/rowsum.h agrees, too */
    RT_HASH_CHAIN,  /* the server's own hash functions, where both sides' agree */
    RT_HASH_SHA256, /* of what the send functions give */
};

/* Ask both servers for hashes of constants: those that agree may use the fast way. prod
 * and twin may be one connection. */
int rt_hash_way(enum rt_hash_way *out, struct rt_conn *prod, struct rt_conn *twin,
                struct rt_err *err) RT_CHECKED;

/* The same in two steps: ask, which goes with the next statement on each (pg/later.h),
 * and when that has been good, what they said. */
struct rt_hash_probe {
    struct rt_read prod, twin;
};
void rt_hash_ask(struct rt_hash_probe *probe, struct rt_conn *prod, struct rt_conn *twin);
enum rt_hash_way rt_hash_told(struct rt_hash_probe *probe);
void rt_hash_forget(struct rt_hash_probe *probe); /* told already or not */

/* Pin what the text of a value depends on (TimeZone, DateStyle, IntervalStyle,
 * extra_float_digits, bytea_output, lc_monetary, xmloption, search_path), and how our own
 * SQL is read, for the session or its open transaction, in which it takes no snapshot.
 * With the next statement, as rt_session_without_timeouts. */
void rt_projection_pin(struct rt_conn *conn);

/* Each appends. "from" is an alias for columns, "" for none: `t.`. */
void rt_project_columns(struct rt_str *sql, const struct rt_table *table,
                        const char *from); /* those to copy: "a", "b" */
void rt_project_source(struct rt_str *sql, const struct rt_table *table,
                       const char *alias); /* ONLY "s"."t" alias */
/* A condition that every row of the projection meets: true, or the extension's. */
void rt_project_where(struct rt_str *sql, const struct rt_table *table);
/* bigint expressions, never NULL: of the whole row, of which sums tell sets of rows
 * apart; and of its key only, which is the key itself when that is one integer, and the
 * row's where there is no key. alias: of the source, or "". */
void rt_project_row_hash(struct rt_str *sql, const struct rt_table *table,
                         const char *alias, enum rt_hash_way way);
void rt_project_key_hash(struct rt_str *sql, const struct rt_table *table,
                         enum rt_hash_way way);
bool rt_column_is_integer(const struct rt_column *column); /* or a domain over one */
/* Whether COPY may use the binary format from prod to twin. */
bool rt_project_binary(const struct rt_table *prod, const struct rt_table *twin);

#endif
