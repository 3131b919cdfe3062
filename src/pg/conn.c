#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "pg/private.h"

#define CONNECT_TIMEOUT "15" /* seconds, where neither string nor environment has one */

static void log_notice(void *context, const PGresult *result)
{
    struct rt_conn *conn = context;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *kind = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    conn->notices++;
    if (message && kind && strcmp(kind, "FATAL") == 0) {
        free(conn->farewell);
        conn->farewell = rt_strdup(message);
    }
    rt_log("%s: %s: %s", conn->server->role, severity ? severity : "NOTICE",
           message ? message : "");
}

char *rt_conn_redact(const struct rt_conn *conn, const char *text)
{
    char *once = rt_redact(text, PQpass(conn->pg));
    char *twice = rt_redact(once, conn->server->conninfo.text);

    free(once);
    return twice;
}

/* libpq's message on one line, without the password. */
static int connection_error(struct rt_err *err, const struct rt_conn *conn)
{
    char *text = rt_conn_redact(conn, PQerrorMessage(conn->pg)), *end = text;

    for (const char *p = text; *p; p++) {
        if (*p != ' ' && *p != '\t' && *p != '\n')
            *end++ = *p;
        else if (end > text && end[-1] != ' ')
            *end++ = ' ';
    }
    end -= end > text && end[-1] == ' ';
    *end = '\0';
    rt_err_set(err, RT_EINTERNAL, "%s", *text ? text : "the connection was lost");
    if (conn->farewell)
        rt_err_wrap(err, "%s", conn->farewell);
    free(text);
    return -RT_EINTERNAL;
}

static const char *default_timeout(void)
{
    const char *set = getenv("PGCONNECT_TIMEOUT");

    return set ? set : CONNECT_TIMEOUT;
}

/* Connect, in place of a connection that was lost. */
static int connect_to(struct rt_conn *conn, unsigned limit_ms, struct rt_err *err)
{
    /* Later values win over earlier ones, and dbname is expanded where it stands; with a
     * database of its own it is given again at the end, which expands only the first. */
    const char *keywords[] = {"target_session_attrs",
                              "connect_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "dbname",
                              "client_encoding",
                              "fallback_application_name",
                              conn->database ? "dbname" : NULL,
                              NULL};
    const char *values[] = {conn->writer_lost ? "primary" : "",
                            default_timeout(),
                            RT_KEEPALIVES_IDLE,
                            RT_KEEPALIVES_INTERVAL,
                            RT_KEEPALIVES_COUNT,
                            conn->server->conninfo.text,
                            "UTF8",
                            "revtwin",
                            conn->database,
                            NULL};
    int rc = rt_connect(&conn->pg, keywords, values, conn->shielded, limit_ms, err);

    if (rc < 0)
        return rt_err_wrap(err, "cannot connect to %s", conn->server->role);
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        connection_error(err, conn);
        rc = rt_err_wrap(err, "cannot connect to %s (%s)", conn->server->role,
                         conn->server->source);
        rt_err_hint(err, "Check %s, and that this machine may reach the server.",
                    conn->server->source);
        return rc;
    }
    conn->pid = PQbackendPID(conn->pg);
    PQsetNoticeReceiver(conn->pg, log_notice, conn);
    PQsetnonblocking(conn->pg, 1); /* libpq's own waiting is deaf to signals */
    if (conn->access == RT_READ_ONLY)
        rt_later_begin(conn, "BEGIN READ ONLY");
    return 0;
}

