/*
 * What the benches of the twin share: production and the twin's server with their default
 * durability, the line between, and runs over them that are measured.
 */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "bench.h"
#include "cluster.h"
#include "relay.h"
#include "repo.h"
#include "run.h"

#define PAIR_PROD "shop"
#define PAIR_TWIN "dev"

enum { PAIR_RTT_MS = 20, PAIR_MEGABITS = 200 };

struct pair {
    struct cluster prod, twin;
    struct relay line; /* to production, narrow and far */
    struct repo folder;
    bool slow; /* production is reached over the line, else through its socket */
};

/* What a run took. */
struct pair_cost {
    double seconds;
    double read;    /* bytes from production; only over the line */
    double written; /* bytes of the log on the twin's server */
    double peak;    /* bytes of memory; of programs that it runs, the largest alone */
    double rows;    /* read from production, as revtwin tells */
};

void pair_start(struct pair *pair);
void pair_stop(struct pair *pair);

/* revtwin resync with more arguments up to NULL; it has to succeed. The method that it
 * took goes to method, where that is not NULL. */
void pair_resync(struct pair *pair, struct pair_cost *cost, char method[static 16],
                 const char *const *args);

/* A script of copiers/, after its preparations, into a database of its own. */
void pair_copy(struct pair *pair, struct pair_cost *cost, const char *script,
               const char *name);

/* Every number the median of those of all runs, the peak the largest. */
void pair_median(struct pair_cost *out, const struct pair_cost *costs, size_t count);

#endif
