/*
 * What the benches that talk to a server share: one that writes durably, the ways to it,
 * fresh databases, and many small migrations.
 */
#ifndef TEST_LAB_H
#define TEST_LAB_H

#include "bench.h"
#include "cluster.h"
#include "relay.h"
#include "run.h"

enum { LAB_RTT_MS = 20 };

enum lab_way {
    LAB_SOCKET,
    LAB_NEAR,  /* TCP on this machine, without TLS and password, as through the socket */
    LAB_FAR,   /* the same over a slow network */
    LAB_CLOUD, /* over it with TLS and a password (SCRAM) */
    LAB_WAYS,
};

struct lab {
    bool with_password; /* set before the start: LAB_CLOUD is there, LAB_NEAR is not */
    struct cluster prod;
    struct relay far, cloud;
    enum lab_way way;
    char database[32]; /* the fresh one */
};

void lab_start(struct lab *lab);
void lab_stop(struct lab *lab);

/* An empty database. Old ones stay: ext4 is slow to make files for a while after
 * thousands were deleted. */
void lab_fresh(struct lab *lab);

/* URL of the fresh database on the present way, for the caller to free. */
char *lab_url(const struct lab *lab);

/* Round trips on the present way (over a slow network) so far, connecting included, as
 * its relay counts them: how often a client spoke after the server had. As long as all is
 * under way at once that is what it waited for; beyond (RT_SEND_WINDOW) a stream goes on
 * as replies come in. */
uint64_t lab_trips(const struct lab *lab);

/* Fail unless the migrations up to this one are in the fresh database. */
void lab_expect(const struct lab *lab, int files);

/* The two statements of migration N, each ends with a semicolon and a newline. For the
 * caller to free. */
char *lab_migration(int number);

/* A repository in which step N brings migrations/VN__bench.sql; its first commit is
 * empty.
 */
void lab_history(struct repo *repo, int files);

/* Run a program in the folder with DATABASE_URL set to lab_url. */
void lab_run(struct run *run, const struct lab *lab, const char *dir,
             const char *const *argv);

/* revtwin apply --no-resync, and --base where that is not NULL. It has to succeed. */
void lab_apply(const struct lab *lab, const struct repo *repo, const char *base);

#endif
