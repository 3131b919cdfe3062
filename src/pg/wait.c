/* Waiting for the server, so that signals are heard and somebody may be told of it. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pg/private.h"

enum {
    CANCEL_AGAIN_MS = 500,
    GIVE_UP_MS = 3000,
    CANCEL_END_MS = 1000,
    /* Under TLS the last bytes of a record larger than libpq's read may have left the
     * socket already: it is read now and then though poll() sees nothing. */
    LOOK_AGAIN_MS = 1000,
};

void rt_conn_shield(struct rt_conn *conn)
{
    conn->shielded = true;
}

void rt_conn_on_wait(struct rt_conn *conn, void (*fn)(void *context), void *context)
{
    conn->on_wait = fn;
    conn->on_wait_context = context;
}

/* ------------------------------------------------------------------ cancelling */

/* Shared by the connection and the thread; the last one to leave frees it. */
struct rt_cancelling {
    PGcancel *request;
    atomic_bool done;
    atomic_int owners;
};

static void leave(struct rt_cancelling *cancelling)
{
    if (atomic_fetch_sub(&cancelling->owners, 1) > 1)
        return;
    PQfreeCancel(cancelling->request);
    free(cancelling);
}

void rt_conn_forget_cancel(struct rt_conn *conn)
{
    if (conn->cancelling)
        leave(conn->cancelling);
    conn->cancelling = NULL;
}

static void *send_cancel(void *argument)
{
    struct rt_cancelling *cancelling = argument;
    char ignored[256];

    PQcancel(cancelling->request, ignored, sizeof(ignored));
    cancelling->done = true;
    leave(cancelling);
    return NULL;
}

/* In a thread of its own: it connects to the server, and blocks while that is slow. */
void rt_conn_cancel(struct rt_conn *conn)
{
    struct rt_cancelling *cancelling = conn->cancelling;
    sigset_t all, before;
    pthread_t thread;

    if (cancelling && !cancelling->done) /* it is on its way */
        return;
    rt_conn_forget_cancel(conn);
    conn->cancelling = cancelling = rt_alloc(sizeof(*cancelling));
    cancelling->request = PQgetCancel(conn->pg);
    atomic_init(&cancelling->done, false);
    atomic_init(&cancelling->owners, 2);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (cancelling->request != NULL &&
        pthread_create(&thread, NULL, send_cancel, cancelling) == 0) {
        pthread_detach(thread);
    } else {
        cancelling->done = true;
        leave(cancelling);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void rt_conn_end_cancel(const struct rt_conn *conn)
{
    int64_t end = rt_clock_ms() + CANCEL_END_MS;

    while (!conn->given_up && conn->cancelling && !conn->cancelling->done &&
           rt_clock_ms() < end)
        poll(NULL, 0, 1);
}

/* ------------------------------------------------------------------ waiting */

/* Between two statements of a pipeline the server forgets a cancel: it is asked again.
 * And at some time nobody waits for an answer any more: the connection is given up. */
static int insist(struct rt_conn *conn, struct rt_err *err)
{
    int64_t now = rt_clock_ms();

    if (conn->cancelled_at == 0)
        conn->cancelled_at = conn->asked_at = now;
    if (now - conn->asked_at < CANCEL_AGAIN_MS)
        return 0;
    if (now - conn->cancelled_at > GIVE_UP_MS) {
        conn->given_up = true;
        return rt_err_set(err, RT_EINTERNAL, "the server did not answer to the cancel");
    }
    conn->asked_at = now;
    rt_conn_cancel(conn);
    return 0;
}

static int wait_for(struct rt_conn *conn, short events, bool cancelled,
                    struct rt_err *err)
{
    bool deaf = cancelled || conn->shielded;
    struct pollfd fds[2] = {{.fd = PQsocket(conn->pg), .events = events},
                            {.fd = deaf ? -1 : rt_cancel_fd(), .events = POLLIN}};
    int tick = cancelled       ? CANCEL_AGAIN_MS
               : conn->on_wait ? RT_WAIT_TICK_MS
                               : LOOK_AGAIN_MS;
    int ready = poll(fds, RT_COUNT(fds), tick);

    /* Also one that goes on sending rows or notices. */
    if (cancelled && insist(conn, err) < 0)
        return -(int)err->status;
    if (ready == 0 && !cancelled && conn->on_wait)
        conn->on_wait(conn->on_wait_context);
    if ((ready == 0 || fds[0].revents != 0) && !PQconsumeInput(conn->pg))
        return rt_err_result(err, conn, NULL);
    if (!deaf && rt_cancel_check(err) < 0) {
        rt_conn_cancel(conn);
        return -(int)err->status;
    }
    return 0;
}

int rt_conn_pump(struct rt_conn *conn, bool *flushed, bool cancelled, struct rt_err *err)
{
    int pending = PQflush(conn->pg);

    if (pending < 0)
        return rt_err_result(err, conn, NULL);
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
    return pending < 0 ? rt_err_result(err, conn, NULL) : 0;
}

int rt_conn_wait(struct rt_conn *conn, bool cancelled, struct rt_err *err)
{
    bool flushed;

    while (PQisBusy(conn->pg)) {
        int rc = rt_conn_pump(conn, &flushed, cancelled, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

int rt_conn_wait_pair(struct rt_conn *from, struct rt_conn *to, enum rt_wait_pair what,
                      bool *spoke, struct rt_err *err)
{
    short flush = what == RT_WAIT_FLUSH ? POLLOUT : 0;
    struct pollfd fds[3] = {
        {.fd = what == RT_WAIT_DATA ? PQsocket(from->pg) : -1, .events = POLLIN},
        {.fd = PQsocket(to->pg), .events = (short)(POLLIN | flush)},
        {.fd = rt_cancel_fd(), .events = POLLIN}};
    unsigned notices = to->notices;
    int ready = poll(fds, RT_COUNT(fds), what == RT_WAIT_NOT ? 0 : LOOK_AGAIN_MS);

    if ((fds[0].revents != 0 || (ready == 0 && what == RT_WAIT_DATA)) &&
        !PQconsumeInput(from->pg))
        return rt_err_result(err, from, NULL);
    *spoke = (fds[1].revents & ~POLLOUT) != 0;
    if (*spoke && PQconsumeInput(to->pg)) {
        (void)PQisBusy(to->pg); /* reads notices in any state */
        *spoke = to->notices == notices;
    }
    return rt_cancel_check(err);
}

/* Drop the data of a COPY TO that comes until it ends. */
static int skip_copy(struct rt_conn *conn, struct rt_err *err)
{
    bool flushed;
    char *row;
    int len, rc = 0;

    while (rc == 0 && (len = PQgetCopyData(conn->pg, &row, 1)) >= 0) {
        if (len > 0)
            PQfreemem(row);
        else
            rc = rt_conn_pump(conn, &flushed, true, err);
    }
    return rc;
}

void rt_conn_drain(struct rt_conn *conn)
{
    struct rt_err ignored = {0};
    int rc = 0;

    while (rc == 0 && !rt_conn_lost(conn) && rt_conn_wait(conn, true, &ignored) == 0) {
        PGresult *result = PQgetResult(conn->pg);
        ExecStatusType status = PQresultStatus(result);

        if (result == NULL)
            break;
        PQclear(result);
        if (status == PGRES_COPY_IN)
            rc = PQputCopyEnd(conn->pg, "cancelled") < 0 ? -1 : 0;
        else if (status == PGRES_COPY_OUT)
            rc = skip_copy(conn, &ignored);
    }
    rt_err_clear(&ignored);
    conn->cancelled_at = 0;
}
