/* What the files of pg/ share: the connection behind the handle, and waiting on it. */
#ifndef RT_PG_PRIVATE_H
#define RT_PG_PRIVATE_H

#include <libpq-fe.h>

#include "pg/query.h"

struct rt_conn {
    PGconn *pg;
    const struct rt_server *server;
    void (*on_wait)(void *context); /* or NULL */
    void *on_wait_context;
    bool shielded; /* signals do not stop statements */
};

struct rt_result {
    PGresult *pg;
};

/* Wait until libpq has a result (or NULL, the end of a statement) without blocking. A
 * signal cancels the running statement and gives -RT_EINT or -RT_ETERM. */
int rt_conn_wait(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* Send what is buffered and read what has come, waiting until either is possible;
 * *flushed tells whether everything has been sent. A signal, unless cancelled is set
 * already, cancels the running statement and gives -RT_EINT or -RT_ETERM. */
int rt_conn_pump(struct rt_conn *conn, bool *flushed, bool cancelled,
                 struct rt_err *err) RT_CHECKED;

/* Wait until everything that is buffered has been sent; signals as in rt_conn_wait. */
int rt_conn_flush(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* Fill err from a failed result, or from the connection when result is NULL. */
int rt_err_result(struct rt_err *err, const struct rt_conn *conn, const PGresult *result);

/* The variables of this process without those that a child must not see (is_ours), then
 * the options. */
char **rt_environ_for(PQconninfoOption *options, const char *database);

/* Read and discard until the connection is idle again. */
void rt_conn_drain(struct rt_conn *conn);

#endif
