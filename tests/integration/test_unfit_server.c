/* A production that cannot take the migrations, or not all of them: it is told apart from
 * a mistake in the files, and once it is mended a rerun goes on. */
#include "scene.h"

/* The runs to come connect to production as this role. */
static void connect_as(struct scene *s, const char *role)
{
    char *url = check_printf("host=%s port=%d user=%s dbname=%s", scene_server.dir,
                             scene_server.port, role, s->db);

    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
}

__attribute__((format(printf, 2, 3))) static void exec(struct scene *s,
                                                       const char *format, ...)
{
    char *sql = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&sql, format, args) < 0)
        check_fail("out of memory");
    va_end(args);
    cluster_exec(&scene_server, s->db, sql);
    free(sql);
}

/* ------------------------------------------------------------------ read-only */

/* Changes are refused before anything is sent, and looking works. */
static void expect_read_only(struct scene *s, const char *because)
{
    scene_untouched(s, 1, "apply");
    assert_warned(s, "production (PROD_DATABASE_URL)");
    assert_warned(s, because);
    assert_warned(s, "writer");
    assert_warned(s, "Nothing was changed");
    scene_untouched(s, 1, "baseline", "HEAD");
    assert_warned(s, because);
    scene_run(s, 0, "plan", "HEAD");
    assert_said(s, "migrations/V2.sql");
    scene_run(s, 0, "status");
    assert_said(s, "1 pending");
    scene_run(s, 0, "verify");
}

static void begin_release(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
}

static void end_release(struct scene *s)
{
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2");
    assert_ledger(s, "applied V1, applied V2");
}

static void server_in_recovery(void **state)
{
    struct scene *s = *state;

    begin_release(s);
    exec(s, "COPY (SELECT) TO '%s/data/standby.signal'", scene_server.dir);
    cluster_halt(&scene_server, CLUSTER_FAST);
    cluster_resume(&scene_server);
    expect_read_only(s, "in recovery");
    cluster_exec(&scene_server, "postgres", "SELECT pg_promote()");
    end_release(s);
}

static void role_is_read_only(void **state)
{
    struct scene *s = *state;

    begin_release(s);
    exec(s, "CREATE ROLE reader LOGIN SUPERUSER; ALTER ROLE reader SET "
            "default_transaction_read_only = on");
    connect_as(s, "reader");
    expect_read_only(s, "default_transaction_read_only");
    exec(s, "ALTER ROLE reader RESET default_transaction_read_only");
    end_release(s);
}

static void database_is_read_only(void **state)
{
    struct scene *s = *state;

    begin_release(s);
    exec(s, "ALTER DATABASE %s SET default_transaction_read_only = on", s->db);
    expect_read_only(s, "default_transaction_read_only");
    exec(
        s,
        "BEGIN READ WRITE; ALTER DATABASE %s RESET default_transaction_read_only; COMMIT",
        s->db);
    end_release(s);
}

static void server_is_read_only(void **state)
{
    struct scene *s = *state;

    begin_release(s);
    cluster_exec(&scene_server, "postgres",
                 "ALTER SYSTEM SET default_transaction_read_only = on");
    cluster_exec(&scene_server, "postgres", "SELECT pg_reload_conf()");
    cluster_wait(&scene_server, "postgres",
                 "SELECT current_setting('default_transaction_read_only') = 'on'");
    expect_read_only(s, "default_transaction_read_only");
    cluster_exec(&scene_server, "postgres",
                 "ALTER SYSTEM RESET default_transaction_read_only");
    cluster_exec(&scene_server, "postgres", "SELECT pg_reload_conf()");
    cluster_wait(&scene_server, "postgres",
                 "SELECT current_setting('default_transaction_read_only') = 'off'");
    end_release(s);
}

/* ------------------------------------------------------------------ in the middle */

/* V2 of three fails; when its cause is mended, the rest goes in. */
static void expect_second_to_fail(struct scene *s, const char *const said[static 3])
{
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V2.sql:2:1: ");
    for (int i = 0; i < 3; i++)
        assert_warned(s, said[i]);
    assert_warned(s, "rolled back");
    assert_warned(s, "1 of 3 migrations are in");
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    scene_run(s, 0, "status");
    assert_said(s, "2 pending");
    scene_run(s, 0, "verify");
}

static void expect_the_rest(struct scene *s)
{
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

static void three_files(struct scene *s, const char *second)
{
    scene_migration(s, "V1");
    scene_file(s, "V2", second);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
}

/* The table's file is the device that is always full. */
static void disk_is_full(void **state)
{
    struct scene *s = *state;
    char *path;

    exec(s, "CREATE TABLE events (at int)");
    path = cluster_query(&scene_server, s->db, "SELECT pg_relation_filepath('events')");
    exec(s, "COPY (SELECT) TO PROGRAM 'ln -sf /dev/full %s'", path);
    three_files(s, "INSERT INTO log (name) VALUES ('half');\n"
                   "INSERT INTO events SELECT generate_series(1, 10);\n");
    expect_second_to_fail(s, (const char *const[]){"SQLSTATE 53100",
                                                   "No space left on device",
                                                   "Check free disk space"});
    assert_production(s, "SELECT count(*) FROM events", "0");
    exec(s, "COPY (SELECT) TO PROGRAM 'rm %s && : > %s'", path, path);
    expect_the_rest(s);
    assert_log(s, "V1 half V3");
    assert_production(s, "SELECT count(*) FROM events", "10");
    free(path);
}

static void role_has_a_statement_timeout(void **state)
{
    struct scene *s = *state;

    exec(s, "CREATE ROLE hasty LOGIN SUPERUSER; ALTER ROLE hasty SET "
            "statement_timeout = '300ms'");
    connect_as(s, "hasty");
    three_files(s, "SELECT 1;\nSELECT pg_sleep(1);\n");
    expect_second_to_fail(s, (const char *const[]){"SQLSTATE 57014", "statement timeout",
                                                   "--statement-timeout"});
    scene_run(s, 0, "apply", "--ledger", "--statement-timeout", "1min");
    expect_the_rest(s);
}

static void role_has_no_rights_on_one_table(void **state)
{
    struct scene *s = *state;

    exec(s, "CREATE ROLE clerk LOGIN; GRANT INSERT, SELECT ON log TO clerk;"
            "CREATE TABLE salaries (amount int)");
    exec(s, "GRANT CREATE ON DATABASE %s TO clerk", s->db);
    connect_as(s, "clerk");
    three_files(s, "INSERT INTO log (name) VALUES ('half');\n"
                   "UPDATE salaries SET amount = amount * 2;\n");
    expect_second_to_fail(s, (const char *const[]){"SQLSTATE 42501", "permission denied",
                                                   "table salaries"});
    exec(s, "GRANT SELECT, UPDATE ON salaries TO clerk");
    expect_the_rest(s);
    assert_log(s, "V1 half V3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(role_is_read_only),
        scene_test(database_is_read_only),
        scene_test(server_is_read_only),
        scene_test(disk_is_full),
        scene_test(role_has_a_statement_timeout),
        scene_test(role_has_no_rights_on_one_table),
        scene_test(server_in_recovery),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
