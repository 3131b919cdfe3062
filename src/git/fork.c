/* The default branch: where a feature branch left it, and what is merged into it. */
#include "base/mem.h"
#include "git/object.h"
#include "git/range.h"

#define REMOTE_PREFIX "refs/remotes/origin/"

/* The commit of PREFIXname; false when there is no such reference. */
static bool find_branch(git_oid *out, struct rt_repo *repo, const char *prefix,
                        const char *name)
{
    git_reference *ref = NULL;
    git_object *commit = NULL;
    char *full = rt_format("%s%s", prefix, name);
    bool found = git_reference_lookup(&ref, repo->git, full) == 0 &&
                 git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) == 0;

    if (found)
        *out = *git_object_id(commit);
    git_object_free(commit);
    git_reference_free(ref);
    free(full);
    return found;
}

/* The local branch and the one of origin, the commits that there are of the two. */
static size_t find_both(git_oid out[2], struct rt_repo *repo, const char *name)
{
    size_t count = 0;

    count += find_branch(&out[count], repo, "refs/heads/", name);
    count += find_branch(&out[count], repo, REMOTE_PREFIX, name);
    return count;
}

/* The branch that origin/HEAD points to, or NULL. */
static const char *origin_default(struct rt_arena *arena, struct rt_repo *repo)
{
    size_t len = strlen(REMOTE_PREFIX);
    git_reference *ref = NULL;
    const char *target, *name = NULL;

    if (git_reference_lookup(&ref, repo->git, REMOTE_PREFIX "HEAD") == 0) {
        target = git_reference_symbolic_target(ref);
        if (target && strncmp(target, REMOTE_PREFIX, len) == 0)
            name = rt_arena_strdup(arena, target + len);
    }
    git_reference_free(ref);
    return name;
}

/* The default branch's name, and its commits; NULL when there is none. */
static const char *find_default(git_oid out[2], size_t *count, struct rt_arena *arena,
                                struct rt_repo *repo, const char *given,
                                const char *likely)
{
    const char *names[] = {given, likely, NULL, "main", "master"};

    if (given == NULL)
        names[2] = origin_default(arena, repo);
    for (size_t i = 0; i < RT_COUNT(names) && (given == NULL || i == 0); i++) {
        if (names[i] && (*count = find_both(out, repo, names[i])) > 0)
            return rt_arena_strdup(arena, names[i]);
    }
    return NULL;
}

/*
 * The nearest of the merge bases with the local branch and with origin's: either may be
 * behind. For git, that is the merge base with a merge of the two.
 */
static int nearest_base(struct rt_oid *out, struct rt_repo *repo, const git_oid *commits,
                        size_t count, struct rt_err *err)
{
    git_oid base;
    int rc = git_merge_base_many(&base, repo->git, count, commits);

    if (rc == 0)
        *out = rt_oid_make(&base);
    if (rc == 0 || (rc == GIT_ENOTFOUND && !repo->shallow))
        return 0;
    rt_git_error(err, repo->shallow ? RT_EREFUSED : RT_EINTERNAL,
                 "cannot find where HEAD left the default branch");
    return rt_shallow_hint(err, repo);
}

/* HEAD's branch, for the caller to free; NULL when HEAD is not on a branch. */
static git_reference *head_branch(struct rt_repo *repo)
{
    git_reference *head = NULL;

    if (git_repository_head(&head, repo->git) == 0 && git_reference_is_branch(head))
        return head;
    git_reference_free(head);
    return NULL;
}

int rt_range_fork_point(struct rt_oid *out, const char **branch, struct rt_arena *arena,
                        struct rt_repo *repo, const char *default_branch,
                        struct rt_err *err)
{
    git_reference *head = head_branch(repo);
    git_oid commits[3];
    size_t count = 0;
    int rc = 0;

    *out = (struct rt_oid){""};
    *branch = NULL;
    if (head == NULL || !git_reference_target(head))
        goto done;
    *branch = find_default(commits + 1, &count, arena, repo, default_branch, NULL);
    if (*branch == NULL) {
        if (default_branch && strcmp(git_reference_shorthand(head), default_branch) != 0)
            rc = rt_err_set(err, RT_EUSAGE, "the default branch \"%s\" does not exist",
                            default_branch);
        goto done;
    }
    if (strcmp(git_reference_shorthand(head), *branch) == 0)
        goto done;
    commits[0] = *git_reference_target(head);
    rc = nearest_base(out, repo, commits, count + 1, err);
done:
    git_reference_free(head);
    return rc;
}

int rt_repo_is_merged(const char **branch, struct rt_arena *arena, struct rt_repo *repo,
                      const struct rt_oid *commit, const char *default_branch,
                      const char *likely, struct rt_err *err)
{
    git_oid ends[2];
    size_t count = 0;
    int rc = 0;

    *branch = find_default(ends, &count, arena, repo, default_branch, likely);
    if (*branch == NULL && default_branch)
        return rt_err_set(err, RT_EUSAGE, "the branch \"%s\" does not exist",
                          default_branch);
    if (*branch == NULL)
        return 1;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct rt_oid end = rt_oid_make(&ends[i]);

        rc = rt_repo_is_ancestor(repo, commit, &end, err);
    }
    return rc;
}
