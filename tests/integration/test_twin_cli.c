/* apply and the twin, as seen from the command line: migrations first, then the resync;
 * whatever fails, it is said what is in and what to run. */
#include "twin_scene.h"

#include <signal.h>

static char *dump_of(const struct cluster *c, const char *db)
{
    return cluster_dump(c, db, "--no-owner", "--no-acl", "--exclude-table=revtwin.twin",
                        "--exclude-table=revtwin.receipt*", NULL);
}

static void expect_equal(struct scene *s)
{
    char *prod = dump_of(&scene_server, s->db), *twin = dump_of(&twin_server, s->db);

    assert_text_equal(twin, prod);
    free(prod);
    free(twin);
}

/* The twin's server: what is in the twin, and which databases there are. */
static char *twin_as_it_is(struct scene *s)
{
    char *dump = cluster_dump(&twin_server, s->db, NULL);
    char *databases =
        cluster_query(&twin_server, "postgres",
                      "SELECT oid || ' ' || datname FROM pg_database ORDER BY oid");
    char *both = check_printf("%s\n%s", databases, dump);

    free(dump);
    free(databases);
    return both;
}

static void expect_twin(struct scene *s, char *before)
{
    char *after = twin_as_it_is(s);

    assert_text_equal(after, before);
    free(after);
    free(before);
}

/* A twin that was resynced after V1. */
static void adopt(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--adopt");
    expect_equal(s);
}

/* The run's resync failed after it had applied everything. */
static void expect_resync_failure(struct scene *s, const char *command)
{
    assert_warned(s, "the migrations are in production");
    assert_warned(s, "The twin is as it was");
    assert_warned(s, command);
}

/* ------------------------------------------------------------------ the way it goes */

static void apply_resyncs_the_twin(void **state)
{
    struct scene *s = *state;

    adopt(s);
    assert_said(s, "the twin is production as of");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_said(s, "1 applied to production");
    assert_said(s, "the twin is production as of");
    assert_query(&twin_server, s->db, "SELECT string_agg(name, ' ' ORDER BY id) FROM log",
                 "V1 V2");
    expect_equal(s);

    /* What developers did to the twin goes; what production did meanwhile comes. */
    cluster_exec(&twin_server, s->db, "DROP TABLE log; CREATE TABLE mine ()");
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('customer')");
    scene_run(s, 0, "resync");
    expect_equal(s);
    cluster_exec(&twin_server, s->db, "DROP TABLE log");
    scene_run(s, 0, "apply");
    assert_said(s, "nothing to apply");
    expect_equal(s);
}

static void method_is_chosen_and_told(void **state)
{
    struct scene *s = *state;

    adopt(s);
    assert_said(s, "(rebuild, ");
    assert_warned(s, "rebuild: no resync has made this twin");
    scene_file(s, "V2",
               "ALTER TABLE log ADD note text; GRANT SELECT ON log TO postgres;");
    repo_commit(&s->repo, "note");
    scene_run(s, 0, "apply");
    assert_warned(s, "ran 1 migration on the twin");
    assert_warned(s, "delta: incremental: ");
    assert_said(s, "(delta, ");
    expect_equal(s);
    scene_run(s, 0, "resync", "--json");
    assert_said(s, "\"method\": \"delta\"");
    assert_said(s, "\"why\": \"incremental: what was written since ");
    assert_said(s, "\"tables_changed\": 0");
    scene_run(s, 0, "resync", "--method", "rebuild", "--jobs", "1");
    assert_warned(s, "rebuild: --method rebuild asks for it");

    /* What a developer has made is no migration's: only a rebuild removes it. */
    cluster_exec(&twin_server, s->db, "CREATE TABLE mine ()");
    scene_run(s, 3, "resync", "--method", "delta");
    assert_warned(s, "cannot be brought in line by delta");
    assert_warned(s, "mine");
    assert_query(&twin_server, s->db, "SELECT to_regclass('mine') IS NOT NULL", "t");
    scene_run(s, 0, "resync", "--method", "auto", "--full-compare");
    assert_said(s, "(rebuild, ");
    expect_equal(s);
}

