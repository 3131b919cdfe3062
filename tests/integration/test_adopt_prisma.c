/*
 * baseline --from on a history of Prisma's: what is recorded and what is left over, and
 * what does not depend on the tool. test_adopt.c has the others.
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

#define A "20240101000000_a/migration"
#define B "20240102000000_b b/migration"
#define C "20240103000000_c/migration"

static void prisma_row(struct scene *s, const char *name, const char *text,
                       const char *rest)
{
    char *row = check_printf(
        "INSERT INTO _prisma_migrations (id, migration_name, checksum, %s "
        "FROM (SELECT '%s', '%s', encode(sha256(convert_to(%s, 'UTF8')), 'hex')) AS row",
        rest, name, name, text);

    sql(s, row);
    free(row);
}

#define FINISHED "finished_at) SELECT *, now()"
#define UNFINISHED "logs) SELECT *, 'error'"

/* Three folders, a step each; Prisma applied the first two. */
static void prisma_history(struct scene *s)
{
    scene_step(s, A);
    scene_step(s, B);
    scene_step(s, C);
    sql(s, "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, "
           "checksum varchar(64) NOT NULL, finished_at timestamptz, "
           "migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, "
           "started_at timestamptz NOT NULL DEFAULT clock_timestamp(), "
           "applied_steps_count integer NOT NULL DEFAULT 0)");
    prisma_row(s, "20240101000000_a", TEXT_OF(A), FINISHED);
    prisma_row(s, "20240102000000_b b", TEXT_OF(B), FINISHED);
}

static void prisma(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_said(s, "prisma's history in public._prisma_migrations: 2 rows");
    assert_said(s, "2 migrations recorded as applied");
    assert_said(s, "1 other is pending: revtwin apply --ledger runs it");
    assert_ledger(s, "baseline " A ", baseline " B);
    assert_production(s, "SELECT DISTINCT reason FROM revtwin.ledger",
                      "applied by prisma, as public._prisma_migrations says");
    assert_production(s, "SELECT count(DISTINCT commit_oid) = 2 FROM revtwin.ledger",
                      "t");
    scene_run(s, 0, "verify");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, C);
    assert_ledger(s, "baseline " A ", baseline " B ", applied " C);
}

static void second_time_records_what_came_since(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    scene_run(s, 0, "baseline", "--from", "prisma");
    scene_untouched(s, 0, "baseline", "--from", "prisma");
    assert_said(s, "0 migrations recorded as applied, 2 in the ledger before");
    prisma_row(s, "20240103000000_c", TEXT_OF(C), FINISHED);
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_ledger(s, "baseline " A ", baseline " B ", baseline " C);
    assert_lacks(s->run.out, "pending");
}

static void prisma_failed(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    prisma_row(s, "20240103000000_c", TEXT_OF(C), UNFINISHED);
    refused(s, "prisma");
    assert_warned(s, "1 migration failed or never finished, prisma says");
    assert_warned(s, "20240103000000_c: migrations/" C ".sql");
    assert_warned(s, "--partial");
    scene_run(s, 0, "baseline", "--from", "prisma", "--partial");
    assert_warned(s, "warning: 1 migration failed or never finished");
    assert_warned(s, "revtwin baseline REV PATH");
    assert_ledger(s, "baseline " A ", baseline " B);
}

static void prisma_resolved(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    prisma_row(s, "20240103000000_c", TEXT_OF(C), UNFINISHED);
    sql(s, "UPDATE _prisma_migrations SET rolled_back_at = now() "
           "WHERE finished_at IS NULL");
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_said(s, "1 other is pending");
    assert_ledger(s, "baseline " A ", baseline " B);
}

static void prisma_changed(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    scene_file(s, A, "SELECT 'something else';");
    repo_commit(&s->repo, "change");
    refused(s, "prisma");
    assert_warned(s, "1 file was changed after prisma applied it");
    assert_warned(s, "migrations/" A ".sql");
    scene_run(s, 0, "baseline", "--from", "prisma", "--partial");
    assert_ledger(s, "baseline " B);
    assert_said(s, "2 others are pending: revtwin apply --base ");
}

