/* Statements that are put together one by one and sent in one round trip. */
#ifndef RT_TWIN_DELTA_VOLLEY_H
#define RT_TWIN_DELTA_VOLLEY_H

#include "base/str.h"
#include "pg/query.h"

struct rt_volley {
    struct rt_read *reads; /* their rows are filled by rt_volley_run */
    size_t count, cap;
}; /* starts as {0} */

/* Takes the text, which is empty afterwards. */
void rt_volley_add(struct rt_volley *volley, struct rt_str *sql);

/*
 * As rt_query_many, in the open transaction; without a statement it does nothing.
 *
 * Rows are looked up one by one where they are few compared with the table: what comes
 * from production comes in the order of its pages, so that most of those lookups find the
 * twin's page in memory, of which the planner knows nothing.
 */
int rt_volley_run(struct rt_volley *volley, struct rt_conn *conn,
                  struct rt_err *err) RT_CHECKED;
void rt_volley_clear(struct rt_volley *volley);

#endif
