#include "base/str.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/utf8.h"

void rt_str_addn(struct rt_str *s, const char *bytes, size_t len)
{
    while (s->cap < s->len + len + 1)
        s->data = rt_grow(s->data, s->cap, &s->cap, 1);
    if (len > 0)
        memcpy(s->data + s->len, bytes, len);
    s->len += len;
    s->data[s->len] = '\0';
}

void rt_str_add(struct rt_str *s, const char *text)
{
    rt_str_addn(s, text, strlen(text));
}

void rt_str_addf(struct rt_str *s, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = rt_vformat(fmt, ap);
    va_end(ap);
    rt_str_add(s, text);
    free(text);
}

void rt_str_add_clean(struct rt_str *s, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t valid = rt_utf8_valid(bytes, len);

        rt_str_addn(s, bytes, valid);
        if (valid < len) {
            rt_str_add(s, "\xef\xbf\xbd");
            valid++;
        }
        bytes += valid;
        len -= valid;
    }
}

void rt_str_add_lines(struct rt_str *s, const char *text, size_t len,
                      const char *line_end)
{
    const char *at = text, *end = text + len;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        if (newline && stop > at && stop[-1] == '\r')
            stop--;
        rt_str_addn(s, at, (size_t)(stop - at));
        if (newline)
            rt_str_add(s, line_end);
        at = newline ? newline + 1 : end;
    }
}

const char *rt_str_text(const struct rt_str *s)
{
    return s->data ? s->data : "";
}

char *rt_str_take(struct rt_str *s)
{
    char *text = s->data ? s->data : rt_strdup("");

    *s = (struct rt_str){0};
    return text;
}

void rt_str_reset(struct rt_str *s)
{
    s->len = 0;
    if (s->data)
        s->data[0] = '\0';
}

void rt_str_clear(struct rt_str *s)
{
    free(s->data);
    *s = (struct rt_str){0};
}

static int compare_digit_runs(const char **a, const char **b)
{
    size_t na, nb;
    int order;

    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    na = strspn(*a, "0123456789");
    nb = strspn(*b, "0123456789");
    if (na != nb)
        return na < nb ? -1 : 1;
    order = memcmp(*a, *b, na);
    *a += na;
    *b += nb;
    return order;
}

int rt_natural_compare(const char *a, const char *b)
{
    const char *p = a, *q = b;

    while (*p && *q) {
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q)) {
            int order = compare_digit_runs(&p, &q);

            if (order != 0)
                return order;
        } else if (*p != *q) {
            if (*p == '/' || *q == '/')
                return *p == '/' ? -1 : 1;
            return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
        } else {
            p++;
            q++;
        }
    }
    if (*p || *q)
        return *p ? 1 : -1;
    return strcmp(a, b);
}

size_t rt_edit_distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);

    if (la >= RT_COUNT(row) || lb >= RT_COUNT(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

void rt_guess_try(struct rt_guess *guess, const char *known)
{
    size_t distance = rt_edit_distance(guess->word, known);

    if (distance > guess->limit || (guess->best && distance == guess->limit))
        return;
    guess->limit = distance;
    guess->best = known;
}
