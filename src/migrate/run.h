/* One run of a plan: what the files of apply share. */
#ifndef RT_MIGRATE_RUN_H
#define RT_MIGRATE_RUN_H

#include "migrate/apply.h"
#include "migrate/sequence.h"
#include "migrate/watch.h"

enum rt_loss {
    RT_LOSS_NONE,
    RT_LOSS_SETTLED, /* the connection was lost, and production told what is in */
    RT_LOSS_OPEN,    /* it was lost, and the old session may still be at work */
};

struct rt_run {
    struct rt_apply_result *out;
    struct rt_arena *arena;
    struct rt_conn *conn;
    const struct rt_ledger *ledger; /* as it was at the start */
    const struct rt_apply_options *options;
    struct rt_sequence sequence;
    struct rt_ledger_row *rows; /* of each action, {0} before it was made */

    /* Two cursors over the same sequence, one for sending, one for replies: the latter
     * tells which statement a reply, or an error, is about. */
    struct rt_cursor sent, replied;
    struct rt_watch watch;
    enum rt_loss loss;
    const char *xid; /* of the transaction whose replies are being read */
};

/* The last row of the ledger as unit finds it when all before it are in; NULL: none. */
const struct rt_ledger_row *rt_run_row_before(const struct rt_run *run, size_t unit);

/* Every action of the unit is in, with its row. */
void rt_run_unit_done(struct rt_run *run, size_t number);

#endif
