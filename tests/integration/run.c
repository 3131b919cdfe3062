#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SECONDS 60
#define SAID_SECONDS 30
#define MAX_ARGS 63
#define MAX_ENV 63

static void find_newest_debian(char *dir, size_t size)
{
    double newest = 0;
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        double version = strtod(path + strlen("/usr/lib/postgresql/"), NULL);

        if (version > newest) {
            newest = version;
            snprintf(dir, size, "%.*s", (int)(strrchr(path, '/') - path), path);
        }
    }
    globfree(&found);
}

static void ask_pg_config(char *dir, size_t size)
{
    FILE *pipe = popen("pg_config --bindir", "r"); /* NOLINT(cert-env33-c): constant */

    if (!pipe)
        return;
    if (fgets(dir, (int)size, pipe))
        dir[strcspn(dir, "\n")] = '\0';
    pclose(pipe);
}

static void copy_variable(char *dir, size_t size, const char *name)
{
    const char *given = getenv(name);

    if (!dir[0] && given)
        snprintf(dir, size, "%s", given);
}

static const char *expect_server(const char *dir)
{
    char *initdb = check_printf("%s/initdb", dir);

    if (access(initdb, X_OK) != 0)
        check_fail("no PostgreSQL server: \"%s\": %s (set PG_BINDIR)", initdb,
                   strerror(errno));
    free(initdb);
    return dir;
}

const char *run_pg_bindir(void)
{
    static char dir[256];

    copy_variable(dir, sizeof dir, "PG_BINDIR_PROD");
    copy_variable(dir, sizeof dir, "PG_BINDIR");
    if (!dir[0])
        find_newest_debian(dir, sizeof dir);
    if (!dir[0])
        ask_pg_config(dir, sizeof dir);
    return expect_server(dir);
}

const char *run_pg_bindir_twin(void)
{
    static char dir[256];

    copy_variable(dir, sizeof dir, "PG_BINDIR_TWIN");
    return dir[0] ? expect_server(dir) : run_pg_bindir();
}

/* The variables of the tester that a program under test may see. */
static const char *const passed_on[] = {"TMPDIR",       "LD_LIBRARY_PATH",
                                        "ASAN_OPTIONS", "LSAN_OPTIONS",
                                        "TSAN_OPTIONS", "UBSAN_OPTIONS"};

/*
 * Fill envp with env and then the clean environment, so that env wins. The strings from
 * index *made on are malloc'ed here.
 */
static void make_environment(char **envp, size_t *made, const char *const *env)
{
    const char *path = getenv("PATH");
    size_t n = 0;

    for (; env && *env; env++) {
        if (n == MAX_ENV)
            check_fail("more than %d environment variables", MAX_ENV);
        envp[n++] = (char *)*env;
    }
    *made = n;
    envp[n++] =
        check_printf("PATH=%s:%s", run_pg_bindir(), path ? path : "/usr/bin:/bin");
    envp[n++] = check_printf("HOME=/nonexistent");
    envp[n++] = check_printf("LC_ALL=C.UTF-8");
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
        const char *value = getenv(passed_on[i]);

        if (value)
            envp[n++] = check_printf("%s=%s", passed_on[i], value);
    }
    envp[n] = NULL;
}

static char *join_arguments(const char *const *argv)
{
    char *line = check_printf("%s", argv[0]);

    for (argv++; *argv; argv++) {
        char *longer = check_printf("%s %s", line, *argv);

        free(line);
        line = longer;
    }
    return line;
}

static int output_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0)
        check_fail("memfd_create: %s", strerror(errno));
    return fd;
}

/* In the child: nothing here may use cmocka, and only exec or _exit ends it. */
static _Noreturn void become_program(const struct run *r, const char *cwd,
                                     char *const *argv, char **envp, pid_t parent)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(in, 0) < 0 || dup2(r->outfd, 1) < 0 || dup2(r->errfd, 2) < 0)
        _exit(127);
    if (cwd && chdir(cwd) != 0) {
        dprintf(2, "cannot enter %s: %s\n", cwd, strerror(errno));
        _exit(127);
    }
    environ = envp;
    execvp(argv[0], argv);
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

