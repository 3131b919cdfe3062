/* What the files of pg/ share: the connection behind the handle, and waiting on it. */
#ifndef RT_PG_PRIVATE_H
#define RT_PG_PRIVATE_H

#include <libpq-fe.h>

#include "base/str.h"
#include "pg/query.h"

/* Statements that wait for the next one: later.h. */
struct rt_waiting {
    struct rt_late {
        char *sql;            /* or */
        struct rt_read *read; /* the caller's */
    } * list;
    size_t count, cap;
    size_t answered;               /* of a pipeline that has begun */
    PGTransactionStatusType state; /* after them */
};

struct rt_conn {
    PGconn *pg;
    struct rt_cancelling *cancelling; /* the last request to cancel, or NULL */
    const struct rt_server *server;
    enum rt_access access;
    char *database;                 /* or NULL: the one of the server's string */
    void (*on_wait)(void *context); /* or NULL */
    void *on_wait_context;
    struct rt_waiting waiting;
    bool shielded;        /* signals do not stop statements */
    int pid;              /* PQbackendPID, which libpq forgets with the connection */
    int64_t cancelled_at; /* since when the server is asked to cancel; 0: it is not */
    int64_t asked_at;     /* and when it was asked last */
    bool given_up;        /* it did not answer: as good as lost */
    bool writer_lost;     /* of several servers only the one that is written to serves */
    unsigned notices;     /* how many have come */
    char *farewell;       /* why the server has ended the session while it was idle */
    int service_file;     /* of rt_service_file; 0: there is none */
};

struct rt_result {
    PGresult *pg;
};

/* PQconnectdbParams with dbname expanded. The result may be a failed connection. A
 * signal, unless deaf, gives -RT_EINT or -RT_ETERM at once; limit_ms as rt_conn_reopen.
 */
int rt_connect(PGconn **out, const char *const *keywords, const char *const *values,
               bool deaf, unsigned limit_ms, struct rt_err *err) RT_CHECKED;

/* What waits (later.h): forget it, after an error also the rows that have come; whether
 * it may be put in front of another statement as text, and do that. */
void rt_later_forget(struct rt_conn *conn);
void rt_later_fail(struct rt_conn *conn);
bool rt_later_joins(const struct rt_conn *conn);
void rt_later_join(struct rt_str *sql, struct rt_conn *conn, const char *next);

/* Send one or more statements by the simple protocol, behind what waits. */
int rt_conn_send(struct rt_conn *conn, const char *sql, struct rt_err *err) RT_CHECKED;

/* Wait until libpq has a result (or NULL, the end of a statement) without blocking.
 * Signals and cancelled as in rt_conn_pump. */
int rt_conn_wait(struct rt_conn *conn, bool cancelled, struct rt_err *err) RT_CHECKED;

/*
 * Send what is buffered and read what has come, waiting until either is possible;
 * *flushed tells whether everything has been sent. A signal cancels the running statement
 * and gives -RT_EINT or -RT_ETERM. With cancelled set that has happened before: the
 * server is asked again now and then, and after some seconds given up.
 */
int rt_conn_pump(struct rt_conn *conn, bool *flushed, bool cancelled,
                 struct rt_err *err) RT_CHECKED;

/* Wait until everything that is buffered has been sent; signals as in rt_conn_pump. */
int rt_conn_flush(struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/*
 * For data that goes from one connection to another: wait until there is some, or with
 * flush until the receiver takes more, or with now not at all. Input is then with libpq;
 * *spoke tells that the receiver has said something, be it that it is gone. A signal only
 * gives -RT_EINT or -RT_ETERM.
 */
enum rt_wait_pair { RT_WAIT_DATA, RT_WAIT_FLUSH, RT_WAIT_NOT };
int rt_conn_wait_pair(struct rt_conn *from, struct rt_conn *to, enum rt_wait_pair what,
                      bool *spoke, struct rt_err *err) RT_CHECKED;

/* Ask the server to cancel the running statement, without waiting for it. */
void rt_conn_cancel(struct rt_conn *conn);

/* Fill err from a failed result, or from the connection when result is NULL. */
int rt_err_result(struct rt_err *err, const struct rt_conn *conn, const PGresult *result);

/*
 * A service file for children, with the one secret that no variable of libpq carries: the
 * password of a client key. It is in memory, and they open it through /proc. Returns the
 * descriptor, which has to stay open for as long as they connect; 0 when there is no such
 * secret (or no such file can be made, of which the children will complain).
 */
int rt_service_file(const PQconninfoOption *options);

/* The variables of this process without those that a child must not see (is_ours), then
 * the options and the service file (0: none). */
char **rt_environ_for(const PQconninfoOption *options, const char *database,
                      int service_file);

/* Let a cancel request that is on its way come to its end, for a second: PgBouncer 1.18
 * dies of a client that hangs up on one (its issue 801). */
void rt_conn_end_cancel(const struct rt_conn *conn);

void rt_conn_forget_cancel(struct rt_conn *conn); /* free it, or leave it to its thread */

/* Read and discard until the connection is idle again, and end a COPY FROM with an error.
 * The server has been asked to cancel, is asked again now and then, and given up. */
void rt_conn_drain(struct rt_conn *conn);

#endif
