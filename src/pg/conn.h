/*
 * Connections to production and the twin, and statements on them. Waiting is
 * interruptible: SIGINT and SIGTERM cancel the running statement (base/cancel.h).
 *
 * No password leaves this module: connection strings live in rt_secret, and messages
 * are redacted.
 */
#ifndef RT_PG_CONN_H
#define RT_PG_CONN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"

/* Where a server is: any libpq connection string, and how to call it in messages. */
struct rt_server {
    const char *role;   /* "production" or "the twin" */
    const char *source; /* where the string came from: "PROD_DATABASE_URL", "--prod" */
    struct rt_secret conninfo;
};

/*
 * Hosted runners sit behind address translation that forgets a connection after four idle
 * minutes, and a statement may well take longer. Seconds, and how often; and all three
 * for the --dbname of client programs, which have no other way to be told.
 */
#define RT_KEEPALIVES_IDLE "30"
#define RT_KEEPALIVES_INTERVAL "10"
#define RT_KEEPALIVES_COUNT "6"
#define RT_KEEPALIVES                                                                    \
    "keepalives_idle=" RT_KEEPALIVES_IDLE " keepalives_interval=" RT_KEEPALIVES_INTERVAL \
    " keepalives_count=" RT_KEEPALIVES_COUNT

enum rt_access { RT_READ_ONLY, RT_READ_WRITE };

struct rt_conn;

/*
 * Check a connection string without connecting: -RT_EUSAGE when libpq cannot parse it or
 * when an unescaped password has spilled into host, port or database. The text is never
 * quoted in the error.
 */
int rt_server_check(const struct rt_server *server, struct rt_err *err) RT_CHECKED;

/* Whether the string itself carries a password, or what else libpq would hide. Unparsable
 * strings do, to be safe. */
bool rt_conninfo_has_password(const char *conninfo);

/*
 * Connect, with UTF-8 as client encoding. RT_READ_ONLY tells the server so: everything
 * runs in one read-only transaction, begun with the first statement, until the connection
 * is closed, because a setting of the session could stay behind in a pooler. Errors:
 * -RT_EUSAGE as rt_server_check, -RT_EINTERNAL when the connection fails. server must
 * outlive the connection.
 */
int rt_conn_open(struct rt_conn **out, const struct rt_server *server,
                 enum rt_access access, struct rt_err *err) RT_CHECKED;

/* The same server and credentials, another database. */
int rt_conn_open_database(struct rt_conn **out, const struct rt_server *server,
                          const char *database, enum rt_access access,
                          struct rt_err *err) RT_CHECKED;
void rt_conn_close(struct rt_conn *conn); /* NULL is fine */

/*
 * Whether an attempt to connect goes on, though nobody may wait for it any more: then the
 * process has to end by _exit. The exit handlers of libraries (GSSAPI, OpenSSL) would
 * take down what the attempt uses, and abort.
 */
bool rt_connecting(void);

/*
 * Connect again as the same user to the same database: a session that knows nothing of
 * the one before. What was RT_READ_WRITE comes to a primary: a standby may not know yet
 * what was written. After an error the handle can only be reopened again, or closed.
 * limit_ms: how long to wait for the server at most, whatever connect_timeout says; 0: as
 * long as that says.
 */
int rt_conn_reopen(struct rt_conn *conn, unsigned limit_ms,
                   struct rt_err *err) RT_CHECKED;

/* From here on signals stop neither statements nor rt_conn_reopen: for cleaning up. */
void rt_conn_shield(struct rt_conn *conn);

/* Have fn called every RT_WAIT_TICK_MS while the server keeps us waiting; NULL: no more.
 */
enum { RT_WAIT_TICK_MS = 100 };
void rt_conn_on_wait(struct rt_conn *conn, void (*fn)(void *context), void *context);

const struct rt_server *rt_conn_server(const struct rt_conn *conn);
const char *rt_conn_database(const struct rt_conn *conn);
const char *rt_conn_host(const struct rt_conn *conn); /* name, address or socket folder */
int rt_conn_version(const struct rt_conn *conn);      /* as 150020 */
/* Whether nothing can have changed on the way unseen: through a socket of this machine,
 * or encrypted (TLS, GSSAPI). */
bool rt_conn_intact(const struct rt_conn *conn);
/* What the server said of its process when it was last connected to; behind a pooler it
 * is that of no process. */
int rt_conn_pid(const struct rt_conn *conn);
/* Broken, or given up because the server did not answer to a cancel. */
bool rt_conn_lost(const struct rt_conn *conn);
bool rt_conn_in_transaction(const struct rt_conn *conn);
bool rt_conn_idle(const struct rt_conn *conn); /* in none, not even in a failed one */
const char *rt_conn_parameter(const struct rt_conn *conn, const char *name); /* or NULL */

/* A copy of text without the password, for the caller to free. */
char *rt_conn_redact(const struct rt_conn *conn, const char *text);

/*
 * The environment that makes a PostgreSQL client program connect to the same server and
 * database ("PGHOST=...", ...), password included, for the caller to wipe and free with
 * rt_environ_free. It serves while the connection is open (reopened or not). Other PG*
 * variables, the DATABASE_URLs and REVTWIN_* of this process are left out.
 */
char **rt_conn_environ(struct rt_conn *conn);
void rt_environ_free(char **environment);

#endif
