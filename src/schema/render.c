#include "schema/render.h"

#include <ctype.h>

struct token {
    const char *text;
    size_t len;
};

static size_t quoted(const char *text)
{
    size_t len = 1;

    while (text[len] && (text[len] != text[0] || text[len + 1] == text[0]))
        len += text[len] == text[0] ? 2 : 1;
    return text[len] ? len + 1 : len;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* The next one; a string with escapes has its E as a token of its own, and ends too early
 * at a quote behind a backslash, on both sides alike. */
static struct token next(const char **at)
{
    struct token token = {.text = *at + strspn(*at, " \t\r\n")};

    if (*token.text == '\'' || *token.text == '"')
        token.len = quoted(token.text);
    else if (in_word(*token.text))
        while (in_word(token.text[token.len]))
            token.len++;
    else
        token.len = *token.text ? 1 : 0;
    *at = token.text + token.len;
    return token;
}

static bool same(struct token a, struct token b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

bool rt_render_same(const char *before_16, const char *from_16)
{
    struct token relation = {0};

    for (;;) {
        struct token before = next(&before_16), from = next(&from_16);

        if (!same(before, from) && *before_16 == '.') {
            if (relation.len == 0)
                relation = before;
            before_16++;
            if (!same(before, relation))
                return false;
            before = next(&before_16);
        }
        if (!same(before, from))
            return false;
        if (before.len == 0)
            return true;
    }
}
