/*
 * The tools themselves make a history, and revtwin adopts it. Their programs are in
 * TOOLS_DIR, where ci/tools installs them.
 *
 * Each leaves its table as tests/corpus/history/NAME.sql has it, which test_foreign.c
 * reads where no tool is installed: the columns are compared here, and with TOOLS_WRITE
 * set the files are written anew.
 */
#include "tool.h"

/* ------------------------------------------------------------------ the corpus */

static char *columns_of(const char *db, const char *table)
{
    char *sql =
        check_printf("SELECT column_name || ' ' || data_type || ' ' || is_nullable "
                     "FROM information_schema.columns WHERE table_schema || '.' || "
                     "table_name = '%s' ORDER BY ordinal_position",
                     table);
    char *columns = cluster_query(&scene_server, db, sql);

    free(sql);
    return columns;
}

/* The dump without what depends on the server's version, and on the day. */
static void write_corpus(struct scene *s, const char *path, const char *table)
{
    char *only = check_printf("--table=%s", table);
    char *dump =
        cluster_dump(&scene_server, s->db, "--inserts", "--no-owner", only, NULL);
    FILE *file = fopen(path, "w");

    if (file == NULL)
        check_fail("cannot write %s", path);
    for (char *line = dump, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (*line && strncmp(line, "--", 2) != 0 && strncmp(line, "SET ", 4) != 0 &&
            strncmp(line, "SELECT pg_catalog.set_config", 28) != 0)
            fprintf(file, "%s\n", line);
    }
    fclose(file);
    free(dump);
    free(only);
}

static void compare_corpus(struct scene *s, const char *name, const char *table)
{
    char *path = check_printf("%s/%s.sql", HISTORY_DIR, name);
    char *got = columns_of(s->db, table), *want;
    const char *load[] = {"psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", path, NULL, NULL};

    if (getenv("TOOLS_WRITE"))
        write_corpus(s, path, table);
    scene_new_production(s);
    cluster_exec(&scene_server, s->db, "CREATE SCHEMA graphile_migrate");
    load[6] = strchr(s->env[0], '=') + 1;
    run_clear(&s->run);
    run_program(&s->run, NULL, NULL, load);
    run_expect(&s->run, 0);
    want = columns_of(s->db, table);
    assert_text_equal(got, want);
    free(got);
    free(want);
    free(path);
}

/* ------------------------------------------------------------------ the tools */

#define TABLE "CREATE TABLE IF NOT EXISTS log (id serial, name text);\n"
#define LOG(name) "INSERT INTO log (name) VALUES ('" name "');\n"
#define BOTH(up, down, name) \
    up "\n" LOG(name) down "\nDELETE FROM log WHERE name = '" name "';\n"

static void dbmate_files(struct scene *s)
{
    scene_file(s, "0020_a", BOTH("-- migrate:up", "-- migrate:down", "a"));
    scene_file(s, "20240101000000", BOTH("-- migrate:up", "-- migrate:down", "b"));
    repo_commit(&s->repo, "two");
    scene_file(s, "20240102000000_c", BOTH("-- migrate:up", "-- migrate:down", "c"));
    repo_commit(&s->repo, "third");
}

static void dbmate(void **state)
{
    struct scene *s = *state;
    const char *const folder[] = {"--migrations-dir", "migrations", "--no-dump-schema"};

    dbmate_files(s);
    tool(s, 0, PROGRAM("dbmate"), folder[0], folder[1], folder[2], "migrate");
    tool(s, 0, PROGRAM("dbmate"), folder[0], folder[1], folder[2], "rollback");
    assert_log(s, "a b");
    scene_run(s, 0, "baseline", "--from", "dbmate");
    assert_ledger(s, "baseline 0020_a, baseline 20240101000000");
    scene_untouched(s, 3, "apply", "--ledger"); /* do and undo */
    scene_file(s, "20240102000000_c", "-- migrate:up\n" LOG("c") "-- migrate:down\n");
    repo_commit(&s->repo, "without the way back");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "a b c");
    compare_corpus(s, "dbmate", "public.schema_migrations");
}

