/* A growing string. data is NULL when nothing was ever added, else NUL-terminated. */
#ifndef RT_BASE_STR_H
#define RT_BASE_STR_H

#include "base/attr.h"

struct rt_str {
    char *data;
    size_t len, cap;
}; /* starts as {0} */

void rt_str_add(struct rt_str *s, const char *text);
void rt_str_addn(struct rt_str *s, const char *bytes, size_t len);
void rt_str_addf(struct rt_str *s, const char *fmt, ...) RT_PRINTF(2, 3);

/* The text, "" when empty; borrowed until the next change. */
const char *rt_str_text(const struct rt_str *s);

/* Hand the text to the caller, who frees it; s is then empty. Never NULL. */
char *rt_str_take(struct rt_str *s);
void rt_str_reset(struct rt_str *s); /* keep the memory, forget the text */
void rt_str_clear(struct rt_str *s);

/* Append bytes as UTF-8: every invalid byte becomes U+FFFD. */
void rt_str_add_clean(struct rt_str *s, const char *bytes, size_t len);

/* Append a text with every line end, "\n" or "\r\n", as the given one. */
void rt_str_add_lines(struct rt_str *s, const char *text, size_t len,
                      const char *line_end);

/*
 * Natural order: runs of digits compare as numbers, '/' sorts before every other byte
 * (a folder's files stay together), everything else by byte; equal numbers with other
 * leading zeros fall back to byte order, so the order is total. Result as strcmp.
 */
int rt_natural_compare(const char *a, const char *b);

/* Levenshtein distance in bytes, for "did you mean"; strings over 63 bytes: SIZE_MAX. */
size_t rt_edit_distance(const char *a, const char *b);

/* "Did you mean": try every known word, then best is the nearest one, or NULL when all
 * are more than limit edits away. */
struct rt_guess {
    const char *word;
    size_t limit;
    const char *best;
}; /* starts with word and limit */

void rt_guess_try(struct rt_guess *guess, const char *known);

#endif
