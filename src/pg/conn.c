#include "pg/query.h"

#include <poll.h>

#include "base/cancel.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/private.h"

#define CONNECT_TIMEOUT "15" /* seconds, where neither string nor environment has one */

static void log_notice(void *context, const PGresult *result)
{
    const struct rt_conn *conn = context;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

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
    char *text = rt_conn_redact(conn, PQerrorMessage(conn->pg));
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    for (char *p = text; (p = strchr(p, '\n')) != NULL;)
        *p = ' ';
    rt_err_set(err, RT_EINTERNAL, "%s", *text ? text : "the connection was lost");
    free(text);
    return -RT_EINTERNAL;
}

static const char *default_timeout(void)
{
    const char *set = getenv("PGCONNECT_TIMEOUT");

    return set ? set : CONNECT_TIMEOUT;
}

static int pin_session(struct rt_conn *conn, enum rt_access access, struct rt_err *err)
{
    if (access == RT_READ_WRITE)
        return 0;
    return rt_exec(NULL, conn, "BEGIN READ ONLY", err);
}

int rt_conn_open_database(struct rt_conn **out, const struct rt_server *server,
                          const char *database, enum rt_access access, struct rt_err *err)
{
    /* Later values win over earlier ones, and dbname is expanded where it stands; with a
     * database of its own it is given again at the end, which expands only the first. */
    const char *keywords[] = {"connect_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "dbname",
                              "client_encoding",
                              "fallback_application_name",
                              database ? "dbname" : NULL,
                              NULL};
    const char *values[] = {default_timeout(),
                            RT_KEEPALIVES_IDLE,
                            RT_KEEPALIVES_INTERVAL,
                            RT_KEEPALIVES_COUNT,
                            server->conninfo.text,
                            "UTF8",
                            "revtwin",
                            database,
                            NULL};
    struct rt_conn *conn;
    int rc = rt_server_check(server, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    conn = rt_alloc(sizeof(*conn));
    conn->server = server;
    conn->pg = PQconnectdbParams(keywords, values, 1);
    if (conn->pg == NULL)
        rt_out_of_memory();
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        connection_error(err, conn);
        rc = rt_err_wrap(err, "cannot connect to %s (%s)", server->role, server->source);
        rt_err_hint(err, "Check %s, and that this machine may reach the server.",
                    server->source);
        goto done;
    }
    PQsetNoticeReceiver(conn->pg, log_notice, conn);
    PQsetnonblocking(conn->pg, 1); /* libpq's own waiting is deaf to signals */
    rc = pin_session(conn, access, err);
done:
    if (rc < 0) {
        rt_conn_close(conn);
        return rc;
    }
    *out = conn;
    return 0;
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
    PQfinish(conn->pg);
    free(conn);
}

void rt_conn_on_wait(struct rt_conn *conn, void (*fn)(void *context), void *context)
{
    conn->on_wait = fn;
    conn->on_wait_context = context;
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

int rt_conn_version(const struct rt_conn *conn)
{
    return PQserverVersion(conn->pg);
}

bool rt_conn_lost(const struct rt_conn *conn)
{
    return PQstatus(conn->pg) != CONNECTION_OK;
}

bool rt_conn_in_transaction(const struct rt_conn *conn)
{
    return PQtransactionStatus(conn->pg) == PQTRANS_INTRANS;
}

bool rt_conn_idle(const struct rt_conn *conn)
{
    return PQtransactionStatus(conn->pg) == PQTRANS_IDLE;
}

const char *rt_conn_parameter(const struct rt_conn *conn, const char *name)
{
    return PQparameterStatus(conn->pg, name);
}

char **rt_conn_environ(const struct rt_conn *conn)
{
    PQconninfoOption *options = PQconninfo(conn->pg);
    char **list;

    if (options == NULL)
        rt_out_of_memory();
    list = rt_environ_for(options, PQdb(conn->pg));
    PQconninfoFree(options);
    return list;
}

/* ------------------------------------------------------------------ waiting */

enum { CANCEL_AGAIN_MS = 500 };

static void cancel_statement(struct rt_conn *conn)
{
    PGcancel *cancel = PQgetCancel(conn->pg);
    char ignored[256];

    if (cancel != NULL)
        PQcancel(cancel, ignored, sizeof(ignored));
    PQfreeCancel(cancel);
}

void rt_conn_shield(struct rt_conn *conn)
{
    conn->shielded = true;
}

/* Wait for the socket, and read what has come. */
static int wait_for(struct rt_conn *conn, short events, bool cancelled,
                    struct rt_err *err)
{
    bool deaf = cancelled || conn->shielded;
    struct pollfd fds[2] = {{.fd = PQsocket(conn->pg), .events = events},
                            {.fd = deaf ? -1 : rt_cancel_fd(), .events = POLLIN}};
    int tick = cancelled ? CANCEL_AGAIN_MS : conn->on_wait ? RT_WAIT_TICK_MS : -1;
    int ready = poll(fds, RT_COUNT(fds), tick);

    /* The server forgets a cancel that comes between two statements of a pipeline. */
    if (ready == 0 && cancelled)
        cancel_statement(conn);
    else if (ready == 0 && conn->on_wait)
        conn->on_wait(conn->on_wait_context);
    if (ready > 0 && fds[0].revents != 0 && !PQconsumeInput(conn->pg))
        return connection_error(err, conn);
    if (!deaf && rt_cancel_check(err) < 0) {
        cancel_statement(conn);
        return -(int)err->status;
    }
    return 0;
}

int rt_conn_pump(struct rt_conn *conn, bool *flushed, bool cancelled, struct rt_err *err)
{
    int pending = PQflush(conn->pg);

    if (pending < 0)
        return connection_error(err, conn);
    *flushed = pending == 0;
    return wait_for(conn, pending ? POLLIN | POLLOUT : POLLIN, cancelled, err);
}

int rt_conn_flush(struct rt_conn *conn, struct rt_err *err)
{
    int pending;

    while ((pending = PQflush(conn->pg)) > 0) {
        int rc = wait_for(conn, POLLIN | POLLOUT, false, err);

        if (rc < 0)
            return rc;
    }
    return pending < 0 ? connection_error(err, conn) : 0;
}

int rt_conn_wait(struct rt_conn *conn, struct rt_err *err)
{
    bool flushed;

    while (PQisBusy(conn->pg)) {
        int rc = rt_conn_pump(conn, &flushed, false, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

void rt_conn_drain(struct rt_conn *conn)
{
    PGresult *result;

    while ((result = PQgetResult(conn->pg)) != NULL) {
        ExecStatusType status = PQresultStatus(result);

        PQclear(result);
        if (status == PGRES_COPY_IN && PQputCopyEnd(conn->pg, "cancelled") < 0)
            break;
        if (PQstatus(conn->pg) != CONNECTION_OK)
            break;
    }
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
    if (message == NULL || PQstatus(conn->pg) != CONNECTION_OK)
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
