#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    ERRORS_KEPT = 64 * 1024,
    GRACE_MS = 5000, /* from SIGTERM to SIGKILL */
};

struct child {
    pid_t pid; /* 0 before the start and after the end */
    int errors;
    struct rt_str tail;
};

struct pipeline {
    struct rt_child *commands;
    struct child *children;
    size_t count;
    int output; /* of the last command, or -1 */
    struct rt_str text;
};

/* ------------------------------------------------------------------ start */

/* The program's path, for the caller to free, or NULL with errno. Looked up before the
 * fork: execvp is not async-signal-safe. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return rt_strdup(name);
    for (path = path ? path : "/usr/bin:/bin"; *path;) {
        size_t len = strcspn(path, ":");
        char *file = rt_format("%.*s/%s", (int)len, path, name);

        if (len > 0 && access(file, X_OK) == 0)
            return file;
        free(file);
        path += len + (path[len] == ':');
    }
    errno = ENOENT;
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The same file on a descriptor that the child's own 0, 1 and 2 cannot collide with. */
static int above_stderr(int fd)
{
    int higher;

    if (fd < 0 || fd > 2)
        return fd;
    higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return higher;
}

static int null_device(void)
{
    return above_stderr(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ends[0] = ends[1] = -1;
        return -1;
    }
    ends[0] = above_stderr(ends[0]);
    ends[1] = above_stderr(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return 0;
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return -1;
}

/* What the child needs, prepared before the fork. */
struct launch {
    const char *path;
    const struct rt_child *command;
    int in, out, errors, failure; /* above 2, close-on-exec; failure takes errno */
    pid_t parent;
};

/* Only async-signal-safe calls. Signals are blocked on entry: a handler of the parent
 * must not run here, where it would write into the parent's wake-up pipe. */
static _Noreturn void become(const struct launch *l)
{
    char *const *env = l->command->environment;
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != l->parent)
        _exit(127);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL); /* a writer has to notice that its reader is gone */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(l->in, 0) >= 0 && dup2(l->out, 1) >= 0 && dup2(l->errors, 2) >= 0) {
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        execve(l->path, (char *const *)l->command->argv, env ? env : environ);
    }
    while (write(l->failure, &errno, sizeof(errno)) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

static int cannot_start(struct rt_err *err, const char *program, int code)
{
    return rt_err_set(err, RT_EINTERNAL, "cannot run %s: %s", program, strerror(code));
}

/* Fork, and wait until the program runs or has failed to. */
static int fork_exec(struct child *child, struct launch *l, struct rt_err *err)
{
    int ends[2], code = 0;
    sigset_t all, before;
    ssize_t got;
    pid_t pid;

    if (make_pipe(ends) != 0)
        return cannot_start(err, l->path, errno);
    l->failure = ends[1];
    l->parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        become(l);
    code = pid < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid > 0) {
        do
            got = read(ends[0], &code, sizeof(code));
        while (got < 0 && errno == EINTR);
        child->pid = pid;
    }
    close(ends[0]);
    return code ? cannot_start(err, l->path, code) : 0;
}

/* Start command i reading from *in, which is closed then; *in becomes its output. */
static int start_one(struct pipeline *p, size_t i, int *in, bool wants_output,
                     struct rt_err *err)
{
    const struct rt_child *command = &p->commands[i];
    bool to_null = i + 1 == p->count && !wants_output;
    int out[2] = {-1, -1}, errors[2] = {-1, -1}, rc;
    char *path = find_program(command->argv[0]);

    if (path == NULL)
        return cannot_start(err, command->argv[0], errno);
    if (to_null)
        out[1] = null_device();
    if ((to_null ? out[1] < 0 : make_pipe(out) != 0) || make_pipe(errors) != 0) {
        rc = cannot_start(err, path, errno);
    } else {
        struct launch l = {.path = path,
                           .command = command,
                           .in = *in,
                           .out = out[1],
                           .errors = errors[1]};

        rc = fork_exec(&p->children[i], &l, err);
    }
    close_fd(in);
    close_fd(&out[1]);
    close_fd(&errors[1]);
    p->children[i].errors = errors[0];
    *in = out[0];
    free(path);
    return rc;
}

static int start_all(struct pipeline *p, bool wants_output, struct rt_err *err)
{
    int rc = 0;

    p->output = null_device();
    if (p->output < 0)
        return cannot_start(err, "/dev/null", errno);
    for (size_t i = 0; rc == 0 && i < p->count; i++)
        rc = start_one(p, i, &p->output, wants_output, err);
    return rc;
}

