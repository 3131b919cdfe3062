/* What Prisma has done is honoured: rows that are done, failed, rolled back, of changed
 * files and of missing folders. */
#include "prisma.h"

/* ------------------------------------------------------------------ applied by Prisma */

static void both_tools_in_turn(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    folder_step(s, "2_b");
    scene_run(s, 0, "apply");
    assert_warned(s,
                  "note: 1 migration was applied by Prisma, and the ledger is to have it "
                  "as baseline");
    assert_ledger(s, "baseline 1_a/migration, applied 2_b/migration");
    assert_prisma_has_nothing_to_do(s);

    folder_step(s, "3_c");
    prisma_expects(s, "3_c");
    prisma_deploys(s, "3_c");
    scene_run(s, 0, "apply"); /* the step that Prisma has applied */
    assert_said(s, "0 applied to production");
    assert_said(s, "1 recorded as baseline");
    folder_step(s, "4_d");
    prisma_deploys(s, "4_d");
    folder_step(s, "5_e");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "baseline 1_a/migration, applied 2_b/migration, baseline "
                     "3_c/migration, baseline 4_d/migration, applied 5_e/migration");
    assert_log(s,
               "1_a/migration 2_b/migration 3_c/migration 4_d/migration 5_e/migration");
    assert_rows(s, "1_a done, 2_b done, 3_c done, 4_d done, 5_e done");
    assert_prisma_has_nothing_to_do(s);
    assert_production(
        s, "SELECT DISTINCT reason FROM revtwin.ledger WHERE kind = 'baseline'",
        "applied by Prisma, as public._prisma_migrations says");
    scene_untouched(s, 0, "apply");
    scene_run(s, 0, "verify");
}

/* The commit of a row is the step that brought the file, so that --ledger goes on where
 * it should; what is outside of the range has the range's base. */
static void rows_stay_in_the_order_of_commits(void **state)
{
    struct scene *s = *state;
    struct rt_oid base, third;
    char *want;

    prisma_project(s, "1_a");
    base = folder_step(s, "2_b");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_deploys(s, "2_b");
    folder_step(s, "3_c");
    third = folder_step(s, "4_d");
    prisma_deploys(s, "4_d"); /* 3_c was resolved as rolled back, say */
    scene_file(s, "5_e/migration", "SELECT 1/0;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply", "--base", base.hex);
    assert_warned(s, "go on with: revtwin apply --ledger");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration, applied "
                     "3_c/migration, baseline 4_d/migration");
    want = check_printf("%s %s %s", base.hex, base.hex, third.hex);
    assert_production(s,
                      "SELECT string_agg(commit_oid, ' ' ORDER BY seq) FILTER (WHERE "
                      "kind = 'baseline') FROM revtwin.ledger",
                      want);
    free(want);
    folder(s, "5_e");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger");
    assert_prisma_has_nothing_to_do(s);
}

/* With the table there, a first run assumes nothing. */
static void the_table_counts_and_not_the_base(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "1 migration is in the tree, but neither in the ledger nor in this "
                     "range");
    assert_warned(s, "migrations/2_b/migration.sql");
    scene_untouched(s, 3, "apply", "--base", "HEAD^");
    scene_run(s, 0, "apply", "--base", "HEAD~2");
    assert_ledger(s, "baseline 1_a/migration, applied 2_b/migration, applied "
                     "3_c/migration");
}

/* ------------------------------------------------------------------ checksums */

static void line_ends_do_not_count(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b");
    scene_file(s, "3_crlf/migration", "SELECT 1;\r\nSELECT 2;\r\n");
    scene_file(s, "4_lf/migration", "SELECT 1;\nSELECT 2;\n");
    repo_commit(&s->repo, "files");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_deploys(s, "2_b");
    sql(s, "INSERT INTO _prisma_migrations SELECT gen_random_uuid()::text, "
           "encode(sha256(text::bytea), 'hex'), now(), name FROM (VALUES "
           "('3_crlf', E'SELECT 1;\\nSELECT 2;\\n'), "
           "('4_lf', E'SELECT 1;\\r\\nSELECT 2;\\r\\n')) AS v (name, text)");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration, baseline "
                     "3_crlf/migration, baseline 4_lf/migration");
    scene_run(s, 0, "verify");
}

static void a_changed_file_is_refused(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_deploys(s, "2_b");
    scene_file(s, "1_a/migration", "SELECT 'changed';\n");
    repo_commit(&s->repo, "changed");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/1_a/migration.sql was changed after Prisma applied it");
    assert_warned(s, "The SHA-256 in public._prisma_migrations is ");
    assert_warned(s, "Restore the file as it was");
    scene_untouched(s, 3, "plan");
    scene_untouched(s, 3, "baseline", "HEAD");
    scene_run(s, 7, "verify");
    folder(s, "1_a");
    repo_commit(&s->repo, "restored");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration");
}

