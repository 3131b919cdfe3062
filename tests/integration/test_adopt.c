/*
 * baseline --from: the history of another tool, in a table as that tool makes it, matched
 * to the files of the repository. test_foreign.c has the reading of the tables.
 */
#include "scene.h"

/* Run SQL on production. */
static void sql(struct scene *s, const char *text)
{
    cluster_exec(&scene_server, s->db, text);
}

/* The text of a file of scene_migration, as SQL. */
#define TEXT_OF(name) "'INSERT INTO log (name) VALUES (''" name "'');' || chr(10)"

static void refused(struct scene *s, const char *tool)
{
    scene_untouched(s, 3, "baseline", "--from", tool);
    assert_warned(s, "Production was not changed");
    assert_production(s, "SELECT to_regclass('revtwin.ledger') IS NULL", "t");
}

/* ------------------------------------------------------------------ Flyway */

#define FLYWAY_ROW(rank, version, description, type, script, checksum)               \
    "INSERT INTO flyway_schema_history VALUES (" rank ", " version ", '" description \
    "', '" type "', '" script "', " checksum ", 'u', now(), 1, true);"

static void flyway_table(struct scene *s)
{
    sql(s, "CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, "
           "version varchar(50), description varchar(200) NOT NULL, "
           "type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, "
           "installed_by varchar(100) NOT NULL, "
           "installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, "
           "success boolean NOT NULL)");
}

static void flyway(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1__a");
    scene_step(s, "V1_2__b");
    scene_step(s, "V1_10__c");
    scene_step(s, "R__view");
    scene_step(s, "V2__d");
    flyway_table(s);
    sql(s,
        FLYWAY_ROW("0", "NULL", "<< Flyway Schema Creation >>", "SCHEMA", "",
                   "NULL") FLYWAY_ROW("1", "'1'", "a", "SQL", "V1__a.sql", "159662245")
            FLYWAY_ROW("2", "'1.2'", "b", "SQL", "V1_2__b.sql", "1436680534")
                FLYWAY_ROW("3", "'1.10'", "c", "SQL", "V1_10__c.sql", "763921666")
                    FLYWAY_ROW("4", "NULL", "view", "SQL", "R__view.sql", "651774282"));
    scene_run(s, 0, "baseline", "--from", "flyway");
    assert_said(s, "R__ files too");
    assert_ledger(s, "baseline V1__a, baseline V1_2__b, baseline V1_10__c, "
                     "baseline R__view");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V2__d");
}

/* A Java migration has no .sql file; a repeatable one was changed since. */
static void flyway_left_over(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1__a");
    scene_step(s, "R__view");
    flyway_table(s);
    sql(s, FLYWAY_ROW("1", "'1'", "a", "SQL", "V1__a.sql", "159662245")
               FLYWAY_ROW("2", "'2'", "code", "JDBC", "db.migration.V2__code", "NULL")
                   FLYWAY_ROW("3", "NULL", "view", "SQL", "R__view.sql", "7"));
    refused(s, "flyway");
    assert_warned(s, "1 migration that flyway applied has no file");
    assert_warned(s, "db.migration.V2__code");
    assert_warned(s, "1 file was changed after flyway applied it");
    assert_warned(s, "migrations/R__view.sql");
    assert_warned(s, "2 problems");
    scene_run(s, 0, "baseline", "--from", "flyway", "--partial");
    assert_ledger(s, "baseline V1__a");
}

static void flyway_placeholders(void **state)
{
    struct scene *s = *state;

    scene_file(s, "R__view", "CREATE OR REPLACE VIEW v AS SELECT ${x} AS x;");
    scene_step(s, "V1__a");
    flyway_table(s);
    sql(s, FLYWAY_ROW("1", "'1'", "a", "SQL", "V1__a.sql", "159662245")
               FLYWAY_ROW("2", "NULL", "view", "SQL", "R__view.sql", "7"));
    scene_run(s, 0, "baseline", "--from", "flyway");
    assert_warned(s, "1 file could not be checked against flyway's checksum");
    assert_ledger(s, "baseline R__view, baseline V1__a");
}

