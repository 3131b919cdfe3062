/*
 * An arena holds the plain data of one phase (paths, findings, plans) and frees it at
 * once. Handles (connections, git objects, descriptors) are never kept in an arena.
 */
#ifndef RT_BASE_ARENA_H
#define RT_BASE_ARENA_H

#include "base/attr.h"

struct rt_arena {
    struct rt_arena_block *blocks;
}; /* starts as {0} */

/* Zeroed memory, aligned for any type; lives until rt_arena_clear. Never NULL. */
void *rt_arena_alloc(struct rt_arena *arena, size_t size);
char *rt_arena_strdup(struct rt_arena *arena, const char *s);
char *rt_arena_strndup(struct rt_arena *arena, const char *s, size_t len);
char *rt_arena_format(struct rt_arena *arena, const char *fmt, ...) RT_PRINTF(2, 3);
void rt_arena_clear(struct rt_arena *arena);

#endif
