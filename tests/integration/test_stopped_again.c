/* What the next run may do by itself with a statement that failed or was broken off, and
 * what it leaves to people. */
#include "steps.h"

/* The statement's row as a run leaves it that was broken off in it. */
static void forget_outcome(const struct scene *s)
{
    cluster_exec(
        &scene_server, s->db,
        "UPDATE revtwin.step SET state = 'started', finished_at = NULL, pid = 0, "
        "sqlstate = NULL, message = NULL WHERE state = 'failed'");
}

static void expect_untold(struct scene *s)
{
    scene_run(s, 6, "apply", "--ledger");
    assert_warned(s, "migrations/V2.sql:2:1: stopped at statement 1 of 1: the run before "
                     "was broken off in it, and nothing in production tells whether it "
                     "was done, or a part of it");
    assert_warned(s, "revtwin resolve migrations/V2.sql --applied");
    assert_steps(s, "1 started");
}

/* A backfill in parts: each of them stays, so that what began anew would do it twice. */
static void code_that_commits_inside_itself(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t ()");
    first_step(s);
    scene_file(s, "V2",
               DIRECTIVE "DO $$ BEGIN INSERT INTO log (name) VALUES ('part'); COMMIT;\n"
                         "LOCK TABLE t; END $$;\n");
    repo_commit(&s->repo, "backfill");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; LOCK TABLE t"));
    scene_run(s, 4, "apply", "--lock-timeout", "50ms");
    assert_warned(s, "migrations/V2.sql:2:1: stopped at statement 1 of 1: canceling "
                     "statement due to lock timeout");
    assert_warned(s, "If statement 1 commits inside itself, a part of it is done, too: "
                     "it is not tried again by itself");
    assert_lacks(s->run.err, "trying again");
    assert_log(s, "V1 part");
    forget_outcome(s);
    expect_untold(s);
    release(other);
    expect_untold(s);
    assert_log(s, "V1 part");

    /* Another text is somebody's decision. */
    scene_file(s, "V2",
               DIRECTIVE "DO /* again */ $$ BEGIN INSERT INTO log (name) VALUES "
                         "('again'); COMMIT; END $$;\n");
    repo_commit(&s->repo, "decided");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 part again");
    assert_ledger(s, "applied V1, applied V2");
}

/* So is the next apply, once it was told. */
static void code_that_failed_runs_again_when_it_is_told_to(void **state)
{
    struct scene *s = *state;

    first_step(s);
    scene_file(s, "V2", DIRECTIVE "CALL p();\n");
    repo_commit(&s->repo, "call");
    cluster_exec(&scene_server, s->db,
                 "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log "
                 "(name) VALUES ('part'); COMMIT; PERFORM 1 FROM later; END $$");
    scene_run(s, 4, "apply");
    assert_warned(s, "the next apply runs it from its beginning");
    assert_log(s, "V1 part");
    cluster_exec(&scene_server, s->db, "CREATE TABLE later ()");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 part part");
}

/* What can only be there as a whole is tried again. */
static void other_statements_are_tried_again(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    first_step(s);
    scene_file(s, "V2", DIRECTIVE "ALTER TABLE t ADD b int;\n");
    repo_commit(&s->repo, "alter");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; LOCK TABLE t"));
    scene_run(s, 4, "apply", "--lock-timeout", "50ms", "--retries", "1");
    assert_warned(s, "trying again");
    assert_lacks(s->run.err, "commits inside itself");
    forget_outcome(s);
    release(other);
    scene_run(s, 0, "apply");
}

/* ------------------------------------------------------------------ names */

static void two_tables(struct scene *s)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE TABLE t (a int); "
                 "INSERT INTO app.t VALUES (1), (1)");
    first_step(s);
}

