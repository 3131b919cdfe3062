/*
 * Throw-away PostgreSQL servers: a folder of its own with the data and a unix socket in
 * it, gone when it is stopped or the test program ends in whatever way (keeper.h).
 * Every function here fails the running test (check_fail) instead of returning an error.
 *
 *     struct cluster prod = {0};
 *     cluster_start(&prod, NULL);
 *     cluster_exec(&prod, "postgres", "create table t (a int)");
 *     cluster_stop(&prod);
 */
#ifndef TEST_CLUSTER_H
#define TEST_CLUSTER_H

#include <libpq-fe.h>
#include <stdbool.h>

#define CLUSTER_USER "postgres" /* the superuser; trusted on the socket */
#define CLUSTER_URL_SIZE 512

struct cluster {
    /* Set before the start, or left zero. */
    bool tcp;                      /* listen on 127.0.0.1 too */
    bool twin;                     /* a server for twins: of run_pg_bindir_twin */
    const struct cluster *primary; /* it is a hot standby of this one; NULL: of none */
    const char *password; /* of CLUSTER_USER, asked for on TCP only; NULL: none asked */
    const char *preload;  /* a library that the server loads first, or NULL */

    char dir[64]; /* the socket's folder; the server's log is DIR/log */
    int port;     /* of the socket's name and of TCP */
    int link;     /* to the keeper; 0 when not running */
};

/* settings: "name=value" strings for postgresql.conf up to NULL; may be NULL itself. */
void cluster_start(struct cluster *c, const char *const *settings);
void cluster_stop(struct cluster *c);

/* Take the server down, and bring it back with the same data, settings and port. */
enum cluster_halt {
    CLUSTER_FAST,      /* sessions are ended and everything is written */
    CLUSTER_IMMEDIATE, /* as in a crash: the next start recovers from the log */
};
void cluster_halt(struct cluster *c, enum cluster_halt how);
void cluster_resume(struct cluster *c);

/* Wait until a standby has everything that its primary has committed. */
void cluster_catch_up(const struct cluster *standby);

/* URI of a database as CLUSTER_USER, through the socket. Fills and returns buf. */
const char *cluster_url(const struct cluster *c, const char *db,
                        char buf[static CLUSTER_URL_SIZE]);

PGconn *cluster_connect(const struct cluster *c, const char *db);

/* Run SQL; it may be several statements. */
void cluster_exec(const struct cluster *c, const char *db, const char *sql);

/* malloc'ed first column of the result, rows joined by newlines, NULL as nothing. */
char *cluster_query(const struct cluster *c, const char *db, const char *sql);

/* Fail unless the query's answer is this text. */
#define assert_query(c, db, sql, want) \
    cluster_expect(c, db, sql, want, __FILE__, __LINE__)
void cluster_expect(const struct cluster *c, const char *db, const char *sql,
                    const char *want, const char *file, int line);

/* Repeat the query until its answer is "t"; fail after half a minute. */
void cluster_wait(const struct cluster *c, const char *db, const char *sql);

void cluster_createdb(const struct cluster *c, const char *db);
void cluster_dropdb(const struct cluster *c, const char *db);

/* malloc'ed output of pg_dump with more arguments up to NULL, without \restrict lines and
 * the server's version. Of either server it is the twin's pg_dump, which is no older, so
 * that two can be compared. */
char *cluster_dump(const struct cluster *c, const char *db, ...)
    __attribute__((sentinel));

/* malloc'ed text of the server's log so far. */
char *cluster_log(const struct cluster *c);

#endif
