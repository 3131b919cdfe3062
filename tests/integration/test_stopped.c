/* A file that has stopped half-way: the ways out by hand, and what may become of it in
 * the repository and in production before the next run. */
#include "steps.h"

/* ------------------------------------------------------------------ ways out */

static void skipped(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_untouched(s, 0, "plan", "--ledger", "--json");
    assert_said(s, "\"no_transaction\": true,\n      \"resume_at\": 2");
    scene_run(s, 4, "apply", "--ledger", "--json");
    assert_said(s, "\"resumed_at\": 2,\n      \"stopped_at\": 2,\n      \"notes\": "
                   "\"dropping the INVALID index public.u");
    assert_said(s, "\"state\": \"stopped\"");
    scene_untouched(s, 0, "plan", "--ledger", "--skip-stopped");
    assert_said(s, "skipped   migrations/V2.sql");
    assert_said(s, "apply     migrations/V3.sql");
    scene_run(s, 0, "apply", "--ledger", "--skip-stopped");
    assert_said(s, "1 applied to production");
    assert_ledger(s, "applied V1, skipped V2, applied V3");
    assert_production(s,
                      "SELECT reason LIKE 'stopped at statement 2 of 3, line 3, since %: "
                      "could not create unique index \"u\", SQLSTATE 23505' FROM "
                      "revtwin.ledger WHERE seq = 2",
                      "t");
    assert_steps(s, "1 done, 2 failed");
    assert_log(s, "V1 one V3");
    scene_untouched(s, 0, "verify");
    scene_untouched(s, 0, "status");
    assert_said(s, "1 stopped half-way");
    assert_said(s, "0 pending");

    /* It is tried again all the same, and first. */
    scene_step(s, "V4");
    scene_run(s, 4, "apply");
    assert_warned(s, "stopped at statement 2 of 3");
    assert_log(s, "V1 one V3");
    mend_duplicate(s);
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, skipped V2, applied V3, applied V2, applied V4");
    assert_log(s, "V1 one V3 three V4");
    scene_run(s, 0, "verify");
}

static void resolved_as_applied(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('three by hand')");
    scene_run(s, 0, "resolve", "./migrations//V2.sql", "--applied", "--reason",
              "no need");
    assert_warned(s, "warning: migrations/V2.sql: the INVALID index public.u stays");
    assert_warned(s, "DROP INDEX CONCURRENTLY public.u;");
    assert_said(s, "counts as applied as it is in commit ");
    assert_ledger(s, "applied V1, resolved V2");
    assert_production(
        s,
        "SELECT reason || ', ' || applied_by || ', ' || (client <> '') FROM "
        "revtwin.ledger WHERE seq = 2",
        "no need, postgres, true");
    assert_steps(s, "");
    scene_untouched(s, 0, "verify");
    scene_untouched(s, 0, "status");
    assert_lacks(s->run.out, "stopped");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 one three by hand V3");
    assert_ledger(s, "applied V1, resolved V2, applied V3");

    /* It counts as applied from here on. */
    scene_file(s, "V2", "SELECT 1;\n");
    repo_commit(&s->repo, "changed");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql was changed after it was applied");
    scene_untouched(s, 7, "verify");
}

