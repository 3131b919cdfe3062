/* Two runs at a file without a transaction: none of its statements runs twice. */
#include "pgbouncer.h"
#include "steps.h"

/* Behind a pooler there is no lock of the one runner: the row is what keeps them apart.
 */
static void through_a_pooler(struct scene *s, struct pgbouncer *pooler)
{
    char url[CLUSTER_URL_SIZE];

    pgbouncer_start(pooler, &scene_server);
    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(pooler, s->db, url));
}

static void second_run_waits_for_the_statement(void **state)
{
    struct scene *s = *state;
    PGconn *other = hold(s, BUILD);
    struct pgbouncer pooler;
    struct run first = {0};

    through_a_pooler(s, &pooler);
    run_start_revtwin(&first, s->repo.dir, s->env, (const char *const[]){"apply", NULL});
    wait_for(s, "CREATE INDEX%");
    scene_run(s, 8, "apply", "--wait", "1");
    assert_warned(s, "migrations/V2.sql:3:1: statement 2 of 3 is still being "
                     "run by an earlier run");
    assert_warned(s, "detail: By pid ");
    scene_untouched(s, 8, "resolve", "migrations/V2.sql", "--applied");
    assert_warned(s, "statement 2 of migrations/V2.sql is still being run");
    scene_start(s, "apply", "--wait", "60");
    release(other);
    run_finish(&first);
    run_finish(&s->run);
    /* Either of them may have gone on with the third statement. */
    if ((first.status != 0 || s->run.status != 8) &&
        (first.status != 8 || s->run.status != 0) &&
        (first.status != 0 || s->run.status != 0))
        check_fail("status %d and %d: %s\n%s", first.status, s->run.status, first.err,
                   s->run.err);
    run_clear(&first);
    scene_run(s, 0, "apply", "--ledger");
    expect_all(s);
    pgbouncer_stop(&pooler);
}

static void two_runs_at_the_same_time(void **state)
{
    struct scene *s = *state;
    struct pgbouncer pooler;
    struct run runs[3] = {0};

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    first_step(s);
    through_a_pooler(s, &pooler);
    for (int round = 0; round < 5; round++) {
        char *sql =
            check_printf(DIRECTIVE "INSERT INTO log (name) VALUES ('a%d');\n"
                                   "CREATE INDEX CONCURRENTLY i%d ON t (a);\nVACUUM t;\n"
                                   "INSERT INTO log (name) VALUES ('b%d');\n",
                         round, round, round);
        char *name = check_printf("W%d", round);
        int done = 0;

        scene_file(s, name, sql);
        repo_commit(&s->repo, name);
        for (int i = 0; i < 3; i++)
            run_start_revtwin(&runs[i], s->repo.dir, s->env,
                              (const char *const[]){"apply", NULL});
        for (int i = 0; i < 3; i++) {
            run_finish(&runs[i]);
            if (runs[i].status != 0 && runs[i].status != 8)
                run_expect(&runs[i], 8);
            done += runs[i].status == 0;
            run_clear(&runs[i]);
        }
        if (done == 0)
            scene_run(s, 0, "apply");
        free(sql);
        free(name);
    }
    assert_log(s, "V1 a0 b0 a1 b1 a2 b2 a3 b3 a4 b4");
    assert_production(s,
                      "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND "
                      "indisvalid",
                      "5");
    assert_production(s, "SELECT count(*) FROM revtwin.ledger", "6");
    assert_steps(s, "");
    scene_run(s, 0, "verify");
    pgbouncer_stop(&pooler);
}

static void another_run_takes_the_row_first(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    first_step(s);
    scene_file(s, "V2", "VACUUM log;\n");
    repo_commit(&s->repo, "vacuum");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other,
                   "BEGIN; INSERT INTO revtwin.step VALUES ('migrations/V2.sql', 1, 1, "
                   "'', '', '', 'started', 1, NULL, NULL, 1, NULL, NULL, 'somebody', "
                   "'else', 0, now(), NULL)"));
    scene_start(s, "apply");
    wait_for(s, "%INSERT INTO revtwin.step%");
    release(other);
    scene_finish(s, 8);
    assert_warned(s, "error: another revtwin is at work on migrations/V2.sql");
    assert_warned(s, "detail: Statement 1 of 1, by somebody as else, since ");
    assert_ledger(s, "applied V1");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, applied V2");
}

static void the_ledger_moves_meanwhile(void **state)
{
    struct scene *s = *state;

    first_step(s);
    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO revtwin.ledger SELECT format, seq + 1, kind, 'x', "
                         "algorithm, checksum, statements, commit_oid, pull_request, "
                         "applied_at, duration, applied_by, client, revtwin_version, "
                         "reason, xid, entry_hash, 'x' FROM revtwin.ledger;\n"
                         "VACUUM log;\n");
    repo_commit(&s->repo, "vacuum");
    scene_run(s, 8, "apply");
    assert_warned(s, "another revtwin changed the ledger meanwhile");
    assert_warned(s, "This run did not start its statement 2.");
    assert_steps(s, "1 done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(second_run_waits_for_the_statement),
        scene_test(two_runs_at_the_same_time),
        scene_test(another_run_takes_the_row_first),
        scene_test(the_ledger_moves_meanwhile),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