/* What is at or below Flyway's baseline, Flyway never runs. */
static void flyway_baseline(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1__a");
    scene_step(s, "B1__all");
    scene_step(s, "V1_2__b");
    scene_step(s, "V1_10__c");
    scene_step(s, "V2__d");
    flyway_table(s);
    sql(s, FLYWAY_ROW("1", "'1.2'", "<< Flyway Baseline >>", "BASELINE", "", "NULL")
               FLYWAY_ROW("2", "'1.10'", "c", "SQL", "V1_10__c.sql", "763921666"));
    scene_run(s, 0, "baseline", "--from", "flyway");
    assert_ledger(s, "baseline V1__a, baseline B1__all, baseline V1_2__b, "
                     "baseline V1_10__c");
}

/* ------------------------------------------------------------------ up and down in one
 */

#define DBMATE(up, down) "-- migrate:up\n" up "\n\n-- migrate:down\n" down "\n"
#define LOG(name) "INSERT INTO log (name) VALUES ('" name "');"

static void dbmate(void **state)
{
    struct scene *s = *state;

    scene_file(s, "20240101_a", DBMATE(LOG("a"), "DELETE FROM log;"));
    scene_file(s, "0020", DBMATE(LOG("b"), "DELETE FROM log;"));
    repo_commit(&s->repo, "two");
    sql(s, "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
           "INSERT INTO schema_migrations VALUES ('20240101'), ('0020')");
    scene_run(s, 0, "baseline", "--from", "dbmate");
    assert_said(s, "put them into NAME.down.sql");
    assert_ledger(s, "baseline 0020, baseline 20240101_a");

    /* a pending one would be done and undone at once */
    scene_file(s, "20240102_c", DBMATE(LOG("c"), "DELETE FROM log;"));
    repo_commit(&s->repo, "third");
    scene_untouched(s, 3, "plan", "--ledger");
    assert_warned(s, "migrations/20240102_c.sql:4");
    assert_warned(s, "revtwin runs every file whole");
    assert_warned(s, "-- migrate:down\n");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_log(s, "");

    scene_file(s, "20240102_c", DBMATE(LOG("c"), ""));
    scene_file(s, "20240102_c.down", "DELETE FROM log;");
    repo_commit(&s->repo, "its own file");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "c");
}

static void goose(void **state)
{
    struct scene *s = *state;

    scene_file(s, "00001_a", "-- +goose Up\n" LOG("a") "\n-- +goose Down\nSELECT 1;");
    scene_file(s, "00002_b", "-- +goose Up\n" LOG("b") "\n-- +goose Down\nSELECT 1;");
    scene_file(s, "00003_c", "-- +goose Up\n" LOG("c") "\n");
    repo_commit(&s->repo, "three");
    sql(s, "CREATE TABLE goose_db_version (id integer PRIMARY KEY GENERATED BY DEFAULT "
           "AS IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT NULL, "
           "tstamp timestamp NOT NULL DEFAULT now());"
           "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), "
           "(1, true), (2, true), (3, true), (3, false)");
    scene_run(s, 0, "baseline", "--from", "goose");
    assert_ledger(s, "baseline 00001_a, baseline 00002_b");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "c");
}

static void goose_in_code(void **state)
{
    struct scene *s = *state;

    scene_file(s, "00001_a", "-- +goose Up\n" LOG("a"));
    repo_write(&s->repo, "migrations/00002_b.go", "package migrations");
    repo_commit(&s->repo, "two");
    sql(s, "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied "
           "boolean, tstamp timestamp);"
           "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), "
           "(1, true), (2, true)");
    refused(s, "goose");
    assert_warned(s, "1 migration that goose applied has no file");
    assert_warned(s, "another language than SQL");
    scene_run(s, 0, "baseline", "--from", "goose", "--partial");
    assert_ledger(s, "baseline 00001_a");
}

/* ------------------------------------------------------------------ golang-migrate */

