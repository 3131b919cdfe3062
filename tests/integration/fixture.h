/* What every test of src/git starts from: an empty repository and an open handle. */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include "check.h"
#include "git/range.h"
#include "repo.h"

struct fixture {
    struct repo repo;
    struct rt_repo *git;
    struct rt_arena arena;
    struct rt_err err;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define fixture_test(test) \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* Close the handle and open another repository. */
void fixture_open(struct fixture *f, const struct repo *repo);

/* rc is success; or this error, with the part in its message. */
void expect_ok(struct fixture *f, int rc);
void expect_error(struct fixture *f, int rc, enum rt_status status, const char *part);
void expect_shallow_hint(struct fixture *f);

/* Take an object's file away, as a partial or a damaged clone lacks it. */
void lose_object(const struct fixture *f, struct rt_oid oid);

#define FOLDER "db/migrations"

/* Changes below FOLDER. What is written differs from every other file. */
void write_sql(struct fixture *f, const char *name);
void move_sql(struct fixture *f, const char *from, const char *to);
void delete_sql(struct fixture *f, const char *name);
struct rt_oid commit_sql(struct fixture *f, const char *name); /* write it, commit all */

/* The range of one step, and the range from base to HEAD; neither may fail. */
struct rt_range range_step(struct fixture *f, struct rt_oid commit);
struct rt_range range_since(struct fixture *f, struct rt_oid base);

/*
 * The arrivals in order, as their names below FOLDER with a space between. A name is
 * followed by "<origin" after a rename, by "!" when edited, by "-" when deleted.
 */
void expect_arrivals(struct rt_range range, const char *wanted);

#endif
