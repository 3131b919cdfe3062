/* Prisma's layout: what counts as a migration in it, and what is written for Prisma. */
#include "prisma.h"

/* ------------------------------------------------------------------ the layout */

static void the_lock_file_makes_the_layout(void **state)
{
    struct scene *s = *state;

    folder_step(s, "1_a");
    scene_run(s, 0, "apply");
    assert_lacks(s->run.out, "Prisma");
    assert_production(s, "SELECT to_regclass('_prisma_migrations') IS NULL", "t");

    scene_new_production(s);
    prisma_project(s, "2_b");
    scene_run(s, 0, "apply", "--base", "none");
    assert_said(s, "Prisma's layout, and Prisma's table public._prisma_migrations, which "
                   "is not there yet");
    assert_ledger(s, "applied 1_a/migration, applied 2_b/migration");
    assert_rows(s, "1_a done, 2_b done");
    scene_run(s, 0, "apply", "--ledger", "--layout", "plain");
    assert_lacks(s->run.out, "Prisma");
}

static void the_layout_by_setting(void **state)
{
    struct scene *s = *state;

    folder_step(s, "1_a");
    scene_run(s, 2, "apply", "--layout", "primsa");
    assert_warned(s, "--layout is \"primsa\", but should be auto, plain or prisma");
    scene_run(s, 0, "apply", "--layout", "prisma");
    assert_rows(s, "1_a done");

    repo_write(&s->repo, "revtwin.conf", "[migrations]\nlayout = prisma\n");
    folder_step(s, "2_b");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done, 2_b done");

    repo_write(&s->repo, "revtwin.conf", "");
    scene_set(s, "REVTWIN_LAYOUT", "prisma");
    folder_step(s, "3_c");
    scene_run(s, 0, "apply");
    assert_prisma_has_nothing_to_do(s);
}

static void another_provider_is_refused(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    repo_write(&s->repo, PRISMA_LOCK_FILE, "provider = \"mysql\"\n");
    folder_step(s, "2_b");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "refused: " PRISMA_LOCK_FILE
                     " says that the migrations are for \"mysql\"");
    assert_warned(s, "provider = \"postgresql\"");
    scene_untouched(s, 3, "plan");
    scene_untouched(s, 3, "baseline", "HEAD");

    repo_write(&s->repo, PRISMA_LOCK_FILE, "# empty\n");
    folder_step(s, "3_c");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "does not say what the migrations are for");
}

static void a_folder_without_its_script_is_refused(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    repo_write(&s->repo, "migrations/2_b/notes.md", "later");
    repo_write(&s->repo, "migrations/3_c/deeper/migration.sql", "SELECT 1;");
    folder_step(s, "4_d");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "2 folders of the migrations have no migration.sql");
    assert_warned(s, "migrations/2_b\n");
    assert_warned(s, "migrations/3_c\n");
    assert_log(s, "");
}

static void other_files_are_no_migrations(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_migration(s, "seed");
    scene_migration(s, "2_b/fix");
    scene_migration(s, "2_b/down");
    scene_migration(s, "2_b/deeper/migration");
    folder_step(s, "2_b");
    scene_run(s, 0, "apply", "--base", "none");
    assert_warned(s, "warning: migrations/seed.sql is not "
                     "NAME/migration.sql, as all migrations in Prisma's layout: never");
    assert_warned(s, "migrations/2_b/fix.sql is not NAME/migration.sql");
    assert_warned(s, "migrations/2_b/deeper/migration.sql is not NAME/migration.sql");
    assert_warned(s, "note: migrations/2_b/down.sql is a down");
    assert_log(s, "1_a/migration 2_b/migration");
    assert_prisma_has_nothing_to_do(s);
    scene_run(s, 3, "baseline", "HEAD", "migrations/seed.sql");
    assert_warned(s, "migrations/seed.sql is no migration in Prisma's layout");

    repo_branch(&s->repo, "feature");
    folder(s, "3_c");
    scene_migration(s, "another");
    scene_run(s, 0, "plan");
    assert_said(s, "migrations/3_c/migration.sql");
    assert_lacks(s->run.out, "another");
}

