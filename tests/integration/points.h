/*
 * One apply of three files, and a fault at every point of it: after each message to the
 * server, and just before each message to the client. The first file has COPY data, so it
 * goes statement by statement; the other two are in one pipeline. Each makes a table of
 * two rows.
 *
 *     points_try(&(struct points){.first_use = true, .act = RELAY_CUT, .check = ...});
 *
 * Several runs go on at the same time, each on a lane: a production of its own behind a
 * relay of its own.
 */
#ifndef TEST_POINTS_H
#define TEST_POINTS_H

#include "relay.h"
#include "scene.h"

#include <stdbool.h>

struct lane {
    struct scene *scene; /* its run is the one with the fault, then those after it */
    struct relay relay;
    PGconn *direct; /* beside the relay */
    long rows;      /* of the ledger before the run */

    struct relay_trap trap;
    bool sprung;    /* the run came to the point */
    char type;      /* of the message there */
    double seconds; /* from the fault to the run's end */
};

/* Beyond these, a first use goes on as any other run. */
enum { POINTS_FIRST_USE = 64 };

struct points {
    bool first_use;     /* production has no ledger yet */
    enum relay_act act; /* RELAY_CUT, or RELAY_HOLD while fault does its work */
    unsigned step;      /* 0 and 1: every point; n: every n-th */
    unsigned limit;     /* only the points before this one in each direction; 0: all */

    /* With all runs held at their points: once for all, then for each of them, which
     * tells what to do with its connection. Either may be NULL. */
    void (*disaster)(void);
    enum relay_act (*fault)(struct lane *lane);
    /* When the run has ended, before anything else; what it left behind on the server
     * must not change anything any more. NULL: it may, and the next run starts at once.
     */
    void (*check)(struct lane *lane);
};

/* Set before points_start: who is reached at the server's socket, a pooler. 0: itself. */
extern int points_port;

int points_start(void **state); /* group setup and teardown: the server and the lanes */
int points_stop(void **state);

/*
 * A fault at every point in both directions. After each of them the ledger and the schema
 * agree; then another run finishes the work, and the ledger verifies.
 */
void points_try(const struct points *points);

/* Of the three files, how many rows more the ledger has than before the run. */
long points_added(struct lane *lane);

/* How many rows there are to add in all: the three files', and a baseline on first use.
 */
long points_total(const struct lane *lane);

/* Whether the run says how many are in: it had passed the point of no return. */
bool points_began(const struct lane *lane);

/* Fail unless the run's exit status and its count tell what the ledger says. The status
 * may be 0 only when everything is in, and this one only when something is missing. */
void points_expect_truth(struct lane *lane, int status);

/* A check after a connection was lost: all is in, or the run says what was rolled back.
 * Nothing is unknown as long as the server can be reached. */
void points_lost_or_done(struct lane *lane);

#endif
