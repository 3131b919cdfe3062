#include "sql/scan.h"

/* What a byte outside of quotes and comments starts. Letters include all of non-ASCII. */
enum start { PLAIN, SPACE, LETTER, DIGIT, QUOTE, DOLLAR, DASH, SLASH, SINGLE };

static const unsigned char starts[256] = {
    ['\t'] = SPACE,         ['\n'] = SPACE,
    ['\v'] = SPACE,         ['\f'] = SPACE,
    ['\r'] = SPACE,         [' '] = SPACE,
    ['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER,
    ['_'] = LETTER,         [0x80 ... 0xff] = LETTER,
    ['0' ... '9'] = DIGIT,  ['\''] = QUOTE,
    ['"'] = QUOTE,          ['$'] = DOLLAR,
    ['-'] = DASH,           ['/'] = SLASH,
    ['('] = SINGLE,         [')'] = SINGLE,
    [';'] = SINGLE,         ['\\'] = SINGLE,
};

/* The byte, or NUL (which no text contains) past the end. */
static char byte_at(const struct rt_scan *scan, size_t at)
{
    if (at >= scan->len)
        return '\0';
    return scan->text[at];
}

static enum start start_at(const struct rt_scan *scan, size_t at)
{
    return starts[(unsigned char)byte_at(scan, at)];
}

static size_t skip(const struct rt_scan *scan, size_t at, enum start kind)
{
    while (at < scan->len && start_at(scan, at) == kind)
        at++;
    return at;
}

static size_t find(const struct rt_scan *scan, size_t at, char byte)
{
    const char *found = memchr(scan->text + at, byte, scan->len - at);

    return found ? (size_t)(found - scan->text) : scan->len;
}

static enum rt_token token(struct rt_scan *scan, enum rt_token kind, size_t end)
{
    scan->end = end;
    return kind;
}

static enum rt_token unterminated(struct rt_scan *scan, size_t start, const char *what)
{
    scan->start = start;
    scan->what = what;
    return token(scan, RT_TOKEN_UNTERMINATED, scan->len);
}

/* The end of the line, without its newline. A lone carriage return ends it, too. */
static size_t line_end(const struct rt_scan *scan, size_t at)
{
    while (at < scan->len && scan->text[at] != '\n' && scan->text[at] != '\r')
        at++;
    return at;
}

static enum rt_token block_comment(struct rt_scan *scan)
{
    size_t at = scan->start + 2, depth = 1;

    for (; at + 1 < scan->len && depth > 0; at++) {
        if (scan->text[at] == '*' && scan->text[at + 1] == '/') {
            depth--;
            at++;
        } else if (scan->text[at] == '/' && scan->text[at + 1] == '*') {
            depth++;
            at++;
        }
    }
    if (depth > 0)
        return unterminated(scan, scan->start, "/* comment");
    return token(scan, RT_TOKEN_COMMENT, at);
}

/* The closing quote of a string or identifier, len when there is none. */
static size_t closing(const struct rt_scan *scan, size_t at, char quote, bool escapes)
{
    for (; at < scan->len; at++) {
        if (!escapes)
            at = find(scan, at, quote);
        if (byte_at(scan, at) == quote) {
            if (byte_at(scan, at + 1) != quote)
                return at;
            at++;
        } else if (byte_at(scan, at) == '\\') {
            at++;
        }
    }
    return scan->len;
}

static enum rt_token quoted(struct rt_scan *scan, size_t open)
{
    char quote = scan->text[open];
    size_t at = closing(scan, open + 1, quote, false);

    if (at == scan->len)
        return unterminated(scan, scan->start,
                            quote == '"' ? "quoted identifier" : "quoted string");
    return token(scan, RT_TOKEN_OTHER, at + 1);
}

/* The quote that continues a string after white space with a newline in it, or 0. */
static size_t continuation(const struct rt_scan *scan, size_t at)
{
    bool newline = false;

    for (; at < scan->len; at++) {
        if (scan->text[at] == '-' && byte_at(scan, at + 1) == '-')
            at = line_end(scan, at);
        if (start_at(scan, at) != SPACE)
            break;
        newline |= scan->text[at] == '\n' || scan->text[at] == '\r';
    }
    return newline && byte_at(scan, at) == '\'' ? at : 0;
}

static enum rt_token escape_string(struct rt_scan *scan)
{
    size_t start = scan->start, quote = start + 1, at;

    while (quote > 0) {
        at = closing(scan, quote + 1, '\'', true);
        if (at == scan->len)
            return unterminated(scan, start, "quoted string");
        scan->end = at + 1;
        start = quote = continuation(scan, scan->end);
    }
    return RT_TOKEN_OTHER;
}

static size_t word_end(const struct rt_scan *scan, size_t at)
{
    for (;; at++) {
        enum start kind = start_at(scan, at);

        if (kind != LETTER && kind != DIGIT && kind != DOLLAR)
            return at;
    }
}

/* Also swallows a word that follows: the server refuses it ("trailing junk"). */
static size_t number_end(const struct rt_scan *scan, size_t at)
{
    at = skip(scan, at, DIGIT);
    if (byte_at(scan, at) == '.')
        at = skip(scan, at + 1, DIGIT);
    if (byte_at(scan, at) == 'e' || byte_at(scan, at) == 'E') {
        char next = byte_at(scan, at + 1);

        if (next == '+' || next == '-')
            return skip(scan, at + 2, DIGIT);
        if (start_at(scan, at + 1) == DIGIT)
            at = skip(scan, at + 1, DIGIT);
    }
    return start_at(scan, at) == LETTER ? word_end(scan, at) : at;
}

/* $1, $tag$ ... $tag$, or a stray dollar sign. */
static enum rt_token dollar(struct rt_scan *scan)
{
    size_t at = scan->start + 1, tag;
    const char *found;

    if (start_at(scan, at) == DIGIT)
        return token(scan, RT_TOKEN_OTHER, number_end(scan, at));
    while (start_at(scan, at) == LETTER || start_at(scan, at) == DIGIT)
        at++;
    if (byte_at(scan, at) != '$')
        return token(scan, RT_TOKEN_OTHER, scan->start + 1);
    at++;
    tag = at - scan->start;
    found = memmem(scan->text + at, scan->len - at, scan->text + scan->start, tag);
    if (found == NULL)
        return unterminated(scan, scan->start, "dollar-quoted string");
    return token(scan, RT_TOKEN_OTHER, (size_t)(found - scan->text) + tag);
}

/* A word, or the letter that starts a special kind of string or identifier. */
static enum rt_token word(struct rt_scan *scan)
{
    size_t next = scan->start + 1;
    int letter = scan->text[scan->start] | 0x20;

    if (letter == 'e' && byte_at(scan, next) == '\'')
        return escape_string(scan);
    if ((letter == 'b' || letter == 'x' || letter == 'n') && byte_at(scan, next) == '\'')
        return quoted(scan, next);
    if (letter == 'u' && byte_at(scan, next) == '&')
        return token(scan, RT_TOKEN_OTHER, next);
    return token(scan, RT_TOKEN_WORD, word_end(scan, next));
}

static enum rt_token single(struct rt_scan *scan)
{
    scan->end = scan->start + 1;
    switch (scan->text[scan->start]) {
    case '(':
        return RT_TOKEN_OPEN;
    case ')':
        return RT_TOKEN_CLOSE;
    case ';':
        return RT_TOKEN_SEMICOLON;
    default:
        return RT_TOKEN_BACKSLASH;
    }
}

enum rt_token rt_scan_next(struct rt_scan *scan)
{
    size_t at = skip(scan, scan->end, SPACE);
    char next = byte_at(scan, at + 1);

    scan->start = at;
    if (at == scan->len)
        return token(scan, RT_TOKEN_END, at);
    switch (start_at(scan, at)) {
    case LETTER:
        return word(scan);
    case DIGIT:
        return token(scan, RT_TOKEN_OTHER, number_end(scan, at));
    case QUOTE:
        return quoted(scan, at);
    case DOLLAR:
        return dollar(scan);
    case DASH:
        if (next == '-')
            return token(scan, RT_TOKEN_COMMENT, line_end(scan, at));
        return token(scan, RT_TOKEN_OTHER, at + 1);
    case SLASH:
        if (next == '*')
            return block_comment(scan);
        return token(scan, RT_TOKEN_OTHER, at + 1);
    case SINGLE:
        return single(scan);
    default:
        return token(scan, RT_TOKEN_OTHER, skip(scan, at, PLAIN));
    }
}

bool rt_scan_is(const struct rt_scan *scan, const char *word)
{
    const char *text = scan->text + scan->start;
    size_t len = scan->end - scan->start;

    if (strlen(word) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z';

        if ((upper ? text[i] | 0x20 : text[i]) != word[i])
            return false;
    }
    return true;
}
