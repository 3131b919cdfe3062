/*
 * The process that owns a throw-away folder, and the server in it if there is one. It is
 * detached from the test program and linked to it by a socket only: when the link closes,
 * whether by the test's wish, its crash, a signal or a SIGKILL, the keeper stops the
 * server and removes the folder.
 */
#ifndef TEST_KEEPER_H
#define TEST_KEEPER_H

#include <sys/types.h>

struct keeper_job {
    const char *dir;    /* exists and belongs to uid; DIR/data and DIR/log are made */
    const char *bindir; /* the server's programs; NULL: there is only the folder */
    const char *maker;  /* the one of them that makes DIR/data: initdb, pg_basebackup */
    uid_t uid;          /* who runs the server: it refuses root */
    gid_t gid;
    const char *const *init; /* more arguments for it, up to NULL */
    const char *const *run;  /* more arguments for postgres, up to NULL */
    const char *preload;     /* a library that the server loads first, or NULL */
};

/*
 * Make and start the server. Returns the link, or -1 with errno. The caller of a server
 * then reads from it: '+' when the server accepts connections, or '-' and the log's text
 * when it did not start and everything is gone again.
 */
int keeper_start(const struct keeper_job *job);

/*
 * Have the keeper do this with its server, and wait until it is done. Returns the answer
 * as above ('-' only for KEEPER_START), or 0 when there is no keeper any more.
 */
enum keeper_order {
    KEEPER_HALT_FAST = 'f', /* sessions are ended, a shutdown checkpoint is written */
    KEEPER_HALT_IMMEDIATE = 'i', /* as in a crash: recovery at the next start */
    KEEPER_START = 's',          /* again, with the same arguments and data */
};
char keeper_order(int link, enum keeper_order order);

/* Close the link and wait until the server and the folder are gone. */
void keeper_stop(int link);

#endif