/* A developer has run the migration on the twin before it was merged. */
static void migration_that_the_twin_has_already(void **state)
{
    struct scene *s = *state;

    adopt(s);
    cluster_exec(&twin_server, s->db, "ALTER TABLE log ADD note text");
    scene_file(s, "V2", "ALTER TABLE log ADD note text;\n");
    repo_commit(&s->repo, "note");
    scene_run(s, 0, "apply");
    assert_warned(s, "could not be brought forward by migrations: migrations/V2.sql:1: "
                     "column \"note\" of relation \"log\" already exists");
    assert_said(s, "(delta, ");
    expect_equal(s);
}

static void what_a_killed_rebuild_left_goes_with_a_delta(void **state)
{
    struct scene *s = *state;
    char *next = check_printf("%s_revtwin_next", s->db);
    char *comment =
        check_printf("COMMENT ON DATABASE %s IS 'revtwin: being built'", next);
    char *count =
        check_printf("SELECT count(*) FROM pg_database WHERE datname = '%s'", next);

    adopt(s);
    cluster_createdb(&twin_server, next);
    cluster_exec(&twin_server, next, "CREATE TABLE precious ()");
    scene_run(s, 0, "resync");
    assert_warned(s, "warning: cannot clean up beside the twin");
    assert_query(&twin_server, "postgres", count, "1"); /* it is not ours */
    cluster_exec(&twin_server, "postgres", comment);
    scene_run(s, 0, "resync");
    assert_said(s, "(delta, ");
    assert_query(&twin_server, "postgres", count, "0");
    free(count);
    free(comment);
    free(next);
}

/* As a flag and as a setting; it says how a rebuild is made, not that it has to be. */
static void rebuild_in_place(void **state)
{
    struct scene *s = *state;
    char *oid = check_printf("SELECT oid FROM pg_database WHERE datname = '%s'", s->db);
    char *before = cluster_query(&twin_server, "postgres", oid);

    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--in-place", "--adopt", "--json");
    assert_said(s, "\"in_place\": true");
    assert_said(s, "\"method\": \"rebuild\"");
    expect_equal(s);
    scene_set(s, "REVTWIN_IN_PLACE", "true");
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('x')");
    scene_run(s, 0, "resync", "--json");
    assert_said(s, "\"in_place\": false");
    expect_equal(s);
    cluster_exec(&scene_server, s->db, "CREATE TABLE by_hand ()");
    scene_run(s, 0, "resync");
    assert_said(s, "(rebuild in place, ");
    expect_equal(s);
    assert_query(&twin_server, "postgres", oid, before);

    scene_step(s, "V2");
    scene_untouched(s, 2, "apply", "--keep-previous");
    assert_warned(s, "a rebuild in place makes none");
    assert_warned(s, "set resync.in-place to false");
    scene_set(s, "REVTWIN_IN_PLACE", NULL);
    scene_run(s, 2, "resync", "--keep-previous", "--in-place");
    assert_warned(s, "Leave out one of --keep-previous and --in-place");
    free(before);
    free(oid);
}

/* Only by the receipt: where that does not serve, nothing is done. */
static void incremental_is_done_or_refused(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 5, "apply", "--method", "incremental", "--adopt");
    scene_run(s, 0, "resync", "--adopt");
    cluster_exec(&twin_server, s->db, "UPDATE revtwin.receipt SET incremental_runs = 9");
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('customer')");
    scene_run(s, 0, "resync", "--method", "incremental");
    assert_said(s, "(delta, ");
    assert_warned(s, "delta: incremental: ");
    expect_equal(s);
    cluster_exec(&scene_server, s->db, "INSERT INTO log (name) VALUES ('another')");
    cluster_exec(&twin_server, s->db, "DELETE FROM revtwin.receipt");
    scene_run(s, 3, "resync", "--method", "incremental");
    assert_warned(s, "cannot be brought in line incrementally: no receipt of an earlier");
    assert_warned(s, "Without --method its tables are compared in full");
    assert_query(&twin_server, s->db, "SELECT count(*) FROM log WHERE name = 'another'",
                 "0");
    scene_run(s, 0, "resync");
    assert_warned(s, "delta: compared in full: no receipt");
    scene_run(s, 0, "resync", "--method", "incremental");
    expect_equal(s);
}