static void resolved_as_forgotten(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_run(s, 0, "resolve", "migrations/V2.sql", "--forget");
    assert_warned(s, "1 statement of migrations/V2.sql is done and will run again");
    assert_warned(s, "the INVALID index public.u stays");
    assert_ledger(s, "applied V1, forgotten V2");
    assert_steps(s, "");
    scene_untouched(s, 0, "status");
    assert_said(s, "2 pending\n    migrations/V2.sql\n");
    scene_untouched(s, 0, "verify");

    cluster_exec(&scene_server, s->db,
                 "DROP INDEX u; DELETE FROM log WHERE name = 'one'");
    mend_duplicate(s);
    scene_run(s, 0, "apply", "--ledger");
    assert_lacks(s->run.out, "resumed");
    assert_log(s, "V1 one three V3");
    assert_ledger(s, "applied V1, forgotten V2, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

static void resolve_only_what_has_stopped(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_untouched(s, 2, "resolve", "migrations/V2.sql");
    assert_warned(s, "resolve needs --applied or --forget");
    scene_untouched(s, 2, "resolve", "migrations/V2.sql", "--applied", "--forget");
    scene_untouched(s, 3, "resolve", "migrations/V1.sql", "--forget");
    assert_warned(s, "migrations/V1.sql has not stopped half-way");
    assert_warned(s, "detail: Stopped: migrations/V2.sql.");
    scene_untouched(s, 3, "resolve", "migrations/none.sql", "--applied");
    scene_untouched(s, 2, "resolve", "migrations/V2.sql", "--applied", "--reason",
                    "\xff");
    assert_steps(s, "1 done, 2 failed");
    assert_ledger(s, "applied V1");

    /* A baseline of its commit does not settle it in passing. */
    scene_untouched(s, 3, "baseline", "HEAD");
    assert_warned(s, "migrations/V2.sql has stopped half-way");
    scene_run(s, 0, "baseline", "HEAD", "migrations/V3.sql");
    assert_ledger(s, "applied V1, baseline V3");
    assert_steps(s, "1 done, 2 failed");
}

/* ------------------------------------------------------------------ the repository */

static void mended_statement(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_file(s, "V2",
               DIRECTIVE "-- it need not be unique\n"
                         "INSERT INTO log (name) VALUES ('one');\n"
                         "CREATE INDEX CONCURRENTLY u ON t (a);\n"
                         "INSERT INTO log (name) VALUES ('3');\n"
                         "INSERT INTO log (name) VALUES ('4');\n");
    repo_commit(&s->repo, "mend");
    scene_untouched(s, 0, "plan", "--ledger");
    assert_warned(s, "note: migrations/V2.sql was changed since it stopped: it goes on "
                     "with what it has by now after the 1 statement that is done");
    assert_said(s, "to go on at statement 2");
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "dropping the INVALID index public.u that statement 2 left");
    assert_log(s, "V1 one 3 4 V3");
    assert_index(s, "u", "valid");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

/* The index that the former text has left is somebody's to drop. */
static void statement_that_names_another_index(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                         "CREATE INDEX CONCURRENTLY i ON t (a);\n");
    repo_commit(&s->repo, "another index");
    scene_run(s, 0, "apply", "--ledger");
    assert_warned(s, "the INVALID index public.u stays, which statement 2 left before it "
                     "was changed");
    assert_index(s, "u", "invalid");
    assert_index(s, "i", "valid");
}

static void expect_refusal(struct scene *s, const char *text, const char *said)
{
    scene_file(s, "V2", text);
    repo_commit(&s->repo, said);
    scene_untouched(s, 3, "plan", "--ledger");
    assert_warned(s, said);
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, said);
    assert_warned(s, "--skip-stopped");
    assert_warned(s, "revtwin resolve migrations/V2.sql --applied");
    assert_steps(s, "1 done, 2 failed");
}

static void changed_where_it_is_done(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    mend_duplicate(s);
    expect_refusal(s,
                   DIRECTIVE "INSERT INTO log (name) VALUES ('two');\n"
                             "CREATE INDEX CONCURRENTLY u ON t (a);\n",
                   "migrations/V2.sql:2:1: migrations/V2.sql has stopped half-way, and "
                   "statement 1, which is done, was changed");
    expect_refusal(s,
                   DIRECTIVE "CREATE INDEX CONCURRENTLY u ON t (a);\n"
                             "INSERT INTO log (name) VALUES ('one');\n",
                   "statement 1, which is done, was moved: it is statement 2 now");
    expect_refusal(s, DIRECTIVE, "statement 1, which is done, was removed");
    expect_refusal(
        s, "INSERT INTO log (name) VALUES ('one');\n",
        "has stopped half-way without a transaction, and would run in one now");
    scene_run(s, 0, "apply", "--ledger", "--skip-stopped");
    assert_ledger(s, "applied V1, skipped V2, applied V3");

    /* What is done is all that there is. */
    scene_file(s, "V2", DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n");
    repo_commit(&s->repo, "no more than what is done");
    scene_untouched(s, 0, "plan");
    assert_said(s, "to go on at its ledger row: all statements are done");
    scene_run(s, 0, "apply");
    assert_said(s, "resumed at its ledger row");
    assert_ledger(s, "applied V1, skipped V2, applied V3, applied V2");
    assert_log(s, "V1 one V3");
    scene_run(s, 0, "verify");
}

static void deleted_or_renamed(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    repo_delete(&s->repo, "migrations/V2.sql");
    repo_commit(&s->repo, "delete");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s,
                  "migrations/V2.sql has stopped half-way and is no longer in the tree");
    assert_warned(s, "It stopped at statement 2 of 3");
    assert_warned(s, "revtwin resolve migrations/V2.sql --forget");
    scene_run(s, 0, "status");
    assert_said(s, "1 stopped half-way\n    migrations/V2.sql\n");
    scene_run(s, 0, "verify");
    scene_run(s, 0, "apply", "--ledger", "--skip-stopped");
    assert_ledger(s, "applied V1, skipped V2, applied V3");

    repo_git(&s->repo, "revert", "--no-edit", "HEAD", NULL);
    repo_rename(&s->repo, "migrations/V2.sql", "migrations/V2b.sql");
    repo_commit(&s->repo, "rename");
    mend_duplicate(s);
    scene_untouched(s, 0, "plan");
    assert_warned(s, "migrations/V2b.sql was renamed from migrations/V2.sql since");
    scene_run(s, 0, "apply");
    assert_said(s, "applied   migrations/V2b.sql");
    assert_said(s, "resumed at statement 2");
    assert_log(s, "V1 one V3 three");
    assert_ledger(s, "applied V1, skipped V2, applied V3, applied V2b");
    assert_steps(s, "");
    scene_run(s, 0, "verify");
}

