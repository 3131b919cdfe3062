/* Files that run without a transaction, statement by statement: where one stops, what
 * that leaves, and how the next run goes on. */
#include "steps.h"

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

static void failure_in_the_middle(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    assert_warned(s,
                  "migrations/V2.sql:3:1: stopped at statement 2 of 3: could not create");
    assert_warned(s, "    CREATE UNIQUE INDEX CONCURRENTLY u\n    ^");
    assert_warned(s, "Statement 1 is done and stays. It left the INVALID index public.u");
    assert_said(s, "stopped   migrations/V2.sql  (3 statements, stopped at statement 2)");
    assert_log(s, "V1 one");

    scene_untouched(s, 0, "status");
    assert_said(s,
                "1 stopped half-way\n    migrations/V2.sql\n      at statement 2 of 3, "
                "line 3, since 20");
    assert_said(s, " as postgres: could not create unique index \"u\", SQLSTATE 23505");
    assert_said(s, "revtwin resolve migrations/V2.sql --applied");
    assert_said(s, "1 pending\n    migrations/V3.sql\n");
    scene_untouched(s, 0, "status", "--json");
    assert_said(s, "\"statement\": 2");
    assert_said(s, "\"sqlstate\": \"23505\"");
    scene_untouched(s, 0, "verify");

    /* Whatever the range, it comes first, and is no gap. */
    scene_step(s, "V4");
    scene_untouched(s, 0, "plan", "--ledger");
    assert_said(s, "V2.sql  (3 statements, to go on at statement 2, outside of a "
                   "transaction: a failure leaves it half-way)");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "1 migration is in the tree, but neither");
    assert_lacks(s->run.err, "migrations/V2.sql");

    mend_duplicate(s);
    scene_run(s, 0, "apply", "--ledger");
    assert_said(s, "applied   migrations/V2.sql  (3 statements, ");
    assert_said(s, "resumed at statement 2");
    assert_log(s, "V1 one three V3 V4");
    assert_index(s, "u", "valid");
    assert_ledger(s, "applied V1, applied V2, applied V3, applied V4");
    assert_steps(s, "");
    scene_run(s, 0, "verify");
}

/* A stopped file of the very first run: the ledger has no row that --ledger could start
 * after. */
static void first_file_of_all_stops(void **state)
{
    struct scene *s = *state;

    make_duplicate(s);
    scene_file(s, "V1", "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    repo_commit(&s->repo, "first");
    scene_run(s, 4, "apply");
    scene_step(s, "V2");
    mend_duplicate(s);
    scene_run(s, 0, "apply", "--ledger");
    assert_index(s, "u", "valid");
    assert_ledger(s, "applied V1, applied V2");
}

/* The first use of all, with what the base has. */
static void first_use_with_baselines(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_file(s, "V2", "VACUUM log;\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "files");
    scene_run(s, 0, "apply");
    assert_log(s, "V3");
    assert_ledger(s, "baseline V1, applied V2, applied V3");
}

/* What a SET before the statement has asked for holds when the file is gone on with, too,
 * in what revtwin itself asks, too; nothing of it reaches the next file. */
static void settings_hold_for_the_rest_of_the_file(void **state)
{
    struct scene *s = *state;

    cluster_exec(
        &scene_server, s->db,
        "CREATE SCHEMA x; CREATE TABLE x.t (a int); CREATE ROLE other; GRANT ALL "
        "ON SCHEMA x TO other; ALTER TABLE x.t OWNER TO other; INSERT INTO x.t "
        "VALUES (1), (1)");
    first_step(s);
    scene_file(s, "V2",
               "SET search_path = x;\nSET ROLE other;\nSET lock_timeout = '7s';\n"
               "SET client_encoding = 'LATIN1';\n"
               "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    scene_file(s, "V3",
               "INSERT INTO log (name) VALUES (current_setting('search_path') || ' ' || "
               "current_user || ' ' || current_setting('lock_timeout'));");
    repo_commit(&s->repo, "files");
    scene_run(s, 4, "apply");
    assert_warned(s, "It left the INVALID index x.u");
    assert_production(s, "SELECT relowner::regrole FROM pg_class WHERE relname = 'u'",
                      "other");
    cluster_exec(&scene_server, s->db, "TRUNCATE x.t");
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "dropping the INVALID index x.u");
    assert_index(s, "x.u", "valid");
    assert_log(s, "V1 \"$user\", public postgres 5s");
    assert_production(s, "SELECT relowner::regrole FROM pg_class WHERE relname = 'u'",
                      "other");
    cluster_exec(&scene_server, s->db, "DROP OWNED BY other; DROP ROLE other");
}

/* What can run in a transaction is in with its row, or not at all. */
static void statement_and_its_row_are_one(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    first_step(s);
    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                         "INSERT INTO d VALUES (1), (1);\n");
    repo_commit(&s->repo, "deferred");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V2.sql:3:1: stopped at statement 2 of 2: duplicate key");
    assert_steps(s, "1 done, 2 failed");
    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                         "COPY log (name) FROM stdin;\ntwo\n\\.\n"
                         "COPY d FROM stdin;\n2\nx\n\\.\n");
    repo_commit(&s->repo, "COPY");
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s, "migrations/V2.sql:6:1: stopped at statement 3 of 3: invalid input");
    assert_steps(s, "1 done, 2 done, 3 failed");
    scene_run(s, 4, "apply", "--ledger");
    assert_log(s, "V1 one two");
}

static void unnamed_index(void **state)
{
    struct scene *s = *state;

    make_duplicate(s);
    first_step(s);
    scene_file(s, "V2", "CREATE UNIQUE INDEX CONCURRENTLY ON t (a);\n");
    repo_commit(&s->repo, "unnamed");
    scene_untouched(s, 0, "plan");
    assert_warned(s,
                  "warning: migrations/V2.sql:1:1: CREATE INDEX CONCURRENTLY without a "
                  "name");
    scene_run(s, 4, "apply");
    assert_index(s, "t_a_idx", "invalid");
    assert_warned(s,
                  "until they are dropped:\n  DROP INDEX CONCURRENTLY public.t_a_idx;");
    mend_duplicate(s);
    /* That one stays: nobody knows whose it is. */
    scene_run(s, 0, "apply");
    assert_index(s, "t_a_idx", "invalid");
    assert_index(s, "t_a_idx1", "valid");
}

/* The ledger of an earlier version has no revtwin.step. */
static void table_is_made_where_it_is_missing(void **state)
{
    struct scene *s = *state;

    first_step(s);
    cluster_exec(&scene_server, s->db, "DROP TABLE revtwin.step");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT to_regclass('revtwin.step') IS NULL", "t");
    scene_file(s, "V3", "VACUUM log;\n");
    repo_commit(&s->repo, "V3");
    scene_run(s, 0, "status");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT to_regclass('revtwin.step') IS NULL", "f");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    assert_production(s, "SELECT duration > '0' FROM revtwin.ledger WHERE seq = 3", "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(all_kinds_of_statements),
        scene_test(failed_index_is_dropped_and_built_again),
        scene_test(failure_in_the_middle),
        scene_test(first_file_of_all_stops),
        scene_test(first_use_with_baselines),
        scene_test(settings_hold_for_the_rest_of_the_file),
        scene_test(statement_and_its_row_are_one),
        scene_test(unnamed_index),
        scene_test(table_is_made_where_it_is_missing),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