/* Prisma sorts names as bytes; other layouts count numbers. */
static void order_inside_a_step(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    folder(s, "9_b");
    folder(s, "10_c");
    folder(s, "9 d");
    repo_commit(&s->repo, "three at once");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline 1_a/migration, applied 10_c/migration, applied "
                     "9 d/migration, applied 9_b/migration");
}

/* ------------------------------------------------------------------ the rows */

static void a_row_commits_with_its_migration(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "20240101000000_a");
    scene_file(s, "20240102000000_b it's/migration",
               "\xef\xbb\xbf"
               "INSERT INTO log (name) VALUES ('b');\r\n"
               "SELECT pg_sleep(0.01);\r\n");
    repo_commit(&s->repo, "odd");
    scene_run(s, 0, "apply", "--base", "none");
    assert_rows(s, "20240101000000_a done, 20240102000000_b it's done");
    assert_prisma_has_nothing_to_do(s);
    assert_production(s,
                      "SELECT string_agg(DISTINCT (p.xmin = l.xmin)::text, ' ') FROM "
                      "_prisma_migrations p JOIN revtwin.ledger l ON l.path = "
                      "'migrations/' || migration_name || '/migration.sql'",
                      "true");
    assert_production(
        s,
        "SELECT DISTINCT id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
        "[0-9a-f]{12}$' AND applied_steps_count = 1 AND logs IS NULL AND "
        "started_at < finished_at AND finished_at <= now() FROM _prisma_migrations",
        "t");
    assert_production(s, "SELECT count(DISTINCT id) FROM _prisma_migrations", "2");
}

static void the_table_is_made_as_prisma_makes_it(void **state)
{
    struct scene *s = *state;
    char *ours, *theirs;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    ours = cluster_dump(&scene_server, s->db, "--schema-only",
                        "--table=_prisma_migrations", NULL);
    sql(s, "DROP TABLE _prisma_migrations; " PRISMA_TABLE);
    theirs = cluster_dump(&scene_server, s->db, "--schema-only",
                          "--table=_prisma_migrations", NULL);
    assert_text_equal(ours, theirs);
    free(ours);
    free(theirs);
}

static void a_failure_leaves_neither_row(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_file(s, "2_b/migration", "INSERT INTO log (name) VALUES ('b');\nSELECT 1/0;\n");
    folder(s, "3_c");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply", "--base", "none");
    assert_warned(s, "division by zero");
    assert_log(s, "1_a/migration");
    assert_ledger(s, "applied 1_a/migration");
    assert_rows(s, "1_a done");
    prisma_expects(s, "2_b 3_c");

    folder(s, "2_b");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger");
    assert_rows(s, "1_a done, 2_b done, 3_c done");
    assert_prisma_has_nothing_to_do(s);
}

/* Nor the table, which would tell Prisma that nothing was ever applied. */
static void a_first_failure_leaves_no_table(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_file(s, "1_a/migration", "SELECT 1/0;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply", "--base", "none");
    assert_production(s, "SELECT to_regclass('_prisma_migrations') IS NULL", "t");
    folder(s, "1_a");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--base", "none");
    assert_rows(s, "1_a done");
}

/* COPY runs one by one, and CREATE INDEX CONCURRENTLY outside of a transaction. */
static void files_of_every_kind(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_file(s, "2_copy/migration", "COPY log (name) FROM stdin;\ncopied\n\\.\n");
    scene_file(s, "3_alone/migration", "CREATE INDEX CONCURRENTLY i ON log (name);\n");
    scene_file(s, "4_empty/migration", "-- nothing\n");
    repo_commit(&s->repo, "kinds");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done, 2_copy done, 3_alone done, 4_empty done");
    assert_prisma_has_nothing_to_do(s);
}

/* ------------------------------------------------------------------ the schema */

static void files_that_change_the_search_path(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_file(s, "2_dump/migration",
               "SELECT pg_catalog.set_config('search_path', '', false);\n"
               "SET ROLE pg_monitor;\n");
    scene_file(s, "3_other/migration",
               "CREATE SCHEMA other;\nSET search_path TO other;\nCREATE TABLE x ();\n");
    repo_commit(&s->repo, "paths");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done, 2_dump done, 3_other done");
    assert_production(s, "SELECT to_regclass('other._prisma_migrations') IS NULL", "t");
}