/* ------------------------------------------------------------------ run */

static void keep_tail(struct rt_str *s)
{
    size_t excess = s->len > ERRORS_KEPT ? s->len - ERRORS_KEPT : 0;

    if (excess == 0)
        return;
    memmove(s->data, s->data + excess, ERRORS_KEPT + 1);
    s->len = ERRORS_KEPT;
}

/* Read what is there; the descriptor is closed at its end. */
static void read_some(int *fd, struct rt_str *into, bool bounded)
{
    char bytes[16 * 1024];
    ssize_t got = read(*fd, bytes, sizeof(bytes));

    if (got > 0) {
        rt_str_addn(into, bytes, (size_t)got);
        if (bounded && into->len > 2 * ERRORS_KEPT)
            keep_tail(into);
    } else if (got == 0 || errno != EINTR) {
        close_fd(fd);
    }
}

static void signal_all(const struct pipeline *p, int sig)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->children[i].pid > 0)
            kill(p->children[i].pid, sig);
    }
}

static bool reading(const struct pipeline *p)
{
    bool open = p->output >= 0;

    for (size_t i = 0; i < p->count; i++)
        open |= p->children[i].errors >= 0;
    return open;
}

/* Wait for something to read, until the deadline (0: none), and read it. */
static void read_once(struct pipeline *p, struct pollfd *fds, int64_t deadline)
{
    int64_t left = deadline ? deadline - rt_clock_ms() : -1;
    size_t n = p->count;

    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = p->children[i].errors, .events = POLLIN};
    fds[n] = (struct pollfd){.fd = p->output, .events = POLLIN};
    fds[n + 1] = (struct pollfd){.fd = deadline ? -1 : rt_cancel_fd(), .events = POLLIN};
    if (poll(fds, n + 2, deadline && left < 0 ? 0 : (int)left) <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (fds[i].revents)
            read_some(&p->children[i].errors, &p->children[i].tail, true);
    }
    if (fds[n].revents)
        read_some(&p->output, &p->text, false);
}

/* Read until every child has closed its ends. When ending, which a cancel begins, they
 * have been told to end and are left behind after a while, for the caller to kill. */
static void collect(struct pipeline *p, struct pollfd *fds, bool ending)
{
    int64_t deadline = ending ? rt_clock_ms() + GRACE_MS : 0;
    struct rt_err cancelled = {0};

    while (reading(p) && (deadline == 0 || rt_clock_ms() < deadline)) {
        read_once(p, fds, deadline);
        if (deadline == 0 && rt_cancel_check(&cancelled) < 0) {
            deadline = rt_clock_ms() + GRACE_MS;
            signal_all(p, SIGTERM);
        }
    }
    rt_err_clear(&cancelled);
}

static void reap(struct pipeline *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct child *child = &p->children[i];
        int status = 0;

        close_fd(&child->errors);
        if (child->pid > 0) {
            while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                continue;
        }
        keep_tail(&child->tail);
        p->commands[i].exit_status =
            WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        p->commands[i].errors = rt_str_take(&child->tail);
    }
    close_fd(&p->output);
}

int rt_child_run(struct rt_child *commands, size_t count, char **output,
                 struct rt_err *err)
{
    struct pipeline p = {.commands = commands, .count = count, .output = -1};
    struct pollfd *fds = rt_alloc((count + 2) * sizeof(*fds));
    struct rt_err cancelled = {0};
    int rc;

    p.children = rt_alloc(count * sizeof(*p.children));
    for (size_t i = 0; i < count; i++)
        p.children[i].errors = -1;
    rc = start_all(&p, output != NULL, err);
    if (rc < 0)
        signal_all(&p, SIGTERM);
    collect(&p, fds, rc < 0);
    if (reading(&p))
        signal_all(&p, SIGKILL);
    reap(&p);
    /* A signal from the terminal reaches the children too: it is not their failure. */
    if (rt_cancel_check(&cancelled) < 0) {
        rt_err_move(err, &cancelled);
        rc = -(int)err->status;
    }
    if (output)
        *output = rc == 0 ? rt_str_take(&p.text) : NULL;
    rt_str_clear(&p.text);
    free(p.children);
    free(fds);
    return rc;
}

void rt_child_clear(struct rt_child *command)
{
    free(command->errors);
    command->errors = NULL;
}