/* Checked out with CRLF where Prisma ran, and LF in git; and the other way round. */
static void prisma_line_ends(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    sql(s, "UPDATE _prisma_migrations SET checksum = encode(sha256(convert_to("
           "replace(" TEXT_OF(A) ", chr(10), chr(13) || chr(10)), 'UTF8')), 'hex') "
                                 "WHERE migration_name = '20240101000000_a'");
    scene_file(s, B, "INSERT INTO log (name) VALUES ('" B "');\r\n");
    repo_commit(&s->repo, "other line ends");
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_ledger(s, "baseline " A ", baseline " B);
}

static void missing_files(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    prisma_row(s, "20230101000000_squashed", "'x'", FINISHED);
    prisma_row(s, "20230102000000_gone", "'x'", FINISHED);
    refused(s, "prisma");
    assert_warned(s, "2 migrations that prisma applied have no file in commit");
    assert_warned(s, "20230101000000_squashed\n");
    assert_warned(s, "20230102000000_gone\n");
    scene_run(s, 0, "baseline", "--from", "prisma", "--partial");
    assert_warned(s, "warning: 2 migrations that prisma applied have no file");
    assert_ledger(s, "baseline " A ", baseline " B);
}

static void wrong_folder(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    repo_write(&s->repo, "other/V1.sql", "SELECT 1;");
    repo_commit(&s->repo, "another folder");
    scene_untouched(s, 3, "baseline", "--from", "prisma", "--path", "other");
    assert_warned(s, "is it the right folder? --path names another");
}

/* ------------------------------------------------------------------ any tool */

static void older_revision(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    scene_run(s, 0, "baseline", "--from", "prisma", "HEAD~1");
    assert_ledger(s, "baseline " A ", baseline " B);
    assert_lacks(s->run.out, "pending");
}

static void dry_run_and_json(void **state)
{
    struct scene *s = *state;

    prisma_history(s);
    scene_untouched(s, 0, "baseline", "--from", "prisma", "--dry-run");
    assert_said(s, "2 migrations to record as applied");
    assert_said(s, "1 other is pending");
    scene_untouched(s, 0, "baseline", "--from", "prisma", "--dry-run", "--json");
    assert_said(s, "\"from\": \"prisma\"");
    assert_said(s, "\"table\": \"public._prisma_migrations\"");
    assert_said(s, "\"pending\": 1");
    assert_said(s, "\"action\": \"baseline\"");
}

static void history_of_git_that_is_cut_off(void **state)
{
    struct scene *s = *state;
    struct repo full = s->repo;

    prisma_history(s);
    repo_clone(&s->repo, &full, "--depth=1", NULL);
    scene_untouched(s, 3, "baseline", "--from", "prisma");
    assert_warned(s, "fetch-depth: 0");
    repo_clear(&full);
}

static void usage(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_untouched(s, 2, "baseline", "--from", "prizma");
    assert_warned(s, "Did you mean prisma?");
    scene_untouched(s, 2, "baseline", "--partial", "HEAD");
    assert_warned(s, "--partial is only for --from");
    scene_untouched(s, 2, "baseline", "--table", "t", "HEAD");
    assert_warned(s, "--table is only for --from");
    scene_untouched(s, 2, "baseline", "--from", "prisma", "HEAD", "migrations/V1.sql");
    assert_warned(s, "--from takes no PATH");
    scene_untouched(s, 2, "baseline");
    assert_warned(s, "baseline needs REV, or --from TOOL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(prisma),
        scene_test(second_time_records_what_came_since),
        scene_test(prisma_failed),
        scene_test(prisma_resolved),
        scene_test(prisma_changed),
        scene_test(prisma_line_ends),
        scene_test(missing_files),
        scene_test(wrong_folder),
        scene_test(usage),
        scene_test(older_revision),
        scene_test(dry_run_and_json),
        scene_test(history_of_git_that_is_cut_off),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
