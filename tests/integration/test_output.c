/* --json is one document for every command and every error; --quiet is silent success. */
#include "scene.h"

#include <jansson.h>

/* Standard output of the last run as JSON, for the caller to json_decref. */
static json_t *document(const struct scene *s)
{
    json_error_t why;
    json_t *doc = json_loads(s->run.out, JSON_REJECT_DUPLICATES, &why);

    if (!json_is_object(doc))
        check_fail("not JSON: %s\n%s", why.text, s->run.out);
    return doc;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (!text)
        check_fail("no text \"%s\" in the document", key);
    return text;
}

static json_int_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        check_fail("no number \"%s\" in the document", key);
    return json_integer_value(value);
}

/* Run with --json: a document about this command and status, and what it says of an
 * error. Returns it. */
static json_t *run_json(struct scene *s, int status, const char *command,
                        const char *more)
{
    json_t *doc;

    if (more)
        scene_run(s, status, command, "--json", more);
    else
        scene_run(s, status, command, "--json");
    doc = document(s);
    assert_string_equal(text_at(doc, "command"), command);
    assert_int_equal(number_at(doc, "exit_status"), status);
    assert_true(strlen(text_at(doc, "revtwin")) > 0);
    if (status != 0) {
        assert_warned(s, text_at(json_object_get(doc, "error"), "message"));
    } else {
        assert_null(json_object_get(doc, "error"));
        assert_lacks(s->run.err, "error");
    }
    return doc;
}

static void expect_json(struct scene *s, int status, const char *command,
                        const char *more)
{
    json_decref(run_json(s, status, command, more));
}

/* A second database of the same server as the twin. */
static void make_twin(struct scene *s)
{
    char *db = check_printf("%s_twin", s->db), url[CLUSTER_URL_SIZE];

    cluster_createdb(&scene_server, db);
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&scene_server, db, url));
    free(db);
}

static void every_command_has_json(void **state)
{
    struct scene *s = *state;
    json_t *doc, *list, *first;

    make_twin(s);
    scene_step(s, "V1");
    scene_migration(s, "V2 \"é\" \n\t日本");
    repo_commit(&s->repo, "a name with everything");

    doc = run_json(s, 0, "plan", "--base=HEAD~1");
    list = json_object_get(doc, "migrations");
    assert_int_equal(json_array_size(list), 2);
    first = json_array_get(list, 1);
    assert_string_equal(text_at(first, "path"), "migrations/V2 \"é\" \n\t日本.sql");
    assert_string_equal(text_at(first, "action"), "apply");
    assert_int_equal(number_at(first, "statements"), 1);
    json_decref(doc);

    doc = run_json(s, 0, "apply", NULL);
    list = json_object_get(doc, "migrations");
    assert_string_equal(text_at(json_array_get(list, 0), "state"), "baseline");
    assert_string_equal(text_at(json_array_get(list, 1), "state"), "applied");
    assert_string_equal(text_at(json_object_get(doc, "twin"), "method"), "rebuild");
    assert_int_equal(strlen(text_at(doc, "ledger_head")), 64);
    json_decref(doc);

    doc = run_json(s, 0, "status", NULL);
    assert_int_equal(json_array_size(json_object_get(doc, "ledger")), 2);
    assert_int_equal(json_array_size(json_object_get(doc, "pending")), 0);
    number_at(json_object_get(doc, "twin"), "age_seconds");
    json_decref(doc);

    doc = run_json(s, 0, "verify", NULL);
    assert_int_equal(number_at(doc, "rows"), 2);
    assert_int_equal(json_array_size(json_object_get(doc, "faults")), 0);
    json_decref(doc);

    expect_json(s, 0, "resync", NULL);
    expect_json(s, 0, "baseline", "HEAD");
    expect_json(s, 0, "version", NULL);
    doc = run_json(s, 0, "help", "config");
    assert_contains(text_at(doc, "help"), "lock-timeout");
    json_decref(doc);
}