/* As pg_dump writes it. */
static void search_path_by_a_function(void **state)
{
    struct scene *s = *state;

    two_tables(s);
    scene_file(s, "V2",
               "SELECT pg_catalog.set_config('search_path', 'app', false);\n"
               "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    repo_commit(&s->repo, "index");
    scene_run(s, 4, "apply");
    assert_warned(s, "It left the INVALID index app.u");
    cluster_exec(&scene_server, s->db, "TRUNCATE app.t");
    scene_run(s, 0, "apply");
    assert_index(s, "app.u", "valid");
    assert_index(s, "public.u", "absent");
}

static void search_path_of_the_database_changes(void **state)
{
    struct scene *s = *state;
    char *to_app = check_printf("ALTER DATABASE %s SET search_path = app", s->db);
    char *to_public = check_printf("ALTER DATABASE %s SET search_path = public", s->db);

    two_tables(s);
    cluster_exec(&scene_server, s->db, to_app);
    scene_file(s, "V2", "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    repo_commit(&s->repo, "index");
    scene_run(s, 4, "apply");
    assert_index(s, "app.u", "invalid");
    cluster_exec(&scene_server, s->db, to_public);
    for (int again = 0; again < 2; again++) {
        scene_run(s, 4, "apply");
        assert_warned(s, "stopped at statement 1 of 1: it would be about public.u, and "
                         "was about app.u when it was run before");
        assert_index(s, "public.u", "absent");
        assert_index(s, "app.u", "invalid");
    }
    cluster_exec(&scene_server, s->db, to_app);
    cluster_exec(&scene_server, s->db, "TRUNCATE app.t");
    scene_run(s, 0, "apply");
    assert_index(s, "app.u", "valid");
    free(to_app);
    free(to_public);
}

/* ------------------------------------------------------------------ done by hand */

/* Its row is written as who we are, whoever the file is. */
static void index_built_by_hand(void **state)
{
    struct scene *s = *state;

    make_duplicate(s);
    cluster_exec(&scene_server, s->db,
                 "CREATE ROLE builder; GRANT CREATE ON SCHEMA public TO builder; "
                 "ALTER TABLE t OWNER TO builder");
    first_step(s);
    scene_file(s, "V2",
               "SET ROLE builder;\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n");
    repo_commit(&s->repo, "index");
    scene_run(s, 4, "apply");
    mend_duplicate(s);

    /* Another index than it is to be does not do. */
    cluster_exec(&scene_server, s->db, "DROP INDEX u; CREATE INDEX u ON t (a)");
    scene_run(s, 4, "apply");
    assert_warned(s, "relation \"u\" already exists");

    cluster_exec(&scene_server, s->db, "DROP INDEX u; CREATE UNIQUE INDEX u ON t (a)");
    scene_run(s, 0, "apply");
    assert_warned(s, "statement 2 failed, but is done by now (public.u is there and "
                     "valid): not run again");
    assert_ledger(s, "applied V1, applied V2");
    assert_index(s, "u", "valid");
    cluster_exec(&scene_server, s->db, "DROP OWNED BY builder; DROP ROLE builder");
}

/* An index that is built stays built, also when that cannot be noted. */
static void row_that_cannot_be_written(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    first_step(s);
    cluster_exec(&scene_server, s->db,
                 "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "RAISE 'disk full'; END $$; CREATE TRIGGER refuse BEFORE UPDATE ON "
                 "revtwin.step FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION "
                 "refuse()");
    scene_file(s, "V2", BUILD ";\n");
    repo_commit(&s->repo, "index");
    scene_run(s, 4, "apply");
    assert_warned(s, "cannot write revtwin.step: disk full");
    assert_index(s, "i", "valid");
    assert_steps(s, "1 started");
    cluster_exec(&scene_server, s->db, "DROP TRIGGER refuse ON revtwin.step");
    scene_run(s, 0, "apply");
    assert_warned(s, "statement 1 is done already (public.i is there and valid)");
}

/* ------------------------------------------------------------------ other sessions */

/* Under repeatable read the ledger's end would be that of before the wait. */
static void ledger_moves_while_the_row_is_waited_for(void **state)
{
    struct scene *s = *state;
    char *sql =
        check_printf("ALTER DATABASE %s SET default_transaction_isolation = 'repeatable "
                     "read'",
                     s->db);
    PGconn *other;

    first_step(s);
    cluster_exec(&scene_server, s->db, sql);
    scene_file(s, "V2", DIRECTIVE "INSERT INTO log (name) VALUES ('two');\n");
    repo_commit(&s->repo, "two");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other,
                   "BEGIN; INSERT INTO revtwin.step VALUES ('migrations/V2.sql', 1, 1, "
                   "'', '', '', 'started', 1, NULL, NULL, 1, NULL, NULL, 'somebody', "
                   "'else', 0, now(), NULL)"));
    scene_start(s, "apply");
    wait_for(s, "%INSERT INTO revtwin.step%");
    PQclear(PQexec(other,
                   "DELETE FROM revtwin.step; INSERT INTO revtwin.ledger SELECT format, "
                   "seq + 1, kind, 'x', algorithm, checksum, statements, commit_oid, "
                   "pull_request, applied_at, duration, applied_by, client, "
                   "revtwin_version, reason, xid, entry_hash, 'x' FROM revtwin.ledger"));
    release(other);
    scene_finish(s, 8);
    assert_warned(s, "another revtwin changed the ledger meanwhile");
    assert_log(s, "V1");
    free(sql);
}

/* The process id of a run that is gone is somebody else's, whose state is hidden. */
static void process_id_of_another_user(void **state)
{
    struct scene *s = *state;
    char *grant = check_printf("CREATE ROLE runner LOGIN; ALTER DATABASE %s OWNER TO "
                               "runner; ALTER TABLE log OWNER TO runner",
                               s->db);
    char *url = check_printf("host=%s port=%d user=runner dbname=%s", scene_server.dir,
                             scene_server.port, s->db);
    PGconn *other;
    char *row;

    cluster_exec(&scene_server, s->db, grant);
    scene_set(s, "PROD_DATABASE_URL", url);
    first_step(s);
    scene_file(s, "V2", DIRECTIVE "INSERT INTO log (name) SELECT a FROM later;\n");
    repo_commit(&s->repo, "later");
    scene_run(s, 4, "apply");
    forget_outcome(s);
    other = cluster_connect(&scene_server, s->db);
    row = check_printf("UPDATE revtwin.step SET pid = %d; CREATE TABLE later AS SELECT "
                       "'later' AS a; ALTER TABLE later OWNER TO runner",
                       PQbackendPID(other));
    cluster_exec(&scene_server, s->db, row);
    scene_untouched(s, 0, "status");
    assert_said(s, "its outcome is not known");
    scene_run(s, 0, "apply", "--wait", "1");
    assert_log(s, "V1 later");
    PQfinish(other);
    free(row);
    free(url);
    free(grant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(code_that_commits_inside_itself),
        scene_test(code_that_failed_runs_again_when_it_is_told_to),
        scene_test(other_statements_are_tried_again),
        scene_test(search_path_by_a_function),
        scene_test(search_path_of_the_database_changes),
        scene_test(index_built_by_hand),
        scene_test(row_that_cannot_be_written),
        scene_test(ledger_moves_while_the_row_is_waited_for),
        scene_test(process_id_of_another_user),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
