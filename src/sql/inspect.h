/*
 * Understanding statements with libpg_query, PostgreSQL's own parser (15 or later).
 * What it cannot parse (newer grammar, very deep nesting, a statement over
 * RT_INSPECT_MAX bytes) is RT_CLASS_UNPARSED: it is still run, only the analysis is
 * weaker. Its first word tells transaction control (RT_CLASS_TX) all the same, and that
 * a larger INSERT, UPDATE, DELETE or SELECT is plain.
 */
#ifndef RT_SQL_INSPECT_H
#define RT_SQL_INSPECT_H

#include "sql/split.h"

/*
 * The parser turns its tree into bytes by recursion, about 300 bytes of stack a level,
 * and two bytes of text ("+1") are enough for a level.
 */
enum { RT_INSPECT_MAX = 32 * 1024 };

/* Fill stmt_class and tag of every statement. Only on the main thread. */
void rt_script_inspect(struct rt_script *script);

#endif
