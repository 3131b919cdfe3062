/* Where a feature branch left the default branch. */
#include "fixture.h"

/* The fork point is this commit (NULL: there is none), of this branch (NULL: none). */
static void expect_fork(struct fixture *f, const char *given, const struct rt_oid *oid,
                        const char *name)
{
    struct rt_oid fork;
    const char *branch;

    expect_ok(f, rt_range_fork_point(&fork, &branch, &f->arena, f->git, given, &f->err));
    assert_string_equal(fork.hex, oid ? oid->hex : "");
    if (name)
        assert_string_equal(branch, name);
    else
        assert_null(branch);
}

static void main_and_master_are_known(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base;

    base = repo_commit(&f->repo, "base");
    repo_branch(&f->repo, "feature");
    repo_commit(&f->repo, "work");
    expect_fork(f, NULL, &base, "main");
    repo_git(&f->repo, "branch", "-q", "-m", "main", "master", NULL);
    expect_fork(f, NULL, &base, "master");
    repo_git(&f->repo, "branch", "-q", "-m", "master", "trunk", NULL);
    expect_fork(f, NULL, NULL, NULL);
    expect_fork(f, "trunk", &base, "trunk");
}

static void a_given_branch_must_exist(void **state)
{
    struct fixture *f = *state;
    struct rt_oid fork;
    const char *branch;

    repo_commit(&f->repo, "base");
    repo_branch(&f->repo, "feature");
    expect_error(f,
                 rt_range_fork_point(&fork, &branch, &f->arena, f->git, "nope", &f->err),
                 RT_EUSAGE, "the default branch \"nope\" does not exist");
    expect_fork(f, "feature", NULL, "feature");
}

static void the_default_branch_itself_has_none(void **state)
{
    struct fixture *f = *state;

    expect_fork(f, NULL, NULL, NULL); /* unborn */
    repo_commit(&f->repo, "base");
    expect_fork(f, NULL, NULL, "main");
    expect_fork(f, "main", NULL, "main");
    repo_git(&f->repo, "switch", "-q", "--detach", NULL);
    expect_fork(f, NULL, NULL, NULL);
}

static void origin_says_its_default(void **state)
{
    struct fixture *f = *state;
    struct rt_oid base;
    struct repo clone;

    base = repo_commit(&f->repo, "base");
    repo_git(&f->repo, "branch", "-q", "-m", "main", "trunk", NULL);
    repo_clone(&clone, &f->repo, NULL);
    fixture_open(f, &clone);
    repo_branch(&clone, "main"); /* not the default here */
    repo_commit(&clone, "work");
    expect_fork(f, NULL, &base, "trunk");
    repo_git(&clone, "branch", "-q", "-D", "trunk", NULL);
    expect_fork(f, NULL, &base, "trunk");
    expect_fork(f, "trunk", &base, "trunk");
    repo_clear(&clone);
}

/* The local branch may be behind origin's, or before it: the nearer one counts. */
static void the_nearer_of_local_and_origin_counts(void **state)
{
    struct fixture *f = *state;
    struct rt_oid newer, newest;
    struct repo clone;

    repo_commit(&f->repo, "old");
    repo_clone(&clone, &f->repo, NULL);
    fixture_open(f, &clone);
    newer = repo_commit(&f->repo, "newer");
    repo_git(&clone, "fetch", "-q", NULL);
    repo_git(&clone, "switch", "-q", "-c", "feature", "origin/main", NULL);
    repo_commit(&clone, "work");
    expect_fork(f, NULL, &newer, "main");
    repo_switch(&clone, "main");
    repo_git(&clone, "merge", "-q", "origin/main", NULL);
    newest = repo_commit(&clone, "not pushed");
    repo_branch(&clone, "other");
    repo_commit(&clone, "work");
    expect_fork(f, NULL, &newest, "main");
    repo_clear(&clone);
}

static void main_merged_into_the_branch_moves_it(void **state)
{
    struct fixture *f = *state;
    struct rt_oid tip;

    repo_commit(&f->repo, "base");
    repo_branch(&f->repo, "feature");
    repo_commit(&f->repo, "work");
    repo_switch(&f->repo, "main");
    tip = repo_commit(&f->repo, "meanwhile");
    repo_commit(&f->repo, "later");
    repo_switch(&f->repo, "feature");
    repo_merge(&f->repo, REPO_MERGE, "main~1");
    expect_fork(f, NULL, &tip, "main");
}

static void unrelated_branches_have_none(void **state)
{
    struct fixture *f = *state;

    repo_commit(&f->repo, "base");
    repo_git(&f->repo, "switch", "-q", "--orphan", "other", NULL);
    repo_commit(&f->repo, "other root");
    expect_fork(f, NULL, NULL, "main");
}

static void a_shallow_clone_says_so(void **state)
{
    struct fixture *f = *state;
    struct repo shallow;
    struct rt_oid fork;
    const char *branch;

    repo_commit(&f->repo, "base");
    repo_branch(&f->repo, "feature");
    repo_commit(&f->repo, "work");
    repo_switch(&f->repo, "main");
    repo_commit(&f->repo, "meanwhile");
    repo_clone(&shallow, &f->repo, "--depth=1", "--no-single-branch", NULL);
    repo_git(&shallow, "switch", "-q", "feature", NULL);
    fixture_open(f, &shallow);
    expect_error(f, rt_range_fork_point(&fork, &branch, &f->arena, f->git, NULL, &f->err),
                 RT_EREFUSED, "cannot find where HEAD left the default branch");
    expect_shallow_hint(f);
    repo_clear(&shallow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(main_and_master_are_known),
        fixture_test(a_given_branch_must_exist),
        fixture_test(the_default_branch_itself_has_none),
        fixture_test(origin_says_its_default),
        fixture_test(the_nearer_of_local_and_origin_counts),
        fixture_test(main_merged_into_the_branch_moves_it),
        fixture_test(unrelated_branches_have_none),
        fixture_test(a_shallow_clone_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
