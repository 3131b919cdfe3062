/* From an offset in a file to what a person reads: line, column, excerpt with a caret. */
#ifndef RT_SQL_LOCATE_H
#define RT_SQL_LOCATE_H

#include "base/err.h"

struct rt_place {
    size_t offset;        /* byte offset of the character */
    unsigned long line;   /* 1-based */
    unsigned long column; /* 1-based, in characters */
};

/* The place of a byte offset (clamped to len). CRLF and LF end lines. */
struct rt_place rt_locate(const char *text, size_t len, size_t offset);

/*
 * The place of the server's statement position: 1-based, in characters, counted from the
 * byte offset start of the statement.
 */
struct rt_place rt_locate_position(const char *text, size_t len, size_t start,
                                   unsigned long position);

/*
 * The line of the place and below it a line with a caret under the character, for the
 * caller to free. Tabs stay tabs in both, wide and combining characters keep the caret
 * in place, control characters are shown as spaces, a long line is cut around the place
 * with "..." on either side.
 */
char *rt_excerpt(const char *text, size_t len, struct rt_place place);

/* Fill line, column and excerpt of err from the place; path is left alone. */
void rt_err_place(struct rt_err *err, const char *text, size_t len,
                  struct rt_place place);

#endif
