#include "base/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int received;
static _Thread_local struct rt_stop *listening; /* NULL: to signals */
static int wake[2] = {-1, -1}; /* a flag alone would be missed between test and poll() */

static void on_signal(int sig)
{
    int saved = errno;

    received = sig;
    if (write(wake[1], "", 1) < 0) /* the flag is set all the same */
        errno = 0;
    errno = saved;
}

void rt_cancel_install(void)
{
    /* SA_RESETHAND: the same signal again meets the default action and ends us. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
        wake[0] = wake[1] = -1;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int rt_cancel_fd(void)
{
    return listening ? listening->fd : wake[0];
}

int rt_cancel_check(struct rt_err *err)
{
    int signal = received;

    if (listening)
        return !listening->raised
                   ? 0
                   : rt_err_set(err, RT_EINTERNAL, "stopped: something else has failed");
    if (signal == 0)
        return 0;
    return rt_err_set(err, signal == SIGINT ? RT_EINT : RT_ETERM, "cancelled by %s",
                      signal == SIGINT ? "SIGINT" : "SIGTERM");
}

int rt_stop_open(struct rt_stop *stop, struct rt_err *err)
{
    atomic_init(&stop->raised, false);
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return stop->fd >= 0 ? 0
                         : rt_err_set(err, RT_EINTERNAL, "cannot make a descriptor: %s",
                                      strerror(errno));
}

void rt_stop_raise(struct rt_stop *stop)
{
    stop->raised = true;
    if (eventfd_write(stop->fd, 1) < 0) /* full: it is readable all the same */
        errno = 0;
}

void rt_stop_close(struct rt_stop *stop)
{
    if (stop->fd >= 0)
        close(stop->fd);
    stop->fd = -1;
}

void rt_cancel_listen(struct rt_stop *stop)
{
    listening = stop;
}
