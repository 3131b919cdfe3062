#include "pg/send.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/private.h"

enum { COPY_CHUNK = 256 * 1024 };

/*
 * libpq wants NUL-terminated text, and copies it twice: not a third time here.
 * Always the extended protocol: the server then refuses a text of several commands, which
 * could hold a COMMIT that nobody saw.
 */
static bool submit(struct rt_conn *conn, const struct rt_message *message)
{
    char *end = (char *)message->sql + message->len, byte = *end;
    bool sent;

    if (byte != '\0')
        *end = '\0';
    sent = PQsendQueryParams(conn->pg, message->sql, message->nparams, NULL,
                             message->params, NULL, NULL, 0);
    if (byte != '\0')
        *end = byte;
    return sent;
}

/* What a message's results have said so far. */
struct outcome {
    char tag[64];
    struct rt_str value;
    bool has_value;
};

static void note_value(struct outcome *outcome, const PGresult *result)
{
    if (outcome->has_value || PQntuples(result) == 0 || PQnfields(result) == 0)
        return;
    outcome->has_value = true;
    rt_str_reset(&outcome->value);
    if (!PQgetisnull(result, 0, 0))
        rt_str_add(&outcome->value, PQgetvalue(result, 0, 0));
}

static void note_tag(struct outcome *outcome, PGresult *result)
{
    snprintf(outcome->tag, sizeof(outcome->tag), "%s", PQcmdStatus(result));
}

static int deliver(const struct rt_sender *sender, struct outcome *outcome,
                   struct rt_err *err)
{
    const char *value = outcome->has_value ? rt_str_text(&outcome->value) : NULL;

    outcome->has_value = false;
    return sender->reply(sender->context, outcome->tag, value, err);
}

/* ------------------------------------------------------------------ pipeline */

struct pipeline {
    struct rt_conn *conn;
    const struct rt_sender *sender;
    struct outcome outcome;
    size_t *sizes; /* bytes of the messages under way: a queue from head to tail */
    size_t head, tail, cap;
    size_t under_way;
    bool ended;         /* no more messages: the end of the pipeline was sent */
    bool synced;        /* and its reply has come */
    bool failed;        /* a message failed: what follows it was skipped by the server */
    bool cancelled;     /* a signal came; what succeeds all the same is still reported */
    struct rt_err *err; /* the first error; later ones do not count */
};

static struct rt_err *unless_set(struct pipeline *p, struct rt_err *later)
{
    return p->err->status == RT_DONE ? p->err : later;
}

static void enqueue(struct pipeline *p, size_t size)
{
    if (p->head == p->tail)
        p->head = p->tail = 0;
    p->sizes = rt_grow(p->sizes, p->tail, &p->cap, sizeof(*p->sizes));
    p->sizes[p->tail++] = size;
    p->under_way += size;
}

static void dequeue(struct pipeline *p)
{
    if (p->head < p->tail)
        p->under_way -= p->sizes[p->head++];
}

/* A per-message share keeps many tiny messages from growing libpq's queue. */
enum { MESSAGE_OVERHEAD = 256 };

static int fill(struct pipeline *p, struct rt_err *err)
{
    PGconn *pg = p->conn->pg;
    struct rt_message message = {0};

    while (!p->ended && p->under_way < RT_SEND_WINDOW) {
        if (p->failed || p->cancelled || !p->sender->next(p->sender->context, &message)) {
            p->ended = true;
            return PQpipelineSync(pg) ? 0 : rt_err_result(err, p->conn, NULL);
        }
        if (!submit(p->conn, &message))
            return rt_err_result(err, p->conn, NULL);
        enqueue(p, message.len + MESSAGE_OVERHEAD);
        /* With a full window we wait for replies, which the server would keep back. */
        if ((message.flush || p->under_way >= RT_SEND_WINDOW) && !PQsendFlushRequest(pg))
            return rt_err_result(err, p->conn, NULL);
        message = (struct rt_message){0};
    }
    return 0;
}

static void take(struct pipeline *p, PGresult *result, struct rt_err *err)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        note_value(&p->outcome, result);
        return; /* the message goes on */
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        note_value(&p->outcome, result);
        note_tag(&p->outcome, result);
        dequeue(p);
        if (!p->failed && deliver(p->sender, &p->outcome, err) < 0)
            p->failed = true;
        return;
    case PGRES_PIPELINE_SYNC:
        p->synced = true;
        return;
    case PGRES_PIPELINE_ABORTED:
        dequeue(p);
        return;
    default:
        dequeue(p);
        p->failed = true;
        if (p->cancelled)
            return; /* the error is the cancel that we asked for */
        rt_err_result(err, p->conn, result);
        return;
    }
}

