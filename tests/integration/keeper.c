#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 60
#define POLL_MS 5
#define MAX_ARGS 127

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

/* A server process that is just exiting may still make or remove files. */
static void remove_folder(const char *dir)
{
    for (int tries = 0; tries < 20; tries++) {
        nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        if (access(dir, F_OK) != 0)
            return;
        poll(NULL, 0, 50);
    }
}

/* Start "BINDIR/name -D data more..." as the job's user; it stops when the keeper dies.
 */
static pid_t spawn(const struct keeper_job *job, const char *name,
                   const char *const *more)
{
    char path[512];
    const char *argv[MAX_ARGS + 1] = {path, "-D", "data"};
    pid_t keeper = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(job->gid) != 0 || setuid(job->uid) != 0)) {
        perror("cannot become the server's user");
        _exit(1);
    }
    /* After setuid, which clears it. SIGQUIT is the server's immediate shutdown. */
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != keeper)
        _exit(1);
    snprintf(path, sizeof path, "%s/%s", job->bindir, name);
    for (size_t n = 3; n < MAX_ARGS && *more; n++)
        argv[n] = *more++;
    if (job->preload)
        setenv("LD_PRELOAD", job->preload, 1);
    execv(path, (char *const *)argv);
    perror(path);
    _exit(1);
}

static bool init_data(const struct keeper_job *job)
{
    pid_t pid = spawn(job, job->maker, job->init);
    int status;

    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* As pg_ctl does: the last line of postmaster.pid tells. */
static bool accepts_connections(void)
{
    char text[1024];
    ssize_t length;
    int fd;

    fd = open("data/postmaster.pid", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return strstr(text, "\nready") != NULL;
}

static bool wait_until_ready(pid_t server)
{
    for (int ms = 0; ms < START_SECONDS * 1000; ms += POLL_MS) {
        if (waitpid(server, NULL, WNOHANG) != 0)
            return false;
        if (accepts_connections())
            return true;
        poll(NULL, 0, POLL_MS);
    }
    return false;
}

static void stop_server(pid_t server, int sig)
{
    if (server > 0 && waitpid(server, NULL, WNOHANG) == 0) {
        kill(server, sig);
        waitpid(server, NULL, 0);
    }
}

static void send_log(int link)
{
    char text[4096];
    ssize_t length;

    lseek(1, 0, SEEK_SET);
    send(link, "-", 1, MSG_NOSIGNAL);
    while ((length = read(1, text, sizeof text)) > 0)
        send(link, text, (size_t)length, MSG_NOSIGNAL);
}

/* Start the server and answer. Returns its process, or -1. */
static pid_t start_server(const struct keeper_job *job, int link)
{
    pid_t server = spawn(job, "postgres", job->run);

    if (server > 0 && wait_until_ready(server)) {
        send(link, "+", 1, MSG_NOSIGNAL);
        return server;
    }
    stop_server(server, SIGQUIT);
    send_log(link);
    return -1;
}

/* Until the link closes. Returns the server's process as it is then, or -1. */
static pid_t follow_orders(const struct keeper_job *job, int link, pid_t server)
{
    ssize_t got;
    char order;

    while ((got = read(link, &order, 1)) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        if (order == KEEPER_START) {
            server = start_server(job, link);
            continue;
        }
        stop_server(server, order == KEEPER_HALT_FAST ? SIGINT : SIGQUIT);
        server = -1;
        send(link, "+", 1, MSG_NOSIGNAL);
    }
    return server;
}

static void keep(const struct keeper_job *job, int link)
{
    pid_t server = -1;

    if (job->bindir == NULL)
        send(link, "+", 1, MSG_NOSIGNAL);
    else if (init_data(job))
        server = start_server(job, link);
    else
        send_log(link);
    if (job->bindir == NULL || server > 0)
        server = follow_orders(job, link, server);
    stop_server(server, SIGQUIT);
    remove_folder(job->dir);
}

/* Leave nothing of the test program: its descriptors, terminal, signals, folder. */
static int detach(const struct keeper_job *job, int link)
{
    char path[512];
    int log, in;

    if (dup2(link, 3) < 0)
        return -1;
    close_range(4, ~0U, 0);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    snprintf(path, sizeof path, "%s/log", job->dir);
    in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (in < 0 || log < 0 || dup2(in, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
        chdir(job->dir) != 0)
        return -1;
    for (int signum = 1; signum < NSIG; signum++)
        signal(signum, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1); /* spares initdb a search for the local zone */
    return 3;
}

int keeper_start(const struct keeper_job *job)
{
    int ends[2], saved;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        /* A grandchild: who kills the test's process tree does not reach the keeper. */
        setsid();
        if (fork() == 0) {
            int link = detach(job, ends[1]);

            if (link >= 0)
                keep(job, link);
        }
        _exit(0);
    }
    saved = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        errno = saved;
        return -1;
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return ends[0];
}

char keeper_order(int link, enum keeper_order order)
{
    char answer = (char)order;

    if (send(link, &answer, 1, MSG_NOSIGNAL) != 1 || read(link, &answer, 1) != 1)
        return 0;
    return answer;
}

void keeper_stop(int link)
{
    char byte;
    ssize_t got;

    shutdown(link, SHUT_WR);
    while ((got = read(link, &byte, 1)) > 0 || (got < 0 && errno == EINTR))
        continue;
    close(link);
}
