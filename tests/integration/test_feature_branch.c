/* plan on a laptop: a feature branch with and without production. */
#include "scene.h"

/* main has V1, which is applied; the feature branch has V5 and, uncommitted, V6. */
static void branch_off(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_branch(&s->repo, "feature");
    scene_step(s, "V4");
    scene_step(s, "V5");
}

static void expect_branch_plan(struct scene *s)
{
    assert_lacks(s->run.out, "migrations/V1.sql");
    assert_lacks(s->run.out, "migrations/V2.sql");
    assert_said(s, "migrations/V4.sql");
    assert_said(s, "migrations/V5.sql");
    assert_true(strstr(s->run.out, "V4.sql") < strstr(s->run.out, "V5.sql"));
}

static void plan_starts_at_the_merge_base(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    assert_said(s, "2 migrations to apply");
    assert_said(s, "1 applied already");
    assert_lacks(s->run.out, "PROD_DATABASE_URL");
}

static void main_may_have_moved_on(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_switch(&s->repo, "main");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    repo_switch(&s->repo, "feature");
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    assert_lacks(s->run.err, "V2.sql"); /* it is not deleted, only not merged yet */

    repo_git(&s->repo, "merge", "-q", "-m", "catch up", "main", NULL);
    scene_step(s, "V6");
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    assert_said(s, "migrations/V6.sql");
    assert_said(s, "3 migrations to apply");
}

static void production_may_be_ahead_of_what_was_fetched(void **state)
{
    struct scene *s = *state;
    struct repo origin = s->repo;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_clone(&s->repo, &origin, NULL);
    repo_branch(&s->repo, "feature");
    scene_step(s, "V4");
    scene_step(s, "V5");
    scene_run(s, 0, "plan");
    repo_write(&origin, "migrations/V2.sql", "SELECT 2;");
    repo_commit(&origin, "V2");
    scene_run(s, 0, "apply", "-C", origin.dir);
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    assert_lacks(s->run.err, "V2.sql");
    repo_clear(&origin);
}

static void merged_branch_applies_what_was_planned(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_switch(&s->repo, "main");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    repo_switch(&s->repo, "feature");
    repo_git(&s->repo, "merge", "-q", "-m", "catch up", "main", NULL);
    repo_switch(&s->repo, "main");
    repo_merge(&s->repo, REPO_MERGE, "feature");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V4 V5");
}

static void uncommitted_files_are_marked(void **state)
{
    struct scene *s = *state;
    const char *mark;

    branch_off(s);
    repo_write(&s->repo, ".gitignore", "*.tmp.sql\n");
    scene_step(s, "V6");
    scene_migration(s, "V8"); /* staged */
    repo_git(&s->repo, "add", "migrations/V8.sql", NULL);
    scene_migration(s, "new/V7"); /* untracked, in a new folder */
    scene_migration(s, "V7.down");
    scene_migration(s, "V9.tmp"); /* ignored */
    repo_write(&s->repo, "V10.sql", "SELECT 'not in the folder';");
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    mark = strstr(s->run.out, "not committed");
    assert_non_null(mark);
    assert_true(strstr(s->run.out, "V6.sql") < mark);
    assert_contains(mark, "migrations/new/V7.sql");
    assert_contains(mark, "migrations/V8.sql");
    assert_lacks(s->run.out, "V7.down.sql");
    assert_lacks(s->run.out, "V9.tmp.sql");
    assert_lacks(s->run.out, "V10.sql");
    assert_said(s, "5 migrations to apply");
}

static void uncommitted_files_are_checked(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_write(&s->repo, "migrations/V6.sql", "SELECT 1;\nSELECT 'open;\n");
    scene_untouched(s, 3, "plan");
    assert_warned(s, "migrations/V6.sql:2:8");
    repo_symlink(&s->repo, "migrations/V6.sql", "V5.sql");
    scene_untouched(s, 3, "plan");
    assert_warned(s, "migrations/V6.sql");
}

static void uncommitted_files_are_never_applied(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_migration(s, "V2");
    scene_run(s, 0, "plan");
    assert_lacks(s->run.out, "V2.sql");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
    scene_untouched(s, 0, "apply", "--ledger");
    assert_log(s, "V1");
}

static void plan_needs_no_production(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_untouched(s, 0, "plan");
    expect_branch_plan(s);
    assert_said(s, "2 migrations in this range");
    assert_said(s, "PROD_DATABASE_URL is not set");
    assert_said(s, "from git alone");
    scene_run(s, 0, "plan", "--json");
    assert_said(s, "\"already_applied\": null");
    scene_run(s, 2, "plan", "--ledger");
    assert_warned(s, "PROD_DATABASE_URL");
    assert_warned(s, "--base");
    scene_run(s, 0, "plan", "--base", "main");
    expect_branch_plan(s);
    scene_run(s, 2, "apply");
    assert_warned(s, "PROD_DATABASE_URL");
}

static void plan_of_a_file_that_cannot_run_needs_no_production(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_write(&s->repo, "migrations/V6.sql", "SELECT 1;\nCOMMIT;\n");
    repo_commit(&s->repo, "V6");
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_untouched(s, 3, "plan");
    assert_warned(s, "migrations/V6.sql:2:1");
}

static void branch_without_migrations_has_an_empty_plan(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_branch(&s->repo, "feature");
    scene_untouched(s, 0, "plan");
    assert_said(s, "0 migrations to apply");
}

static void detached_head_is_one_step(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_git(&s->repo, "switch", "-q", "--detach", NULL);
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_run(s, 0, "plan");
    assert_said(s, "V5.sql");
    assert_lacks(s->run.out, "V4.sql");
}

