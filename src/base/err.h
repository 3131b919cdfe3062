/*
 * Errors are values. The caller owns a struct rt_err that starts as {0} and passes it
 * as the last parameter; the function that finds the error fills it and returns the
 * negative exit status; every caller hands that up; main prints it once.
 *
 * Messages follow PostgreSQL's convention: the message is lower case without a final
 * dot; detail and hint are sentences.
 */
#ifndef RT_BASE_ERR_H
#define RT_BASE_ERR_H

#include "base/attr.h"

/* The exit statuses of revtwin. A function that fails returns the negative value. */
enum rt_status {
    RT_DONE = 0,       /* done, or nothing to do */
    RT_EINTERNAL = 1,  /* internal or environment error */
    RT_EUSAGE = 2,     /* usage or configuration */
    RT_EREFUSED = 3,   /* plan refused: gap, changed or mixed file, rules, newer ledger */
    RT_EMIGRATION = 4, /* a migration failed and was rolled back */
    RT_ERESYNC = 5,    /* migrations are in, the resync failed, the twin is as it was */
    RT_EUNKNOWN = 6,   /* the outcome on production is unknown */
    RT_EDIFFERS = 7,   /* verification found a difference */
    RT_ELOCKED = 8,    /* another runner holds the lock */
    RT_EINT = 130,     /* cancelled by SIGINT */
    RT_ETERM = 143,    /* cancelled by SIGTERM */
};

/* One error. Strings are owned by the struct; each may be NULL. */
struct rt_err {
    enum rt_status status;
    char sqlstate[6];       /* five characters from the server, or empty */
    char *path;             /* file in the repository that the error is about */
    unsigned long line;     /* 1-based, 0 when unknown */
    unsigned long column;   /* 1-based in characters, 0 when unknown */
    unsigned long position; /* in the statement, as a server counts: 1-based characters;
                               whoever knows the file makes line and column of it */
    char *message;
    char *detail;
    char *hint;
    char *context; /* the server's CONTEXT */
    char *excerpt; /* source line and caret line, separated by a newline */
    char *advice;  /* revtwin's own: the state that things are in, and what to do next
                      (hint may be the server's) */
};

/* Forget what err held before and fill status and message. Returns -status. */
int rt_err_set(struct rt_err *err, enum rt_status status, const char *fmt, ...)
    RT_PRINTF(3, 4);

/* Put "prefix: " before the message. Returns -status of err. */
int rt_err_wrap(struct rt_err *err, const char *fmt, ...) RT_PRINTF(2, 3);

/* Replace one of the texts. Each returns -status of err, so that it can end a function.
 */
int rt_err_detail(struct rt_err *err, const char *fmt, ...) RT_PRINTF(2, 3);
int rt_err_hint(struct rt_err *err, const char *fmt, ...) RT_PRINTF(2, 3);
int rt_err_advice(struct rt_err *err, const char *fmt, ...) RT_PRINTF(2, 3);
int rt_err_at(struct rt_err *err, const char *path, unsigned long line,
              unsigned long column);

/* Whether the server gave this SQLSTATE. */
bool rt_err_is(const struct rt_err *err, const char *sqlstate);

/* Give the error in src to dst; src is then empty. */
void rt_err_move(struct rt_err *dst, struct rt_err *src);

void rt_err_clear(struct rt_err *err);

#endif
