/*
 * A TCP relay between a client and a server, in a process of its own. It makes the
 * network slow without making it narrow: each chunk is passed on a fixed time after it
 * was read, in order, and any number of chunks may be on their way.
 */
#ifndef TEST_RELAY_H
#define TEST_RELAY_H

#include <stdint.h>
#include <sys/types.h>

/* Written by the relay, readable at any time; sums over all connections. */
struct relay_counts {
    uint64_t connections;
    uint64_t to_server; /* bytes */
    uint64_t to_client;
    uint64_t turns; /* times that the client spoke after the server had: round trips */
};

struct relay {
    int port; /* on 127.0.0.1 */
    pid_t pid;
    const volatile struct relay_counts *counts;
};

/*
 * Start a relay to the unix socket of a server (host is its folder, as in libpq) or to
 * its TCP port (host is an IPv4 address). delay_ms is for one way: a round trip takes
 * twice as long. Fails the running test when it cannot start; the relay dies with the
 * test program.
 */
void relay_start(struct relay *relay, const char *host, int port, unsigned delay_ms);

/* Connections through the relay break. The counts can no longer be read. */
void relay_stop(struct relay *relay);

#endif
