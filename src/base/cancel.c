#include "base/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t received;
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
    return wake[0];
}

int rt_cancel_check(struct rt_err *err)
{
    if (received == 0)
        return 0;
    return rt_err_set(err, received == SIGINT ? RT_EINT : RT_ETERM, "cancelled by %s",
                      received == SIGINT ? "SIGINT" : "SIGTERM");
}