static void prisma(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "DROP TABLE log"); /* or Prisma does not begin */
    repo_write(&s->repo, "migrations/migration_lock.toml", "provider = \"postgresql\"\n");
    scene_file(s, "20240101000000_a/migration", TABLE LOG("a"));
    scene_file(s, "20240102000000_b/migration", LOG("b") "SELECT 1;\r\n");
    repo_commit(&s->repo, "two");
    scene_file(s, "20240103000000_c/migration", LOG("c") "SELECT 1/0;\n");
    repo_commit(&s->repo, "one that fails");
    tool(s, 1, PRISMA, "deploy", CONFIG);
    scene_untouched(s, 3, "baseline", "--from", "prisma");
    assert_warned(s, "20240103000000_c: migrations/20240103000000_c/migration.sql");

    tool(s, 0, PRISMA, "resolve", CONFIG, "--rolled-back", "20240103000000_c");
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_ledger(s, "baseline 20240101000000_a/migration, "
                     "baseline 20240102000000_b/migration");

    scene_file(s, "20240103000000_c/migration", LOG("c"));
    repo_commit(&s->repo, "mended");
    tool(s, 0, PRISMA, "resolve", CONFIG, "--applied", "20240103000000_c");
    scene_step(s, "20240104000000_d/migration");
    tool(s, 0, PRISMA, "deploy", CONFIG);
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_said(s, "2 migrations recorded as applied, 2 in the ledger before");
    scene_file(s, "20240104000000_d/migration", LOG("other"));
    repo_commit(&s->repo, "change what was applied");
    scene_untouched(s, 3, "baseline", "--from", "prisma");
    assert_warned(s, "1 file was changed after prisma applied it");
    compare_corpus(s, "prisma", "public._prisma_migrations");
}

static void node_pg_migrate(void **state)
{
    struct scene *s = *state;

    scene_file(s, "1700000000000_a", BOTH("-- Up Migration", "-- Down Migration", "a"));
    scene_file(s, "1700000000001_b.c", LOG("b"));
    repo_commit(&s->repo, "two");
    scene_file(s, "1700000000002_d", BOTH("-- Up Migration", "-- Down Migration", "d"));
    repo_commit(&s->repo, "third");
    tool(s, 0, PROGRAM("node-pg-migrate"), "-m", "migrations", "up");
    tool(s, 0, PROGRAM("node-pg-migrate"), "-m", "migrations", "down");
    assert_log(s, "a b");
    scene_run(s, 0, "baseline", "--from", "node-pg-migrate");
    assert_ledger(s, "baseline 1700000000000_a, baseline 1700000000001_b.c");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "migrations/1700000000002_d.sql:3");
    compare_corpus(s, "node-pg-migrate", "public.pgmigrations");
}

#define GRAPHILE PROGRAM("graphile-migrate")
#define COMMITTED "--path", "migrations/committed"

static void graphile_migrate(void **state)
{
    struct scene *s = *state;
    char *shadow = check_printf("%s_shadow", s->db);

    cluster_createdb(&scene_server, shadow);
    free(shadow);
    repo_write(&s->repo, ".gmrc", "{}");
    scene_file(s, "current", TABLE LOG("a"));
    tool(s, 0, GRAPHILE, "commit");
    scene_file(s, "current", LOG("b"));
    tool(s, 0, GRAPHILE, "commit", "-m", "second one");
    repo_commit(&s->repo, "two");
    assert_log(s, "a b");
    scene_run(s, 0, "baseline", "--from", "graphile-migrate", COMMITTED);
    assert_ledger(s, "baseline committed/000001, baseline committed/000002-second-one");
    compare_corpus(s, "graphile-migrate", "graphile_migrate.migrations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tool_test(dbmate),
        tool_test(prisma),
        tool_test(node_pg_migrate),
        tool_test(graphile_migrate),
    };

    return cmocka_run_group_tests(tests, tool_start_server, scene_stop_server);
}
