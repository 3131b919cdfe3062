/*
 * What every test of rt_resync starts from: production's database "shop" and the twin
 * "dev", empty, on a server each, and the arguments of a resync from one to the other.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "cluster.h"
#include "twin/resync.h"

#define PASSWORD "p@ss:w/o?r#d%\"\\ $x"
#define PASSWORD_ESCAPED "p%40ss%3Aw%2Fo%3Fr%23d%25%22%5C%20%24x"

/* Both ask for the password on TCP. */
extern struct cluster prod_server, twin_server;
int world_start_servers(void **state);
int world_stop_servers(void **state);

struct world {
    struct rt_server prod, twin;
    struct rt_resync_options options;
    struct rt_resync_result result;
    struct rt_arena arena;
    struct rt_err err;
};

int world_open(void **state);
int world_close(void **state);

#define world_test(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

/* A bit of everything that a schema may have, and a ledger, for production. */
extern const char *const world_schema;

void world_point(struct rt_server *server, const char *conninfo);

/* Resync; fail unless this is what it returns. */
int world_run(struct world *w);
void world_expect(struct world *w, int wanted);

/* Resync, and let the twin's content be replaced. */
void world_adopt(struct world *w);

/* What the twin's server knows about its databases, for the caller to free: a twin that
 * is as it was has the same OID, and nothing is left beside it. */
char *world_databases(void);

/* Fail unless dumps of both are the same, but for what a twin does not have. */
void world_expect_equal(void);
void world_expect_equal_to(const struct cluster *server); /* production is there */

#endif
