#include "check.h"
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 64

static void set_target(struct forward *forward, const char *host, int port)
{
    if (host[0] == '/') {
        struct sockaddr_un *local = &forward->target.local;

        local->sun_family = AF_UNIX;
        forward->target_size = sizeof *local;
        if ((size_t)snprintf(local->sun_path, sizeof local->sun_path, "%s/.s.PGSQL.%d",
                             host, port) >= sizeof local->sun_path)
            check_fail("socket path too long: %s", host);
        return;
    }
    forward->target.inet.sin_family = AF_INET;
    forward->target.inet.sin_port = htons((uint16_t)port);
    forward->target_size = sizeof forward->target.inet;
    if (inet_pton(AF_INET, host, &forward->target.inet.sin_addr) != 1)
        check_fail("not an IPv4 address: %s", host);
}

static int listen_locally(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) != 0 ||
        listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        check_fail("relay: cannot listen: %s", strerror(errno));
    *port = ntohs(addr.sin_port);
    return fd;
}

static int new_event(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        check_fail("eventfd: %s", strerror(errno));
    return fd;
}

/* In the child: the relay's descriptors become 3, 4 and 5. The links to the keepers of
 * servers are among the others: held open here, they would outlive the test. */
static _Noreturn void become_relay(struct forward *forward, pid_t parent)
{
    int fds[3] = {fcntl(forward->listener, F_DUPFD, 6),
                  fcntl(forward->sprung, F_DUPFD, 6),
                  fcntl(forward->released, F_DUPFD, 6)};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (int i = 0; i < 3; i++) {
        if (dup2(fds[i], 3 + i) < 0)
            _exit(1);
    }
    close_range(6, ~0U, 0);
    forward->listener = 3;
    forward->sprung = 4;
    forward->released = 5;
    forward_run(forward);
}

void relay_start(struct relay *r, const char *host, int port, unsigned delay_ms)
{
    struct forward forward = {.delay = delay_ms * INT64_C(1000000)};
    pid_t parent = getpid();
    void *shared = mmap(NULL, sizeof *forward.shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        check_fail("mmap: %s", strerror(errno));
    r->shared = forward.shared = shared;
    r->counts = &r->shared->counts;
    r->sprung = forward.sprung = new_event();
    r->released = forward.released = new_event();
    set_target(&forward, host, port);
    forward.listener = listen_locally(&r->port);
    r->pid = fork();
    if (r->pid < 0)
        check_fail("fork: %s", strerror(errno));
    if (r->pid == 0)
        become_relay(&forward, parent);
    close(forward.listener);
}

void relay_stop(struct relay *r)
{
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
        munmap((void *)r->shared, sizeof *r->shared);
        close(r->sprung);
        close(r->released);
    }
    *r = (struct relay){0};
}

void relay_limit(struct relay *r, unsigned megabits)
{
    r->shared->rate = megabits * UINT64_C(1000000) / 8;
}

void relay_pretend(struct relay *r, unsigned version)
{
    r->shared->version = version;
}

void relay_arm(struct relay *r, const struct relay_trap *trap)
{
    struct relay_trap next = trap ? *trap : (struct relay_trap){.message = 1};
    eventfd_t ignored;

    if (next.text[0])
        next.message = UINT64_MAX; /* until it is found */
    if (next.message == 0)
        check_fail("relay_arm: messages are counted from 1");
    if (next.connection == 0)
        next.connection = 1;
    eventfd_read(r->sprung, &ignored);
    r->shared->has_sprung = false;
    r->shared->opened = 0;
    r->shared->trap = next;
}

bool relay_holds(struct relay *r, int milliseconds)
{
    struct pollfd fd = {.fd = r->sprung, .events = POLLIN};
    eventfd_t count;

    return poll(&fd, 1, milliseconds) > 0 && eventfd_read(r->sprung, &count) == 0;
}

void relay_release(struct relay *r, enum relay_act act)
{
    r->shared->release = act;
    eventfd_write(r->released, 1);
}

void relay_break(struct relay *r)
{
    r->shared->break_all = true;
    eventfd_write(r->released, 1);
}

bool relay_sprung(const struct relay *r, char *type)
{
    if (type)
        *type = r->shared->type;
    return r->shared->has_sprung;
}
