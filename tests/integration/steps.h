/* What tests of files without a transaction ask production. */
#ifndef TEST_STEPS_H
#define TEST_STEPS_H

#include "sleeper.h"

#define DIRECTIVE "-- revtwin: no-transaction\n"

/* A table with a duplicate, over which no unique index can be built. */
static inline void make_duplicate(const struct scene *s)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 2)");
}

static inline void mend_duplicate(const struct scene *s)
{
    cluster_exec(&scene_server, s->db, "DELETE FROM t WHERE b = 2");
}

/* "valid", "invalid" or "absent". */
#define assert_index(s, name, want)                                                \
    assert_production(s,                                                           \
                      "SELECT coalesce((SELECT CASE WHEN indisvalid THEN 'valid' " \
                      "ELSE 'invalid' END FROM pg_index WHERE indexrelid = "       \
                      "to_regclass('" name "')), 'absent')",                       \
                      want)

/* The rows of revtwin.step: "1 done, 2 failed". */
#define assert_steps(s, want)                                                       \
    assert_production(s,                                                            \
                      "SELECT string_agg(statement || ' ' || state, ', ' ORDER BY " \
                      "path, statement) FROM revtwin.step",                         \
                      want)

/* A first step that is in, so that --ledger has a start. */
static inline void first_step(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
}

/* V2 is a file that stops at its second statement of three, V3 comes after it. */
static inline void stop_at_the_second(struct scene *s)
{
    make_duplicate(s);
    first_step(s);
    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                         "CREATE UNIQUE INDEX CONCURRENTLY u\n    ON t (a);\n"
                         "INSERT INTO log (name) VALUES ('three');\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "files");
    scene_run(s, 4, "apply");
    assert_steps(s, "1 done, 2 failed");
}

#define BUILD "CREATE INDEX CONCURRENTLY i ON t (a)"

/* V2 builds an index between two other statements; while the session that is returned has
 * its transaction open, the index waits for it. */
static inline PGconn *hold(struct scene *s, const char *second)
{
    char *sql = check_printf(DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                                       "%s;\nINSERT INTO log (name) VALUES ('three');\n",
                             second);
    PGconn *other;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int, b int)");
    first_step(s);
    scene_file(s, "V2", sql);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "files");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; INSERT INTO t VALUES (1)"));
    free(sql);
    return other;
}

static inline void release(PGconn *other)
{
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
}

/* Everything went in once, in order. */
static inline void expect_all(struct scene *s)
{
    assert_index(s, "i", "valid");
    assert_log(s, "V1 one three V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    assert_steps(s, "");
    scene_run(s, 0, "verify");
}

#endif
