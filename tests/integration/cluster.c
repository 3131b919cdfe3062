#include "cluster.h"

#include "check.h"
#include "keeper.h"
#include "run.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 127
#define WAIT_SECONDS 30

/* Small, and without the waits that make data survive a power cut. */
static const char *const defaults[] = {
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=50",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "dynamic_shared_memory_type=mmap", /* in the data folder, so it goes with it */
    NULL};

/* Who runs the server: the tester, or an account without rights when that is root. */
static void choose_user(struct keeper_job *job)
{
    struct passwd *pw = NULL;

    job->uid = geteuid();
    job->gid = getegid();
    if (job->uid != 0)
        return;
    pw = getpwnam("postgres");
    if (!pw)
        pw = getpwnam("nobody");
    if (!pw)
        check_fail("no account \"postgres\" or \"nobody\" to run a server as");
    job->uid = pw->pw_uid;
    job->gid = pw->pw_gid;
}

static void make_folder(struct cluster *c, const struct keeper_job *job)
{
    const char *tmp = getenv("TMPDIR");
    size_t size = sizeof c->dir;

    if (!tmp || (size_t)snprintf(c->dir, size, "%s/rtpg.XXXXXX", tmp) >= size)
        snprintf(c->dir, size, "/tmp/rtpg.XXXXXX");
    if (!mkdtemp(c->dir))
        check_fail("mkdtemp %s: %s", c->dir, strerror(errno));
    if (geteuid() == 0 && chown(c->dir, job->uid, job->gid) != 0)
        check_fail("chown %s: %s", c->dir, strerror(errno));
}

/* Where the server's user may read it. Returns its path there, for the caller to free. */
static char *copy_library(const struct cluster *c)
{
    char *path = check_printf("%s/preload.so", c->dir), bytes[65536];
    FILE *from = fopen(c->preload, "re"), *to = fopen(path, "we");
    size_t got;

    while (from && to && (got = fread(bytes, 1, sizeof(bytes), from)) > 0)
        fwrite(bytes, 1, got, to);
    if (!from || !to || ferror(from) || fchmod(fileno(to), 0755) != 0 || fclose(to) != 0)
        check_fail("cannot copy %s: %s", c->preload, strerror(errno));
    fclose(from);
    return path;
}

static int free_tcp_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        check_fail("no free TCP port: %s", strerror(errno));
    close(fd);
    return ntohs(addr.sin_port);
}

