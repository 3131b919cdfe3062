#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char context[256];

void check_context(const char *fmt, ...)
{
    va_list args;

    context[0] = '\0';
    if (!fmt)
        return;
    va_start(args, fmt);
    vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
}

_Noreturn void check_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fflush(stdout);
    fprintf(stderr, "harness: %s%s", context, context[0] ? ": " : "");
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    fail();
    exit(1);
}

char *check_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, fmt);
    length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        check_fail("out of memory");
    return text;
}

void *check_alloc(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        check_fail("out of memory");
    return memory;
}

void check_contains(const char *text, const char *part, const char *file, int line)
{
    if (!strstr(text, part))
        check_fail("%s:%d: expected to find\n%s\nin\n%s", file, line, part, text);
}

void check_lacks(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part))
        check_fail("%s:%d: expected not to find\n%s\nin\n%s", file, line, part, text);
}

/* Length of the line that text starts with. */
static int line_length(const char *text)
{
    return (int)strcspn(text, "\n");
}

void check_text(const char *got, const char *want, const char *file, int line)
{
    size_t same = 0;
    int number = 1;

    if (strcmp(got, want) == 0)
        return;
    for (size_t i = 0; got[i] && got[i] == want[i]; i++) {
        if (got[i] == '\n') {
            same = i + 1;
            number++;
        }
    }
    check_fail("%s:%d: texts differ from line %d:\n  got      %.*s\n  expected %.*s\n"
               "whole text:\n%s",
               file, line, number, line_length(got + same), got + same,
               line_length(want + same), want + same, got);
}

static int order_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void check_sort_lines(char *from, const char *end)
{
    size_t size = (size_t)(end - from), count = 0;
    char **lines = check_alloc((size + 1) * sizeof(*lines));
    char *copy = check_alloc(size + 1), *rest = copy, *line;

    if (size > 0)
        memcpy(copy, from, size);
    copy[size] = '\0';
    while ((line = strsep(&rest, "\n")) && rest)
        lines[count++] = line;
    qsort(lines, count, sizeof(*lines), order_lines);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(lines[i]);

        memcpy(from, lines[i], len);
        from[len] = '\n';
        from += len + 1;
    }
    free(lines);
    free(copy);
}
