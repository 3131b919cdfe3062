/*
 * One resync, and a fault at a named point of it: production and the twin are behind a
 * relay each, and one of them holds the first message with a text. Whatever happens then,
 * the twin is the old one or the new one, by two dumps; nothing is left beside it; and
 * the next resync works.
 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include "cluster.h"
#include "relay.h"
#include "run.h"

#include <stdbool.h>

enum fault_side { FAULT_PROD, FAULT_TWIN };

struct fault_point {
    const char *text; /* of a message to that server */
    enum fault_side side;
    bool ends;  /* as in struct relay_trap */
    bool read;  /* production is not needed any more */
    bool done;  /* the fault comes too late to make a difference */
    bool grows; /* the message lets files of the twin grow */
};

/* What a resync is tried with: points in the order in which it comes to them. */
struct fault_plan {
    const char *const *options; /* of the command; NULL-terminated */
    const struct fault_point *points;
    size_t count;
    bool renew; /* with a resync before each: the receipt of a restarted server is void */
};

extern struct cluster fault_prod, fault_twin;
extern struct relay fault_relays[2]; /* by enum fault_side */
extern struct run fault_run;         /* the last one */

/*
 * A whole test program: SIGINT and SIGTERM, SIGKILL, sessions that an administrator ends,
 * servers that crash, connections that break, a disk that is full. argv[1] may choose:
 * "signals", "kills", "ended", "restarts", "broken", "full".
 */
int fault_main(int argc, char **argv, const struct fault_plan *of);

/* For more tests: both servers with a schema and rows, and a first resync. */
int fault_start(void **state);
int fault_stop(void **state);

/* Production changes, and so does the twin by a developer's hand. */
void fault_change(void);

/* Start a resync without relays, and expect its end. */
void fault_resync(const char *const *options, int status);

/* Start one through the relays. */
void fault_launch(const char *const *options);

/* A dump without what only a twin has, its lines sorted; for the caller to free. */
char *fault_dump(enum fault_side side);

/* Nothing of a run is left: databases, temporary files, sessions. */
void fault_expect_clean(void);

#endif