static void failed_migrations_have_json(void **state)
{
    struct scene *s = *state;
    json_t *doc, *error, *file;

    scene_migration(s, "V1");
    scene_file(s, "V2",
               "SELECT 1;\n DO $$ BEGIN RAISE 'tell \"them\"' USING DETAIL = 'why', "
               "HINT = 'how'; END $$;\n");
    repo_commit(&s->repo, "fails");
    doc = run_json(s, 4, "apply", NULL);
    error = json_object_get(doc, "error");
    assert_string_equal(text_at(error, "path"), "migrations/V2.sql");
    assert_int_equal(number_at(error, "line"), 2);
    assert_int_equal(number_at(error, "column"), 2);
    assert_string_equal(text_at(error, "message"), "tell \"them\"");
    assert_string_equal(text_at(error, "detail"), "why");
    assert_string_equal(text_at(error, "hint"), "how");
    assert_string_equal(text_at(error, "sqlstate"), "P0001");
    assert_contains(text_at(error, "context"), "inline_code_block");
    assert_contains(text_at(error, "excerpt"), "\n ^");
    assert_contains(text_at(error, "advice"), "rolled back");
    file = json_array_get(json_object_get(doc, "migrations"), 1);
    assert_string_equal(text_at(file, "state"), "failed");
    json_decref(doc);

    doc = run_json(s, 0, "status", NULL);
    file = json_array_get(json_object_get(doc, "pending"), 0);
    assert_string_equal(text_at(json_object_get(file, "failed_attempt"), "sqlstate"),
                        "P0001");
    json_decref(doc);
}

static void every_error_has_json(void **state)
{
    struct scene *s = *state;
    json_t *doc, *finding;

    scene_step(s, "V1");
    scene_file(s, "V2", "ROLLBACK;\n");
    repo_commit(&s->repo, "cannot run");
    doc = run_json(s, 3, "apply", NULL);
    finding = json_array_get(json_object_get(doc, "findings"), 1);
    assert_string_equal(text_at(finding, "level"), "refused");
    assert_string_equal(text_at(finding, "path"), "migrations/V2.sql");
    json_decref(doc);
    expect_json(s, 3, "plan", NULL);
    expect_json(s, 3, "apply", "--ledger");
    expect_json(s, 2, "apply", "nonsense");
    expect_json(s, 2, "apply", "--wait=soon");
    expect_json(s, 2, "apply", "--nonsense");
    expect_json(s, 2, "resync", NULL);
    expect_json(s, 2, "baseline", NULL);
    expect_json(s, 2, "help", "nonsense");
    expect_json(s, 0, "baseline", "HEAD~1");
    scene_tamper(s, "UPDATE revtwin.ledger SET client = '\xc3\xa9\b'");
    doc = run_json(s, 7, "verify", NULL);
    assert_int_equal(json_array_size(json_object_get(doc, "faults")), 1);
    json_decref(doc);
    expect_json(s, 7, "apply", NULL);
    expect_json(s, 7, "status", NULL);
    scene_set(s, "PROD_DATABASE_URL", "host=/nowhere");
    expect_json(s, 1, "apply", NULL);
    expect_json(s, 1, "status", NULL);
    scene_set(s, "PROD_DATABASE_URL", NULL);
    expect_json(s, 2, "verify", NULL);
    expect_json(s, 2, "apply", NULL);
}

static void messages_of_the_server_in_another_encoding_are_valid_json(void **state)
{
    struct scene *s = *state;
    json_t *doc;

    scene_file(s, "V1",
               "SET client_encoding = 'LATIN1';\n"
               "DO $$ BEGIN RAISE '%', chr(228); END $$;\n");
    repo_commit(&s->repo, "latin");
    scene_run(s, 4, "apply", "--json");
    doc = document(s);
    assert_string_equal(text_at(json_object_get(doc, "error"), "message"),
                        "\xef\xbf\xbd");
    json_decref(doc);
}

static void quiet_success_is_silent(void **state)
{
    struct scene *s = *state;

    make_twin(s);
    scene_step(s, "V1");
    scene_file(s, "V2",
               "BEGIN; DO $$ BEGIN RAISE NOTICE 'noise'; RAISE WARNING 'noise'; END $$; "
               "DROP TABLE IF EXISTS nothing; COMMIT;\n");
    repo_commit(&s->repo, "noise");
#define expect_silence(...)                \
    do {                                   \
        scene_run(s, 0, __VA_ARGS__);      \
        assert_text_equal(s->run.out, ""); \
        assert_text_equal(s->run.err, ""); \
    } while (0)
    expect_silence("plan", "--quiet");
    expect_silence("apply", "-q");
    expect_silence("apply", "--ledger", "--quiet");
    expect_silence("resync", "--quiet");
    expect_silence("baseline", "HEAD", "--quiet");
    expect_silence("status", "--quiet");
    expect_silence("verify", "--quiet");
    assert_ledger(s, "baseline V1, applied V2");

    scene_file(s, "V3", "SELECT nope;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply", "--quiet");
    assert_text_equal(s->run.out, "");
    assert_warned(s, "migrations/V3.sql:1:8: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(every_command_has_json),
        scene_test(failed_migrations_have_json),
        scene_test(every_error_has_json),
        scene_test(messages_of_the_server_in_another_encoding_are_valid_json),
        scene_test(quiet_success_is_silent),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
