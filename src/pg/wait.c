/* Waiting for the server, so that signals are heard and somebody may be told of it. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "pg/private.h"

enum { CANCEL_AGAIN_MS = 500, GIVE_UP_MS = 3000, CANCEL_END_MS = 1000 };

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

static atomic_bool cancelling; /* a request is on its way */

static void *send_cancel(void *argument)
{
    char ignored[256];

    PQcancel(argument, ignored, sizeof(ignored));
    PQfreeCancel(argument);
    atomic_store(&cancelling, false);
    return NULL;
}

/* In a thread of its own: it connects to the server, and blocks while that is slow. */
static void cancel_statement(struct rt_conn *conn)
{
    PGcancel *cancel;
    sigset_t all, before;
    pthread_t thread;

    if (atomic_exchange(&cancelling, true))
        return;
    cancel = PQgetCancel(conn->pg);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (cancel == NULL || pthread_create(&thread, NULL, send_cancel, cancel) != 0) {
        PQfreeCancel(cancel);
        atomic_store(&cancelling, false);
    } else {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void rt_conn_end_cancel(const struct rt_conn *conn)
{
    int64_t end = rt_clock_ms() + CANCEL_END_MS;

    while (!conn->given_up && atomic_load(&cancelling) && rt_clock_ms() < end)
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
    cancel_statement(conn);
    return 0;
}

static int wait_for(struct rt_conn *conn, short events, bool cancelled,
                    struct rt_err *err)
{
    bool deaf = cancelled || conn->shielded;
    struct pollfd fds[2] = {{.fd = PQsocket(conn->pg), .events = events},
                            {.fd = deaf ? -1 : rt_cancel_fd(), .events = POLLIN}};
    int tick = cancelled ? CANCEL_AGAIN_MS : conn->on_wait ? RT_WAIT_TICK_MS : -1;
    int ready = poll(fds, RT_COUNT(fds), tick);

    /* Also one that goes on sending rows or notices. */
    if (cancelled && insist(conn, err) < 0)
        return -(int)err->status;
    if (ready == 0 && !cancelled && conn->on_wait)
        conn->on_wait(conn->on_wait_context);
    if (ready > 0 && fds[0].revents != 0 && !PQconsumeInput(conn->pg))
        return rt_err_result(err, conn, NULL);
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

void rt_conn_drain(struct rt_conn *conn)
{
    struct rt_err ignored = {0};

    while (!rt_conn_lost(conn) && rt_conn_wait(conn, true, &ignored) == 0) {
        PGresult *result = PQgetResult(conn->pg);
        ExecStatusType status = PQresultStatus(result);

        if (result == NULL)
            break;
        PQclear(result);
        if (status == PGRES_COPY_IN && PQputCopyEnd(conn->pg, "cancelled") < 0)
            break;
    }
    rt_err_clear(&ignored);
    conn->cancelled_at = 0;
}
