#include "forward.h"

#include "link.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define CHUNK_SIZE 65536
#define MAX_UNDERWAY (64 << 20) /* bytes each way; past it the sender has to wait */

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
    uint64_t taken, given; /* bytes */
    int64_t ended; /* when the end of the stream may be passed on; 0 while it goes on */
    bool closed;   /* and it was */

    struct wire wire;
    uint64_t messages; /* complete ones that were taken */
    uint64_t limit;    /* no more bytes than this may be given */
};

struct connection {
    bool used;
    bool server_spoke;
    bool known;  /* a session: its startup packet was seen */
    bool sprung; /* what is before the limit passes, then the trap acts */
    bool held;
    struct relay_trap trap; /* its own: RELAY_PASS once it is over */
    struct flow flows[2];   /* by enum relay_side */
};

static struct connection connections[MAX_CONNECTIONS];
static struct link links[2]; /* by enum relay_side */
static struct forward self;

static int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ------------------------------------------------------------------ traps */

static uint64_t last_passed(const struct relay_trap *trap)
{
    return trap->message - (trap->before ? 1 : 0);
}

static void lift_limits(struct connection *c)
{
    c->held = c->sprung = false;
    c->trap.act = RELAY_PASS;
    c->flows[RELAY_TO_SERVER].limit = c->flows[RELAY_TO_CLIENT].limit = UINT64_MAX;
}

/* The startup packet tells that this is a session, perhaps the one with the trap. */
static void note_session(struct connection *c)
{
    volatile struct relay_shared *shared = self.shared;
    struct flow *watched;

    c->known = true;
    shared->opened++;
    if (shared->trap.connection == RELAY_ANY ? shared->has_sprung
                                             : shared->opened != shared->trap.connection)
        return;
    c->trap = shared->trap;
    watched = &c->flows[c->trap.side];
    if (c->trap.act != RELAY_PASS && last_passed(&c->trap) == 0)
        watched->limit = 0;
}

/* It springs once only. */
static void disarm_others(const struct connection *c)
{
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        if (&connections[i] != c && connections[i].used && !connections[i].sprung)
            lift_limits(&connections[i]);
    }
}

static void note_message(struct connection *c, enum relay_side side, uint64_t end)
{
    struct flow *flow = &c->flows[side];

    flow->messages++;
    self.shared->counts.messages[side]++;
    if (c->trap.act == RELAY_PASS || c->trap.side != side || c->sprung)
        return;
    if (flow->messages == last_passed(&c->trap))
        flow->limit = end;
    if (flow->messages == c->trap.message) {
        c->sprung = true;
        self.shared->type = flow->wire.type;
        self.shared->has_sprung = true;
        disarm_others(c);
    }
}

/* The message that ends at offset, with these bytes, may be the one with the text. */
static void note_text(struct connection *c, enum relay_side side, const char *data,
                      size_t length, uint64_t offset)
{
    struct flow *flow = &c->flows[side];
    const char *text = c->trap.text;

    if (!text[0] || c->trap.act == RELAY_PASS || c->trap.side != side ||
        c->trap.message != UINT64_MAX ||
        !memmem(data, length, text, strlen(text) + c->trap.ends)) /* and the NUL */
        return;
    c->trap.message = flow->messages + 1;
    if (c->trap.before)
        flow->limit = offset - length;
}

/* Find the messages that end in these bytes, the flow's newest. */
static void scan(struct connection *c, enum relay_side side, const char *data,
                 size_t length)
{
    struct flow *flow = &c->flows[side];
    uint64_t offset = flow->taken;
    bool complete;

    for (size_t used; length > 0; data += used, length -= used) {
        used = wire_read(&flow->wire, data, length, &complete);
        offset += used;
        if (!complete)
            continue;
        if (side == RELAY_TO_SERVER && !c->known && flow->wire.code == WIRE_CANCEL)
            continue;
        if (side == RELAY_TO_SERVER && !c->known)
            note_session(c);
        note_text(c, side, data, used, offset);
        note_message(c, side, offset);
    }
}

/*
 * The trap's time has come: what may pass has passed. Returns false to cut. An orderly
 * close, not a reset: that could overtake what was passed before, and the point would not
 * be exact.
 */
static bool spring(struct connection *c)
{
    if (c->trap.act == RELAY_CUT)
        return false;
    c->held = true;
    eventfd_write(self.sprung, 1);
    return true;
}