static void methods_that_make_no_sense(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 2, "apply", "--method", "copy");
    assert_warned(s, "--method is \"copy\"");
    scene_run(s, 2, "resync", "--method", "rebuild", "--full-compare");
    scene_run(s, 2, "resync", "--method", "delta", "--keep-previous");
    scene_run(s, 2, "resync", "--method", "delta", "--in-place");
    assert_warned(s, "--in-place and --method delta exclude each other");
    scene_run(s, 2, "resync", "--method", "incremental", "--keep-previous");
    scene_run(s, 2, "resync", "--method", "incremental", "--full-compare");
    assert_warned(s, "--full-compare and --method incremental exclude each other");
    scene_run(s, 2, "resync", "--jobs", "0");
    assert_warned(s, "a number from 1 to 99");
    scene_run(s, 3, "resync", "--method", "delta", "--adopt");
    assert_warned(s, "no resync has made this twin");
}

/* What an undo would not heed. */
static void options_that_an_undo_refuses(void **state)
{
    static const char *const options[] = {
        "--adopt",        "--keep-previous", "--in-place",       "--method=rebuild",
        "--full-compare", "--jobs=3",        "--bindir=/usr/bin"};
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        char *said = check_printf("--undo and %.*s exclude each other",
                                  (int)strcspn(options[i], "="), options[i]);

        scene_run(s, 2, "resync", "--undo", options[i]);
        assert_warned(s, said);
        free(said);
    }
}

static void without_a_twin_apply_says_so_and_is_done(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_set(s, "DEV_DATABASE_URL", NULL);
    scene_run(s, 0, "apply");
    assert_said(s, "the twin was left as it is: DEV_DATABASE_URL is not set");
    assert_log(s, "V1");
}

static void resync_is_left_out_when_asked(void **state)
{
    struct scene *s = *state;
    char *before;

    adopt(s);
    before = twin_as_it_is(s);
    scene_step(s, "V2");
    scene_run(s, 0, "apply", "--no-resync");
    assert_said(s, "the twin was left as it is: --no-resync");
    repo_write(&s->repo, "revtwin.conf", "[resync]\n\tafter-apply = false\n");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_said(s, "resync.after-apply is false");
    expect_twin(s, before);
    assert_log(s, "V1 V2 V3");
    scene_run(s, 0, "resync");
    expect_equal(s);
}

static void twin_given_by_option(void **state)
{
    struct scene *s = *state;
    char *url = check_printf("host=%s port=%d user=postgres dbname=%s", twin_server.dir,
                             twin_server.port, s->db);

    scene_step(s, "V1");
    scene_set(s, "DEV_DATABASE_URL", NULL);
    cluster_exec(&twin_server, s->db, "CREATE TABLE precious ()");
    scene_run(s, 3, "resync", "--twin", url);
    assert_warned(s, "revtwin resync --adopt (with the same --twin as here)\n");
    scene_run(s, 5, "apply", "-C", s->repo.dir, "--path", "migrations", "--twin", url);
    assert_warned(s, "--adopt (with the same --directory, --twin, --path as here)\n");
    scene_run(s, 0, "resync", "--adopt", "--twin", url);
    expect_equal(s);
    free(url);
}

/* ------------------------------------------------------------------ adoption */

static void first_resync_of_a_twin_with_contents_needs_adopt(void **state)
{
    struct scene *s = *state;
    char *before, *hit;

    cluster_exec(&twin_server, s->db, "CREATE TABLE precious AS SELECT 1 AS one");
    before = twin_as_it_is(s);
    scene_step(s, "V1");
    scene_run(s, 5, "apply");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    assert_warned(s, "precious");
    expect_resync_failure(s, "revtwin resync --adopt");
    hit = strstr(s->run.err, "revtwin resync --adopt");
    *hit = '\0'; /* the one command to run: no other is named before or after it */
    assert_lacks(s->run.err, "revtwin resync");
    assert_lacks(hit + 1, "revtwin resync");
    expect_twin(s, before);

    scene_run(s, 0, "resync", "--adopt");
    expect_equal(s);
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    expect_equal(s);
    scene_run(s, 0, "resync");
}

