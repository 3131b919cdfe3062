/*
 * What every test of rt_delta does: production and a twin with the same schema, changes
 * on both, a delta, and two dumps that have to be equal.
 */
#ifndef TEST_DELTAS_H
#define TEST_DELTAS_H

#include "pg/query.h"
#include "twin/delta/delta.h"
#include "world.h"

struct deltas {
    struct world *world;
    struct rt_progress progress;
    struct rt_delta job; /* of the last run */
    bool may_give_up, full_compare, force;
    int wait_seconds;   /* 10 */
    int settle_seconds; /* 30 */
};

int delta_open(void **state);
int delta_close(void **state);

#define delta_test(test) cmocka_unit_test_setup_teardown(test, delta_open, delta_close)

/* SQL on one side, or on both. */
void delta_prod(const char *sql);
void delta_twin(const char *sql);
void delta_both(const char *sql);

/* rt_delta; its status. */
int delta_run(struct deltas *f);

/* It succeeds, the dumps are equal, and a second one finds nothing to do. */
void delta_expect_equal(struct deltas *f);

/* All of it, from empty databases. */
void delta_case(struct deltas *f, const char *both, const char *prod, const char *twin);

#endif
