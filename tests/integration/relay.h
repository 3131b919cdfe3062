/*
 * A TCP relay between clients and a server, in a process of its own. It makes the
 * network slow without making it narrow: each chunk is passed on a fixed time after it
 * was read, in order, and any number of chunks may be on their way. relay_limit makes it
 * narrow, too.
 *
 * And it can break the network at an exact point between two messages of the protocol:
 *
 *     relay_arm(&relay, &(struct relay_trap){.side = RELAY_TO_CLIENT, .message = 7,
 *                                            .before = true, .act = RELAY_HOLD});
 *     ... start a client ...
 *     while (!relay_holds(&relay, 10))
 *         ... has the client ended? ...
 *     kill(client, SIGINT);
 *     relay_release(&relay, RELAY_PASS);
 */
#ifndef TEST_RELAY_H
#define TEST_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum relay_side { RELAY_TO_SERVER, RELAY_TO_CLIENT };

enum relay_act {
    RELAY_PASS,   /* nothing happens */
    RELAY_CUT,    /* the connection ends for both; what was passed before still arrives */
    RELAY_HOLD,   /* nothing passes in either direction until relay_release */
    RELAY_FORGET, /* only for relay_release: the connection ends for the client, and the
                     server does not hear of it, as when a router forgets it */
};

enum { RELAY_ANY = 0x7fffffff };

/* Once, on one connection; all others pass. */
struct relay_trap {
    enum relay_act act;
    enum relay_side side; /* whose messages are counted */
    uint64_t message;     /* 1 for the first: the startup packet, AuthenticationOk */
    char text[32]; /* if not empty, instead of message: the first one with this text,
                      which comes whole to the relay */
    bool ends;     /* the string that has the text ends with it */
    bool before;   /* when this message has come to the relay, which does not pass it on;
                      else when it was passed on as the last one */
    unsigned connection; /* the n-th one after relay_arm, cancel requests not counted;
                            0 is the first one too. RELAY_ANY: whichever comes there */
};

/* Written by the relay, readable at any time; sums over all connections. */
struct relay_counts {
    uint64_t connections;
    uint64_t to_server; /* bytes */
    uint64_t to_client;
    uint64_t turns; /* times that the client spoke after the server had: round trips */
    uint64_t messages[2]; /* complete ones by side, without cancel requests */
};

struct relay_shared; /* forward.h */

struct relay {
    int port; /* on 127.0.0.1 */
    pid_t pid;
    const volatile struct relay_counts *counts;
    volatile struct relay_shared *shared;
    int sprung, released; /* eventfds: the trap has sprung; the test lets go */
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

/* From here on all connections together get at most so many megabits a second each way;
 * 0: as many as there are. */
void relay_limit(struct relay *relay, unsigned megabits);

/* To connections from here on the server says that it is of this version, from 10 on. */
void relay_pretend(struct relay *relay, unsigned version);

/* Set the trap for the connections from here on, instead of the one before; NULL: none.
 * Nothing may be held, and nobody be connecting. */
void relay_arm(struct relay *relay, const struct relay_trap *trap);

/* Wait until the trap holds a connection, for at most so many milliseconds. */
bool relay_holds(struct relay *relay, int milliseconds);

/* Go on with what is held: RELAY_PASS, RELAY_CUT or RELAY_FORGET. */
void relay_release(struct relay *relay, enum relay_act act);

/* All connections that there are end for both sides, whatever they are at. */
void relay_break(struct relay *relay);

/* Whether the trap has sprung, and at which type of message (0: a startup packet). */
bool relay_sprung(const struct relay *relay, char *type);

#endif