/* Read everything that has already come. */
static void read_replies(struct pipeline *p)
{
    while (!p->synced && !PQisBusy(p->conn->pg)) {
        PGresult *result = PQgetResult(p->conn->pg);
        struct rt_err later = {0};

        if (result == NULL) {
            /* The end of one message's results. With nothing under way there is no next
             * one to wait for, and libpq would say "not busy, no result" for ever. */
            if ((p->head == p->tail && !p->ended) ||
                PQstatus(p->conn->pg) != CONNECTION_OK)
                return;
            /* A migration may SELECT any number of rows: never keep them all. */
            PQsetSingleRowMode(p->conn->pg);
            continue;
        }
        take(p, result, unless_set(p, &later));
        PQclear(result);
        rt_err_clear(&later);
    }
}

/* One turn: send what fits, wait, read. Negative when the connection is of no more use.
 */
static int turn(struct pipeline *p, bool *flushed)
{
    struct rt_err later = {0};
    int rc = 0;

    if (*flushed)
        rc = fill(p, unless_set(p, &later));
    if (rc == 0)
        rc = rt_conn_pump(p->conn, flushed, p->cancelled, unless_set(p, &later));
    if (rc == -RT_EINT || rc == -RT_ETERM) {
        p->cancelled = true;
        rc = 0;
    }
    if (rc == 0)
        read_replies(p);
    rt_err_clear(&later);
    return rc;
}

int rt_send_pipelined(struct rt_conn *conn, const struct rt_sender *sender,
                      struct rt_err *err)
{
    struct pipeline p = {.conn = conn, .sender = sender, .err = err};
    bool flushed = true;

    rt_err_clear(err);
    if (!PQenterPipelineMode(conn->pg))
        return rt_err_result(err, conn, NULL);
    while (!p.synced) {
        if (turn(&p, &flushed) < 0)
            break;
    }
    PQexitPipelineMode(conn->pg); /* refused only when the connection is lost anyway */
    free(p.sizes);
    rt_str_clear(&p.outcome.value);
    return -(int)err->status;
}

/* ------------------------------------------------------------------ one by one */

static int put_copy_data(struct rt_conn *conn, const struct rt_message *message,
                         struct rt_err *err)
{
    const char *data = message->copy;
    size_t left = data ? message->copy_len : 0;
    const char *failure = data ? NULL : "the file has no data for this COPY";

    while (left > 0) {
        size_t chunk = left < COPY_CHUNK ? left : COPY_CHUNK;

        if (PQputCopyData(conn->pg, data, (int)chunk) < 0)
            return rt_err_result(err, conn, NULL);
        if (rt_conn_flush(conn, err) < 0)
            return -(int)err->status;
        data += chunk;
        left -= chunk;
    }
    if (PQputCopyEnd(conn->pg, failure) < 0)
        return rt_err_result(err, conn, NULL);
    return 0;
}

/* COPY ... TO stdout: psql would print it; a migration has nobody to read it. */
static int skip_copy_data(struct rt_conn *conn, struct rt_err *err)
{
    char *row;
    int len;

    while ((len = PQgetCopyData(conn->pg, &row, 0)) > 0)
        PQfreemem(row);
    return len == -1 ? 0 : rt_err_result(err, conn, NULL);
}

static int take_one(struct rt_conn *conn, const struct rt_message *message,
                    struct outcome *outcome, PGresult *result, struct rt_err *err)
{
    switch (PQresultStatus(result)) {
    case PGRES_COPY_IN:
        return put_copy_data(conn, message, err);
    case PGRES_COPY_OUT:
        return skip_copy_data(conn, err);
    case PGRES_SINGLE_TUPLE:
        note_value(outcome, result);
        return 0;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        note_value(outcome, result);
        note_tag(outcome, result);
        return 0;
    default:
        return rt_err_result(err, conn, result);
    }
}

static int send_one(struct rt_conn *conn, const struct rt_message *message,
                    struct outcome *outcome, struct rt_err *err)
{
    PGresult *result;
    int rc;

    if (!submit(conn, message))
        return rt_err_result(err, conn, NULL);
    PQsetSingleRowMode(conn->pg);
    for (;;) {
        rc = rt_conn_wait(conn, err);
        if (rc < 0)
            break;
        result = PQgetResult(conn->pg);
        if (result == NULL)
            return 0;
        rc = take_one(conn, message, outcome, result, err);
        PQclear(result);
        if (rc < 0)
            break;
    }
    rt_conn_drain(conn);
    return rc;
}

int rt_send_one_by_one(struct rt_conn *conn, const struct rt_sender *sender,
                       struct rt_err *err)
{
    struct rt_message message = {0};
    struct outcome outcome = {0};
    int rc = 0;

    while (rc == 0 && sender->next(sender->context, &message)) {
        rc = send_one(conn, &message, &outcome, err);
        if (rc == 0)
            rc = deliver(sender, &outcome, err);
        message = (struct rt_message){0};
    }
    rt_str_clear(&outcome.value);
    return rc;
}