void run_start(struct run *r, const char *cwd, const char *const *env,
               const char *const *argv)
{
    char *envp[MAX_ENV + 16];
    size_t made;
    pid_t parent = getpid();

    *r = (struct run){.seconds = r->seconds};
    make_environment(envp, &made, env);
    r->command = join_arguments(argv);
    r->outfd = output_file("stdout");
    r->errfd = output_file("stderr");
    r->pid = fork();
    if (r->pid < 0)
        check_fail("fork: %s", strerror(errno));
    if (r->pid == 0)
        become_program(r, cwd, (char *const *)argv, envp, parent);
    setpgid(r->pid,
            r->pid); /* also here, so that a signal sent at once finds the group */
    for (size_t i = made; envp[i]; i++)
        free(envp[i]);
}

double run_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool run_has_ended(const struct run *r)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == r->pid;
}

static char *read_output(int fd)
{
    struct stat st;
    char *text;
    ssize_t length;

    if (fstat(fd, &st) != 0)
        check_fail("fstat: %s", strerror(errno));
    text = check_alloc((size_t)st.st_size + 1);
    length = pread(fd, text, (size_t)st.st_size, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

void run_wait_said(const struct run *r, const char *part)
{
    double end = run_clock() + SAID_SECONDS;

    for (bool ended = false, found = false; !found; usleep(5000)) {
        char *text;

        if (ended || run_clock() > end)
            check_fail("%s: has not said: %s", r->command, part);
        ended = run_has_ended(r);
        text = read_output(r->errfd);
        found = strstr(text, part) != NULL;
        free(text);
    }
}

void run_finish(struct run *r)
{
    unsigned seconds = r->seconds ? r->seconds : DEFAULT_SECONDS;
    struct timespec pause = {.tv_nsec = 1000000};
    double start = run_clock();
    struct rusage usage;
    bool late = false;
    int wait_status;
    pid_t ended;

    while ((ended = wait4(r->pid, &wait_status, WNOHANG, &usage)) != r->pid) {
        if (ended < 0 && errno != EINTR)
            check_fail("wait4: %s", strerror(errno));
        if (!late && run_clock() - start >= seconds) {
            late = true;
            kill(-r->pid, SIGKILL);
        }
        nanosleep(&pause, NULL);
    }
    r->status =
        WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
    r->peak_kb = usage.ru_maxrss;
    r->out = read_output(r->outfd);
    r->err = read_output(r->errfd);
    close(r->outfd);
    close(r->errfd);
    if (late)
        check_fail("%s: not done after %u s\nstdout:\n%s\nstderr:\n%s", r->command,
                   seconds, r->out, r->err);
}

void run_program(struct run *r, const char *cwd, const char *const *env,
                 const char *const *argv)
{
    run_start(r, cwd, env, argv);
    run_finish(r);
}

void run_start_revtwin(struct run *r, const char *cwd, const char *const *env,
                       const char *const *args)
{
    const char *argv[MAX_ARGS + 2] = {REVTWIN_BINARY};

    for (size_t n = 0; args[n]; n++) {
        if (n == MAX_ARGS)
            check_fail("more than %d arguments", MAX_ARGS);
        argv[n + 1] = args[n];
    }
    run_start(r, cwd, env, argv);
}

void run_revtwin(struct run *r, const char *cwd, const char *const *env, ...)
{
    const char *argv[MAX_ARGS + 1] = {REVTWIN_BINARY};
    size_t n = 1;
    va_list args;

    va_start(args, env);
    while ((argv[n] = va_arg(args, const char *))) {
        if (++n > MAX_ARGS)
            check_fail("more than %d arguments", MAX_ARGS);
    }
    va_end(args);
    run_program(r, cwd, env, argv);
}

void run_check(const struct run *r, int wanted, const char *file, int line)
{
    if (r->status != wanted)
        check_fail("%s:%d: %s: status %d, expected %d\nstdout:\n%s\nstderr:\n%s", file,
                   line, r->command, r->status, wanted, r->out, r->err);
}

void run_clear(struct run *r)
{
    free(r->command);
    free(r->out);
    free(r->err);
    *r = (struct run){.seconds = r->seconds};
}