/* ------------------------------------------------------------------ bytes */

/* The server tells its version once, "15.2", with the first thing that it says. */
static void pretend(char *data, size_t length)
{
    static const char name[] = "server_version";
    unsigned version = self.shared->version;
    char *found = version ? memmem(data, length, name, sizeof name) : NULL;

    if (!found || found + sizeof name + 2 > data + length)
        return;
    found[sizeof name] = (char)('0' + version / 10);
    found[sizeof name + 1] = (char)('0' + version % 10);
}

/* Take what can be read into the flow. Returns the bytes, or -1 when it broke. */
static ssize_t take(struct connection *c, enum relay_side side, int64_t now)
{
    struct chunk *chunk = malloc(sizeof *chunk + CHUNK_SIZE), *smaller;
    struct flow *flow = &c->flows[side];
    ssize_t length;

    if (!chunk)
        return -1;
    length = read(flow->from, chunk->data, CHUNK_SIZE);
    if (length <= 0) {
        free(chunk);
        if (length == 0)
            flow->ended = now + self.delay;
        return length < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : length;
    }
    scan(c, side, chunk->data, (size_t)length);
    if (side == RELAY_TO_CLIENT)
        pretend(chunk->data, (size_t)length);
    smaller = realloc(chunk, sizeof *chunk + (size_t)length);
    chunk = smaller ? smaller : chunk;
    chunk->next = NULL;
    chunk->due =
        self.delay + link_send(&links[side], self.shared->rate, now, (size_t)length);
    chunk->length = (size_t)length;
    chunk->sent = 0;
    *flow->end = chunk;
    flow->end = &chunk->next;
    flow->taken += chunk->length;
    return length;
}

/* How much of the flow's first chunk may be given; 0 also when there is none. */
static size_t ready_bytes(const struct flow *flow, int64_t now)
{
    const struct chunk *chunk = flow->first;
    size_t rest = chunk && chunk->due <= now ? chunk->length - chunk->sent : 0;

    return rest < flow->limit - flow->given ? rest : (size_t)(flow->limit - flow->given);
}

