#include "base/cancel.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* In a child each: a signal stays noted for the life of a process. */
static int status_of(void (*body)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(int sig)
{
    struct pollfd wake;
    struct rt_err err = {0};
    int rc;

    rt_cancel_install();
    if (rt_cancel_check(&err) != 0)
        return 0;
    raise(sig);
    wake = (struct pollfd){.fd = rt_cancel_fd(), .events = POLLIN};
    if (poll(&wake, 1, 1000) != 1)
        return 0;
    rc = rt_cancel_check(&err);
    rt_err_clear(&err);
    return -rc;
}

static void interrupted(void)
{
    _exit(wait_for(SIGINT));
}

static void terminated(void)
{
    _exit(wait_for(SIGTERM));
}

static void twice(void)
{
    rt_cancel_install();
    raise(SIGINT);
    raise(SIGINT);
}

static void broken_pipe(void)
{
    int ends[2];

    rt_cancel_install();
    if (pipe(ends) != 0)
        _exit(1);
    close(ends[0]);
    _exit(write(ends[1], "", 1) == -1 ? 7 : 1);
}

static void test_signals(void **state)
{
    struct rt_err err = {0};

    (void)state;
    assert_int_equal(rt_cancel_check(&err), 0);
    assert_int_equal(rt_cancel_fd(), -1);
    assert_int_equal(status_of(interrupted), RT_EINT);
    assert_int_equal(status_of(terminated), RT_ETERM);
    assert_int_equal(status_of(twice), -SIGINT);
    assert_int_equal(status_of(broken_pipe), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signals)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
