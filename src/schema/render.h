/* Where servers of different versions write the same query in different ways. */
#ifndef RT_SCHEMA_RENDER_H
#define RT_SCHEMA_RENDER_H

#include "base/attr.h"

/*
 * Whether these are one query over one relation: up to version 15 a view names the
 * relation before each column ("t.a"), from 16 on only where there are several
 * (pg_get_viewdef; varprefix in PostgreSQL's ruleutils.c). Blanks outside of quotes do
 * not count.
 */
bool rt_render_same(const char *before_16, const char *from_16);

#endif