static void set_path(struct scene *s, const char *path)
{
    char *text = check_printf("ALTER DATABASE %s SET search_path TO %s", s->db, path);

    sql(s, text);
    free(text);
}

static void the_first_schema_of_the_search_path(void **state)
{
    struct scene *s = *state;

    sql(s, "CREATE SCHEMA \"my app\"");
    set_path(s, "missing, \"my app\", public");
    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    assert_said(s, "Prisma's table \"my app\"._prisma_migrations");
    assert_rows(s, "1_a done");
    assert_production(s, "SELECT to_regclass('public._prisma_migrations') IS NULL", "t");

    /* Without it migrations would run in public, where Prisma never put them. */
    set_path(s, "public");
    folder_step(s, "2_b");
    scene_untouched(s, 3, "apply");
    assert_warned(s,
                  "Prisma's table is in schema \"my app\", and migrations would run in "
                  "schema public");
    assert_warned(s, "options=-csearch_path=NAME");
    scene_untouched(s, 3, "status");

    /* Two applications in one database, each with a table. */
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done, 2_b done");
    set_path(s, "\"my app\"");
    assert_rows(s, "1_a done");
}

static void no_schema_at_all(void **state)
{
    struct scene *s = *state;

    set_path(s, "missing");
    prisma_project(s, "1_a");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "the search path names no schema that exists");
}

/* ------------------------------------------------------------------ rights */

static void connect_as(struct scene *s, const char *role)
{
    char *url = check_printf("postgresql://%s@/%s?port=%d&host=%s", role, s->db,
                             scene_server.port, scene_server.dir);

    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
}

static void a_role_without_rights(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply");
    sql(s, "CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA revtwin TO app; GRANT ALL ON ALL "
           "TABLES IN SCHEMA revtwin TO app; GRANT INSERT ON log TO app");
    connect_as(s, "app");
    folder_step(s, "2_b");
    scene_run(s, 1, "apply");
    assert_warned(s, "cannot read prisma's history in public._prisma_migrations: "
                     "permission denied");

    sql(s, "GRANT SELECT ON _prisma_migrations TO app");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/2_b/migration.sql: cannot record the migration in "
                     "Prisma's table: permission denied");
    assert_warned(s, "What was under way was rolled back");
    assert_log(s, "1_a/migration");
    assert_rows(s, "1_a done");

    sql(s, "DROP TABLE _prisma_migrations; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    scene_run(s, 1, "apply");
    assert_warned(s, "cannot write the rows that public._prisma_migrations lacks: "
                     "permission denied");
    assert_warned(s, "No migration was started");
    assert_ledger(s, "applied 1_a/migration");

    sql(s, "GRANT CREATE ON SCHEMA public TO app");
    scene_run(s, 0, "apply");
    assert_rows(s, "1_a done, 2_b done");
    sql(s, "DROP OWNED BY app; DROP ROLE app");
}

static void a_role_that_may_not_make_the_table(void **state)
{
    struct scene *s = *state;

    sql(s, "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE guest LOGIN; "
           "GRANT INSERT ON log TO guest; CREATE SCHEMA revtwin; GRANT ALL ON SCHEMA "
           "revtwin TO guest");
    connect_as(s, "guest");
    prisma_project(s, "1_a");
    scene_run(s, 4, "apply");
    assert_warned(s, "cannot make Prisma's table: permission denied for schema public");
    assert_log(s, "");
    sql(s, "DROP OWNED BY guest; DROP ROLE guest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_lock_file_makes_the_layout),
        scene_test(the_layout_by_setting),
        scene_test(another_provider_is_refused),
        scene_test(a_folder_without_its_script_is_refused),
        scene_test(other_files_are_no_migrations),
        scene_test(order_inside_a_step),
        scene_test(a_row_commits_with_its_migration),
        scene_test(the_table_is_made_as_prisma_makes_it),
        scene_test(a_failure_leaves_neither_row),
        scene_test(a_first_failure_leaves_no_table),
        scene_test(files_of_every_kind),
        scene_test(files_that_change_the_search_path),
        scene_test(the_first_schema_of_the_search_path),
        scene_test(no_schema_at_all),
        scene_test(a_role_without_rights),
        scene_test(a_role_that_may_not_make_the_table),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
