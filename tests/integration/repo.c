#include "repo.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"
#include "run.h"

#define MAX_ARGS 31

/* All repositories of the program are in one folder, which a keeper removes. */
static char root[512];
static int keeper;
static unsigned repos_made;

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void remove_folder(const char *dir)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The keeper would do it anyway, but only after the end of the program. */
static void remove_root(void)
{
    keeper_stop(keeper);
}

static void new_folder(struct repo *r)
{
    const char *tmp = getenv("TMPDIR");

    if (!root[0]) {
        snprintf(root, sizeof root, "%s/revtwin-git-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(root))
            check_fail("mkdtemp %s: %s", root, strerror(errno));
        keeper = keeper_start(&(struct keeper_job){.dir = root});
        if (keeper < 0)
            check_fail("keeper: %s", strerror(errno));
        atexit(remove_root);
        /* libgit2 in the test program itself finds the user's settings by these. */
        setenv("HOME", root, 1);
        unsetenv("XDG_CONFIG_HOME");
    }
    r->dir = check_printf("%s/%u", root, ++repos_made);
}

/* Run git; the clock goes on by a minute with each command. */
static char *run_git(const char *cwd, const char *const *argv)
{
    static unsigned long now = 1700000000;
    char *author = check_printf("GIT_AUTHOR_DATE=%lu +0000", now += 60);
    char *committer = check_printf("GIT_COMMITTER_DATE=%lu +0000", now);
    const char *env[] = {"GIT_CONFIG_GLOBAL=/dev/null",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_AUTHOR_NAME=Ada",
                         "GIT_AUTHOR_EMAIL=ada@example.com",
                         "GIT_COMMITTER_NAME=Ada",
                         "GIT_COMMITTER_EMAIL=ada@example.com",
                         author,
                         committer,
                         NULL};
    struct run run = {0};
    char *out;

    run_program(&run, cwd, env, argv);
    run_expect(&run, 0);
    out = run.out;
    run.out = NULL;
    run_clear(&run);
    free(author);
    free(committer);
    return out;
}

static char *run_git_args(const struct repo *r, va_list args)
{
    const char *argv[MAX_ARGS + 2] = {"git"};
    size_t n = 1;

    while ((argv[n] = va_arg(args, const char *))) {
        if (++n > MAX_ARGS)
            check_fail("more than %d arguments for git", MAX_ARGS);
    }
    return run_git(r->dir, argv);
}

char *repo_git_output(const struct repo *r, ...)
{
    va_list args;
    char *out;

    va_start(args, r);
    out = run_git_args(r, args);
    va_end(args);
    return out;
}

void repo_git(const struct repo *r, ...)
{
    va_list args;

    va_start(args, r);
    free(run_git_args(r, args));
    va_end(args);
}

void repo_init(struct repo *r)
{
    new_folder(r);
    free(
        run_git(NULL, (const char *[]){"git", "init", "-q", "-b", "main", r->dir, NULL}));
}

void repo_clone(struct repo *r, const struct repo *from, ...)
{
    const char *argv[MAX_ARGS + 4] = {"git", "clone", "-q"};
    char *url = check_printf("file://%s", from->dir);
    size_t n = 3;
    va_list args;

    new_folder(r);
    va_start(args, from);
    while ((argv[n] = va_arg(args, const char *))) {
        if (++n > MAX_ARGS)
            check_fail("more than %d arguments for git", MAX_ARGS);
    }
    va_end(args);
    argv[n++] = url;
    argv[n] = r->dir;
    free(run_git(NULL, argv));
    free(url);
}

void repo_clear(struct repo *r)
{
    if (r->dir)
        remove_folder(r->dir);
    free(r->dir);
    r->dir = NULL;
}

/* The path of a file of the checkout, for the caller to free; its folders are made. */
static char *make_path(const struct repo *r, const char *path)
{
    char *full = check_printf("%s/%s", r->dir, path);

    for (char *slash = full + strlen(r->dir); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(full, 0777) != 0 && errno != EEXIST)
            check_fail("mkdir %s: %s", full, strerror(errno));
        *slash = '/';
    }
    return full;
}

void repo_write_bytes(const struct repo *r, const char *path, const void *bytes,
                      size_t len)
{
    char *full = make_path(r, path);
    FILE *file;

    unlink(full); /* a symbolic link is replaced, not followed */
    file = fopen(full, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
        check_fail("write %s: %s", full, strerror(errno));
    free(full);
}

void repo_write(const struct repo *r, const char *path, const char *text)
{
    repo_write_bytes(r, path, text, strlen(text));
}

void repo_symlink(const struct repo *r, const char *path, const char *target)
{
    char *full = make_path(r, path);

    unlink(full);
    if (symlink(target, full) != 0)
        check_fail("symlink %s: %s", full, strerror(errno));
    free(full);
}

void repo_rename(const struct repo *r, const char *from, const char *to)
{
    char *old = make_path(r, from), *new = make_path(r, to);

    if (rename(old, new) != 0)
        check_fail("rename %s to %s: %s", old, new, strerror(errno));
    free(old);
    free(new);
}

void repo_delete(const struct repo *r, const char *path)
{
    char *full = make_path(r, path);

    if (access(full, F_OK) != 0)
        check_fail("delete %s: %s", full, strerror(errno));
    remove_folder(full);
    free(full);
}

struct rt_oid repo_resolve(const struct repo *r, const char *rev)
{
    char *text = repo_git_output(r, "rev-parse", "--verify", rev, NULL);
    struct rt_oid oid = {""};

    snprintf(oid.hex, sizeof oid.hex, "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    return oid;
}

struct rt_oid repo_commit(const struct repo *r, const char *message)
{
    repo_git(r, "add", "-A", NULL);
    repo_git(r, "commit", "-q", "--allow-empty", "-m", message, NULL);
    return repo_resolve(r, "HEAD");
}

void repo_branch(const struct repo *r, const char *name)
{
    repo_git(r, "switch", "-q", "-c", name, NULL);
}

void repo_switch(const struct repo *r, const char *name)
{
    repo_git(r, "switch", "-q", name, NULL);
}

struct rt_oid repo_merge(const struct repo *r, enum repo_merge how, const char *branch)
{
    char *message = check_printf("Merge %s", branch);
    char *commits = check_printf("HEAD..%s", branch);

    switch (how) {
    case REPO_MERGE:
        repo_git(r, "merge", "-q", "--no-ff", "-m", message, branch, NULL);
        break;
    case REPO_SQUASH:
        repo_git(r, "merge", "-q", "--squash", branch, NULL);
        repo_git(r, "commit", "-q", "-m", message, NULL);
        break;
    case REPO_REBASE:
        repo_git(r, "cherry-pick", "--allow-empty", commits, NULL);
        break;
    }
    free(message);
    free(commits);
    return repo_resolve(r, "HEAD");
}
