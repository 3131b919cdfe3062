/* What a file does to its session stays in the file, and does not reach the ledger. */
#include "scene.h"

/* Inserted by files: the session as a file finds it. */
#define SEE                                                                              \
    "INSERT INTO public.seen SELECT current_setting('search_path'), current_user::text," \
    " session_user::text, current_setting('client_encoding'),"                           \
    " current_setting('lock_timeout'), current_setting('statement_timeout'),"            \
    " current_setting('DateStyle'), current_setting('TimeZone'),"                        \
    " coalesce(current_setting('my.own', true), ''),"                                    \
    " current_setting('transaction_read_only'),"                                         \
    " current_setting('transaction_isolation'),"                                         \
    " (SELECT count(*) FROM pg_class WHERE relpersistence = 't'),"                       \
    " (SELECT count(*) FROM pg_prepared_statements WHERE name = 'p'),"                   \
    " (SELECT count(*) FROM pg_cursors WHERE is_holdable),"                              \
    " (SELECT count(*) FROM pg_listening_channels());\n"

/* A COPY statement of no effect: the file goes statement by statement, not in the
 * pipeline. */
#define ONE_BY_ONE "COPY public.nothing FROM stdin;\n\\.\n"

static const char *const deeds[] = {
    "SET search_path = '';",
    "SET search_path = other, public;",
    "SELECT set_config('search_path', '', false);",
    "SET ROLE outsider;",
    "SELECT set_config('role', 'outsider', false);",
    "SET SESSION AUTHORIZATION outsider;",
    "SET SESSION AUTHORIZATION outsider; SET ROLE outsider;",
    "SET client_encoding = 'LATIN1';",
    "SET NAMES 'SJIS';",
    "SET lock_timeout = '1h';",
    "SET LOCAL lock_timeout = '1h';",
    "SET statement_timeout = '1h';",
    "SET DateStyle = 'German, DMY';",
    "SET TimeZone = 'Asia/Tokyo';",
    "SET IntervalStyle = 'sql_standard';",
    "SET my.own = 'value';",
    "SET default_transaction_read_only = on;",
    "SET default_transaction_isolation = serializable;",
    "SET session_replication_role = replica;",
    "SET transform_null_equals = on;",
    "SET check_function_bodies = off;",
    "CREATE TEMP TABLE scratch (a int);",
    "CREATE TEMP TABLE ledger (a int); SET search_path = pg_temp;",
    "PREPARE p AS SELECT 1;",
    "DECLARE held CURSOR WITH HOLD FOR SELECT 1;",
    "LISTEN channel;",
    "SELECT pg_advisory_unlock_all();",
};
enum { DEEDS = sizeof(deeds) / sizeof(*deeds) };

static void prepare(struct scene *s)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE nothing (); CREATE TABLE seen (path text, who text, whose "
                 "text, encoding text, lock text, statement text, dates text, zone text, "
                 "own text, readonly text, isolation text, temp int, prepared int, held "
                 "int, listens "
                 "int)");
}

static void do_and_see(struct scene *s, const char *mode)
{
    for (int i = 0; i < DEEDS; i++) {
        char *name = check_printf("V%d_1_do", i),
             *sql = check_printf("%s%s\n", mode, deeds[i]);

        scene_file(s, name, sql);
        free(name);
        free(sql);
        name = check_printf("V%d_2_see", i);
        sql = check_printf("%s%s", i % 2 ? mode : "", SEE);
        scene_file(s, name, sql);
        free(name);
        free(sql);
    }
}

static void expect_nothing_leaked(struct scene *s)
{
    assert_production(s, "SELECT count(*) || ' ' || count(DISTINCT seen) FROM seen",
                      "27 1");
    assert_production(
        s,
        "SELECT DISTINCT path || '; ' || who || ' ' || whose || ' ' || "
        "encoding || ' ' || lock || ' ' || dates || ' ' || zone || ' ' || "
        "own || ' ' || isolation || ' ' || temp + prepared + held + listens FROM seen",
        "\"$user\", public; postgres postgres UTF8 5s ISO, MDY UTC  read committed 0");
    assert_production(s,
                      "SELECT count(*) || ' ' || min(applied_by) || ' ' || "
                      "max(applied_by) FROM revtwin.ledger WHERE "
                      "abs(extract(epoch FROM now() - applied_at)) < 60",
                      "54 postgres postgres");
    assert_production(s, "SELECT count(*) FROM pg_tables WHERE tablename = 'ledger'",
                      "1");
    scene_run(s, 0, "verify");
}

static void nothing_leaks_in_the_pipeline(void **state)
{
    struct scene *s = *state;

    assert_int_equal(DEEDS, 27);
    prepare(s);
    do_and_see(s, "");
    repo_commit(&s->repo, "deeds");
    scene_run(s, 0, "apply");
    expect_nothing_leaked(s);
}

