#include "base/mem.h"

_Noreturn void rt_out_of_memory(void)
{
    fputs("revtwin: error: out of memory\n", stderr);
    exit(1);
}

static void *or_exit(void *p)
{
    if (p == NULL)
        rt_out_of_memory();
    return p;
}

void *rt_alloc(size_t size)
{
    return or_exit(calloc(1, size ? size : 1));
}

char *rt_strdup(const char *s)
{
    return or_exit(strdup(s));
}

char *rt_strndup(const char *s, size_t len)
{
    char *copy = or_exit(malloc(len + 1));

    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *rt_vformat(const char *fmt, va_list ap)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    text = or_exit(len < 0 ? NULL : malloc((size_t)len + 1));
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}

char *rt_format(const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = rt_vformat(fmt, ap);
    va_end(ap);
    return text;
}

void *rt_grow(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? *cap + *cap / 2 + 1 : 16;
    return or_exit(reallocarray(items, *cap, size));
}
