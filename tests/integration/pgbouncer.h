/*
 * A throw-away PgBouncer in transaction mode in front of a cluster: each transaction of a
 * client may meet another server session, and what a session keeps (locks, settings,
 * prepared statements) meets another client. It dies with the test program.
 */
#ifndef TEST_PGBOUNCER_H
#define TEST_PGBOUNCER_H

#include "cluster.h"

#include <sys/types.h>

#define PGBOUNCER_PORT 6432 /* of the socket's name */

struct pgbouncer {
    pid_t pid;
    char dir[64]; /* the socket's folder, which is the cluster's; the log is
                     DIR/pooler.log */
};

/* Both fail the running test instead of returning an error. */
void pgbouncer_start(struct pgbouncer *p, const struct cluster *c);
void pgbouncer_stop(struct pgbouncer *p);

/* URI of a database as CLUSTER_USER, through the pooler. Fills and returns buf. */
const char *pgbouncer_url(const struct pgbouncer *p, const char *db,
                          char buf[static CLUSTER_URL_SIZE]);

#endif
