/*
 * How a file runs: in one transaction of ours, or refused. A file wrapped in its own
 * BEGIN; ... COMMIT; runs in ours, without the outer pair.
 */
#ifndef RT_SQL_MODE_H
#define RT_SQL_MODE_H

#include "sql/split.h"

struct rt_mode {
    size_t first, count; /* the statements to send, as a range of script->stmts */
    bool unwrapped;      /* an outer BEGIN; ... COMMIT; was dropped */
    size_t statements;   /* entries of the range that are not COPY data */
    size_t unparsed;     /* of these, how many are RT_CLASS_UNPARSED */
};

/*
 * Decide for an inspected script. Errors, all -RT_EREFUSED with line, column and excerpt
 * but no path: transaction control other than one outer pair and savepoints; a
 * text that psql and the server read differently; a statement
 * that refuses a transaction block (alone, mixed with others, or under the directive
 * no-transaction), each with its own message and hint.
 */
int rt_script_mode(struct rt_mode *out, const struct rt_script *script,
                   struct rt_err *err) RT_CHECKED;

#endif
