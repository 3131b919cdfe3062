/*
 * Generated histories, against git's own log: for each added file the first step that
 * added it, in the order of the first-parent history.
 */
#include "base/str.h"
#include "fixture.h"

enum { MERGES = 14, SEEDS = 4 };

static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

/* Write, rewrite or delete a few files; the names meet again. */
static void commit_something(struct fixture *f)
{
    for (unsigned n = 1 + pick(3); n > 0; n--) {
        char *name = check_printf("%s%u.sql", pick(3) ? "" : "sub/", pick(20));
        char *path = check_printf("%s/" FOLDER "/%s", f->repo.dir, name);
        FILE *there = fopen(path, "r");

        if (there && pick(2))
            delete_sql(f, name);
        else
            write_sql(f, name);
        if (there)
            fclose(there);
        free(name);
        free(path);
    }
    repo_commit(&f->repo, "work");
}

/* A branch of one to three commits, merged in one of the three ways. */
static void merge_something(struct fixture *f)
{
    repo_branch(&f->repo, "feature");
    for (unsigned n = 1 + pick(3); n > 0; n--)
        commit_something(f);
    repo_switch(&f->repo, "main");
    repo_merge(&f->repo, (enum repo_merge)pick(3), "feature");
    repo_git(&f->repo, "branch", "-q", "-D", "feature", NULL);
}

/* What git says: "@step" and the names that it adds, each ended by NUL or newline. */
static char *ask_git(struct fixture *f, struct rt_oid base)
{
    char *range = check_printf("%s..HEAD", base.hex);
    char *log =
        repo_git_output(&f->repo, "log", "--first-parent", "--reverse", "--no-renames",
                        "--diff-merges=first-parent", "--diff-filter=A", "--name-only",
                        "--format=@%H", range, "--", FOLDER, NULL);

    free(range);
    return log;
}

static const struct rt_arrival *find_arrival(const struct rt_range *range,
                                             const char *path)
{
    for (size_t i = 0; i < range->count; i++) {
        if (strcmp(range->arrivals[i].origin, path) == 0)
            return &range->arrivals[i];
    }
    return NULL;
}

/* Compare with git's log; returns the number of files that are arrivals by it. */
static size_t check_against_log(const struct rt_range *range,
                                const struct rt_listing *before, char *log)
{
    const char *step = "", *seen[64];
    const struct rt_arrival *last = NULL;
    size_t count = 0;
    char *rest = log;

    for (char *line; (line = strsep(&rest, "\n"));) {
        const struct rt_arrival *arrival;
        bool again = rt_listing_find(before, line) != NULL;

        if (*line == '@')
            step = line + 1;
        for (size_t i = 0; i < count; i++)
            again |= strcmp(seen[i], line) == 0;
        if (*line == '@' || *line == '\0' || again)
            continue;
        seen[count++] = line;
        arrival = find_arrival(range, line);
        assert_non_null(arrival);
        assert_string_equal(arrival->step.hex, step);
        assert_true(!last || strcmp(last->step.hex, step) == 0 || last < arrival);
        last = arrival;
    }
    return count;
}

static void expect_final_state(struct fixture *f, const struct rt_range *range)
{
    struct rt_listing now;

    expect_ok(f,
              rt_tree_list(&now, &f->arena, f->git, &range->tip, FOLDER, false, &f->err));
    for (size_t i = 0; i < range->count; i++) {
        const struct rt_arrival *a = &range->arrivals[i];
        const struct rt_entry *entry = rt_listing_find(&now, a->path);

        assert_string_equal(a->path, a->origin);
        assert_int_equal(a->deleted, entry == NULL);
        assert_int_equal(a->edited, entry && strcmp(entry->oid.hex, a->oid.hex) != 0);
        if (i > 0 && strcmp(a[-1].step.hex, a->step.hex) == 0)
            assert_true(rt_natural_compare(a[-1].origin, a->origin) < 0);
    }
}

static void arrivals_equal_gits_log(void **state)
{
    struct fixture *f = *state;

    for (random_state = 1; random_state <= SEEDS; random_state++) {
        unsigned seed = random_state;
        struct rt_listing before;
        struct rt_range range;
        struct rt_oid base;
        char *log;

        commit_something(f);
        for (int i = 0; i < MERGES; i++)
            merge_something(f);
        base = repo_resolve(&f->repo, "HEAD~9");
        expect_ok(
            f, rt_tree_list(&before, &f->arena, f->git, &base, FOLDER, false, &f->err));
        range = range_since(f, base);
        log = ask_git(f, base);
        assert_int_equal(range.count, check_against_log(&range, &before, log));
        assert_int_equal(range.steps, 9);
        assert_true(range.count > 0);
        expect_final_state(f, &range);
        free(log);
        random_state = seed;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(arrivals_equal_gits_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
