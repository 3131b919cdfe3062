/* Promise 3: one runner at a time. */
#include "pgbouncer.h"
#include "sleeper.h"

#include <signal.h>

static void second_runner_waits_and_then_gives_up(void **state)
{
    struct scene *s = *state;
    struct run first = {0};

    three_files(s, SLEEP);
    run_start_revtwin(&first, s->repo.dir, s->env, (const char *const[]){"apply", NULL});
    wait_for(s, "%pg_sleep%");
    scene_run(s, 8, "apply", "--wait", "1");
    assert_warned(s, "another revtwin");
    assert_warned(s, "pid ");
    assert_warned(s, "user postgres");
    assert_warned(s, "application revtwin");
    assert_warned(s, "Nothing was changed");
    scene_run(s, 8, "baseline", "HEAD", "--wait", "0");

    /* Those who only look do not wait. */
    scene_run(s, 0, "status");
    assert_said(s, "2 pending");
    scene_run(s, 0, "plan");
    scene_run(s, 0, "verify");

    kill(first.pid, SIGINT);
    run_finish(&first);
    run_expect(&first, 130);
    run_clear(&first);
    expect_only_the_first(s);
}

static void second_runner_goes_on_when_the_first_is_done(void **state)
{
    struct scene *s = *state;
    struct run first = {0};

    three_files(s, SLEEP);
    run_start_revtwin(&first, s->repo.dir, s->env, (const char *const[]){"apply", NULL});
    wait_for(s, "%pg_sleep%");
    scene_start(s, "apply", "--wait", "30");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = "
                 "'revtwin' AND datname = current_database()");
    cluster_exec(&scene_server, s->db,
                 "DELETE FROM hold; SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                 "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    run_finish(&first);
    run_expect(&first, 4);
    run_clear(&first);
    /* It reads the ledger after it has the lock: V1 is not applied twice. */
    scene_finish(s, 0);
    assert_warned(s, "waiting for another revtwin");
    assert_log(s, "V1 V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
}

/* Where a pooler takes the session's lock away, the transaction's lock and the ledger's
 * unique hashes still keep two runners apart. */
static void runners_without_the_session_lock(void **state)
{
    struct scene *s = *state;
    PGconn *other;

    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    other = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8243124935563243009)"));
    scene_step(s, "V1");
    scene_run(s, 8, "apply", "--lock-timeout", "300ms");
    assert_warned(s, "another revtwin");
    assert_warned(s, "0 of 1 migrations");

    scene_start(s, "apply", "--lock-timeout", "60s");
    wait_for(s, "%pg_advisory_xact_lock%");
    PQclear(PQexec(
        other,
        "INSERT INTO revtwin.ledger SELECT format, seq + 1, kind, 'other', algorithm, "
        "checksum, statements, commit_oid, pull_request, applied_at, duration, "
        "applied_by, client, revtwin_version, reason, xid, entry_hash, 'other' FROM "
        "revtwin.ledger; COMMIT"));
    scene_finish(s, 8);
    assert_warned(s, "changed the ledger meanwhile");
    assert_log(s, "V0");
    PQfinish(other);
}

/* Not by a runner: the newest row is another one when the transaction looks for it. */
static void head_that_is_rewritten_while_we_run(void **state)
{
    static const char *const edits[] = {
        "UPDATE revtwin.ledger SET path = 'other', entry_hash = repeat('e', 64) WHERE "
        "seq = 1",
        "DELETE FROM revtwin.ledger",
    };
    struct scene *s = *state;

    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    cluster_exec(&scene_server, s->db, "CREATE TABLE kept AS TABLE revtwin.ledger");
    scene_step(s, "V1");
    for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
        PGconn *other = cluster_connect(&scene_server, s->db);

        PQclear(
            PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8243124935563243009)"));
        scene_start(s, "apply", "--lock-timeout", "60s");
        wait_for(s, "%pg_advisory_xact_lock%");
        scene_tamper(s, edits[i]);
        PQfinish(other);
        scene_finish(s, 8);
        assert_warned(s, "somebody by hand, changed the ledger meanwhile");
        assert_warned(s, "0 of 1 migrations are in");
        assert_log(s, "V0");
        scene_tamper(s, "TRUNCATE revtwin.ledger; INSERT INTO revtwin.ledger TABLE kept");
    }
    scene_run(s, 0, "apply");
    assert_log(s, "V0 V1");
}