static void apply_takes_adopt_too(void **state)
{
    struct scene *s = *state;

    cluster_exec(&twin_server, s->db, "CREATE TABLE precious AS SELECT 1 AS one");
    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--adopt");
    expect_equal(s);
}

/* ------------------------------------------------------------------ failures */

static void failed_migration_does_not_touch_the_twin(void **state)
{
    struct scene *s = *state;
    char *before;

    adopt(s);
    before = twin_as_it_is(s);
    scene_migration(s, "V2");
    scene_file(s, "V3", "SELECT nope;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply");
    assert_warned(s, "The twin was not touched");
    assert_log(s, "V1 V2");
    expect_twin(s, before);
}

static void busy_twin_is_left_alone(void **state)
{
    struct scene *s = *state;
    PGconn *developer;
    char *before;

    adopt(s);
    before = twin_as_it_is(s);
    scene_set(s, "REVTWIN_SWAP_WAIT", "1");
    developer = cluster_connect(&twin_server, s->db);
    scene_step(s, "V2");
    scene_run(s, 5, "apply", "--method", "rebuild");
    assert_log(s, "V1 V2");
    expect_resync_failure(s, "revtwin resync");
    assert_warned(s, "in use");
    assert_warned(s, "pid ");
    expect_twin(s, before);
    PQfinish(developer);
    scene_run(s, 0, "resync");
    expect_equal(s);
}

/* A resync by itself goes by revtwin.conf too, where there is one, and needs none. */
static void resync_goes_by_the_settings_of_head(void **state)
{
    struct scene *s = *state;
    PGconn *developer;

    scene_run(s, 0, "resync", "--adopt"); /* no commit yet */
    developer = cluster_connect(&twin_server, s->db);
    repo_write(&s->repo, "revtwin.conf", "[resync]\n\tswap-wait = 1\n");
    repo_commit(&s->repo, "do not wait long");
    repo_write(&s->repo, "revtwin.conf", "[resync]\n\tswap-wait = 2\n");
    scene_run(s, 1, "resync", "--method", "rebuild");
    assert_warned(s, "still after 1 s");
    scene_set(s, "REVTWIN_SWAP_WAIT", "0");
    scene_run(s, 1, "resync", "--method", "rebuild");
    assert_warned(s, "still after 0 s");
    PQfinish(developer);
    repo_write(&s->repo, "revtwin.conf", "[resync]\n\tswap-wait = long\n");
    repo_commit(&s->repo, "a mistake");
    scene_run(s, 2, "resync");
    assert_warned(s, "revtwin.conf");
    assert_warned(s, "resync.swap-wait");
    scene_run(s, 0, "resync", "-C", "/");
}

static void twin_that_cannot_be_reached(void **state)
{
    struct scene *s = *state;
    char *before;

    adopt(s);
    before = twin_as_it_is(s);
    scene_set(s, "DEV_DATABASE_URL", "host=/no/such/folder dbname=dev");
    scene_step(s, "V2");
    scene_run(s, 5, "apply");
    assert_log(s, "V1 V2");
    expect_resync_failure(s, "revtwin resync");
    assert_warned(s, "/no/such/folder");
    expect_twin(s, before);
}

/* pg_restore is a program of ours that fails. */
static void resync_that_fails_half_way(void **state)
{
    struct scene *s = *state;
    char *bin = check_printf("%s/.git/bin", s->repo.dir), *before;
    char *script = check_printf("#!/bin/sh\nexec %s/pg_dump \"$@\"\n", run_pg_bindir());

    adopt(s);
    before = twin_as_it_is(s);
    repo_write(&s->repo, ".git/bin/pg_dump", script);
    free(script);
    script = check_printf("#!/bin/sh\ncase $1 in --version) exec %s/pg_restore $1;; "
                          "esac\necho 'pg_restore: error: no more space' >&2\nexit 1\n",
                          run_pg_bindir());
    repo_write(&s->repo, ".git/bin/pg_restore", script);
    repo_git(&s->repo, "-c", "alias.x=!chmod +x .git/bin/*", "x", NULL);
    scene_step(s, "V2");
    scene_run(s, 5, "apply", "--bindir", bin, "--method", "rebuild");
    assert_log(s, "V1 V2");
    expect_resync_failure(s, "revtwin resync");
    assert_warned(s, "no more space");
    expect_twin(s, before);
    free(script);
    free(bin);
}

