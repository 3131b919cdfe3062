/*
 * What is sent for one statement that runs without a transaction, in one go:
 *
 *     BEGIN; the row "started"; the ledger ends where it should; settings; COMMIT;
 *     the statement; (BEGIN; COMMIT;) the row "done"
 *
 * As one pipeline, so that all of it reaches the same session also behind a pooler, that
 * a row which cannot be written keeps the statement from running, and that the server
 * goes on to the row "done" when we are gone. What can run in a transaction commits
 * together with that row; of what commits inside itself (DO, CALL), the last part does.
 * What refuses a transaction is committed before that row: when this is not written any
 * more, the next run asks production. COPY, which no pipeline can carry, runs between
 * BEGIN and COMMIT instead.
 */
#ifndef RT_MIGRATE_BATCH_H
#define RT_MIGRATE_BATCH_H

#include "pg/send.h"

/* What a message is for, to tell what an error is about. */
enum rt_part {
    RT_PART_FRAME,   /* BEGIN, COMMIT, and the session as revtwin needs it */
    RT_PART_CLAIM,   /* the row that says that it is ours to run */
    RT_PART_HEAD,    /* the ledger's end */
    RT_PART_SETTING, /* a SET of the file, again */
    RT_PART_STATEMENT,
    RT_PART_DONE, /* the row that says that it is done */
};

struct rt_batch {
    struct rt_batch_item {
        struct rt_message message;
        enum rt_part part;
        size_t place; /* of a SET: in script.stmts */
    } * items;
    size_t count, cap, sent;
    size_t replied; /* messages that succeeded */
    char *answer;   /* the last value that came, or NULL */
};                  /* starts as {0} */

/* Forget the messages, keep the memory. */
void rt_batch_reset(struct rt_batch *batch);

/* Add a text; params are borrowed until it was sent. */
void rt_batch_add(struct rt_batch *batch, enum rt_part part, const char *sql, int nparams,
                  const char *const *params);

/* Add a message, as rt_send_* want it. */
void rt_batch_add_message(struct rt_batch *batch, enum rt_part part, size_t place,
                          struct rt_message message);

/* Send it. With an error batch->replied tells what it is about. */
int rt_batch_send(struct rt_batch *batch, struct rt_conn *conn, bool one_by_one,
                  struct rt_err *err) RT_CHECKED;

/* What the error was about; past the last message (at the end of a pipeline, where
 * deferred constraints speak up) the statement. */
enum rt_part rt_batch_part(const struct rt_batch *batch);

void rt_batch_clear(struct rt_batch *batch);

#endif
