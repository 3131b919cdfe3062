#include "base/arena.h"

#include <stdalign.h>

#include "base/mem.h"

struct rt_arena_block {
    struct rt_arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

enum { BLOCK_SIZE = 64 * 1024 };

void *rt_arena_alloc(struct rt_arena *arena, size_t size)
{
    struct rt_arena_block *block = arena->blocks;
    size_t align = alignof(max_align_t);
    void *p;

    size = (size + align - 1) / align * align;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        block = rt_alloc(sizeof(*block) + room);
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    p = block->data + block->used;
    block->used += size;
    return p;
}

char *rt_arena_strndup(struct rt_arena *arena, const char *s, size_t len)
{
    char *copy = rt_arena_alloc(arena, len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    return copy;
}

char *rt_arena_strdup(struct rt_arena *arena, const char *s)
{
    return rt_arena_strndup(arena, s, strlen(s));
}

char *rt_arena_format(struct rt_arena *arena, const char *fmt, ...)
{
    va_list ap;
    char *text, *copy;

    va_start(ap, fmt);
    text = rt_vformat(fmt, ap);
    va_end(ap);
    copy = rt_arena_strdup(arena, text);
    free(text);
    return copy;
}

void rt_arena_clear(struct rt_arena *arena)
{
    struct rt_arena_block *block = arena->blocks, *next;

    for (; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
}
