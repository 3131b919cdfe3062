/* One statement as PostgreSQL's own parser reads it. Only on the main thread. */
#ifndef RT_SQL_PARSE_H
#define RT_SQL_PARSE_H

#include <pg_query.pb-c.h>

#include "base/attr.h"

/*
 * The tree, for rt_parse_free. NULL when the parser does not understand the text, when it
 * is over RT_INSPECT_MAX bytes, or when its tree is too deep.
 */
PgQuery__ParseResult *rt_parse(const char *sql, size_t len);
void rt_parse_free(PgQuery__ParseResult *tree);

/* The option of this name, NULL when it is not given. */
const PgQuery__DefElem *rt_parse_option(PgQuery__Node **options, size_t count,
                                        const char *name);

/* The option's value reads as false; a missing option or value is not false. */
bool rt_parse_is_false(const PgQuery__DefElem *option);

bool rt_parse_reindexes_concurrently(const PgQuery__ReindexStmt *reindex);

/* The command DETACH PARTITION ... CONCURRENTLY, NULL when there is none. */
const PgQuery__AlterTableCmd *
rt_parse_concurrent_detach(const PgQuery__AlterTableStmt *alter);

#endif
