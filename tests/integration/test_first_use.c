/* The ledger is created on first use; who may not create it is told what to do. Looking
 * at production writes nothing; a twin is not taken for production. */
#include "scene.h"

/* A role of the test's own that may log in and write to the table log. */
static void as_role(struct scene *s, const char *role)
{
    char *sql =
        check_printf("CREATE ROLE %s LOGIN; GRANT INSERT ON log TO %s", role, role);
    char *url = check_printf("host=%s port=%d user='%.*s' dbname=%s", scene_server.dir,
                             scene_server.port, (int)strlen(role) - (*role == '"') * 2,
                             role + (*role == '"'), s->db);

    cluster_exec(&scene_server, s->db, sql);
    scene_set(s, "PROD_DATABASE_URL", url);
    free(sql);
    free(url);
}

static void ledger_is_created_on_first_use(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_untouched(s, 0, "plan");
    scene_untouched(s, 0, "status");
    assert_said(s, "no ledger yet");
    assert_said(s, "1 pending");
    scene_untouched(s, 0, "verify");
    assert_production(s, "SELECT count(*) FROM pg_namespace WHERE nspname = 'revtwin'",
                      "0");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1");
    assert_production(s, "SELECT prev_hash FROM revtwin.ledger",
                      "0000000000000000000000000000000000000000000000000000000000000000");
}

static void nothing_is_created_when_there_is_nothing_to_do(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "README", "no migrations");
    repo_commit(&s->repo, "start");
    repo_write(&s->repo, "migrations/notes.txt", "none here");
    repo_commit(&s->repo, "none");
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to apply");
}

/* The SQL after the line that asks for an administrator, up to the first empty line. */
static char *administrators_sql(const char *text)
{
    const char *at = strstr(text, "administrator");
    const char *from = at ? strstr(at, "CREATE SCHEMA") : NULL;
    const char *end = from ? strchr(from, '\n') : NULL;

    if (end == NULL)
        check_fail("no SQL for an administrator in\n%s", text);
    return check_printf("%.*s", (int)(end - from), from);
}

static void expect_help_for_administrators(struct scene *s, const char *role)
{
    char *sql;

    as_role(s, role);
    scene_step(s, "V1");
    scene_run(s, 1, "apply");
    assert_warned(s, "permission denied");
    assert_warned(s, "SQLSTATE 42501");
    assert_warned(s, "Nothing was changed");
    assert_warned(s, role);
    assert_log(s, "");
    sql = administrators_sql(s->run.err);
    cluster_exec(&scene_server, s->db, sql);
    free(sql);
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_run(s, 0, "status");
    scene_run(s, 0, "verify");
    assert_log(s, "V1 V2");
}

static void role_that_may_not_create_the_ledger(void **state)
{
    expect_help_for_administrators(*state, "deployer");
}

static void such_a_role_whose_name_needs_quotes(void **state)
{
    expect_help_for_administrators(*state, "\"The Deployer; ü\"");
}

static void schema_that_exists_already(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE SCHEMA revtwin");
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1");
}

static void production_that_is_a_twin_is_refused(void **state)
{
    static const char *const commands[] = {"apply", "plan", "status", "verify"};
    struct scene *s = *state;

    scene_step(s, "V1");
    cluster_exec(&scene_server, s->db,
                 "CREATE SCHEMA revtwin; CREATE TABLE revtwin.twin (one boolean)");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        scene_untouched(s, 3, commands[i]);
        assert_warned(s, "PROD_DATABASE_URL points at a twin");
        assert_warned(s, "swapped");
    }
    scene_untouched(s, 3, "baseline", "HEAD");
    assert_log(s, "");
}

/* ------------------------------------------------------------------ only looking */

static char *log_since(size_t offset)
{
    char *log = cluster_log(&scene_server), *since = check_printf("%s", log + offset);

    free(log);
    return since;
}

static size_t log_length(void)
{
    char *log = cluster_log(&scene_server);
    size_t length = strlen(log);

    free(log);
    return length;
}

/* What the server was sent between BEGIN and end of one command's sessions. */
static void expect_read_only(struct scene *s, const char *command)
{
    size_t before = log_length();
    char *log, *first, *rest;

    scene_untouched(s, 0, command);
    log = log_since(before);
    first = strstr(log, "revtwin: LOG:  ");
    first = first ? strstr(first, "<unnamed>: ") : NULL;
    if (!first || strncmp(first, "<unnamed>: BEGIN READ ONLY\n", 27) != 0)
        check_fail("%s: the first statement does not make it read-only:\n%s", command,
                   log);
    rest = strstr(first, "\n");
    assert_lacks(rest, "BEGIN"); /* all of it is in that one transaction */
    assert_lacks(rest, "ROLLBACK");
    assert_lacks(rest, "READ WRITE");
    free(log);
}

static void looking_is_read_only_for_the_server(void **state)
{
    static const char *const commands[] = {"plan", "status", "verify"};
    struct scene *s = *state;
    char *before, *after;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    before = cluster_dump(&scene_server, s->db, NULL);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        expect_read_only(s, commands[i]);
    after = cluster_dump(&scene_server, s->db, NULL);
    assert_text_equal(after, before);
    free(before);
    free(after);
}

static int start_server(void **state)
{
    static const char *const settings[] = {"autovacuum=off", "log_statement=all",
                                           "log_line_prefix=%a: ", NULL};

    (void)state;
    cluster_start(&scene_server, settings);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(ledger_is_created_on_first_use),
        scene_test(nothing_is_created_when_there_is_nothing_to_do),
        scene_test(role_that_may_not_create_the_ledger),
        scene_test(such_a_role_whose_name_needs_quotes),
        scene_test(schema_that_exists_already),
        scene_test(production_that_is_a_twin_is_refused),
        scene_test(looking_is_read_only_for_the_server),
    };

    return cmocka_run_group_tests(tests, start_server, scene_stop_server);
}
