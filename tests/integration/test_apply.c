/* Promise 1: a migration and its ledger row commit together or not at all, in order. */
#include "relay.h"
#include "scene.h"

#include <time.h>

#define COPY_TAIL "COPY log (name) FROM stdin;\ncopied\n\\.\n"

/* What the error of a run has to say besides where it was. */
static void assert_rolled_back(struct scene *s, const char *place, const char *progress)
{
    assert_warned(s, place);
    assert_warned(s, "rolled back");
    assert_warned(s, progress);
    assert_warned(s, "revtwin apply --ledger");
}

/* ------------------------------------------------------------------ exactly once */

static void file_whose_last_statement_fails_leaves_nothing(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2",
               "CREATE TABLE half (a int);\nINSERT INTO log (name) VALUES ('half');\n"
               "INSERT INTO half VALUES ('x');\n");
    repo_commit(&s->repo, "two files");
    scene_run(s, 4, "apply");
    assert_rolled_back(s, "migrations/V2.sql:3:", "1 of 2 migrations");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    assert_production(s, "SELECT to_regclass('half') IS NULL", "t");
}

static void file_with_copy_that_fails_leaves_nothing(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", "CREATE TABLE half (a int);\n" COPY_TAIL "SELECT 1/0;\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
    scene_run(s, 4, "apply");
    assert_rolled_back(s, "migrations/V2.sql:5:", "1 of 3 migrations");
    assert_warned(s, "22012");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    assert_production(s, "SELECT to_regclass('half') IS NULL", "t");
}

/* The server finds these only at COMMIT. */
static const char *const deferred[] = {
    "CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO d VALUES (1), (1);\n",
    "CREATE TABLE d (a int PRIMARY KEY,\n"
    "    b int REFERENCES d DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO d VALUES (1, 2);\n",
    "CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO d VALUES (1), (1);\n" COPY_TAIL,
};

static void constraint_that_fails_at_commit_leaves_neither(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(deferred) / sizeof(*deferred); i++) {
        scene_migration(s, "V1");
        scene_file(s, "V2", deferred[i]);
        scene_migration(s, "V3");
        repo_commit(&s->repo, "three files");
        scene_run(s, 4, "apply");
        assert_rolled_back(s, "migrations/V2.sql", "1 of 3 migrations");
        assert_warned(s, "COMMIT");
        assert_warned(s, "constraint");
        assert_warned(s, "SQLSTATE 23");
        assert_lacks(s->run.err, "WARNING");
        assert_log(s, "V1");
        assert_ledger(s, "applied V1");
        assert_production(s, "SELECT to_regclass('d') IS NULL", "t");
        assert_production(s,
                          "SELECT path || ' ' || left(sqlstate, 2) FROM revtwin.attempt",
                          "migrations/V2.sql 23");
        scene_new_production(s);
        repo_commit(&s->repo, "again"); /* for a step that is not the first */
        repo_delete(&s->repo, "migrations");
        repo_commit(&s->repo, "gone");
    }
}

static void failed_file_runs_once_its_cause_is_mended(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", "INSERT INTO log (name) SELECT name FROM later;\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
    scene_run(s, 4, "apply");
    assert_ledger(s, "applied V1");
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE later AS SELECT 'later'::text AS name");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 later V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_untouched(s, 0, "apply", "--ledger");
    assert_log(s, "V1 later V3");
}

/* Run what the last run told to run, once the cause is mended. */
static void follow_the_advice(struct scene *s)
{
    const char *lead = "go on with: revtwin apply ", *at = strstr(s->run.err, lead);
    char *words, *option, *value, *end;

    if (at == NULL)
        check_fail("no advice in\n%s", s->run.err);
    words =
        check_printf("%.*s", (int)strcspn(at + strlen(lead), "\n"), at + strlen(lead));
    option = strtok_r(words, " ", &end);
    value = strtok_r(NULL, " ", &end);
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE later AS SELECT 'later'::text AS name");
    if (value)
        scene_run(s, 0, "apply", option, value);
    else
        scene_run(s, 0, "apply", option);
    free(words);
}