/* ------------------------------------------------------------------ two at a time */

enum { ROUNDS = 20, FILES = 3 };

static void write_round(struct scene *s, int round)
{
    for (int i = 1; i <= FILES; i++) {
        char *name = check_printf("V%02d_%d", round, i);

        scene_migration(s, name);
        free(name);
    }
    repo_commit(&s->repo, "round");
}

/* Two runs at once; who does not get to work ends with 8, saying why. */
static void run_two(struct scene *s, const char *const *env[static 2], const char *wait)
{
    const char *const args[] = {"apply", "--wait", wait, NULL};
    struct run runs[2] = {0};
    int done = 0;

    for (int i = 0; i < 2; i++)
        run_start_revtwin(&runs[i], s->repo.dir, env[i], args);
    for (int i = 0; i < 2; i++) {
        run_finish(&runs[i]);
        done += runs[i].status == 0;
        run_expect(&runs[i], runs[i].status == 0 ? 0 : 8);
        if (runs[i].status != 0)
            assert_contains(runs[i].err, "another revtwin");
    }
    if (done == 0)
        check_fail("nobody got to work:\n%s%s", runs[0].err, runs[1].err);
    if (done < 2 && strcmp(wait, "0") != 0 && env[0] == env[1])
        check_fail("one did not wait:\n%s%s", runs[0].err, runs[1].err);
    for (int i = 0; i < 2; i++)
        run_clear(&runs[i]);
}

static void expect_each_once_in_order(struct scene *s)
{
    assert_production(s,
                      "SELECT count(*) || ' ' || count(DISTINCT name) || ' ' || "
                      "(array_agg(name ORDER BY id) = array_agg(name ORDER BY name)) "
                      "FROM log",
                      "60 60 true");
    assert_production(s,
                      "SELECT string_agg(name, ' ' ORDER BY id) = (SELECT "
                      "string_agg(substring(path, '/(.*)\\.sql'), ' ' ORDER BY seq) FROM "
                      "revtwin.ledger) FROM log",
                      "t");
    scene_run(s, 0, "verify");
}

static void two_runners_at_once(void **state)
{
    struct scene *s = *state;
    const char *const *env[2] = {s->env, s->env};

    assert_int_equal(ROUNDS * FILES, 60);
    for (int round = 1; round <= ROUNDS; round++) {
        write_round(s, round);
        run_two(s, env, round % 2 ? "60" : "0");
    }
    expect_each_once_in_order(s);
}

/* ------------------------------------------------------------------ behind a pooler */

/* Session locks mean nothing there: every second time one of the two does not even meet
 * the pooler, and so neither sees the lock of the other. */
static void two_runners_behind_a_pooler(void **state)
{
    struct scene *s = *state;
    char direct[CLUSTER_URL_SIZE], url[CLUSTER_URL_SIZE],
        *in_env = check_printf("PROD_DATABASE_URL=%s",
                               cluster_url(&scene_server, s->db, direct));
    const char *const straight[] = {in_env, NULL};
    struct pgbouncer pooler;

    pgbouncer_start(&pooler, &scene_server);
    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    for (int round = 1; round <= ROUNDS; round++) {
        const char *const *env[2] = {s->env, round % 2 ? s->env : straight};

        write_round(s, round);
        run_two(s, env, "0");
    }
    expect_each_once_in_order(s);
    /* What a run took from the pooler it gave back as it was. */
    assert_production(s,
                      "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = "
                      "current_database() AND pid <> pg_backend_pid()",
                      "t");
    assert_production(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
                      "0");
    scene_step(s, "V99");
    scene_run(s, 0, "apply");
    assert_said(s, "1 applied to production");
    scene_run(s, 0, "verify");
    pgbouncer_stop(&pooler);
    free(in_env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(second_runner_waits_and_then_gives_up),
        scene_test(second_runner_goes_on_when_the_first_is_done),
        scene_test(runners_without_the_session_lock),
        scene_test(head_that_is_rewritten_while_we_run),
        scene_test(two_runners_at_once),
        scene_test(two_runners_behind_a_pooler),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
