/*
 * Choosing the files of a range, against `git diff --name-only` on the same range, in a
 * repository of 100,000 files and 10,000 steps, of which every tenth brings a migration.
 *
 * "choosing" is from opening the repository to the list; "process" is a program that does
 * only that, with the milliseconds that libgit2 takes to start (it reads the system's
 * certificates). The other two columns are processes as well: `git diff`, and `git log`
 * for the same answer as ours, the files that each step adds. Medians of five.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "git/range.h"

enum { FILES = 100000, STEPS = 10000, RUNS = 5 };

static void make_history(const struct repo *repo)
{
    FILE *to = bench_import(repo);

    bench_commit(to, 0);
    for (int i = 0; i < FILES; i++)
        fprintf(to, "M 644 inline src/%02d/%02d/%d.c\ndata 2\n%d\n", i % 20, i / 20 % 50,
                i, i % 9);
    for (int step = 1; step <= STEPS; step++) {
        int i = (int)(step * 7919L % FILES);

        bench_commit(to, step);
        if (step % 10 == 0)
            fprintf(to, "M 644 inline db/migrations/V%d__m.sql\n", step);
        else
            fprintf(to, "M 644 inline src/%02d/%02d/%d.c\n", i % 20, i / 20 % 50, i);
        fprintf(to, "data <<.\nSELECT %d;\n.\n", step);
    }
    bench_imported(to);
}

/* Run a program with its output thrown away. */
static void run_program(const char *const *argv)
{
    posix_spawn_file_actions_t actions;
    int status = 0;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    errno = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    if (errno != 0 || waitpid(pid, &status, 0) != pid || status != 0)
        check_fail("%s: %s", argv[0], strerror(errno));
    posix_spawn_file_actions_destroy(&actions);
}

/* The thing itself: from one commit to another, both by name. */
static void choose(const char *const *argv)
{
    struct rt_oid from, to;
    struct rt_arena arena = {0};
    struct rt_repo *repo = NULL;
    struct rt_range range;
    struct rt_err err = {0};

    if (rt_repo_open(&repo, argv[1], &err) != 0 ||
        rt_repo_resolve(&from, repo, argv[2], &err) != 0 ||
        rt_repo_resolve(&to, repo, argv[3], &err) != 0 ||
        rt_range_since(&range, &arena, repo, &from, &to, "db/migrations", &err) != 0) {
        check_fail("%s", err.message);
    }
    rt_arena_clear(&arena);
    rt_repo_close(repo);
}

static double median_ms(void (*measured)(const char *const *), const char *const *argv)
{
    double times[RUNS];

    measured(argv); /* warms the page cache */
    for (int i = 0; i < RUNS; i++) {
        double start = bench_seconds();

        measured(argv);
        times[i] = bench_seconds() - start;
    }
    return bench_median(times, RUNS) * 1e3;
}

static void compare(const struct repo *repo, int steps)
{
    char *rev = check_printf("main~%d", steps);
    struct rt_oid base = repo_resolve(repo, rev), tip = repo_resolve(repo, "main");
    char *limits = check_printf("%s..%s", base.hex, tip.hex);
    const char *ours[] = {"/proc/self/exe", repo->dir, base.hex, tip.hex, NULL};
    const char *git_diff[] = {"git",         "-C",     repo->dir, "diff",
                              "--name-only", base.hex, tip.hex,   NULL};
    const char *git_log[] = {"git",
                             "-C",
                             repo->dir,
                             "log",
                             "--first-parent",
                             "--reverse",
                             "--diff-filter=A",
                             "--name-only",
                             limits,
                             "--",
                             "db/migrations",
                             NULL};
    double choosing = median_ms(choose, ours);
    double process = median_ms(run_program, ours);
    double diff = median_ms(run_program, git_diff);
    double log = median_ms(run_program, git_log);

    printf("%6d %9.1f %9.1f %9.1f %9.1f %15.2f %13.2f\n", steps, choosing, process, diff,
           log, choosing / diff, process / diff);
    free(rev);
    free(limits);
}

int main(int argc, char **argv)
{
    const int ranges[] = {1, 100, STEPS};
    struct rt_repo *open = NULL;
    struct rt_err err = {0};
    struct repo repo;

    if (argc == 4) {
        choose((const char *const *)argv);
        return 0;
    }
    repo_init(&repo);
    make_history(&repo);
    if (rt_repo_open(&open, repo.dir, &err) != 0) /* stays open: libgit2 starts once */
        check_fail("%s", err.message);
    printf(
        " steps  choosing   process  git diff   git log   choosing/diff  process/diff\n"
        "              ms        ms        ms        ms\n");
    for (size_t i = 0; i < RT_COUNT(ranges); i++)
        compare(&repo, ranges[i]);
    rt_repo_close(open);
    repo_clear(&repo);
    return 0;
}