static void advice_can_be_followed(void **state)
{
    const char *const fails = "INSERT INTO log (name) SELECT name FROM later;\n";
    struct scene *s = *state;

    scene_file(s, "V1", fails);
    repo_commit(&s->repo, "the first commit of all");
    scene_run(s, 4, "apply");
    follow_the_advice(s);
    assert_log(s, "later");

    scene_new_production(s);
    scene_file(s, "V2", fails);
    repo_commit(&s->repo, "the first one that is applied");
    scene_step(s, "V3");
    scene_run(s, 4, "apply", "--base", "HEAD~2");
    follow_the_advice(s);
    assert_log(s, "later V3");
    assert_ledger(s, "baseline V1, applied V2, applied V3");

    cluster_exec(&scene_server, s->db, "DROP TABLE later");
    scene_step(s, "V4");
    scene_file(s, "V5", fails);
    repo_commit(&s->repo, "a later one");
    scene_step(s, "V6");
    scene_run(s, 4, "apply", "--ledger");
    follow_the_advice(s);
    assert_log(s, "later V3 V4 later V6");
}

static void row_and_migration_have_one_transaction_id(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", "INSERT INTO log (name) VALUES ('V2');\n" COPY_TAIL);
    repo_commit(&s->repo, "two files");
    scene_run(s, 0, "apply");
    assert_production(s,
                      "SELECT count(*) FROM log JOIN revtwin.ledger l ON "
                      "log.xmin::text::bigint = l.xid AND l.xmin = log.xmin",
                      "3");
    assert_production(s, "SELECT count(DISTINCT xid) FROM revtwin.ledger", "2");
}

/* The setting is out of the parser's sight: only the server can tell that the text has
 * become several commands, and must not run the first of them. */
static void text_of_several_commands_is_not_run(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2",
               COPY_TAIL
               "SELECT set_config('standard_conforming_strings', lower('OFF'), false);\n"
               "SELECT 'a\\''; COMMIT; CREATE TABLE b(); --';\n");
    repo_commit(&s->repo, "two files");
    scene_run(s, 4, "apply");
    assert_rolled_back(s, "migrations/V2.sql:5:", "1 of 2 migrations");
    assert_warned(s, "SQLSTATE 42601");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    assert_production(s, "SELECT to_regclass('b') IS NULL", "t");
}

/* The mark tells whether the transaction is still the same one. */
static void file_that_loses_the_mark_is_not_recorded(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", COPY_TAIL "SELECT set_config('revtwin.migration', '', true);\n");
    repo_commit(&s->repo, "two files");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V2.sql: the file reset the settings that revtwin makes");
    assert_warned(s, "rolled back");
    assert_ledger(s, "applied V1");
    scene_file(s, "V2", "DO $$ BEGIN CREATE TABLE b(); EXECUTE 'RESET ALL'; END $$;\n");
    repo_commit(&s->repo, "another way");
    scene_run(s, 4, "apply", "--ledger");
    assert_warned(s, "migrations/V2.sql: the file reset the settings that revtwin makes");
    assert_production(s, "SELECT to_regclass('b') IS NULL", "t");
}

/* ------------------------------------------------------------------ order */

static void first_error_stops_all_later_files(void **state)
{
    struct scene *s = *state;
    char *failed;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_migration(s, "V2");
    repo_commit(&s->repo, "one");
    scene_file(s, "V3", "SELECT nope;\n");
    scene_migration(s, "V4");
    repo_commit(&s->repo, "two");
    scene_migration(s, "V5");
    scene_file(s, "V6", COPY_TAIL);
    repo_commit(&s->repo, "three");
    scene_run(s, 4, "apply", "--ledger");
    assert_rolled_back(s, "migrations/V3.sql:1:8", "1 of 5 migrations");
    assert_log(s, "V1 V2");
    assert_ledger(s, "applied V1, applied V2");
    assert_said(s, "applied   migrations/V2.sql");
    assert_said(s, "failed    migrations/V3.sql");
    assert_said(s, "not run   migrations/V4.sql");
    assert_said(s, "not run   migrations/V6.sql");

    failed = cluster_query(&scene_server, s->db,
                           "SELECT path || ' ' || line || ' ' || sqlstate || ' ' || "
                           "message FROM revtwin.attempt");
    assert_contains(failed, "migrations/V3.sql 1 42703 ");
    assert_contains(failed, "nope");
    free(failed);
    scene_untouched(s, 0, "status");
    assert_said(s, "4 pending");
    assert_said(s, "failed");
    assert_said(s, "at line 1");
    assert_said(s, "nope");
    assert_said(s, "42703");
}

