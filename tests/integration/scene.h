/*
 * What every end-to-end test of choosing migrations starts from: a repository, and an
 * empty production database of its own with the table "log", in which each migration of
 * scene_migration leaves its name. There is no twin.
 *
 *     scene_step(s, "V1__users");
 *     scene_run(s, 0, "apply");
 *     assert_log(s, "V1__users");
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cluster.h"
#include "repo.h"
#include "run.h"

#define SCENE_ENV 15

struct scene {
    struct repo repo;
    char db[32];
    const char
        *env[SCENE_ENV + 1]; /* what scene_run adds: production, and by scene_set */
    struct run run;          /* the last scene_run or scene_refuse */
};

/* The server that all tests of the program share; a database each. */
extern struct cluster scene_server;
int scene_start_server(void **state);
int scene_stop_server(void **state);

int scene_open(void **state);
int scene_close(void **state);

#define scene_test(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)

/* Another empty database with its table "log", as s->db from here on. */
void scene_new_production(struct scene *s);

/* An environment variable of the runs to come; value NULL: not set. */
void scene_set(struct scene *s, const char *name, const char *value);

/* Production's server is reached on this port of 127.0.0.1, in plain text: a relay's. */
void scene_set_port(struct scene *s, int port);

/* Write migrations/NAME.sql into the checkout. */
void scene_migration(const struct scene *s, const char *name);

/* Write migrations/NAME.sql with a text of its own. */
void scene_file(const struct scene *s, const char *name, const char *sql);

/* Write such a migration and commit it: a step of its own. */
struct rt_oid scene_step(const struct scene *s, const char *name);

/* Run revtwin in the repository with these arguments; fail unless it ends with status. */
#define scene_run(s, status, ...) \
    scene_run_at(s, status, __FILE__, __LINE__, __VA_ARGS__, NULL)
void scene_run_at(struct scene *s, int status, const char *file, int line, ...)
    __attribute__((sentinel));

/* The same, and production was not written to: the server gave out no transaction id. */
#define scene_untouched(s, status, ...)                    \
    do {                                                   \
        char *xid_before_ = scene_next_xid();              \
                                                           \
        scene_run(s, status, __VA_ARGS__);                 \
        scene_expect_xid(xid_before_, __FILE__, __LINE__); \
    } while (0)
char *scene_next_xid(void);
void scene_expect_xid(char *before, const char *file, int line); /* frees it */

/* Only start revtwin with these arguments; and later wait for its end with this status.
 */
#define scene_start(s, ...) scene_start_args(s, (const char *const[]){__VA_ARGS__, NULL})
void scene_start_args(struct scene *s, const char *const *args);
#define scene_finish(s, status) scene_finish_at(s, status, __FILE__, __LINE__)
void scene_finish_at(struct scene *s, int status, const char *file, int line);

/* Run SQL as an intruder who may switch off the ledger's guard against changes. */
void scene_tamper(const struct scene *s, const char *sql);

/* The last run wrote this to standard output, or to standard error. */
#define assert_said(s, part) assert_contains((s)->run.out, part)
#define assert_warned(s, part) assert_contains((s)->run.err, part)

/* The migrations of scene_migration that ran, in order: "V1__users V2__orders". */
#define assert_log(s, want)              \
    assert_query(&scene_server, (s)->db, \
                 "SELECT string_agg(name, ' ' ORDER BY id) FROM log", want)

/* The ledger in order, without "migrations/" and ".sql": "baseline V1, applied V2". */
#define assert_ledger(s, want)                                            \
    assert_query(&scene_server, (s)->db,                                  \
                 "SELECT string_agg(kind || ' ' || regexp_replace(path, " \
                 "'^migrations/(.*)\\.sql$', '\\1'), ', ' ORDER BY seq) " \
                 "FROM revtwin.ledger",                                   \
                 want)

/* The server's answer to any query on production. */
#define assert_production(s, sql, want) assert_query(&scene_server, (s)->db, sql, want)

#endif