/* Pass on what is due, as far as the receiver takes it. Returns false when it broke. */
static bool give(struct flow *flow, int64_t now)
{
    size_t ready;

    while (flow->first && (ready = ready_bytes(flow, now)) > 0) {
        struct chunk *chunk = flow->first;
        ssize_t sent = send(flow->to, chunk->data + chunk->sent, ready, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        chunk->sent += (size_t)sent;
        flow->given += (size_t)sent;
        if (chunk->sent < chunk->length)
            continue;
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

/* ------------------------------------------------------------------ connections */

static void init_flow(struct flow *flow, int from, int to, bool from_client)
{
    *flow = (struct flow){.from = from, .to = to, .limit = UINT64_MAX};
    flow->end = &flow->first;
    wire_init(&flow->wire, from_client);
}

static void clear_flow(struct flow *flow)
{
    for (struct chunk *chunk = flow->first, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

static void drop(struct connection *c)
{
    close(c->flows[0].from);
    close(c->flows[0].to);
    clear_flow(&c->flows[0]);
    clear_flow(&c->flows[1]);
    c->used = false;
}

static void accept_client(void)
{
    int one = 1, server, client = accept4(self.listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *c = NULL;

    if (client < 0)
        return;
    for (size_t i = 0; i < MAX_CONNECTIONS && !c; i++) {
        if (!connections[i].used)
            c = &connections[i];
    }
    server = socket(self.target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!c || server < 0 || connect(server, &self.target.any, self.target_size) != 0) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (self.target.any.sa_family == AF_INET)
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(client, F_SETFL, O_NONBLOCK);
    fcntl(server, F_SETFL, O_NONBLOCK);
    *c = (struct connection){.used = true, .server_spoke = true};
    init_flow(&c->flows[RELAY_TO_SERVER], client, server, true);
    init_flow(&c->flows[RELAY_TO_CLIENT], server, client, false);
    self.shared->counts.connections++;
}

static void wait_at_most(int64_t *wait, int64_t limit)
{
    if (*wait < 0 || limit < *wait)
        *wait = limit;
}

/* What to poll the flow's two ends for, and how long at most to wait for its clock. */
static void want(const struct flow *flow, const struct link *link, int64_t now,
                 struct pollfd *from, struct pollfd *to, int64_t *wait)
{
    int64_t due = flow->first ? flow->first->due : flow->ended;

    if (!flow->ended && flow->taken - flow->given < MAX_UNDERWAY) {
        if (link_wait(link, now) > 0)
            wait_at_most(wait, link_wait(link, now));
        else
            from->events |= POLLIN;
    }
    if (ready_bytes(flow, now) > 0)
        to->events |= POLLOUT;
    else if (due > now)
        wait_at_most(wait, due - now);
    else if (!flow->first && due && !flow->closed)
        *wait = 0;
}

static bool can_read(const struct pollfd *fd)
{
    return (fd->events & POLLIN) && (fd->revents & (POLLIN | POLLHUP | POLLERR));
}

/* Returns false when the connection is over. */
static bool serve(struct connection *c, const struct pollfd *client,
                  const struct pollfd *server)
{
    volatile struct relay_counts *counts = &self.shared->counts;
    struct flow *up = &c->flows[RELAY_TO_SERVER], *down = &c->flows[RELAY_TO_CLIENT];
    int64_t now = clock_now();
    ssize_t length;

    if (can_read(client) && !c->sprung) {
        length = take(c, RELAY_TO_SERVER, now);
        if (length < 0)
            return false;
        if (length > 0 && c->server_spoke)
            counts->turns++;
        if (length > 0)
            c->server_spoke = false;
        counts->to_server += (uint64_t)length;
    }
    if (can_read(server) && !c->sprung) {
        length = take(c, RELAY_TO_CLIENT, now);
        if (length < 0)
            return false;
        if (length > 0)
            c->server_spoke = true;
        counts->to_client += (uint64_t)length;
    }
    if (c->sprung) {
        struct flow *watched = &c->flows[c->trap.side];

        return give(watched, now) && (watched->given < watched->limit || spring(c));
    }
    return give(up, now) && give(down, now) && !(up->closed && down->closed);
}

/* ------------------------------------------------------------------ the loop */

static void let_go(void)
{
    eventfd_t ignored;

    eventfd_read(self.released, &ignored);
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        struct connection *c = &connections[i];

        if (!c->used || !(c->held || self.shared->break_all))
            continue;
        if (self.shared->release == RELAY_PASS && !self.shared->break_all) {
            lift_limits(c);
            continue;
        }
        /* A copy of the server's end that nobody closes keeps it open. */
        if (self.shared->release == RELAY_FORGET)
            fcntl(c->flows[RELAY_TO_SERVER].to, F_DUPFD_CLOEXEC, 0);
        drop(c);
    }
    self.shared->break_all = false;
}

static void prepare(const struct connection *c, int64_t now, struct pollfd *client,
                    struct pollfd *server, int64_t *wait)
{
    *client = *server = (struct pollfd){.fd = -1};
    if (!c->used || c->held)
        return;
    want(&c->flows[RELAY_TO_SERVER], &links[RELAY_TO_SERVER], now, client, server, wait);
    want(&c->flows[RELAY_TO_CLIENT], &links[RELAY_TO_CLIENT], now, server, client, wait);
    /* A hang-up that nobody waits for would make poll return at once, always. */
    client->fd = client->events ? c->flows[RELAY_TO_SERVER].from : -1;
    server->fd = server->events ? c->flows[RELAY_TO_SERVER].to : -1;
}

static void wait_for_events(struct pollfd *fds, size_t count, int64_t wait)
{
    struct timespec limit = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};

    ppoll(fds, count, wait < 0 ? NULL : &limit, NULL);
}

_Noreturn void forward_run(const struct forward *forward)
{
    struct pollfd fds[2 + 2 * MAX_CONNECTIONS];

    self = *forward;
    for (;;) {
        int64_t now = clock_now(), wait = -1;

        fds[0] = (struct pollfd){.fd = self.listener, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = self.released, .events = POLLIN};
        for (size_t i = 0; i < MAX_CONNECTIONS; i++)
            prepare(&connections[i], now, &fds[2 + 2 * i], &fds[3 + 2 * i], &wait);
        wait_for_events(fds, sizeof fds / sizeof *fds, wait);
        for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
            struct connection *c = &connections[i];

            if (c->used && !c->held && !serve(c, &fds[2 + 2 * i], &fds[3 + 2 * i]))
                drop(c);
        }
        if (fds[1].revents)
            let_go();
        if (fds[0].revents)
            accept_client();
    }
}
