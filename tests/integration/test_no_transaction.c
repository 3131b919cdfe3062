/* Files that run without a transaction, statement by statement: where one stops, what
 * that leaves, and how the next run goes on. */
#include "scene.h"

/* A table with a duplicate, over which no unique index can be built. */
static void make_duplicate(const struct scene *s)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 2)");
}

static void mend_duplicate(const struct scene *s)
{
    cluster_exec(&scene_server, s->db, "DELETE FROM t WHERE b = 2");
}

#define assert_index(s, name, want)                                                \
    assert_production(s,                                                           \
                      "SELECT coalesce((SELECT CASE WHEN indisvalid THEN 'valid' " \
                      "ELSE 'invalid' END FROM pg_index WHERE indexrelid = "       \
                      "to_regclass('" name "')), 'absent')",                       \
                      want)

/* The rows of revtwin.step: "1 done, 2 failed". */
#define assert_steps(s, want)                                               \
    assert_production(                                                      \
        s,                                                                  \
        "SELECT string_agg(statement || ' ' || state, ', ' ORDER BY path, " \
        "statement) FROM revtwin.step",                                     \
        want)

static void all_kinds_of_statements(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE t (a int, b int);"
                 "CREATE INDEX old ON t (b);"
                 "CREATE TABLE p (a int) PARTITION BY LIST (a);"
                 "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
                 "CREATE TYPE mood AS ENUM ('sad');");
    scene_file(
        s, "V1",
        "-- revtwin: no-transaction\n"
        "SET maintenance_work_mem = '32MB';\n"
        "CREATE INDEX CONCURRENTLY t_a ON t (a);\n"
        "VACUUM (ANALYZE) t;\n"
        "REINDEX INDEX CONCURRENTLY t_a;\n"
        "DROP INDEX CONCURRENTLY old;\n"
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n"
        "ALTER TYPE mood ADD VALUE 'happy';\n"
        "CREATE TABLE m (m mood DEFAULT 'happy');\n"
        "COPY log (name) FROM stdin;\none\ntwo\n\\.\n"
        "DO $$ BEGIN INSERT INTO log (name) VALUES ('three'); COMMIT; END $$;\n"
        "INSERT INTO log (name) VALUES (current_setting('maintenance_work_mem'));\n");
    scene_migration(s, "V2");
    repo_commit(&s->repo, "files");
    scene_run(s, 0, "apply");
    assert_said(s, "applied   migrations/V1.sql  (11 statements, ");
    assert_log(s, "one two three 32MB V2");
    assert_index(s, "t_a", "valid");
    assert_index(s, "old", "absent");
    assert_production(s, "SELECT count(*) FROM pg_inherits", "0");
    assert_ledger(s, "applied V1, applied V2");
    assert_production(s, "SELECT count(*) FROM revtwin.step", "0");
    scene_run(s, 0, "verify");
}

static void failed_index_is_dropped_and_built_again(void **state)
{
    struct scene *s = *state;

    make_duplicate(s);
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_file(s, "V2", "\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "files");

    scene_run(s, 4, "apply");
    assert_warned(s,
                  "migrations/V2.sql:2:1: stopped at statement 1 of 1: could not create "
                  "unique index \"u\"");
    assert_warned(s, "detail: Key (a)=(1) is duplicated.");
    assert_warned(s, "SQLSTATE 23505");
    assert_warned(s,
                  "No statement of the file is done. It left the INVALID index public.u");
    assert_warned(s, "0 of 2 migrations are in");
    assert_warned(s, "go on with: revtwin apply --ledger");
    assert_warned(s, "--skip-stopped");
    assert_warned(s, "revtwin resolve migrations/V2.sql --applied");
    assert_said(s, "stopped   migrations/V2.sql");
    assert_said(s, "not run   migrations/V3.sql");
    assert_index(s, "u", "invalid");
    assert_steps(s, "1 failed");
    assert_ledger(s, "applied V1");

    /* Again, with the cause still there: the index that is left is this run's. */
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s, "migrations/V2.sql: going on at statement 1 of 1");
    assert_warned(s, "dropping the INVALID index public.u that statement 1 left");
    assert_index(s, "u", "invalid");

    mend_duplicate(s);
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "dropping the INVALID index public.u that statement 1 left");
    assert_index(s, "u", "valid");
    assert_log(s, "V1 V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    assert_steps(s, "");
    scene_run(s, 0, "verify");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(all_kinds_of_statements),
        scene_test(failed_index_is_dropped_and_built_again),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