static void read_first_answer(struct cluster *c)
{
    char text[8192];
    size_t length = 0;
    ssize_t got;

    while (length < sizeof text - 1 && (length == 0 || text[0] != '+')) {
        got = read(c->link, text + length, sizeof text - 1 - length);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    if (text[0] != '+')
        check_fail("the server did not start:\n%s", length ? text + 1 : "(no log)");
}

static void set_password(const struct cluster *c)
{
    PGconn *conn = cluster_connect(c, "postgres");
    char *literal = PQescapeLiteral(conn, c->password, strlen(c->password));
    char *sql = check_printf("alter role " CLUSTER_USER " password %s", literal);

    cluster_exec(c, "postgres", sql);
    free(sql);
    PQfreemem(literal);
    PQfinish(conn);
}

/* Append "-c SETTING" for each to the arguments; returns how many there are then. */
static size_t add_settings(const char **args, size_t n, const char *const *settings)
{
    for (; settings && *settings; settings++) {
        if (n + 2 > MAX_ARGS)
            check_fail("too many settings");
        args[n++] = "-c";
        args[n++] = *settings;
    }
    return n;
}

static void launch(struct cluster *c, struct keeper_job job, const char *const *settings)
{
    char *port = check_printf("%d", c->port);
    const char *args[MAX_ARGS + 1] = {"-k", c->dir, "-p",
                                      port, "-h",   c->tcp ? "127.0.0.1" : ""};

    add_settings(args, add_settings(args, 6, defaults), settings);
    job.run = args;
    c->link = keeper_start(&job);
    free(port);
    if (c->link < 0)
        check_fail("keeper: %s", strerror(errno));
}

void cluster_start(struct cluster *c, const char *const *settings)
{
    const char *auth = c->password ? "--auth-host=scram-sha-256" : "--auth-host=trust";
    const char *init[] = {
        "-U",        CLUSTER_USER,         "-E", "UTF8", "--locale=C.UTF-8",
        "--no-sync", "--auth-local=trust", auth, NULL};
    char url[CLUSTER_URL_SIZE];
    const char *follow[] = {"--no-sync",
                            "--write-recovery-conf",
                            "-c",
                            "fast",
                            "--wal-method=fetch",
                            "-d",
                            url,
                            NULL};
    struct keeper_job job = {.dir = c->dir,
                             .bindir = c->twin ? run_pg_bindir_twin() : run_pg_bindir(),
                             .maker = c->primary ? "pg_basebackup" : "initdb",
                             .init = c->primary ? follow : init};
    char *preload;

    if (c->primary)
        cluster_url(c->primary, "postgres", url);

    choose_user(&job);
    make_folder(c, &job);
    preload = c->preload ? copy_library(c) : NULL;
    job.preload = preload;
    c->port = c->tcp ? free_tcp_port() : 5432;
    launch(c, job, settings);
    read_first_answer(c);
    if (c->password && !c->primary)
        set_password(c);
    free(preload);
}

void cluster_stop(struct cluster *c)
{
    if (c->link > 0)
        keeper_stop(c->link);
    c->link = 0;
}

void cluster_halt(struct cluster *c, enum cluster_halt how)
{
    if (keeper_order(c->link, how == CLUSTER_FAST ? KEEPER_HALT_FAST
                                                  : KEEPER_HALT_IMMEDIATE) != '+')
        check_fail("the server's keeper is gone");
}

void cluster_resume(struct cluster *c)
{
    if (keeper_order(c->link, KEEPER_START) != '+') {
        char *log = cluster_log(c);

        check_fail("the server did not start again:\n%s", log);
    }
}

void cluster_catch_up(const struct cluster *standby)
{
    char *lsn =
        cluster_query(standby->primary, "postgres", "select pg_current_wal_flush_lsn()");
    char *sql = check_printf("select pg_last_wal_replay_lsn() >= '%s'", lsn);

    cluster_wait(standby, "postgres", sql);
    free(sql);
    free(lsn);
}

/* Append text to the C string in buf, with everything but letters and digits as %XX. */
static void append_escaped(char *buf, size_t size, const char *text)
{
    size_t n = strlen(buf);

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        n += (size_t)snprintf(buf + n, size - n, isalnum(byte) ? "%c" : "%%%02X", byte);
        if (n >= size)
            check_fail("URL too long: %s", buf);
    }
}

const char *cluster_url(const struct cluster *c, const char *db,
                        char buf[static CLUSTER_URL_SIZE])
{
    size_t n;

    snprintf(buf, CLUSTER_URL_SIZE, "postgresql://" CLUSTER_USER "@/");
    append_escaped(buf, CLUSTER_URL_SIZE, db);
    n = strlen(buf);
    n += (size_t)snprintf(buf + n, CLUSTER_URL_SIZE - n, "?port=%d&host=", c->port);
    if (n >= CLUSTER_URL_SIZE)
        check_fail("URL too long: %s", buf);
    append_escaped(buf, CLUSTER_URL_SIZE, c->dir);
    return buf;
}

PGconn *cluster_connect(const struct cluster *c, const char *db)
{
    char url[CLUSTER_URL_SIZE];
    PGconn *conn = PQconnectdb(cluster_url(c, db, url));

    if (PQstatus(conn) != CONNECTION_OK)
        check_fail("%s: %s", url, PQerrorMessage(conn));
    return conn;
}

