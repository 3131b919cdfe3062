/* The name of a statement for people: the server's command tag, a little finer. */
#ifndef RT_SQL_TAG_H
#define RT_SQL_TAG_H

#include <pg_query.pb-c.h>

/* Static text, "SQL" for a kind of statement without an entry. */
const char *rt_stmt_tag(const PgQuery__Node *node);

#endif
