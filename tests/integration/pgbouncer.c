#include "pgbouncer.h"

#include "check.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 30

static void write_settings(const struct cluster *c)
{
    char *path = check_printf("%s/pooler.ini", c->dir);
    FILE *file = fopen(path, "we");

    if (!file)
        check_fail("%s: %s", path, strerror(errno));
    fprintf(file,
            "[databases]\n* = host=%s port=%d user=" CLUSTER_USER "\n"
            "[pgbouncer]\npool_mode = transaction\nauth_type = any\nlisten_addr =\n"
            "server_round_robin = 1\nunix_socket_dir = %s\nlisten_port = %d\n"
            "logfile = %s/pooler.log\n",
            c->dir, c->port, c->dir, PGBOUNCER_PORT, c->dir);
    if (fclose(file) != 0)
        check_fail("%s: %s", path, strerror(errno));
    free(path);
}

/* In the child. PgBouncer refuses root: it runs as the server's user. */
static _Noreturn void become_pooler(const char *dir, pid_t parent)
{
    struct stat owner;

    if (chdir(dir) != 0 || stat(".", &owner) != 0)
        _exit(1);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(owner.st_gid) != 0 ||
                           setuid(owner.st_uid) != 0))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* after setuid, which clears it */
    if (getppid() != parent)
        _exit(1);
    /* The links to the keepers of servers: held open here, they would outlive the test.
     */
    close_range(3, ~0U, 0);
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", 1);
    execlp("pgbouncer", "pgbouncer", "-q", "pooler.ini", (char *)NULL);
    perror("cannot run pgbouncer");
    _exit(127);
}

static void wait_until_ready(const struct pgbouncer *p)
{
    struct timespec pause = {.tv_nsec = 5 * 1000000};
    time_t end = time(NULL) + START_SECONDS;
    char url[CLUSTER_URL_SIZE];

    pgbouncer_url(p, "postgres", url);
    while (PQping(url) != PQPING_OK) {
        if (time(NULL) > end || waitpid(p->pid, NULL, WNOHANG) != 0)
            check_fail("pgbouncer did not start; see its messages above");
        nanosleep(&pause, NULL);
    }
}

void pgbouncer_start(struct pgbouncer *p, const struct cluster *c)
{
    pid_t parent = getpid();

    *p = (struct pgbouncer){0};
    snprintf(p->dir, sizeof p->dir, "%s", c->dir);
    write_settings(c);
    p->pid = fork();
    if (p->pid < 0)
        check_fail("fork: %s", strerror(errno));
    if (p->pid == 0)
        become_pooler(p->dir, parent);
    wait_until_ready(p);
}

void pgbouncer_stop(struct pgbouncer *p)
{
    if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) != 0)
        check_fail("pgbouncer has ended by itself");
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    *p = (struct pgbouncer){0};
}

const char *pgbouncer_url(const struct pgbouncer *p, const char *db,
                          char buf[static CLUSTER_URL_SIZE])
{
    struct cluster front = {.port = PGBOUNCER_PORT};

    snprintf(front.dir, sizeof front.dir, "%s", p->dir);
    return cluster_url(&front, db, buf);
}