/* An old workflow run that is started again, while a later file has stopped. */
static void an_older_commit_leaves_it_alone(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    scene_untouched(s, 0, "apply", "HEAD^");
    assert_warned(s,
                  "note: migrations/V2.sql has stopped half-way; it came with commit ");
    assert_said(s, "nothing to apply");
    assert_steps(s, "1 done, 2 failed");
}

/* ------------------------------------------------------------------ production */

static void index_dropped_by_hand(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    cluster_exec(&scene_server, s->db, "DROP INDEX u");
    mend_duplicate(s);
    scene_run(s, 0, "apply", "--ledger");
    assert_lacks(s->run.err, "INVALID");
    assert_index(s, "u", "valid");
    assert_log(s, "V1 one three V3");
}

static void invalid_index_of_somebody_else(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    make_duplicate(s);
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"));
    PQfinish(other);
    first_step(s);
    scene_file(s, "V2", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);\n");
    repo_commit(&s->repo, "if not exists");
    for (int again = 0; again < 2; again++) {
        scene_run(s, 4, "apply");
        assert_warned(s, "migrations/V2.sql:1:1: stopped at statement 1 of 1: IF NOT "
                         "EXISTS would be satisfied by the INVALID index public.i, which "
                         "this file did not make");
        assert_warned(s, "DROP INDEX CONCURRENTLY public.i;");
        assert_index(s, "i", "invalid");
    }
    scene_file(s, "V2", "CREATE INDEX CONCURRENTLY i ON t (a);\n");
    repo_commit(&s->repo, "without it the server tells");
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s, "relation \"i\" already exists");
    assert_index(s, "i", "invalid");
    cluster_exec(&scene_server, s->db, "DROP INDEX i");
    scene_run(s, 0, "apply", "--ledger");
    assert_index(s, "i", "valid");
}

/* The same name on another table is not what the statement has left. */
static void invalid_index_on_another_table(void **state)
{
    struct scene *s = *state;

    stop_at_the_second(s);
    cluster_exec(&scene_server, s->db,
                 "DROP INDEX u; CREATE TABLE other (a int); CREATE INDEX u ON other (a);"
                 "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
                 "'u'::regclass");
    mend_duplicate(s);
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s, "relation \"u\" already exists");
    assert_index(s, "u", "invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(skipped),
        scene_test(resolved_as_applied),
        scene_test(resolved_as_forgotten),
        scene_test(resolve_only_what_has_stopped),
        scene_test(mended_statement),
        scene_test(statement_that_names_another_index),
        scene_test(changed_where_it_is_done),
        scene_test(deleted_or_renamed),
        scene_test(an_older_commit_leaves_it_alone),
        scene_test(index_dropped_by_hand),
        scene_test(invalid_index_of_somebody_else),
        scene_test(invalid_index_on_another_table),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
