#include "pg/send.h"

#include "base/cancel.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
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

/* Reading replies: the same in a pipeline and one by one. */
struct replies {
    struct rt_conn *conn;
    const struct rt_sender *sender;
    const struct rt_message *message; /* the one under way, when it is only one */
    char tag[64];                     /* what its results have said so far */
    struct rt_str value;
    bool has_value;
    bool complete;      /* its last result has come */
    bool synced;        /* the end of the pipeline was replied to */
    bool failed;        /* a message failed: nothing that follows it counts */
    bool cancelled;     /* a signal came; what succeeds all the same is still reported */
    struct rt_err *err; /* the first error; later ones do not count */
};

/* Where an error goes. */
static struct rt_err *unless_set(struct replies *r, struct rt_err *later)
{
    return r->err->status == RT_DONE ? r->err : later;
}

static void note_value(struct replies *r, const PGresult *result)
{
    if (r->has_value || PQntuples(result) == 0 || PQnfields(result) == 0)
        return;
    r->has_value = true;
    rt_str_reset(&r->value);
    if (!PQgetisnull(result, 0, 0))
        rt_str_add(&r->value, PQgetvalue(result, 0, 0));
}

static void deliver(struct replies *r, struct rt_err *err)
{
    const char *value = r->has_value ? rt_str_text(&r->value) : NULL;

    r->has_value = false;
    if (!r->failed && r->sender->reply(r->sender->context, r->tag, value, err) < 0)
        r->failed = true;
}

/* A signal is no reason to stop reading: what was asked for may have been done. */
static int hear_signals(struct replies *r, int rc)
{
    if (rc != -RT_EINT && rc != -RT_ETERM)
        return rc;
    r->cancelled = true;
    return 0;
}

static int put_copy_data(struct replies *r, struct rt_err *err)
{
    PGconn *pg = r->conn->pg;
    const char *data = r->message->copy;
    size_t left = data ? r->message->copy_len : 0;
    const char *failure = data ? NULL : "the file has no data for this COPY";

    while (left > 0 && !r->cancelled) {
        size_t chunk = left < COPY_CHUNK ? left : COPY_CHUNK;

        /* 1 even when libpq has to keep it: it then grows its buffer. */
        if (PQputCopyData(pg, data, (int)chunk) != 1)
            return rt_err_result(err, r->conn, NULL);
        if (hear_signals(r, rt_conn_flush(r->conn, err)) < 0)
            return -(int)err->status;
        data += chunk;
        left -= chunk;
    }
    if (r->cancelled)
        failure = "cancelled";
    if (PQputCopyEnd(pg, failure) != 1)
        return rt_err_result(err, r->conn, NULL);
    return 0;
}

/* COPY ... TO stdout: psql would print it; a migration has nobody to read it. */
static int skip_copy_data(struct replies *r, struct rt_err *err)
{
    char *row;
    int len, rc = 0;
    bool flushed;

    while (rc == 0 && (len = PQgetCopyData(r->conn->pg, &row, 1)) >= 0) {
        if (len > 0)
            PQfreemem(row);
        else
            rc = hear_signals(r, rt_conn_pump(r->conn, &flushed, r->cancelled, err));
    }
    return rc == 0 && len < -1 ? rt_err_result(err, r->conn, NULL) : rc;
}

/* One result of a message. Negative when the connection is of no more use. */
static int take(struct replies *r, const PGresult *result, struct rt_err *err)
{
    switch (PQresultStatus(result)) {
    case PGRES_COPY_IN:
        return put_copy_data(r, err);
    case PGRES_COPY_OUT:
        return skip_copy_data(r, err);
    case PGRES_SINGLE_TUPLE:
        note_value(r, result);
        return 0; /* the message goes on */
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        note_value(r, result);
        snprintf(r->tag, sizeof(r->tag), "%s", PQcmdStatus((PGresult *)result));
        deliver(r, err);
        break;
    case PGRES_PIPELINE_SYNC:
        r->synced = true;
        break;
    case PGRES_PIPELINE_ABORTED:
        break;
    default:
        r->failed = true;
        if (!r->cancelled) /* else the error is the cancel that we asked for */
            rt_err_result(err, r->conn, result);
        break;
    }
    r->complete = true;
    return 0;
}

static int finish(struct replies *r)
{
    rt_str_clear(&r->value);
    r->conn->cancelled_at = 0;
    if (r->err->status == RT_DONE && r->cancelled)
        return rt_cancel_check(r->err);
    return -(int)r->err->status;
}

/* ------------------------------------------------------------------ pipeline */

struct pipeline {
    struct replies replies;
    size_t *sizes; /* bytes of the messages under way: a queue from head to tail */
    size_t head, tail, cap;
    size_t under_way;
    bool ended; /* no more messages: the end of the pipeline was sent */
};

