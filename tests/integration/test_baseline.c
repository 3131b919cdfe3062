/* Recording by hand: what is recorded is said before, and with paths nothing else is. */
#include "scene.h"

/* V1 is applied, V2 to V4 are merged, a step each. */
static void merge_four(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    scene_step(s, "V3");
    scene_step(s, "V4");
}

static void only_the_path_is_recorded(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_run(s, 0, "baseline", "HEAD", "migrations/V2.sql");
    assert_said(s, "baseline  migrations/V2.sql");
    assert_said(s, "1 migration recorded as applied");
    assert_ledger(s, "applied V1, baseline V2");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, baseline V2, applied V3, applied V4");
    assert_log(s, "V1 V3 V4");
}

static void row_has_the_commit_that_brought_the_file(void **state)
{
    struct scene *s = *state;
    struct rt_oid brought;
    char *want;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    brought = scene_step(s, "V2");
    scene_step(s, "V3");
    scene_run(s, 0, "baseline", "HEAD", "migrations/V2.sql");
    want = check_printf("%s 0", brought.hex);
    assert_production(
        s, "SELECT commit_oid || ' ' || statements FROM revtwin.ledger WHERE seq = 2",
        want);
    scene_run(s, 0, "verify");
    free(want);
}

/* The command that "... pending: revtwin apply ... runs" gives, run as it stands. */
static void follow_the_advice(struct scene *s)
{
    const char *from = strstr(s->run.out, "pending: revtwin apply ");
    char option[16], *rev = check_printf("%s", from ? from : "");
    int words;

    if (from == NULL)
        check_fail("no advice in\n%s", s->run.out);
    words = sscanf(from, "pending: revtwin apply %15s %s", option, rev);
    assert_int_equal(words, 2);
    if (strcmp(option, "--ledger") == 0)
        scene_run(s, 0, "apply", option);
    else
        scene_run(s, 0, "apply", option, rev);
    free(rev);
}

static void what_stays_pending_is_said_with_the_way_on(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_run(s, 0, "baseline", "HEAD", "migrations/V2.sql");
    assert_said(s, "2 others are pending: revtwin apply --ledger runs them");
    follow_the_advice(s);
    assert_log(s, "V1 V3 V4");
}

/* V2 and V3 arrived before V4, from where --ledger would start. */
static void way_on_goes_back_to_the_oldest_pending_file(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_run(s, 0, "baseline", "HEAD", "migrations/V4.sql");
    assert_said(s, "2 others are pending: revtwin apply --base ");
    follow_the_advice(s);
    assert_ledger(s, "applied V1, baseline V4, applied V2, applied V3");
    scene_run(s, 0, "verify");
    scene_untouched(s, 0, "apply", "--ledger");
}

static void several_paths_in_the_order_of_their_steps(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_run(s, 0, "baseline", "HEAD", "migrations/V3.sql", "./migrations//V2.sql",
              "migrations/V3.sql");
    assert_ledger(s, "applied V1, baseline V2, baseline V3");
    assert_said(s, "1 other is pending");
}

static void unknown_path_is_refused(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_untouched(s, 3, "baseline", "HEAD", "migrations/V2.sql", "migration/V3.sql");
    assert_warned(s, "migration/V3.sql is not a migration in the tree of commit");
    assert_warned(s, "Did you mean migrations/V3.sql?");
    assert_warned(s, "Production was not changed");
    /* in a later commit, but not in this one */
    scene_untouched(s, 3, "baseline", "HEAD~1", "migrations/V4.sql");
    assert_warned(s, "migrations/V4.sql is not a migration in the tree of commit");
    scene_untouched(s, 2, "baseline", "HEAD", "../V2.sql");
    assert_warned(s, "not below the repository's root");
    assert_ledger(s, "applied V1");
}

static void recorded_path_is_said(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_untouched(s, 0, "baseline", "HEAD", "migrations/V1.sql");
    assert_warned(s, "migrations/V1.sql is in the ledger already: applied at ");
    assert_said(s, "0 migrations recorded as applied, 1 in the ledger before");
}

static void changed_path_is_refused_and_its_neighbours_do_not_matter(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_file(s, "V1", "SELECT 'other';");
    repo_commit(&s->repo, "change V1");
    scene_untouched(s, 3, "baseline", "HEAD", "migrations/V1.sql");
    assert_warned(s, "migrations/V1.sql was changed after it was applied");
    scene_run(s, 0, "baseline", "HEAD", "migrations/V2.sql");
    assert_ledger(s, "applied V1, baseline V2");
}

static void down_path_is_refused(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1.down", "DROP TABLE log;");
    scene_step(s, "V1");
    scene_untouched(s, 3, "baseline", "HEAD", "migrations/V1.down.sql");
    assert_warned(s, "migrations/V1.down.sql is a down migration");
}

static void path_in_place_of_the_revision(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_untouched(s, 2, "baseline", "migrations/V2.sql");
    assert_warned(s, "The revision comes first: revtwin baseline HEAD migrations/V2.sql");
}

static void everything_is_listed_before_it_is_recorded(void **state)
{
    struct scene *s = *state;
    const char *list, *done;

    merge_four(s);
    scene_run(s, 0, "baseline", "HEAD");
    list = strstr(s->run.out, "3 migrations to record as applied in production");
    done = strstr(s->run.out, "3 migrations recorded as applied");
    assert_non_null(list);
    assert_non_null(done);
    assert_true(list < done);
    for (int i = 2; i <= 4; i++) {
        char *line = check_printf("baseline  migrations/V%d.sql", i);
        const char *at = strstr(s->run.out, line);

        assert_true(at && list < at && at < done);
        free(line);
    }
    assert_warned(s, "all 3 migrations of commit ");
    assert_warned(s, "with a PATH behind REV, only that one");
    assert_ledger(s, "applied V1, baseline V2, baseline V3, baseline V4");
}

static void dry_run_changes_nothing(void **state)
{
    struct scene *s = *state;

    merge_four(s);
    scene_untouched(s, 0, "baseline", "--dry-run", "HEAD");
    assert_said(s, "baseline  migrations/V4.sql");
    assert_said(s, "nothing was changed");
    scene_untouched(s, 0, "baseline", "-n", "HEAD", "migrations/V2.sql");
    assert_said(s, "1 migration to record");
    assert_said(s, "2 others are pending");
    scene_untouched(s, 3, "baseline", "-n", "HEAD", "migrations/V9.sql");
    assert_ledger(s, "applied V1");
}

static void dry_run_needs_no_ledger(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_untouched(s, 0, "baseline", "--dry-run", "HEAD");
    assert_said(s, "1 migration to record");
    assert_production(s, "SELECT to_regnamespace('revtwin') IS NULL", "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(only_the_path_is_recorded),
        scene_test(row_has_the_commit_that_brought_the_file),
        scene_test(what_stays_pending_is_said_with_the_way_on),
        scene_test(way_on_goes_back_to_the_oldest_pending_file),
        scene_test(several_paths_in_the_order_of_their_steps),
        scene_test(unknown_path_is_refused),
        scene_test(recorded_path_is_said),
        scene_test(changed_path_is_refused_and_its_neighbours_do_not_matter),
        scene_test(down_path_is_refused),
        scene_test(path_in_place_of_the_revision),
        scene_test(everything_is_listed_before_it_is_recorded),
        scene_test(dry_run_changes_nothing),
        scene_test(dry_run_needs_no_ledger),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