static void nothing_leaks_statement_by_statement(void **state)
{
    struct scene *s = *state;

    prepare(s);
    do_and_see(s, ONE_BY_ONE);
    repo_commit(&s->repo, "deeds");
    scene_run(s, 0, "apply");
    expect_nothing_leaked(s);
}

static void ledger_keeps_paths_under_any_client_encoding(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1_größe", "SET client_encoding = 'LATIN1';\n");
    scene_file(s, "V2_日本", "SET client_encoding = 'LATIN1';\n");
    scene_file(s, "V3_größe",
               "CREATE TABLE public.nothing ();\nSET client_encoding = "
               "'SQL_ASCII';\n" ONE_BY_ONE);
    repo_commit(&s->repo, "names");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1_größe, applied V2_日本, applied V3_größe");
    scene_run(s, 0, "verify");
    assert_said(s, "(files: 3)");
}

/* Roles belong to the server, not to the database: only this test has these two. */
static void role_without_rights_on_the_ledger(void **state)
{
    struct scene *s = *state;
    char *sql = check_printf("CREATE ROLE owner_of_it LOGIN; CREATE ROLE reader;"
                             "GRANT reader TO owner_of_it;"
                             "ALTER TABLE log OWNER TO owner_of_it;"
                             "GRANT SELECT ON log TO reader;"
                             "ALTER DATABASE %s OWNER TO owner_of_it",
                             s->db);
    char *url = check_printf("host=%s port=%d user=owner_of_it dbname=%s",
                             scene_server.dir, scene_server.port, s->db);

    cluster_exec(&scene_server, s->db, sql);
    scene_set(s, "PROD_DATABASE_URL", url);
    scene_file(s, "V1", "SET ROLE reader; SELECT * FROM log;\n");
    scene_file(s, "V2", "COPY log (name) FROM stdin;\ncopied\n\\.\nSET ROLE reader;\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "roles");
    scene_run(s, 0, "apply");
    assert_log(s, "copied V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    assert_production(s, "SELECT DISTINCT applied_by FROM revtwin.ledger", "owner_of_it");
    free(sql);
    free(url);
}

/* Under "off" a backslash escapes, and the server would read other statements. */
static void strings_that_do_not_conform_are_refused(void **state)
{
    struct scene *s = *state;
    char *off =
        check_printf("ALTER DATABASE %s SET standard_conforming_strings = off", s->db);
    char *on = check_printf("CREATE ROLE conforming LOGIN SUPERUSER;"
                            "ALTER ROLE conforming IN DATABASE %s"
                            "    SET standard_conforming_strings = on",
                            s->db);
    char *url = check_printf("host=%s port=%d user=conforming dbname=%s",
                             scene_server.dir, scene_server.port, s->db);
    static const char *const commands[] = {"plan", "apply"};

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    cluster_exec(&scene_server, s->db, off);
    scene_run(s, 0, "apply"); /* there is nothing to apply */
    scene_run(s, 0, "verify");
    scene_file(s, "V2", "INSERT INTO log (name) VALUES ('a\\');\n");
    repo_commit(&s->repo, "a backslash");
    for (int i = 0; i < 2; i++) {
        scene_untouched(s, 3, commands[i]);
        assert_warned(s, "standard_conforming_strings is off on production");
        assert_warned(s, "ALTER ROLE");
    }
    cluster_exec(&scene_server, s->db, on);
    scene_set(s, "PROD_DATABASE_URL", url);
    scene_run(s, 0, "apply");
    assert_log(s, "V1 a\\");
    free(off);
    free(on);
    free(url);
}

static void savepoints_work(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1",
               "SAVEPOINT a;\nINSERT INTO log (name) VALUES ('undone');\n"
               "ROLLBACK TO a;\nINSERT INTO log (name) VALUES ('done');\nRELEASE a;\n"
               "SAVEPOINT left_open;\n");
    scene_migration(s, "V2");
    repo_commit(&s->repo, "savepoints");
    scene_run(s, 0, "apply");
    assert_log(s, "done V2");
    assert_ledger(s, "applied V1, applied V2");
}

static int start_server(void **state)
{
    scene_start_server(state);
    cluster_exec(&scene_server, "postgres", "CREATE ROLE outsider");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(nothing_leaks_in_the_pipeline),
        scene_test(nothing_leaks_statement_by_statement),
        scene_test(ledger_keeps_paths_under_any_client_encoding),
        scene_test(role_without_rights_on_the_ledger),
        scene_test(strings_that_do_not_conform_are_refused),
        scene_test(savepoints_work),
    };

    return cmocka_run_group_tests(tests, start_server, scene_stop_server);
}