static void golang_history(struct scene *s, const char *row)
{
    char *insert = check_printf("INSERT INTO schema_migrations VALUES (%s)", row);

    for (int i = 8; i <= 11; i++) {
        char *up = check_printf("%06d_m.up", i), *down = check_printf("%06d_m.down", i);

        scene_migration(s, up);
        scene_file(s, down, "SELECT 1/0;");
        repo_commit(&s->repo, up);
        free(up);
        free(down);
    }
    sql(s, "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, "
           "dirty boolean NOT NULL)");
    sql(s, insert);
    free(insert);
}

static void golang_migrate(void **state)
{
    struct scene *s = *state;

    golang_history(s, "10, false");
    scene_run(s, 0, "baseline", "--from", "golang-migrate");
    assert_said(s, "every file up to it counts as applied");
    assert_ledger(s, "baseline 000008_m.up, baseline 000009_m.up, baseline 000010_m.up");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "000011_m.up");
}

static void golang_migrate_dirty(void **state)
{
    struct scene *s = *state;

    golang_history(s, "10, true");
    refused(s, "golang-migrate");
    assert_warned(s, "10: migrations/000010_m.up.sql");
    scene_run(s, 0, "baseline", "--from", "golang-migrate", "--partial");
    assert_ledger(s, "baseline 000008_m.up, baseline 000009_m.up");
}

static void golang_migrate_without_the_version(void **state)
{
    struct scene *s = *state;

    golang_history(s, "12, false");
    refused(s, "golang-migrate");
    assert_warned(s, "1 migration that golang-migrate applied has no file");
}

/* ------------------------------------------------------------------ sqlx and others */

static void sqlx(void **state)
{
    struct scene *s = *state;
    const char *const insert =
        "INSERT INTO _sqlx_migrations VALUES (1, 'a', now(), true, "
        "sha384(convert_to(" TEXT_OF(
            "0001_a") ", 'UTF8')), 1), (2, 'b', now(), true, "
                      "sha384(convert_to(" TEXT_OF(
                          "0002_b.up") ", 'UTF8')), 1), "
                                       "(3, 'c', now(), false, '\\x00', 1)";

    scene_step(s, "0001_a");
    scene_file(s, "0002_b.down", "SELECT 1/0;");
    scene_step(s, "0002_b.up");
    scene_step(s, "0003_c");
    sql(s, "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text "
           "NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean "
           "NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)");
    sql(s, insert);
    refused(s, "sqlx");
    assert_warned(s, "3 c: migrations/0003_c.sql");
    sql(s, "DELETE FROM _sqlx_migrations WHERE NOT success");
    scene_run(s, 0, "baseline", "--from", "sqlx");
    assert_ledger(s, "baseline 0001_a, baseline 0002_b.up");
}

static void sqlx_changed(void **state)
{
    struct scene *s = *state;

    scene_step(s, "0001_a");
    sql(s, "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, "
           "installed_on timestamptz, success boolean, checksum bytea, "
           "execution_time bigint);"
           "INSERT INTO _sqlx_migrations VALUES (1, 'a', now(), true, sha384('x'), 1)");
    refused(s, "sqlx");
    assert_warned(s, "1 file was changed after sqlx applied it");
}

static void node_pg_migrate(void **state)
{
    struct scene *s = *state;

    scene_file(s, "1700000000000_a", LOG("a") "\n-- Down Migration\nDELETE FROM log;");
    scene_file(s, "1700000000001_b", LOG("b") "\n-- Down Migration\nDELETE FROM log;");
    repo_commit(&s->repo, "two");
    sql(s,
        "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, "
        "run_on timestamp NOT NULL);"
        "INSERT INTO pgmigrations (name, run_on) VALUES ('1700000000000_a', now())");
    scene_run(s, 0, "baseline", "--from", "node-pg-migrate");
    assert_ledger(s, "baseline 1700000000000_a");
    scene_untouched(s, 3, "plan", "--ledger");
    assert_warned(s, "migrations/1700000000001_b.sql:2");
}

