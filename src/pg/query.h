/* Single statements on a connection, and their rows. */
#ifndef RT_PG_QUERY_H
#define RT_PG_QUERY_H

#include "pg/conn.h"

struct rt_result; /* rows as text */

/*
 * Run one statement with text parameters (NULL is SQL NULL). out may be NULL. A server
 * error fills sqlstate, message, detail, hint, context and position; its status is
 * -RT_EINTERNAL, for the caller to change; a lost connection leaves sqlstate empty.
 */
int rt_query(struct rt_result **out, struct rt_conn *conn, const char *sql, int nparams,
             const char *const *params, struct rt_err *err) RT_CHECKED;

/* One of several statements that go out together. */
struct rt_read {
    const char *sql;
    int nparams;
    const char *const *params;
    struct rt_result *rows; /* filled */
};

/*
 * Run statements as one pipeline: one round trip for them all, in one transaction of
 * their own where none is open, each seeing what was committed before it began. The first
 * error is given as rt_query does, and then no rows are left.
 */
int rt_query_many(struct rt_read *reads, size_t count, struct rt_conn *conn,
                  struct rt_err *err) RT_CHECKED;

/* Run one or more statements separated by semicolons (simple protocol), as psql -c. The
 * rows of the last one go to out, which may be NULL. */
int rt_exec(struct rt_result **out, struct rt_conn *conn, const char *sql,
            struct rt_err *err) RT_CHECKED;

size_t rt_result_rows(const struct rt_result *result);
/* The value, or NULL for SQL NULL; borrowed until rt_result_free. */
const char *rt_result_get(const struct rt_result *result, size_t row, int column);
bool rt_result_true(const struct rt_result *result, size_t row, int column);
void rt_result_free(struct rt_result *result); /* NULL is fine */

/* Append a quoted identifier or literal to a statement that is put together as text. */
struct rt_str;
void rt_quote_ident(struct rt_str *sql, const char *name);
void rt_quote_literal(struct rt_str *sql, const char *text);

#endif
