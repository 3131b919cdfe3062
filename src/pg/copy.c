#include "pg/copy.h"

#include "base/cancel.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/private.h"

/* Rows are passed on in pieces of about this size: one message each to the receiving
 * server, whatever the size of its rows. */
enum { PIECE = 64 * 1024 };

/* ------------------------------------------------------------------ one side */

/* Read results up to the one with this status, the last one at PGRES_COMMAND_OK. */
static int reach(struct rt_conn *conn, ExecStatusType wanted, unsigned long long *rows,
                 struct rt_err *err)
{
    for (;;) {
        PGresult *result;
        ExecStatusType status;
        int rc = rt_conn_wait(conn, false, err);

        if (rc < 0)
            return rc;
        result = PQgetResult(conn->pg);
        if (result == NULL)
            return wanted == PGRES_COMMAND_OK
                       ? 0
                       : rt_err_set(err, RT_EINTERNAL, "the statement is not a COPY");
        status = PQresultStatus(result);
        if (status == PGRES_COMMAND_OK && rows &&
            strncmp(PQcmdStatus(result), "COPY ", 5) == 0)
            *rows = strtoull(PQcmdTuples(result), NULL, 10);
        if (status != wanted && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            rc = rt_err_result(err, conn, result);
        PQclear(result);
        if (rc < 0 || (status == wanted && wanted != PGRES_COMMAND_OK))
            return rc;
    }
}

/* Whatever it is in the middle of, have it idle again. */
static void abandon(struct rt_conn *conn)
{
    if (PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE || rt_conn_lost(conn))
        return;
    if (PQputCopyEnd(conn->pg, "cancelled") != 1) /* not, or not yet, a COPY FROM */
        rt_conn_cancel(conn);
    rt_conn_drain(conn);
    rt_conn_end_cancel(conn); /* or it meets the next statement */
}

/* ------------------------------------------------------------------ pipe */

struct pipe {
    struct rt_conn *from, *to;
    struct rt_str piece;
    struct rt_copied *out;
    void (*passed)(void *context, const char *piece, size_t bytes);
    void *context;
};

/*
 * The receiving server says nothing in the middle of a COPY unless it fails, and libpq
 * does not listen before the end: without this the rest of a table would be sent in vain.
 */
static int refused(struct pipe *p, struct rt_err *err)
{
    int rc;

    if (!rt_conn_lost(p->to) && PQputCopyEnd(p->to->pg, "it was interrupted") == 1)
        rc = reach(p->to, PGRES_COMMAND_OK, NULL, err);
    else
        rc = rt_err_result(err, p->to, NULL);
    return rc < 0 ? rc : rt_err_set(err, RT_EINTERNAL, "COPY ended before its data did");
}

/* Hand the piece to the server, and wait until it has taken it. */
static int pass_on(struct pipe *p, struct rt_err *err)
{
    bool spoke = false;
    int pending;

    if (PQputCopyData(p->to->pg, p->piece.data, (int)p->piece.len) != 1)
        return refused(p, err);
    do {
        int rc;

        pending = PQflush(p->to->pg);
        rc = rt_conn_wait_pair(p->from, p->to, pending > 0 ? RT_WAIT_FLUSH : RT_WAIT_NOT,
                               &spoke, err);
        if (rc < 0)
            return rc;
    } while (pending > 0 && !spoke);
    if (pending < 0 || spoke)
        return refused(p, err);
    p->out->bytes += p->piece.len;
    if (p->passed)
        p->passed(p->context, p->piece.data, p->piece.len);
    rt_str_reset(&p->piece);
    return 0;
}

/* libpq has no whole row. Look whether more has come, and only then wait for it: where
 * the receiver is the slower one that saves a call into the system for every 8 kB. */
static int more(struct pipe *p, bool *looked, struct rt_err *err)
{
    bool spoke = false;
    int rc = 0;

    *looked = !*looked;
    if (*looked)
        return PQconsumeInput(p->from->pg) ? 0 : rt_err_result(err, p->from, NULL);
    if (p->piece.len > 0)
        rc = pass_on(p, err);
    if (rc == 0)
        rc = rt_conn_wait_pair(p->from, p->to, RT_WAIT_DATA, &spoke, err);
    return rc == 0 && spoke ? refused(p, err) : rc;
}

static int pump(struct pipe *p, struct rt_err *err)
{
    bool looked = false;
    char *row;
    int len, rc = 0;

    while (rc == 0 && (len = PQgetCopyData(p->from->pg, &row, 1)) >= 0) {
        if (len == 0) {
            rc = more(p, &looked, err);
            continue;
        }
        looked = false;
        rt_str_addn(&p->piece, row, (size_t)len);
        PQfreemem(row);
        if (p->piece.len >= PIECE)
            rc = pass_on(p, err);
    }
    if (rc == 0 && p->piece.len > 0)
        rc = pass_on(p, err);
    return rc;
}

/* All statements of one side. */
static int start(struct rt_conn *conn, const struct rt_copy_leg *legs, size_t count,
                 bool from, struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    for (size_t i = 0; i < count; i++)
        rt_str_addf(&sql, "%s%s", i ? ";\n" : "",
                    from ? legs[i].copy_to_stdout : legs[i].copy_from_stdin);
    rc = rt_conn_send(conn, sql.data, err);
    rt_str_clear(&sql);
    return rc;
}

/* Both sides are in the middle of this leg: bring them to the next one, or the end. */
static int run_leg(struct pipe *p, bool last, struct rt_err *err)
{
    int rc = pump(p, err);

    if (rc == 0) /* the error that has ended the data, if one has */
        rc = reach(p->from, last ? PGRES_COMMAND_OK : PGRES_COPY_OUT, &p->out->sent, err);
    if (rc == 0 && PQputCopyEnd(p->to->pg, NULL) != 1)
        rc = rt_err_result(err, p->to, NULL);
    if (rc == 0)
        rc = rt_conn_flush(p->to, err);
    if (rc == 0)
        rc = reach(p->to, last ? PGRES_COMMAND_OK : PGRES_COPY_IN, &p->out->rows, err);
    return rc;
}

static int run(struct pipe *p, struct rt_copy_leg *legs, size_t count, struct rt_err *err)
{
    int rc = start(p->from, legs, count, true, err);

    if (rc == 0) /* both at once: a round trip less */
        rc = start(p->to, legs, count, false, err);
    if (rc == 0)
        rc = reach(p->from, PGRES_COPY_OUT, NULL, err);
    if (rc == 0)
        rc = reach(p->to, PGRES_COPY_IN, NULL, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        p->out = &legs[i].copied;
        rc = run_leg(p, i + 1 == count, err);
    }
    return rc;
}

int rt_copy_pipes(struct rt_copy_leg *legs, size_t count, struct rt_conn *from,
                  struct rt_conn *to,
                  void (*passed)(void *context, const char *piece, size_t bytes),
                  void *context, struct rt_err *err)
{
    struct pipe p = {.from = from, .to = to, .passed = passed, .context = context};
    int rc;

    for (size_t i = 0; i < count; i++)
        legs[i].copied = (struct rt_copied){0};
    rc = run(&p, legs, count, err);
    if (rc < 0) {
        abandon(to);
        abandon(from);
    }
    rt_str_clear(&p.piece);
    return rc;
}

int rt_copy_pipe(struct rt_copied *out, struct rt_conn *from, const char *copy_to_stdout,
                 struct rt_conn *to, const char *copy_from_stdin,
                 void (*passed)(void *context, const char *piece, size_t bytes),
                 void *context, struct rt_err *err)
{
    struct rt_copy_leg leg = {copy_to_stdout, copy_from_stdin, {0}};
    int rc = rt_copy_pipes(&leg, 1, from, to, passed, context, err);

    *out = leg.copied;
    return rc;
}

/* ------------------------------------------------------------------ reader */

struct rt_copy_reader {
    struct rt_conn *conn;
    char *row;   /* libpq's */
    size_t left; /* COPYs whose end has not come */
    bool begun, ended;
};

int rt_copy_open(struct rt_copy_reader **out, struct rt_conn *conn,
                 const char *copies_to_stdout, size_t copies, struct rt_err *err)
{
    int rc = rt_conn_send(conn, copies_to_stdout, err);

    *out = NULL;
    if (rc == 0)
        rc = rt_conn_flush(conn, err);
    if (rc < 0) {
        abandon(conn);
        return rc;
    }
    *out = rt_alloc(sizeof(**out));
    (*out)->conn = conn;
    (*out)->left = copies;
    return 0;
}

void rt_copy_close(struct rt_copy_reader *reader)
{
    if (reader == NULL)
        return;
    PQfreemem(reader->row);
    abandon(reader->conn);
    free(reader);
}

int rt_copy_next(char **line, struct rt_copy_reader *reader, struct rt_err *err)
{
    PGconn *pg = reader->conn->pg;
    bool flushed;
    int len = -1, rc = rt_cancel_check(err);

    *line = NULL;
    PQfreemem(reader->row);
    reader->row = NULL;
    if (rc == 0 && !reader->begun)
        rc = reach(reader->conn, PGRES_COPY_OUT, NULL, err);
    reader->begun = true;
    while (rc == 0 && !reader->ended && (len = PQgetCopyData(pg, &reader->row, 1)) == 0)
        rc = rt_conn_pump(reader->conn, &flushed, false, err);
    if (rc < 0 || reader->ended)
        return rc;
    if (len > 0) {
        reader->row[len - 1] = '\0'; /* the line end */
        *line = reader->row;
        return 0;
    }
    reader->ended = --reader->left == 0;
    reader->begun = reader->ended;
    return reader->ended ? reach(reader->conn, PGRES_COMMAND_OK, NULL, err) : 0;
}