static void graphile_migrate(void **state)
{
    struct scene *s = *state;

    scene_file(s, "000001", "--! Previous: -\n--! Hash: sha1:aa\n\n" LOG("a"));
    scene_file(s, "000002-b", "--! Previous: sha1:aa\n--! Hash: sha1:bb\n\n" LOG("b"));
    repo_commit(&s->repo, "two");
    sql(s, "CREATE SCHEMA graphile_migrate;"
           "CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY, "
           "previous_hash text, filename text NOT NULL, date timestamptz NOT NULL "
           "DEFAULT now());"
           "INSERT INTO graphile_migrate.migrations VALUES ('sha1:aa', NULL, "
           "'000001.sql'), ('sha1:cc', 'sha1:aa', '000002.sql')");
    refused(s, "graphile-migrate");
    assert_warned(s, "migrations/000002-b.sql");
    sql(s, "UPDATE graphile_migrate.migrations SET hash = 'sha1:bb' WHERE "
           "hash = 'sha1:cc'");
    scene_run(s, 0, "baseline", "--from", "graphile-migrate");
    assert_ledger(s, "baseline 000001, baseline 000002-b");
}

/* ------------------------------------------------------------------ any tool */

static void several_files_of_one_version(void **state)
{
    struct scene *s = *state;

    scene_step(s, "00001_a");
    scene_step(s, "1_b");
    scene_step(s, "2_c");
    sql(s, "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied "
           "boolean, tstamp timestamp);"
           "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, true), "
           "(2, true)");
    refused(s, "goose");
    assert_warned(s, "1 migration of goose fits more than one file");
    assert_warned(s, "1: migrations/00001_a.sql, migrations/1_b.sql");
    scene_run(s, 0, "baseline", "--from", "goose", "--partial");
    assert_ledger(s, "baseline 2_c");
}

static void no_table(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_untouched(s, 2, "baseline", "--from", "flyway");
    assert_warned(s, "has no table flyway_schema_history of flyway");
    assert_warned(s, "--table");
}

static void table_by_name(void **state)
{
    struct scene *s = *state;

    scene_step(s, "00001_a");
    sql(s, "CREATE SCHEMA \"My App\";"
           "CREATE TABLE \"My App\".versions (id serial, version_id bigint, is_applied "
           "boolean, tstamp timestamp);"
           "INSERT INTO \"My App\".versions (version_id, is_applied) VALUES (1, true)");
    scene_untouched(s, 2, "baseline", "--from", "goose", "--table", "versions");
    scene_run(s, 0, "baseline", "--from", "goose", "--table", "\"My App\".versions");
    assert_said(s, "goose's history in \"My App\".versions: 1 row\n");
    assert_ledger(s, "baseline 00001_a");
}

static void table_that_may_not_be_read(void **state)
{
    struct scene *s = *state;
    char *url = check_printf("host=%s port=%d user=reader dbname=%s", scene_server.dir,
                             scene_server.port, s->db);

    scene_step(s, "00001_a");
    sql(s, "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied "
           "boolean, tstamp timestamp); CREATE ROLE reader LOGIN");
    scene_set(s, "PROD_DATABASE_URL", url);
    scene_untouched(s, 1, "baseline", "--from", "goose");
    assert_warned(s, "cannot read goose's history in public.goose_db_version");
    assert_warned(s, "permission denied");
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(flyway),
        scene_test(flyway_left_over),
        scene_test(flyway_placeholders),
        scene_test(flyway_baseline),
        scene_test(dbmate),
        scene_test(goose),
        scene_test(goose_in_code),
        scene_test(golang_migrate),
        scene_test(golang_migrate_dirty),
        scene_test(golang_migrate_without_the_version),
        scene_test(sqlx),
        scene_test(sqlx_changed),
        scene_test(node_pg_migrate),
        scene_test(graphile_migrate),
        scene_test(several_files_of_one_version),
        scene_test(no_table),
        scene_test(table_by_name),
        scene_test(table_that_may_not_be_read),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