static void default_branch_is_configurable(void **state)
{
    struct scene *s = *state;

    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_step(s, "V1");
    repo_branch(&s->repo, "release");
    scene_step(s, "V2");
    repo_branch(&s->repo, "feature");
    scene_step(s, "V3");
    scene_run(s, 0, "plan");
    assert_said(s, "2 migrations in");
    scene_set(s, "REVTWIN_BRANCH", "release");
    scene_run(s, 0, "plan");
    assert_said(s, "1 migration in");
    scene_set(s, "REVTWIN_BRANCH", "main");
    scene_run(s, 0, "plan");
    assert_said(s, "2 migrations in");
    scene_run(s, 0, "plan", "--branch", "release");
    assert_said(s, "1 migration in");
    scene_run(s, 2, "plan", "--branch", "no-such");
    assert_warned(s, "no-such");
}

static void default_branch_of_a_clone_is_that_of_origin(void **state)
{
    struct scene *s = *state;
    struct repo origin = s->repo;

    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_step(s, "V1");
    repo_git(&s->repo, "branch", "-m", "main", "trunk", NULL);
    repo_clone(&s->repo, &origin, NULL);
    repo_branch(&s->repo, "feature");
    repo_git(&s->repo, "branch", "-q", "-D", "trunk", NULL);
    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "plan");
    assert_said(s, "2 migrations in");
    assert_lacks(s->run.out, "V1.sql");
    repo_clear(&origin);
}

static void what_is_not_merged_is_not_applied(void **state)
{
    struct scene *s = *state;
    struct repo origin = s->repo;
    struct rt_oid merged;

    branch_off(s);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "is not on branch main");
    scene_untouched(s, 3, "apply", "feature");
    scene_untouched(s, 3, "apply", "--ledger");
    scene_untouched(s, 3, "apply", "--base", "main");
    scene_run(s, 0, "apply", "--ledger", "--branch", "feature");
    assert_log(s, "V1 V4 V5");

    /* the branch here may be behind what is merged at origin */
    repo_git(&s->repo, "switch", "-q", "main", NULL);
    repo_clone(&s->repo, &origin, NULL);
    repo_git(&origin, "merge", "-q", "--no-ff", "-m", "merge", "feature", NULL);
    repo_write(&origin, "migrations/V7.sql", "INSERT INTO log (name) VALUES ('V7');");
    merged = repo_commit(&origin, "V7");
    repo_git(&s->repo, "fetch", "-q", "origin", NULL);
    scene_run(s, 0, "apply", merged.hex);
    assert_log(s, "V1 V4 V5 V7");
    repo_clear(&origin);
}

static void branch_of_production_that_is_missing_is_told(void **state)
{
    static const char *const commands[] = {"apply", "baseline"};
    struct scene *s = *state;

    branch_off(s);
    for (size_t i = 0; i < 2; i++) {
        scene_untouched(s, 2, commands[i], "main", "--branch", "no-such");
        assert_warned(s, "the branch \"no-such\" does not exist");
    }
    scene_set(s, "REVTWIN_BRANCH", "no-such");
    scene_untouched(s, 2, "apply", "--ledger");
    assert_warned(s, "\"no-such\"");
    assert_log(s, "V1");
}

/* A commit cannot say of itself that it is merged. */
static void branch_of_production_is_not_for_a_commit_to_set(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    repo_write(&s->repo, "revtwin.conf", "[migrations]\nbranch = feature\n");
    scene_step(s, "V6");
    scene_untouched(s, 2, "apply", "--ledger");
    assert_warned(s, "migrations.branch cannot be set in revtwin.conf");
    assert_warned(s, "REVTWIN_BRANCH");
    scene_untouched(s, 2, "plan");
    assert_log(s, "V1");
}

/* Its rows would carry commits that --ledger cannot start after on main. */
static void what_is_not_merged_is_no_baseline(void **state)
{
    struct scene *s = *state;

    branch_off(s);
    scene_untouched(s, 3, "baseline", "feature");
    assert_warned(s, "is not on branch main");
    assert_warned(s, "Nothing was changed");
    scene_run(s, 0, "baseline", "feature", "--branch", "feature");
    assert_ledger(s, "applied V1, baseline V4, baseline V5");
    scene_new_production(s);
    scene_run(s, 0, "baseline", "main");
    repo_git(&s->repo, "switch", "-q", "main", NULL);
    scene_step(s, "V2");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "baseline V1, applied V2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(plan_starts_at_the_merge_base),
        scene_test(main_may_have_moved_on),
        scene_test(production_may_be_ahead_of_what_was_fetched),
        scene_test(merged_branch_applies_what_was_planned),
        scene_test(uncommitted_files_are_marked),
        scene_test(uncommitted_files_are_checked),
        scene_test(uncommitted_files_are_never_applied),
        scene_test(plan_needs_no_production),
        scene_test(plan_of_a_file_that_cannot_run_needs_no_production),
        scene_test(branch_without_migrations_has_an_empty_plan),
        scene_test(what_is_not_merged_is_not_applied),
        scene_test(what_is_not_merged_is_no_baseline),
        scene_test(branch_of_production_that_is_missing_is_told),
        scene_test(branch_of_production_is_not_for_a_commit_to_set),
        scene_test(detached_head_is_one_step),
        scene_test(default_branch_is_configurable),
        scene_test(default_branch_of_a_clone_is_that_of_origin),
    };

    return cmocka_run_group_tests_name("feature branch", tests, scene_start_server,
                                       scene_stop_server);
}