static void enqueue(struct pipeline *p, size_t size)
{
    if (p->head == p->tail) {
        p->head = p->tail = 0;
        /* A migration may SELECT any number of rows: never keep them all. */
        PQsetSingleRowMode(p->replies.conn->pg);
    }
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
    struct replies *r = &p->replies;
    PGconn *pg = r->conn->pg;
    struct rt_message message = {0};

    while (!p->ended && p->under_way < RT_SEND_WINDOW) {
        if (r->failed || r->cancelled || !r->sender->next(r->sender->context, &message)) {
            p->ended = true;
            return PQpipelineSync(pg) ? 0 : rt_err_result(err, r->conn, NULL);
        }
        if (!submit(r->conn, &message))
            return rt_err_result(err, r->conn, NULL);
        enqueue(p, message.len + MESSAGE_OVERHEAD);
        /* With a full window we wait for replies, which the server would keep back. */
        if ((message.flush || p->under_way >= RT_SEND_WINDOW) && !PQsendFlushRequest(pg))
            return rt_err_result(err, r->conn, NULL);
        message = (struct rt_message){0};
    }
    return 0;
}

/* Read everything that has already come. */
static void read_replies(struct pipeline *p)
{
    struct replies *r = &p->replies;

    while (!r->synced && !PQisBusy(r->conn->pg)) {
        PGresult *result = PQgetResult(r->conn->pg);
        struct rt_err later = {0};

        if (result == NULL) {
            /* The end of one message's results. With nothing under way there is no next
             * one to wait for, and libpq would say "not busy, no result" for ever. */
            if ((p->head == p->tail && !p->ended) || rt_conn_lost(r->conn))
                return;
            PQsetSingleRowMode(r->conn->pg);
            continue;
        }
        r->complete = false;
        if (take(r, result, unless_set(r, &later)) == 0 && r->complete)
            dequeue(p);
        PQclear(result);
        rt_err_clear(&later);
    }
}

/* One turn: send what fits, wait, read. Negative when the connection is of no more use.
 */
static int turn(struct pipeline *p, bool *flushed)
{
    struct replies *r = &p->replies;
    struct rt_err later = {0};
    int rc = 0;

    if (*flushed)
        rc = fill(p, unless_set(r, &later));
    if (rc == 0)
        rc = rt_conn_pump(r->conn, flushed, r->cancelled, unless_set(r, &later));
    rc = hear_signals(r, rc);
    /* Also what came before the connection broke. */
    read_replies(p);
    rt_err_clear(&later);
    return rc;
}

int rt_send_pipelined(struct rt_conn *conn, const struct rt_sender *sender,
                      struct rt_err *err)
{
    struct pipeline p = {.replies = {.conn = conn, .sender = sender, .err = err}};
    bool flushed = true;

    rt_err_clear(err);
    if (rt_later_run(conn, err) < 0)
        return -(int)err->status;
    if (!PQenterPipelineMode(conn->pg))
        return rt_err_result(err, conn, NULL);
    while (!p.replies.synced) {
        if (turn(&p, &flushed) < 0)
            break;
    }
    PQexitPipelineMode(conn->pg); /* refused only when the connection is lost anyway */
    free(p.sizes);
    return finish(&p.replies);
}

/* ------------------------------------------------------------------ one by one */

/* Send one message and read all that it replies. */
static int exchange(struct replies *r, const struct rt_message *message)
{
    struct rt_err later = {0};
    int rc = 0;

    r->message = message;
    if (!submit(r->conn, message))
        return rt_err_result(r->err, r->conn, NULL);
    PQsetSingleRowMode(r->conn->pg);
    while (rc == 0) {
        PGresult *result;

        rc = rt_conn_wait(r->conn, r->cancelled, unless_set(r, &later));
        if (rc < 0) {
            rc = hear_signals(r, rc);
            continue;
        }
        result = PQgetResult(r->conn->pg);
        if (result == NULL)
            break;
        rc = take(r, result, unless_set(r, &later));
        PQclear(result);
    }
    rt_err_clear(&later);
    return rc;
}

int rt_send_one_by_one(struct rt_conn *conn, const struct rt_sender *sender,
                       struct rt_err *err)
{
    struct replies r = {.conn = conn, .sender = sender, .err = err};
    struct rt_message message = {0};

    rt_err_clear(err);
    if (rt_later_run(conn, err) < 0)
        return -(int)err->status;
    while (!r.failed && !r.cancelled && sender->next(sender->context, &message)) {
        if (exchange(&r, &message) < 0)
            break;
        message = (struct rt_message){0};
    }
    return finish(&r);
}
