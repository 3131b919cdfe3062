/*
 * How a file runs: in one transaction of ours, without a transaction, or refused.
 *
 * A file wrapped in its own BEGIN; ... COMMIT; runs in ours, without the outer pair. A
 * file runs without a transaction, statement by statement, when it starts with the
 * directive "-- revtwin: no-transaction", or when all its statements refuse one (settings
 * may stand between them).
 */
#ifndef RT_SQL_MODE_H
#define RT_SQL_MODE_H

#include "sql/split.h"

struct rt_mode {
    size_t first, count; /* the statements to send, as a range of script->stmts */
    bool no_transaction; /* each statement commits by itself; never of an empty range */
    bool unwrapped;      /* an outer BEGIN; ... COMMIT; was dropped */
    size_t statements;   /* entries of the range that are not COPY data */
    size_t unparsed;     /* of these, how many are RT_CLASS_UNPARSED */
};

/*
 * Decide for an inspected script. Errors, all -RT_EREFUSED with line, column and excerpt
 * but no path, each with its own message and hint: transaction control other than one
 * outer pair and savepoints; without a transaction, any, and what means nothing there; a
 * statement that refuses a transaction among others that do not, without the directive; a
 * text that psql and the server read differently; what undoes the session's settings.
 */
int rt_script_mode(struct rt_mode *out, const struct rt_script *script,
                   struct rt_err *err) RT_CHECKED;

#endif
