/*
 * Sending a long sequence of statements: as one pipeline, or one by one.
 *
 * In a pipeline nothing waits for a reply, so any number of transactions costs one round
 * trip. After the first error the server skips everything up to the end of the pipeline:
 * transactions that were committed before stay, later statements never start
 * (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
 * What is under way is bounded (RT_SEND_WINDOW), so memory does not grow with the input.
 */
#ifndef RT_PG_SEND_H
#define RT_PG_SEND_H

#include "pg/conn.h"

enum { RT_SEND_WINDOW = 1024 * 1024 };

struct rt_message {
    const char *sql; /* one statement; sql[len] is NUL, or is made so while it is sent */
    size_t len;
    int nparams;
    const char *const *params; /* text; must live until next is called again */
    const char *copy;          /* data of COPY FROM stdin, or NULL; only one by one */
    size_t copy_len;
    bool flush; /* ask the server for its replies up to here at once */
};

/* The two callbacks see the messages in the same order. */
struct rt_sender {
    /* Fill *out with the next message: 1, or 0 when there are no more. */
    int (*next)(void *context, struct rt_message *out);
    /*
     * A message succeeded, with its command tag ("INSERT 0 1") and the first value of
     * its first row (NULL when none). A negative return stops the sending; no message is
     * taken from next afterwards, but in a pipeline some may already be under way.
     */
    int (*reply)(void *context, const char *tag, const char *value, struct rt_err *err);
    void *context;
};

/*
 * Both return 0 when every message was replied to, or the first error: the server's, as
 * rt_query gives it, or that of reply. They leave the connection as the server does: a
 * transaction that failed is still open, for the caller to roll back.
 */
int rt_send_pipelined(struct rt_conn *conn, const struct rt_sender *sender,
                      struct rt_err *err) RT_CHECKED;
int rt_send_one_by_one(struct rt_conn *conn, const struct rt_sender *sender,
                       struct rt_err *err) RT_CHECKED;

#endif