/* ------------------------------------------------------------------ failed rows */

static void a_failed_migration_stops_everything(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_fails(s, "2_b");
    folder_step(s, "3_c");
    scene_untouched(s, 3, "apply");
    assert_warned(s,
                  "refused: 1 migration in public._prisma_migrations began and did not "
                  "finish: failed, or under way now");
    assert_warned(s, "2_b, started ");
    assert_warned(s, ": A migration failed to apply. Database error code: 42P01");
    assert_warned(s, "prisma migrate resolve --applied NAME, or --rolled-back NAME");
    scene_untouched(s, 3, "plan");
    scene_untouched(s, 3, "baseline", "HEAD");
    scene_untouched(s, 0, "status");
    assert_warned(s, "2_b, started ");

    /* As if it was never applied. */
    prisma_rolls_back(s, "2_b");
    scene_run(s, 0, "apply", "--base", "HEAD~2");
    assert_ledger(s, "baseline 1_a/migration, applied 2_b/migration, applied "
                     "3_c/migration");
    assert_rows(s, "1_a done, 2_b rolled back, 2_b done, 3_c done");
    assert_prisma_has_nothing_to_do(s);
}

static void a_failed_migration_that_was_resolved(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    sql(s, PRISMA_TABLE);
    prisma_fails(s, "1_a");
    scene_untouched(s, 3, "apply");
    prisma_rolls_back(s, "1_a"); /* resolve --applied does both */
    prisma_starts(s, "1_a");
    prisma_finishes(s, "1_a");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline 1_a/migration");
    assert_log(s, "");
    assert_rows(s, "1_a rolled back, 1_a done");
}

/* ------------------------------------------------------------------ missing folders */

static void a_missing_folder_is_a_warning(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_deploys(s, "2_b");
    repo_delete(&s->repo, "migrations/1_a");
    repo_commit(&s->repo, "squashed");
    folder_step(s, "4_d");
    scene_run(s, 0, "apply", "--base", "HEAD~3");
    assert_warned(s, "warning: 1 migration in public._prisma_migrations has no folder in "
                     "the tree");
    assert_warned(s, "1_a\n");
    assert_ledger(s,
                  "baseline 2_b/migration, applied 3_c/migration, applied 4_d/migration");

    /* What the ledger has is told of by the ledger. */
    repo_delete(&s->repo, "migrations/3_c");
    repo_commit(&s->repo, "deleted");
    scene_run(s, 0, "status");
    assert_warned(s, "1 applied migration is no longer in the tree");
    assert_lacks(s->run.err, "3_c\n1_a");
}

/* ------------------------------------------------------------------ looking */

static void what_is_shown(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    scene_untouched(s, 0, "plan", "HEAD");
    assert_said(s, "1 migration to apply");
    assert_said(s, "Prisma's layout, and Prisma's table public._prisma_migrations\n");
    assert_said(s, "baseline  migrations/1_a/migration.sql");
    scene_untouched(s, 0, "plan", "HEAD", "--json");
    assert_said(s, "\"prisma\": {\n    \"table\": \"public._prisma_migrations\",\n"
                   "    \"exists\": true,\n    \"rows\": 1,\n    \"lacks\": 0\n  }");
    scene_untouched(s, 0, "status");
    assert_said(s, "  1 pending");
    assert_said(s, "Prisma's layout, and Prisma's table public._prisma_migrations\n");
    assert_warned(s, "1 migration was applied by Prisma");
    scene_untouched(s, 0, "status", "--json");
    assert_said(s, "\"prisma\": {");
    assert_said(s, "\"path\": \"migrations/2_b/migration.sql\"");
    assert_lacks(s->run.out, "\"path\": \"migrations/1_a/migration.sql\"");
    scene_untouched(s, 0, "verify");
    assert_said(s, "Prisma's layout");
    scene_run(s, 0, "apply", "--json");
    assert_said(s, "\"prisma\": {");

    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_run(s, 0, "plan", "HEAD");
    assert_said(s, "Prisma's layout\n");
    scene_run(s, 0, "plan", "HEAD", "--json");
    assert_said(s, "\"prisma\": {}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(both_tools_in_turn),
        scene_test(rows_stay_in_the_order_of_commits),
        scene_test(the_table_counts_and_not_the_base),
        scene_test(line_ends_do_not_count),
        scene_test(a_changed_file_is_refused),
        scene_test(a_failed_migration_stops_everything),
        scene_test(a_failed_migration_that_was_resolved),
        scene_test(a_missing_folder_is_a_warning),
        scene_test(what_is_shown),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
