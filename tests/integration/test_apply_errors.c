/* Promise 2: an error shows where it is, in the file as people read it, and all that the
 * server said. */
#include "scene.h"

struct mistake {
    const char *name, *sql;
    const char *shown[6]; /* on standard error */
};

static const struct mistake mistakes[] = {
    {"column in the middle of a file",
     "SELECT 1;\n\nSELECT 2,\n       nope;\n",
     {"migrations/V1.sql:4:8: ", "\n           nope;\n           ^\n", "nope",
      "SQLSTATE 42703"}},
    {"letters of two bytes before it",
     "-- größe\nSELECT 'größe', nope;\n",
     {"migrations/V1.sql:2:17: ",
      "\n    SELECT 'größe', nope;\n                    ^\n"}},
    {"letters of two bytes in statements before it, on its line",
     "SELECT 'ü'; SELECT 'é', nope;\n",
     {"migrations/V1.sql:1:25: ",
      "\n    SELECT 'ü'; SELECT 'é', nope;\n                            ^\n"}},
    {"wide characters before it",
     "SELECT '日本語', nope;\n",
     {"migrations/V1.sql:1:15: ",
      "\n    SELECT '日本語', nope;\n                     ^\n"}},
    {"combining characters before it",
     "SELECT 'e\xcc\x81', nope;\n",
     {"migrations/V1.sql:1:14: ",
      "\n    SELECT 'e\xcc\x81', nope;\n                ^\n"}},
    {"an emoji outside of the basic plane",
     "SELECT '😀', nope;\n",
     {"migrations/V1.sql:1:13: ", "\n    SELECT '😀', nope;\n                 ^\n"}},
    {"tabs before it",
     "SELECT 1;\n\tSELECT\t'é',\tnope;\n",
     {"migrations/V1.sql:2:14: ",
      "\n    \tSELECT\t'é',\tnope;\n    \t      \t    \t^\n"}},
    {"line ends of two bytes",
     "SELECT 1;\r\nSELECT nope;\r\n",
     {"migrations/V1.sql:2:8: ", "\n    SELECT nope;\n           ^\n"}},
    {"a byte-order mark",
     "\xef\xbb\xbfSELECT nope;\n",
     {"migrations/V1.sql:1:8: ", "\n    SELECT nope;\n           ^\n"}},
    {"a comment before the statement",
     "/* first\n   -- nested */ SELECT\n  nope;\n",
     {"migrations/V1.sql:3:3: ", "\n      nope;\n      ^\n"}},
    {"a syntax error at the end",
     "CREATE TABLE t (a int;\n",
     {"migrations/V1.sql:1:", "syntax error", "SQLSTATE 42601"}},
    {"no position: the statement",
     "SELECT 1;\n\n  SELECT 1 /\n    0;\n",
     {"migrations/V1.sql:3:3: ", "\n      SELECT 1 /\n      ^\n", "division by zero",
      "SQLSTATE 22012"}},
    {"no position, in the guides' BEGIN and COMMIT",
     "BEGIN;\nSELECT 1 / 0;\nCOMMIT;\n",
     {"migrations/V1.sql:2:1: ", "\n    SELECT 1 / 0;\n    ^\n"}},
    {"detail: the key",
     "CREATE TABLE t (a int UNIQUE);\nINSERT INTO t VALUES (1), (1);\n",
     {"migrations/V1.sql:2:1: ", "detail: Key (a)=(1) already exists.",
      "SQLSTATE 23505"}},
    {"detail and hint of the migration's own",
     "DO $$ BEGIN\n  RAISE EXCEPTION 'too soon' USING DETAIL = 'The first\nsecond',"
     " HINT = 'Wait.', ERRCODE = 'RT001';\nEND $$;\n",
     {"migrations/V1.sql:1:1: ", ": too soon\n", "detail: The first\n    second\n",
      "hint: Wait.\n", "context: PL/pgSQL function inline_code_block line 2 at RAISE",
      "SQLSTATE RT001"}},
    {"inside of functions",
     "CREATE FUNCTION inner_one() RETURNS int LANGUAGE plpgsql AS $$\n"
     "BEGIN RETURN (SELECT nope FROM log); END $$;\n"
     "CREATE FUNCTION outer_one() RETURNS int LANGUAGE plpgsql AS $$\n"
     "BEGIN RETURN inner_one(); END $$;\n\nSELECT outer_one();\n",
     {"migrations/V1.sql:6:1: ", "\n    SELECT outer_one();\n    ^\n",
      "column \"nope\" does not exist", "function inner_one() line",
      "function outer_one() line", "SELECT nope FROM log"}},
    {"the body of a function",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT nope $$;\n",
     {"migrations/V1.sql:2:10: ", "\n      SELECT nope $$;\n             ^\n"}},
    {"a hint of the server's",
     "SELECT nam FROM log;\n",
     {"migrations/V1.sql:1:8: ", "hint: ", "log.name"}},
    {"a file that goes statement by statement",
     "COPY log (name) FROM stdin;\nö; x\n\\.\n\tSELECT 'ö', nope;\n",
     {"migrations/V1.sql:4:14: ", "\n    \tSELECT 'ö', nope;\n    \t            ^\n"}},
};

/* The file as the only commit that there is. */
static void only_file(struct scene *s, const char *sql)
{
    if (s->run.out)
        repo_git(&s->repo, "update-ref", "-d", "HEAD", NULL);
    scene_file(s, "V1", sql);
    repo_commit(&s->repo, "the file");
}

static void errors_show_the_place_and_what_the_server_said(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        const struct mistake *m = &mistakes[i];

        print_message("           %s\n", m->name);
        only_file(s, m->sql);
        scene_run(s, 4, "apply");
        assert_warned(s, "0 of 1 migrations");
        for (size_t j = 0; j < 6 && m->shown[j]; j++)
            assert_warned(s, m->shown[j]);
    }
}

/* A message must not be able to steer a terminal or a workflow's log. */
static void control_characters_are_escaped(void **state)
{
    struct scene *s = *state;

    only_file(s, "DO $$ BEGIN RAISE EXCEPTION E'red \\033[31m\\r::error::'; END $$;\n");
    scene_run(s, 4, "apply");
    assert_lacks(s->run.err, "\033");
    assert_lacks(s->run.err, "\r");
    assert_warned(s, "red \\x1b[31m\\x0d::error::");
    scene_run(s, 0, "status");
    assert_lacks(s->run.out, "\033");
}

static void long_lines_are_cut_around_the_place(void **state)
{
    struct scene *s = *state;
    char *sql = check_printf("SELECT %0600d, nope, %0600d;\n", 1, 2);

    only_file(s, sql);
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V1.sql:1:610: ");
    assert_warned(s, "1, nope, 0");
    assert_lacks(s->run.err, "SELECT 0");
    free(sql);
}

static void no_ledger_row_that_the_database_refuses(void **state)
{
    struct scene *s = *state;

    only_file(s, "SET TRANSACTION READ ONLY;\n");
    scene_run(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql:1:1: ");
    only_file(s, "SET transaction_read_only = on;\n");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V1.sql");
    assert_warned(s, "ledger");
    assert_warned(s, "read-only");
    assert_warned(s, "25006");
    assert_production(s, "SELECT count(*) FROM revtwin.ledger", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(errors_show_the_place_and_what_the_server_said),
        scene_test(control_characters_are_escaped),
        scene_test(long_lines_are_cut_around_the_place),
        scene_test(no_ledger_row_that_the_database_refuses),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