static void pipelined_and_copy_files_in_one_run(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", COPY_TAIL);
    scene_file(s, "V3", "COPY log (name) FROM stdin (FORMAT csv);\n\"a,b\"\n\\.\n");
    scene_migration(s, "V4");
    scene_migration(s, "V5");
    scene_file(s, "V6",
               "INSERT INTO log (name) VALUES ('V6');\n" COPY_TAIL
               "INSERT INTO log (name) VALUES ('after');\n");
    scene_migration(s, "V7");
    repo_commit(&s->repo, "seven files");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 copied a,b V4 V5 V6 copied after V7");
    assert_ledger(s, "applied V1, applied V2, applied V3, applied V4, applied V5, "
                     "applied V6, applied V7");
    assert_production(
        s, "SELECT statements FROM revtwin.ledger WHERE path LIKE '%V6.sql'", "3");
}

static void thousand_files_cost_one_round_trip(void **state)
{
    struct scene *s = *state;
    time_t start;
    struct relay relay;
    char *url;

    for (int i = 1; i <= 1000; i++) {
        char *name = check_printf("V%d", i);

        scene_migration(s, name);
        free(name);
    }
    repo_commit(&s->repo, "a thousand files");
    relay_start(&relay, scene_server.dir, scene_server.port, 25);
    url = check_printf("host=127.0.0.1 port=%d user=" CLUSTER_USER
                       " dbname=%s sslmode=disable",
                       relay.port, s->db);
    scene_set(s, "PROD_DATABASE_URL", url);
    start = time(NULL);
    scene_run(s, 0, "apply");
    assert_true(time(NULL) - start < 25); /* with a round trip a file it is over 50 s */
    relay_stop(&relay);
    free(url);
    assert_production(s, "SELECT count(*) FROM log", "1000");
    assert_production(s,
                      "SELECT count(*) FROM (SELECT name, row_number() OVER (ORDER BY "
                      "id) AS n FROM log) x WHERE name <> 'V' || n",
                      "0");
    assert_production(s, "SELECT count(DISTINCT xid) FROM revtwin.ledger", "1000");
}

/* ------------------------------------------------------------------ COPY */

static void copy_data_are_psqls(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1",
               "CREATE TABLE t (a int, b text);\n"
               "COPY t FROM stdin;\n"
               "1\ttab\\tand \\\\ backslash\n"
               "2\t\\N\n"
               "3\t; SELECT nope; -- 'no statement\n"
               "4\tgröße 日本\n"
               "\\.\n"
               "COPY t (b, a) FROM STDIN WITH (FORMAT csv, HEADER);\n"
               "b,a\n"
               "\"two\nlines\",5\n"
               "\\.\n"
               "COPY t FROM stdin;\n"
               "\\.\n");
    repo_commit(&s->repo, "copy");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT a || ':' || coalesce(b, 'null') FROM t ORDER BY a",
                      "1:tab\tand \\ backslash\n2:null\n3:; SELECT nope; -- 'no "
                      "statement\n4:größe 日本\n5:two\nlines");
}

static void bad_copy_data_are_reported(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1",
               "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n2\nthree\n\\.\n");
    repo_commit(&s->repo, "copy");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V1.sql:2:1: ");
    assert_warned(s, "invalid input syntax for type integer");
    assert_warned(s, "COPY t, line 3, column a: \"three\""); /* the context */
    assert_warned(s, "SQLSTATE 22P02");
    assert_production(s, "SELECT to_regclass('t') IS NULL", "t");
    assert_production(s, "SELECT count(*) FROM revtwin.ledger", "0");
}

static void copy_from_stdin_without_data_is_an_empty_copy(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1", "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n");
    repo_commit(&s->repo, "copy");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT count(*) FROM t", "0");
}

static void copy_to_stdout_is_refused_before_anything_runs(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", "COPY log TO stdout;\n");
    repo_commit(&s->repo, "copy");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql:1:1: ");
    assert_warned(s, "COPY");
    assert_log(s, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(file_whose_last_statement_fails_leaves_nothing),
        scene_test(file_with_copy_that_fails_leaves_nothing),
        scene_test(constraint_that_fails_at_commit_leaves_neither),
        scene_test(failed_file_runs_once_its_cause_is_mended),
        scene_test(advice_can_be_followed),
        scene_test(row_and_migration_have_one_transaction_id),
        scene_test(text_of_several_commands_is_not_run),
        scene_test(file_that_loses_the_mark_is_not_recorded),
        scene_test(first_error_stops_all_later_files),
        scene_test(pipelined_and_copy_files_in_one_run),
        scene_test(thousand_files_cost_one_round_trip),
        scene_test(copy_data_are_psqls),
        scene_test(bad_copy_data_are_reported),
        scene_test(copy_from_stdin_without_data_is_an_empty_copy),
        scene_test(copy_to_stdout_is_refused_before_anything_runs),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
