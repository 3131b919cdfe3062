/* One direction of the relay's narrow line: bytes of all its connections go through it
 * one after the other, at a limited rate. */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include <stddef.h>
#include <stdint.h>

struct link {
    int64_t free_at; /* when it has sent what it was given, in monotonic nanoseconds */
};

/* When bytes that come now will have gone through. rate: bytes a second; 0: at once. */
int64_t link_send(struct link *link, uint64_t rate, int64_t now, size_t length);

/*
 * How long, in nanoseconds, until it takes more; 0: now. It has a queue of a few
 * milliseconds, as a good router has: what one connection sends in bulk must not hold up
 * the others for as long as the bulk takes.
 */
int64_t link_wait(const struct link *link, int64_t now);

#endif