/* Run SQL on a connection of its own; the caller clears the (last) result. */
static PGresult *query(const struct cluster *c, const char *db, const char *sql)
{
    PGconn *conn = cluster_connect(c, db);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
        status != PGRES_EMPTY_QUERY)
        check_fail("%s: %s%s", db, PQerrorMessage(conn), sql);
    PQfinish(conn);
    return result;
}

void cluster_exec(const struct cluster *c, const char *db, const char *sql)
{
    PQclear(query(c, db, sql));
}

char *cluster_query(const struct cluster *c, const char *db, const char *sql)
{
    PGresult *result = query(c, db, sql);
    size_t size = 1, n = 0;
    char *text;

    for (int row = 0; row < PQntuples(result); row++)
        size += (size_t)PQgetlength(result, row, 0) + 1;
    text = check_alloc(size);
    text[0] = '\0';
    for (int row = 0; row < PQntuples(result); row++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", row ? "\n" : "",
                              PQgetvalue(result, row, 0));
    PQclear(result);
    return text;
}

void cluster_expect(const struct cluster *c, const char *db, const char *sql,
                    const char *want, const char *file, int line)
{
    char *got = cluster_query(c, db, sql);

    if (strcmp(got, want) != 0)
        check_fail("%s:%d: %s: %s\ngot:\n%s\nexpected:\n%s", file, line, db, sql, got,
                   want);
    free(got);
}

void cluster_wait(const struct cluster *c, const char *db, const char *sql)
{
    struct timespec pause = {.tv_nsec = 20 * 1000000};
    time_t end = time(NULL) + WAIT_SECONDS;

    for (;;) {
        char *answer = cluster_query(c, db, sql);
        bool done = strcmp(answer, "t") == 0;

        free(answer);
        if (done)
            break;
        if (time(NULL) > end)
            check_fail("%s: not true after %d s: %s", db, WAIT_SECONDS, sql);
        nanosleep(&pause, NULL);
    }
}

static void exec_named(const struct cluster *c, const char *command, const char *db)
{
    PGconn *conn = cluster_connect(c, "postgres");
    char *name = PQescapeIdentifier(conn, db, strlen(db));
    char *sql = check_printf("%s %s", command, name);

    cluster_exec(c, "postgres", sql);
    free(sql);
    PQfreemem(name);
    PQfinish(conn);
}

void cluster_createdb(const struct cluster *c, const char *db)
{
    exec_named(c, "create database", db);
}

void cluster_dropdb(const struct cluster *c, const char *db)
{
    exec_named(c, "drop database", db);
}

/* What differs between two dumps of the same. */
static void remove_own_lines(char *text)
{
    char *to = text;

    for (char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        length += line[length] == '\n';
        if (strncmp(line, "\\restrict ", 10) != 0 &&
            strncmp(line, "\\unrestrict ", 12) != 0 &&
            strncmp(line, "-- Dumped from ", 15) != 0) {
            memmove(to, line, length);
            to += length;
        }
        line += length;
    }
    *to = '\0';
}

char *cluster_dump(const struct cluster *c, const char *db, ...)
{
    char url[CLUSTER_URL_SIZE],
        *pg_dump = check_printf("%s/pg_dump", run_pg_bindir_twin());
    const char *argv[MAX_ARGS + 1] = {pg_dump, "-d", cluster_url(c, db, url)};
    struct run r = {0};
    size_t n = 3;
    va_list more;
    char *text;

    va_start(more, db);
    while (n < MAX_ARGS && (argv[n] = va_arg(more, const char *)))
        n++;
    va_end(more);
    run_program(&r, NULL, NULL, argv);
    run_expect(&r, 0);
    text = r.out;
    r.out = NULL;
    run_clear(&r);
    free(pg_dump);
    remove_own_lines(text);
    return text;
}

char *cluster_log(const struct cluster *c)
{
    char *path = check_printf("%s/log", c->dir), *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (!file || (getdelim(&text, &size, '\0', file) < 0 && ferror(file)))
        check_fail("%s: %s", path, strerror(errno));
    fclose(file);
    free(path);
    return text;
}
