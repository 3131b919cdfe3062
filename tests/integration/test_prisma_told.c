/* What revtwin has recorded by other means than running it is told to Prisma, too: what
 * only the ledger has, baselines, and what was amended. */
#include "prisma.h"

static void what_only_the_ledger_has(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    scene_run(s, 0, "apply", "--base", "none", "--layout", "plain");
    assert_production(s, "SELECT to_regclass('_prisma_migrations') IS NULL", "t");
    folder_step(s, "4_d");
    scene_untouched(s, 0, "plan", "HEAD");
    assert_warned(s, "note: 3 migrations that the ledger has have no row in "
                     "public._prisma_migrations: written first, so that Prisma does not "
                     "run them again");
    scene_run(s, 0, "apply");
    assert_warned(s, "migrations/2_b/migration.sql");
    assert_rows(s, "1_a done, 2_b done, 3_c done, 4_d done");
    assert_prisma_has_nothing_to_do(s);
    /* As "prisma migrate resolve --applied" has it. */
    assert_production(s,
                      "SELECT DISTINCT applied_steps_count = 0 AND logs = '' AND "
                      "started_at = finished_at FROM _prisma_migrations WHERE "
                      "migration_name <> '4_d'",
                      "t");

    /* Also when nothing is to be applied. */
    sql(s, "DELETE FROM _prisma_migrations WHERE migration_name IN ('1_a', '4_d')");
    prisma_expects(s, "1_a 4_d");
    scene_run(s, 0, "apply");
    assert_said(s, "nothing to apply");
    assert_prisma_has_nothing_to_do(s);
    assert_ledger(s,
                  "applied 1_a/migration, applied 2_b/migration, applied 3_c/migration, "
                  "applied 4_d/migration");
    scene_untouched(s, 0, "apply");
}

/* The rows are there even when the first migration fails: Prisma must not begin anew. */
static void what_the_ledger_has_goes_first(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply", "--base", "none", "--layout", "plain");
    scene_file(s, "2_b/migration", "SELECT 1/0;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply");
    assert_rows(s, "1_a done");
    prisma_expects(s, "2_b");
}

static void a_renamed_folder(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a");
    scene_run(s, 0, "apply", "--base", "none");
    repo_rename(&s->repo, "migrations/1_a", "migrations/1_better");
    repo_commit(&s->repo, "renamed");
    scene_run(s, 0, "apply");
    assert_warned(s, "was applied as migrations/1_a/migration.sql: renamed");
    assert_rows(s, "1_a done, 1_better done"); /* or Prisma would run it again */
    assert_prisma_has_nothing_to_do(s);
    scene_untouched(s, 0, "apply");
}

static void a_baseline_writes_the_rows(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    scene_untouched(s, 0, "baseline", "HEAD", "migrations/1_a/migration.sql",
                    "--dry-run");
    scene_run(s, 0, "baseline", "HEAD", "migrations/1_a/migration.sql");
    assert_rows(s, "1_a done");
    prisma_deploys(s, "2_b");
    scene_run(s, 0, "baseline", "HEAD");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration, baseline "
                     "3_c/migration");
    assert_rows(s, "1_a done, 2_b done, 3_c done");
    assert_log(s, "2_b/migration");
    assert_prisma_has_nothing_to_do(s);
}

static void the_base_of_a_first_run(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration, applied "
                     "3_c/migration");
    assert_rows(s, "1_a done, 2_b done, 3_c done");
    assert_log(s, "3_c/migration");
    assert_prisma_has_nothing_to_do(s);
}

/* It reads the table by itself, and has nothing to write there. */
static void adopting_in_prismas_layout(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b", "3_c");
    sql(s, PRISMA_TABLE);
    prisma_deploys(s, "1_a");
    prisma_deploys(s, "2_b");
    scene_run(s, 0, "baseline", "--from", "prisma");
    assert_said(s, "prisma's history in public._prisma_migrations: 2 rows");
    assert_lacks(s->run.out, "let revtwin alone");
    assert_ledger(s, "baseline 1_a/migration, baseline 2_b/migration");
    assert_rows(s, "1_a done, 2_b done");
    prisma_fails(s, "3_c");
    scene_run(s, 3, "baseline", "--from", "prisma");
    scene_run(s, 0, "baseline", "--from", "prisma", "--partial");
    prisma_rolls_back(s, "3_c");
    scene_run(s, 0, "apply");
    assert_prisma_has_nothing_to_do(s);
}

/* Where the ledger has the file, its checksum counts, and amend mends Prisma's. */
static void amending_tells_prisma(void **state)
{
    struct scene *s = *state;

    prisma_project(s, "1_a", "2_b");
    scene_run(s, 0, "apply", "--base", "none");
    scene_file(s, "1_a/migration", "SELECT 'harmless';\n");
    repo_commit(&s->repo, "changed");
    scene_untouched(s, 3, "apply");
    scene_run(s, 0, "amend", "migrations/1_a/migration.sql", "--reason", "typo");
    assert_prisma_has_nothing_to_do(s);
    assert_production(s,
                      "SELECT applied_steps_count FROM _prisma_migrations WHERE "
                      "migration_name = '1_a'",
                      "1");
    scene_run(s, 0, "apply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(what_only_the_ledger_has), scene_test(what_the_ledger_has_goes_first),
        scene_test(a_renamed_folder),         scene_test(a_baseline_writes_the_rows),
        scene_test(the_base_of_a_first_run),  scene_test(adopting_in_prismas_layout),
        scene_test(amending_tells_prisma),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