/* A table that cannot be read keeps the resync waiting. */
static void signal_during_the_resync(void **state)
{
    struct scene *s = *state;
    char *before;
    PGconn *locker;

    adopt(s);
    before = twin_as_it_is(s);
    scene_migration(s, "V2");
    repo_commit(&s->repo, "V2");
    cluster_exec(&scene_server, s->db, "CREATE TABLE hold ()");
    locker = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(locker, "BEGIN; LOCK TABLE hold"));
    scene_start(s, "apply", "--method", "rebuild");
    cluster_wait(&scene_server, "postgres",
                 "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = "
                 "'Lock' AND application_name IN ('pg_dump', 'revtwin')");
    kill(s->run.pid, SIGTERM);
    scene_finish(s, 143);
    PQfinish(locker);
    assert_log(s, "V1 V2");
    assert_warned(s, "cancelled by SIGTERM");
    assert_warned(s, "the migrations are in production");
    assert_warned(s, "revtwin resync");
    expect_twin(s, before);
    scene_run(s, 0, "resync");
    expect_equal(s);
}

/* A migration that waits on the twin, where it is run before rows are compared. */
static void signal_during_the_replay(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct scene *s = *state;
    PGconn *locker;

    adopt(s);
    scene_file(s, "V2", "INSERT INTO log (name) VALUES ('V2');\n");
    scene_file(s, "V3", "ALTER TABLE log ADD note text;\n");
    repo_commit(&s->repo, "note");
    scene_run(s, 0, "apply", "--no-resync");
    for (size_t i = 0; i < 2; i++) {
        locker = cluster_connect(&twin_server, s->db);
        PQclear(PQexec(locker, "BEGIN; SELECT count(*) FROM log"));
        scene_start(s, "resync");
        cluster_wait(
            &twin_server, "postgres",
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = "
            "'Lock' AND application_name = 'revtwin' AND query LIKE '%ADD note%'");
        kill(s->run.pid, signals[i]);
        scene_finish(s, 128 + signals[i]);
        PQfinish(locker);
        assert_warned(s, i == 0 ? "cancelled by SIGINT" : "cancelled by SIGTERM");
        if (i == 0)
            assert_warned(s,
                          "The twin is as it was, but for 1 migration that it got from "
                          "production's ledger.");
        assert_query(&twin_server, s->db,
                     "SELECT string_agg(name, ' ' ORDER BY id) FROM log", "V1 V2");
        assert_query(&twin_server, s->db, "SELECT count(*) FROM revtwin.ledger", "2");
    }
    scene_run(s, 0, "resync");
    assert_warned(s, "ran 1 migration on the twin");
    assert_said(s, "(delta, ");
    expect_equal(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twin_scene_test(apply_resyncs_the_twin),
        twin_scene_test(method_is_chosen_and_told),
        twin_scene_test(migration_that_the_twin_has_already),
        twin_scene_test(what_a_killed_rebuild_left_goes_with_a_delta),
        twin_scene_test(incremental_is_done_or_refused),
        twin_scene_test(methods_that_make_no_sense),
        twin_scene_test(options_that_an_undo_refuses),
        twin_scene_test(rebuild_in_place),
        twin_scene_test(without_a_twin_apply_says_so_and_is_done),
        twin_scene_test(resync_is_left_out_when_asked),
        twin_scene_test(twin_given_by_option),
        twin_scene_test(first_resync_of_a_twin_with_contents_needs_adopt),
        twin_scene_test(apply_takes_adopt_too),
        twin_scene_test(failed_migration_does_not_touch_the_twin),
        twin_scene_test(busy_twin_is_left_alone),
        twin_scene_test(resync_goes_by_the_settings_of_head),
        twin_scene_test(twin_that_cannot_be_reached),
        twin_scene_test(resync_that_fails_half_way),
        twin_scene_test(signal_during_the_resync),
        twin_scene_test(signal_during_the_replay),
    };

    return cmocka_run_group_tests(tests, twin_scene_start_servers,
                                  twin_scene_stop_servers);
}
