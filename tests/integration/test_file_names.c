/* Names of migrations: whatever git can hold works, and is shown without harm. */
#include "scene.h"

static const struct {
    const char *name;  /* without .sql */
    const char *shown; /* NULL: as it is */
} names[] = {
    {"V01 with spaces", NULL},
    {"V02 'single' \"double\"", NULL},
    {"V03\nnewline", "V03\\nnewline"},
    {"V04\ttab", "V04\\x09tab"},
    {"V05 \x1b[31mred\x1b[0m", "V05 \\x1b[31mred\\x1b[0m"},
    {"V06 größe 日本 🐘", NULL},
    {"V07 e\xcc\x81 decomposed", NULL},
    {"V08 back\\slash $HOME `id` %s %n {} *", NULL},
    {"V09;DROP TABLE log;--", NULL},
    {"V10 :colon::error file=x::", NULL},
    {"-V11/--ledger", NULL},
    {"V12 \xc2\x9b"
     "2J control",
     "V12 \\u009b2J control"},
};

enum { NAMES = sizeof(names) / sizeof(*names) };

static char *path_of(const char *name)
{
    return check_printf("migrations/%s.sql", name);
}

static void write_all(const struct scene *s)
{
    for (size_t i = 0; i < NAMES; i++) {
        char *path = path_of(names[i].name);
        char *sql = check_printf("INSERT INTO log (name) VALUES ('%zu');", i + 1);

        repo_write(&s->repo, path, sql);
        free(path);
        free(sql);
    }
    repo_commit(&s->repo, "odd \x1b[31mnames\nof files");
}

static void expect_shown(const char *text)
{
    for (size_t i = 0; i < NAMES; i++) {
        char *path = path_of(names[i].shown ? names[i].shown : names[i].name);

        assert_contains(text, path);
        free(path);
    }
    assert_lacks(text, "\x1b");
    assert_lacks(text, "\x9b");
    assert_lacks(text, "\t");
}

static void odd_names_are_applied(void **state)
{
    struct scene *s = *state;
    PGconn *conn;

    write_all(s);
    scene_untouched(s, 0, "plan");
    expect_shown(s->run.out);
    scene_run(s, 0, "apply");
    expect_shown(s->run.out);
    assert_log(s, "11 1 2 3 4 5 6 7 8 9 10 12");

    conn = cluster_connect(&scene_server, s->db);
    for (size_t i = 0; i < NAMES; i++) {
        char *path = path_of(names[i].name);
        PGresult *rows = PQexecParams(conn, "SELECT FROM revtwin.ledger WHERE path = $1",
                                      1, NULL, (const char *[]){path}, NULL, NULL, 0);

        assert_int_equal(PQntuples(rows), 1);
        PQclear(rows);
        free(path);
    }
    PQfinish(conn);
    scene_untouched(s, 0, "apply");
    scene_run(s, 0, "verify");
}

static void odd_names_are_shown_in_errors(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    write_all(s);
    scene_step(s, "V99");
    scene_untouched(s, 3, "apply"); /* a gap */
    for (size_t i = 0; i < NAMES; i++) {
        if (!names[i].shown)
            assert_warned(s, names[i].name);
    }
    assert_lacks(s->run.err, "\x1b");
}

static void odd_names_are_valid_json(void **state)
{
    struct scene *s = *state;

    write_all(s);
    scene_untouched(s, 0, "plan", "--json");
    assert_said(s, "migrations/V03\\nnewline.sql");
    assert_said(s, "migrations/V05 \\u001B[31mred\\u001B[0m.sql");
    assert_said(s, "gr\\u00F6\\u00DFe \\u65E5\\u672C \\uD83D\\uDC18");
}

static void name_that_is_not_utf8_is_refused(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo,
               "migrations/V1 gr\xf6\xdf"
               "e.sql",
               "SELECT 1;");
    repo_commit(&s->repo, "Latin-1");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "UTF-8");
    assert_warned(s, "migrations/V1 gr");
    scene_untouched(s, 3, "apply", "--json");
    assert_said(s, "\"exit_status\": 3");
}

static void sql_in_capitals_is_a_migration(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.SQL", "INSERT INTO log (name) VALUES ('V1');");
    repo_commit(&s->repo, "V1");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(odd_names_are_applied),
        scene_test(odd_names_are_shown_in_errors),
        scene_test(odd_names_are_valid_json),
        scene_test(name_that_is_not_utf8_is_refused),
        scene_test(sql_in_capitals_is_a_migration),
    };

    return cmocka_run_group_tests_name("file names", tests, scene_start_server,
                                       scene_stop_server);
}
