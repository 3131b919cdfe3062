/*
 * Connecting in a thread of its own. libpq's own waiting (names, several hosts, each with
 * its time limit, authentication) is deaf to signals; here whoever waits hears them, and
 * leaves the attempt alone to end by itself.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pg/private.h"

enum { MAX_PARAMS = 16 };

static atomic_uint attempts; /* threads that have not ended */

bool rt_connecting(void)
{
    return atomic_load(&attempts) != 0;
}

/* Shared by the two threads; the last one to leave frees it. */
struct attempt {
    pthread_mutex_t mutex;
    const char *keywords[MAX_PARAMS]; /* literals */
    char *values[MAX_PARAMS];         /* copies: the caller may be gone before libpq */
    PGconn *pg;
    int done[2]; /* a pipe: readable when pg is there */
    bool left;   /* by one of the two */
};

static void attempt_free(struct attempt *attempt)
{
    for (size_t i = 0; i < MAX_PARAMS; i++) {
        if (attempt->values[i] == NULL)
            continue;
        explicit_bzero(attempt->values[i], strlen(attempt->values[i]));
        free(attempt->values[i]);
    }
    PQfinish(attempt->pg);
    close(attempt->done[0]);
    close(attempt->done[1]);
    pthread_mutex_destroy(&attempt->mutex);
    free(attempt);
}

static void attempt_leave(struct attempt *attempt)
{
    bool last;

    pthread_mutex_lock(&attempt->mutex);
    last = attempt->left;
    attempt->left = true;
    pthread_mutex_unlock(&attempt->mutex);
    if (last)
        attempt_free(attempt);
}

static void *run_attempt(void *argument)
{
    struct attempt *attempt = argument;
    PGconn *pg =
        PQconnectdbParams(attempt->keywords, (const char *const *)attempt->values, 1);

    pthread_mutex_lock(&attempt->mutex);
    attempt->pg = pg;
    pthread_mutex_unlock(&attempt->mutex);
    if (write(attempt->done[1], "", 1) < 0)
        abort(); /* an empty pipe that is open on both ends takes a byte */
    attempt_leave(attempt);
    atomic_fetch_sub(&attempts, 1);
    return NULL;
}

static struct attempt *attempt_new(const char *const *keywords, const char *const *values)
{
    struct attempt *attempt = rt_alloc(sizeof(*attempt));

    for (size_t i = 0; keywords[i]; i++) {
        attempt->keywords[i] = keywords[i];
        attempt->values[i] = values[i] ? rt_strdup(values[i]) : NULL;
    }
    pthread_mutex_init(&attempt->mutex, NULL);
    if (pipe2(attempt->done, O_CLOEXEC) != 0)
        rt_out_of_memory();
    return attempt;
}

/* Signals are for the thread that waits for them. */
static bool start_thread(struct attempt *attempt)
{
    sigset_t all, before;
    pthread_t thread;
    bool started;

    atomic_fetch_add(&attempts, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, NULL, run_attempt, attempt) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    else
        atomic_fetch_sub(&attempts, 1);
    return started;
}

int rt_connect(PGconn **out, const char *const *keywords, const char *const *values,
               bool deaf, unsigned limit_ms, struct rt_err *err)
{
    struct attempt *attempt = attempt_new(keywords, values);
    struct pollfd fds[2] = {{.fd = attempt->done[0], .events = POLLIN},
                            {.fd = deaf ? -1 : rt_cancel_fd(), .events = POLLIN}};
    int64_t end = rt_clock_ms() + limit_ms;
    int rc = 0;

    *out = NULL;
    if (!start_thread(attempt)) {
        attempt_free(attempt);
        return rt_err_set(err, RT_EINTERNAL, "cannot start a thread");
    }
    while (rc == 0 && (fds[0].revents & POLLIN) == 0) {
        int64_t left = end > rt_clock_ms() ? end - rt_clock_ms() : 0;

        if (poll(fds, RT_COUNT(fds), limit_ms ? (int)left : -1) == 0)
            rc = rt_err_set(err, RT_EINTERNAL, "no answer within %.1f s",
                            limit_ms / 1000.0);
        else if (!deaf)
            rc = rt_cancel_check(err);
    }
    if (rc == 0) {
        pthread_mutex_lock(&attempt->mutex);
        *out = attempt->pg;
        attempt->pg = NULL;
        pthread_mutex_unlock(&attempt->mutex);
    }
    attempt_leave(attempt);
    if (rc == 0 && *out == NULL)
        rt_out_of_memory();
    return rc;
}
