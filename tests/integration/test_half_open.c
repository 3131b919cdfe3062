/*
 * A connection that only we know to be lost: the old session goes on for a while, and may
 * yet commit what it was sent.
 */
#include "relay.h"
#include "scene.h"

static struct relay relay;

static int start(void **state)
{
    int rc = scene_start_server(state);

    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    return rc;
}

static int stop(void **state)
{
    relay_stop(&relay);
    return scene_stop_server(state);
}

/* A trigger that makes COMMIT take its time. */
#define SLOW_COMMIT                                                             \
    "CREATE TABLE slow (a int);\n"                                              \
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"     \
    "PERFORM pg_sleep(4); RETURN NULL; END $$;\n"                               \
    "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY " \
    "DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();\n"                          \
    "INSERT INTO slow VALUES (1);\n"

/* Run, and lose the connection just when the reply with this text was passed on. */
static void lose_after(struct scene *s, const char *text, const char *wait, int status)
{
    char *url =
        check_printf("postgresql://" CLUSTER_USER "@127.0.0.1:%d/%s?sslmode=disable"
                     "&gssencmode=disable",
                     relay.port, s->db);
    struct relay_trap trap = {.act = RELAY_HOLD, .side = RELAY_TO_CLIENT};

    snprintf(trap.text, sizeof(trap.text), "%s", text);
    relay_arm(&relay, &trap);
    scene_start(s, "apply", "--prod", url, "--wait", wait);
    assert_true(relay_holds(&relay, 20000));
    relay_release(&relay, RELAY_FORGET);
    scene_finish(s, status);
    relay_arm(&relay, NULL);
    free(url);
}

static void two_files(struct scene *s, const char *second)
{
    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    scene_migration(s, "V1");
    scene_file(s, "V2", second);
    repo_commit(&s->repo, "two files");
}

static void expect_both(struct scene *s)
{
    cluster_wait(&scene_server, s->db, "SELECT count(*) = 3 FROM revtwin.ledger");
    scene_run(s, 0, "apply", "--ledger");
    assert_said(s, "nothing to apply");
    scene_run(s, 0, "verify");
}

/* When the first file's COMMIT is replied to, all of the second has been sent. */
static void commit_that_outlasts_us_is_unknown(void **state)
{
    struct scene *s = *state;

    two_files(s, SLOW_COMMIT);
    lose_after(s, "COMMIT", "1", 6);
    assert_warned(s, "could not be asked what was committed");
    assert_warned(s, "the lost session is still at work");
    assert_warned(s, "1 of 2 migrations are known to be committed");
    assert_lacks(s->run.err, "rolled back");
    assert_said(s, "unknown   migrations/V2.sql");
    cluster_wait(&scene_server, s->db, "SELECT count(*) = 3 FROM revtwin.ledger");
    /* What is left of it keeps others out, which are told how to be rid of it. */
    scene_run(s, 8, "apply", "--ledger", "--wait", "0");
    assert_warned(s, "pg_terminate_backend(");
    relay_stop(&relay); /* the server hears of it */
    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    expect_both(s);
}

static void commit_that_was_waited_for_is_done(void **state)
{
    struct scene *s = *state;

    two_files(s, SLOW_COMMIT);
    lose_after(s, "COMMIT", "30", 0);
    assert_said(s, "applied   migrations/V2.sql");
    expect_both(s);
}

/* One by one, its COMMIT was not sent yet: the old session waits for it, and is ended. */
static void what_was_not_committed_cannot_be(void **state)
{
    struct scene *s = *state;

    two_files(s, "COPY log (name) FROM stdin;\nV2\n\\.\nSELECT 1;\n");
    lose_after(s, "COPY 1", "1", 1);
    assert_warned(s, "was rolled back");
    assert_ledger(s, "applied V0, applied V1");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V0 V1 V2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(commit_that_outlasts_us_is_unknown),
        scene_test(commit_that_was_waited_for_is_done),
        scene_test(what_was_not_committed_cannot_be),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
