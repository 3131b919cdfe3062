#include "base/clock.h"

#include <poll.h>
#include <sodium.h>
#include <time.h>

#include "base/cancel.h"

int64_t rt_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t rt_clock_ms(void)
{
    return rt_clock_us() / 1000;
}

int rt_clock_pause(unsigned ms, struct rt_err *err)
{
    struct pollfd signal = {.fd = rt_cancel_fd(), .events = POLLIN};
    int64_t end = rt_clock_ms() + ms, left;

    while ((left = end - rt_clock_ms()) > 0) {
        int rc = rt_cancel_check(err);

        if (rc < 0)
            return rc;
        poll(&signal, 1, (int)left);
    }
    return rt_cancel_check(err);
}

unsigned rt_clock_backoff(unsigned attempt, unsigned base_ms, unsigned limit_ms)
{
    unsigned whole = base_ms;

    while (attempt-- > 0 && whole < limit_ms)
        whole *= 2;
    if (whole > limit_ms)
        whole = limit_ms;
    return whole - randombytes_uniform(whole / 2 + 1);
}
