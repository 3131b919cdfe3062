#include "base/err.h"

#include <stdarg.h>

#include "base/mem.h"

int rt_err_set(struct rt_err *err, enum rt_status status, const char *fmt, ...)
{
    va_list ap;
    char *message;

    va_start(ap, fmt);
    message = rt_vformat(fmt, ap); /* before the clear: an argument may point into err */
    va_end(ap);
    rt_err_clear(err);
    err->status = status;
    err->message = message;
    return -(int)status;
}

int rt_err_wrap(struct rt_err *err, const char *fmt, ...)
{
    va_list ap;
    char *prefix, *message;

    va_start(ap, fmt);
    prefix = rt_vformat(fmt, ap);
    va_end(ap);
    message = rt_format("%s: %s", prefix, err->message ? err->message : "");
    free(prefix);
    free(err->message);
    err->message = message;
    return -(int)err->status;
}

RT_PRINTF(3, 0)
static int replace(struct rt_err *err, char **field, const char *fmt, va_list ap)
{
    char *text = rt_vformat(fmt, ap);

    free(*field);
    *field = text;
    return -(int)err->status;
}

int rt_err_detail(struct rt_err *err, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = replace(err, &err->detail, fmt, ap);
    va_end(ap);
    return rc;
}

int rt_err_hint(struct rt_err *err, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = replace(err, &err->hint, fmt, ap);
    va_end(ap);
    return rc;
}

int rt_err_advice(struct rt_err *err, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = replace(err, &err->advice, fmt, ap);
    va_end(ap);
    return rc;
}

int rt_err_at(struct rt_err *err, const char *path, unsigned long line,
              unsigned long column)
{
    char *copy = path ? rt_strdup(path) : NULL;

    free(err->path);
    err->path = copy;
    err->line = line;
    err->column = column;
    return -(int)err->status;
}

void rt_err_move(struct rt_err *dst, struct rt_err *src)
{
    rt_err_clear(dst);
    *dst = *src;
    *src = (struct rt_err){0};
}

void rt_err_clear(struct rt_err *err)
{
    free(err->path);
    free(err->message);
    free(err->detail);
    free(err->hint);
    free(err->context);
    free(err->excerpt);
    free(err->advice);
    *err = (struct rt_err){0};
}

bool rt_err_is(const struct rt_err *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}
