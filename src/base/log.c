#include "base/log.h"

#include <stdarg.h>

#include "base/mem.h"

static enum rt_verbosity verbosity = RT_NORMAL;
static void (*before_line)(void *context);
static void *before_context;

void rt_log_level(enum rt_verbosity level)
{
    verbosity = level;
}

void rt_log_before(void (*fn)(void *context), void *context)
{
    flockfile(stderr);
    before_line = fn;
    before_context = context;
    funlockfile(stderr);
}

RT_PRINTF(1, 0)
static void print_line(const char *fmt, va_list ap)
{
    char *line = rt_vformat(fmt, ap);

    /* Names of files and servers' messages must not steer a terminal, nor the runner of
     * a workflow, which takes commands after "##[". */
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strncmp(p, "##[", 3) == 0)
            *p = ' ';
    }
    flockfile(stderr);
    if (before_line)
        before_line(before_context);
    fprintf(stderr, "revtwin: %s\n", line);
    funlockfile(stderr);
    free(line);
}

void rt_log(const char *fmt, ...)
{
    va_list ap;

    if (verbosity < RT_NORMAL)
        return;
    va_start(ap, fmt);
    print_line(fmt, ap);
    va_end(ap);
}

void rt_log_verbose(const char *fmt, ...)
{
    va_list ap;

    if (verbosity < RT_VERBOSE)
        return;
    va_start(ap, fmt);
    print_line(fmt, ap);
    va_end(ap);
}
