#include "relay.h"

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define CHUNK_SIZE 65536
#define MAX_UNDERWAY (64 << 20) /* bytes each way; past it the sender has to wait */

struct target {
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in inet;
    } addr;
    socklen_t size;
};

struct chunk {
    struct chunk *next;
    int64_t due; /* when it may be passed on, in monotonic nanoseconds */
    size_t length, sent;
    char data[];
};

/* One direction of a connection. */
struct flow {
    int from, to;
    struct chunk *first, **end;
    size_t underway;
    int64_t ended; /* when the end of the stream may be passed on; 0 while it goes on */
    bool closed;   /* and it was */
};

struct connection {
    bool used;
    bool server_spoke;
    struct flow up, down;
};

struct state {
    int listener;
    int64_t delay;
    struct target target;
    struct relay_counts *counts;
    struct connection connections[MAX_CONNECTIONS];
};

static int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void init_flow(struct flow *flow, int from, int to)
{
    *flow = (struct flow){.from = from, .to = to};
    flow->end = &flow->first;
}

static void clear_flow(struct flow *flow)
{
    for (struct chunk *chunk = flow->first, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

static void drop(struct connection *connection)
{
    close(connection->up.from);
    close(connection->up.to);
    clear_flow(&connection->up);
    clear_flow(&connection->down);
    connection->used = false;
}

static void accept_client(struct state *state)
{
    int one = 1, server, client = accept4(state->listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *free_one = NULL;

    if (client < 0)
        return;
    for (size_t i = 0; i < MAX_CONNECTIONS && !free_one; i++) {
        if (!state->connections[i].used)
            free_one = &state->connections[i];
    }
    server = socket(state->target.addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!free_one || server < 0 ||
        connect(server, &state->target.addr.any, state->target.size) != 0) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (state->target.addr.any.sa_family == AF_INET)
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(client, F_SETFL, O_NONBLOCK);
    fcntl(server, F_SETFL, O_NONBLOCK);
    *free_one = (struct connection){.used = true, .server_spoke = true};
    init_flow(&free_one->up, client, server);
    init_flow(&free_one->down, server, client);
    state->counts->connections++;
}

/* Take what can be read into the flow. Returns the bytes, or -1 when it broke. */
static ssize_t take(struct flow *flow, int64_t due)
{
    struct chunk *chunk = malloc(sizeof *chunk + CHUNK_SIZE), *smaller;
    ssize_t length;

    if (!chunk)
        return -1;
    length = read(flow->from, chunk->data, CHUNK_SIZE);
    if (length <= 0) {
        free(chunk);
        if (length == 0)
            flow->ended = due;
        return length < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : length;
    }
    smaller = realloc(chunk, sizeof *chunk + (size_t)length);
    chunk = smaller ? smaller : chunk;
    chunk->next = NULL;
    chunk->due = due;
    chunk->length = (size_t)length;
    chunk->sent = 0;
    *flow->end = chunk;
    flow->end = &chunk->next;
    flow->underway += chunk->length;
    return length;
}

/* Pass on what is due, as far as the receiver takes it. Returns false when it broke. */
static bool give(struct flow *flow, int64_t now)
{
    while (flow->first && flow->first->due <= now) {
        struct chunk *chunk = flow->first;
        ssize_t sent = send(flow->to, chunk->data + chunk->sent,
                            chunk->length - chunk->sent, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        chunk->sent += (size_t)sent;
        flow->underway -= (size_t)sent;
        if (chunk->sent < chunk->length)
            return true;
        flow->first = chunk->next;
        if (!flow->first)
            flow->end = &flow->first;
        free(chunk);
    }
    if (!flow->first && flow->ended && flow->ended <= now && !flow->closed) {
        shutdown(flow->to, SHUT_WR);
        flow->closed = true;
    }
    return true;
}

/* What to poll the flow's two ends for, and how long at most to wait for its clock. */
static void want(const struct flow *flow, int64_t now, struct pollfd *from,
                 struct pollfd *to, int64_t *wait)
{
    int64_t due = flow->first ? flow->first->due : flow->ended;

    if (!flow->ended && flow->underway < MAX_UNDERWAY)
        from->events |= POLLIN;
    if (flow->first && due <= now)
        to->events |= POLLOUT;
    else if (due && !flow->closed && (*wait < 0 || due - now < *wait))
        *wait = due > now ? due - now : 0;
}

/* Returns false when the connection is over. */
static bool serve(struct state *state, struct connection *connection,
                  const struct pollfd *client, const struct pollfd *server)
{
    const short readable = POLLIN | POLLHUP | POLLERR;
    struct flow *up = &connection->up, *down = &connection->down;
    int64_t now = clock_now();
    ssize_t length;

    if ((client->events & POLLIN) && (client->revents & readable)) {
        length = take(up, now + state->delay);
        if (length < 0)
            return false;
        if (length > 0 && connection->server_spoke)
            state->counts->turns++;
        if (length > 0)
            connection->server_spoke = false;
        state->counts->to_server += (uint64_t)length;
    }
    if ((server->events & POLLIN) && (server->revents & readable)) {
        length = take(down, now + state->delay);
        if (length < 0)
            return false;
        if (length > 0)
            connection->server_spoke = true;
        state->counts->to_client += (uint64_t)length;
    }
    return give(up, now) && give(down, now) && !(up->closed && down->closed);
}

static void wait_for_events(struct pollfd *fds, size_t count, int64_t wait)
{
    struct timespec limit = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};

    ppoll(fds, count, wait < 0 ? NULL : &limit, NULL);
}

static _Noreturn void relay(struct state *state)
{
    struct pollfd fds[1 + 2 * MAX_CONNECTIONS];

    for (;;) {
        int64_t now = clock_now(), wait = -1;

        fds[0] = (struct pollfd){.fd = state->listener, .events = POLLIN};
        for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
            struct connection *c = &state->connections[i];
            struct pollfd *client = &fds[1 + 2 * i], *server = client + 1;

            *client = *server = (struct pollfd){.fd = -1};
            if (!c->used)
                continue;
            want(&c->up, now, client, server, &wait);
            want(&c->down, now, server, client, &wait);
            /* A hang-up that nobody waits for would make poll return at once, always. */
            client->fd = client->events ? c->up.from : -1;
            server->fd = server->events ? c->up.to : -1;
        }
        wait_for_events(fds, sizeof fds / sizeof *fds, wait);
        for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
            struct connection *c = &state->connections[i];

            if (c->used && !serve(state, c, &fds[1 + 2 * i], &fds[2 + 2 * i]))
                drop(c);
        }
        if (fds[0].revents)
            accept_client(state);
    }
}

static void make_target(struct target *target, const char *host, int port)
{
    *target = (struct target){0};
    if (host[0] == '/') {
        struct sockaddr_un *local = &target->addr.local;

        local->sun_family = AF_UNIX;
        target->size = sizeof *local;
        if ((size_t)snprintf(local->sun_path, sizeof local->sun_path, "%s/.s.PGSQL.%d",
                             host, port) >= sizeof local->sun_path)
            check_fail("socket path too long: %s", host);
        return;
    }
    target->addr.inet.sin_family = AF_INET;
    target->addr.inet.sin_port = htons((uint16_t)port);
    target->size = sizeof target->addr.inet;
    if (inet_pton(AF_INET, host, &target->addr.inet.sin_addr) != 1)
        check_fail("not an IPv4 address: %s", host);
}

static int listen_locally(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) != 0 ||
        listen(fd, MAX_CONNECTIONS) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        check_fail("relay: cannot listen: %s", strerror(errno));
    *port = ntohs(addr.sin_port);
    return fd;
}

void relay_start(struct relay *r, const char *host, int port, unsigned delay_ms)
{
    static struct state state;
    pid_t parent = getpid();
    void *shared = mmap(NULL, sizeof *state.counts, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        check_fail("mmap: %s", strerror(errno));
    r->counts = state.counts = shared;
    state.delay = delay_ms * INT64_C(1000000);
    make_target(&state.target, host, port);
    state.listener = listen_locally(&r->port);
    r->pid = fork();
    if (r->pid < 0)
        check_fail("fork: %s", strerror(errno));
    if (r->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || dup2(state.listener, 3) < 0)
            _exit(1);
        /* The links to the keepers of servers are among these: held open here, they
         * would outlive the test. */
        close_range(4, ~0U, 0);
        state.listener = 3;
        relay(&state);
    }
    close(state.listener);
}

void relay_stop(struct relay *r)
{
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
        munmap((void *)r->counts, sizeof *r->counts);
    }
    *r = (struct relay){0};
}
