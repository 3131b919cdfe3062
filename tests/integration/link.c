#include "link.h"

#define QUEUE (INT64_C(5) * 1000000)

int64_t link_send(struct link *link, uint64_t rate, int64_t now, size_t length)
{
    if (rate == 0)
        return now;
    if (link->free_at < now)
        link->free_at = now;
    link->free_at += (int64_t)((double)length * 1e9 / (double)rate);
    return link->free_at;
}

int64_t link_wait(const struct link *link, int64_t now)
{
    int64_t queued = link->free_at - now;

    return queued > QUEUE ? queued - QUEUE : 0;
}