int rt_conn_open_database(struct rt_conn **out, const struct rt_server *server,
                          const char *database, enum rt_access access, struct rt_err *err)
{
    struct rt_conn *conn;
    int rc = rt_server_check(server, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    conn = rt_alloc(sizeof(*conn));
    conn->server = server;
    conn->access = access;
    conn->database = database ? rt_strdup(database) : NULL;
    rc = connect_to(conn, 0, err);
    if (rc < 0) {
        rt_conn_close(conn);
        return rc;
    }
    *out = conn;
    return 0;
}

int rt_conn_reopen(struct rt_conn *conn, unsigned limit_ms, struct rt_err *err)
{
    rt_later_forget(conn);
    PQfinish(conn->pg);
    conn->pg = NULL;
    free(conn->farewell);
    conn->farewell = NULL;
    conn->given_up = false;
    conn->cancelled_at = 0;
    conn->writer_lost = conn->access == RT_READ_WRITE;
    return connect_to(conn, limit_ms, err);
}

int rt_conn_open(struct rt_conn **out, const struct rt_server *server,
                 enum rt_access access, struct rt_err *err)
{
    return rt_conn_open_database(out, server, NULL, access, err);
}

void rt_conn_close(struct rt_conn *conn)
{
    if (conn == NULL)
        return;
    rt_conn_end_cancel(conn);
    rt_conn_forget_cancel(conn);
    rt_later_forget(conn);
    PQfinish(conn->pg);
    if (conn->service_file > 0)
        close(conn->service_file);
    free(conn->farewell);
    free(conn->database);
    free(conn);
}

const struct rt_server *rt_conn_server(const struct rt_conn *conn)
{
    return conn->server;
}

const char *rt_conn_database(const struct rt_conn *conn)
{
    return PQdb(conn->pg);
}

const char *rt_conn_host(const struct rt_conn *conn)
{
    const char *host = PQhost(conn->pg);

    return host ? host : "";
}

bool rt_conn_intact(const struct rt_conn *conn)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof(own);

    return PQsslInUse(conn->pg) || PQgssEncInUse(conn->pg) ||
           (getsockname(PQsocket(conn->pg), (struct sockaddr *)&own, &size) == 0 &&
            own.ss_family == AF_UNIX);
}

int rt_conn_version(const struct rt_conn *conn)
{
    return PQserverVersion(conn->pg);
}

bool rt_conn_lost(const struct rt_conn *conn)
{
    return conn->given_up || PQstatus(conn->pg) != CONNECTION_OK;
}

int rt_conn_pid(const struct rt_conn *conn)
{
    return conn->pid;
}

static PGTransactionStatusType status_of(const struct rt_conn *conn)
{
    return conn->waiting.count > 0 ? conn->waiting.state : PQtransactionStatus(conn->pg);
}

bool rt_conn_in_transaction(const struct rt_conn *conn)
{
    return status_of(conn) == PQTRANS_INTRANS;
}

bool rt_conn_idle(const struct rt_conn *conn)
{
    return status_of(conn) == PQTRANS_IDLE;
}

const char *rt_conn_parameter(const struct rt_conn *conn, const char *name)
{
    return PQparameterStatus(conn->pg, name);
}

char **rt_conn_environ(struct rt_conn *conn)
{
    PQconninfoOption *options = PQconninfo(conn->pg);
    char **list;

    if (options == NULL)
        rt_out_of_memory();
    if (conn->service_file == 0)
        conn->service_file = rt_service_file(options);
    list = rt_environ_for(options, PQdb(conn->pg), conn->service_file);
    PQconninfoFree(options);
    return list;
}

/* ------------------------------------------------------------------ errors */

static char *field(const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);

    return value ? rt_strdup(value) : NULL;
}

int rt_err_result(struct rt_err *err, const struct rt_conn *conn, const PGresult *result)
{
    const char *message, *sqlstate, *position, *query;

    message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (message == NULL || rt_conn_lost(conn))
        return connection_error(err, conn);
    rt_err_set(err, RT_EINTERNAL, "%s", message);
    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate && strlen(sqlstate) == 5)
        memcpy(err->sqlstate, sqlstate, 6);
    err->detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    err->hint = field(result, PG_DIAG_MESSAGE_HINT);
    err->context = field(result, PG_DIAG_CONTEXT);
    position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    if (position)
        err->position = strtoul(position, NULL, 10);
    query = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
    if (query) {
        char *context =
            rt_format("%s%sinternal query: %s", err->context ? err->context : "",
                      err->context ? "\n" : "", query);

        free(err->context);
        err->context = context;
    }
    return -RT_EINTERNAL;
}
