/* The relay's own process, and what it shares with the test program (relay.h). */
#ifndef TEST_FORWARD_H
#define TEST_FORWARD_H

#include "relay.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct relay_shared {
    struct relay_counts counts; /* written by the relay */
    bool has_sprung;
    char type;

    struct relay_trap trap; /* written by the test */
    unsigned opened;        /* sessions since then; counted by the relay */
    uint64_t rate;          /* bytes a second each way; 0: no limit */
    unsigned version;       /* that the server is said to be of; 0: its own */
    enum relay_act release;
    bool break_all; /* taken back by the relay */
};

struct forward {
    int listener;
    int64_t delay; /* nanoseconds */
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in inet;
    } target;
    socklen_t target_size;
    volatile struct relay_shared *shared;
    int sprung, released;
};

/* Forward until killed. */
_Noreturn void forward_run(const struct forward *forward);

#endif
