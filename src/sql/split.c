#include "sql/split.h"

#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "sql/locate.h"
#include "sql/scan.h"

struct split {
    struct rt_script *out;
    struct rt_err *err;
    struct rt_scan scan;
    size_t counted; /* the newlines before this offset are in line */
    uint32_t line;

    /* Of the statement that is being read. */
    bool open;             /* it has begun */
    size_t start, end;     /* of its first and behind its last token so far */
    size_t parens, begins; /* ( without ), and BEGIN or CASE without END */
    size_t words;          /* how many so far, at most RT_COUNT(lead) */
    char lead[4];          /* initials of its first words, of those that matter */
    bool copy, after_from, from_stdin;
};

static int refuse_at(struct split *s, size_t offset, const char *fmt, ...)
    RT_PRINTF(3, 4);
static int refuse_at(struct split *s, size_t offset, const char *fmt, ...)
{
    struct rt_place place = rt_locate(s->scan.text, s->scan.len, offset);
    va_list ap;
    char *message;
    int rc;

    va_start(ap, fmt);
    message = rt_vformat(fmt, ap);
    va_end(ap);
    rc = rt_err_set(s->err, RT_EREFUSED, "%s", message);
    free(message);
    rt_err_place(s->err, s->scan.text, s->scan.len, place);
    return rc;
}

static int check_bytes(struct split *s)
{
    const char *text = s->scan.text;
    size_t len = s->scan.len, valid;
    const char *nul = len > 0 ? memchr(text, '\0', len) : NULL;

    if (nul != NULL) {
        refuse_at(s, (size_t)(nul - text), "the file contains a NUL byte");
        return rt_err_hint(s->err, "Is it UTF-16? Migrations are UTF-8 text.");
    }
    valid = rt_utf8_valid(text, len);
    if (valid < len) {
        refuse_at(s, valid, "the file is not valid UTF-8");
        return rt_err_detail(s->err, "The first byte that does not fit is 0x%02x.",
                             (unsigned char)text[valid]);
    }
    return 0;
}

static uint32_t line_of(struct split *s, size_t offset)
{
    const char *at = s->scan.text + s->counted, *to = s->scan.text + offset;

    while (at < to && (at = memchr(at, '\n', (size_t)(to - at))) != NULL) {
        s->line++;
        at++;
    }
    s->counted = offset;
    return s->line;
}

static void add(struct split *s, enum rt_stmt_kind kind, size_t start, size_t end)
{
    struct rt_script *out = s->out;

    out->stmts = rt_grow(out->stmts, out->count, &out->cap, sizeof(*out->stmts));
    out->stmts[out->count++] = (struct rt_stmt){
        .start = start, .len = end - start, .line = line_of(s, start), .kind = kind};
}

/* The byte after the newline that ends the line of at, or the end of the text. */
static size_t next_line(const struct split *s, size_t at)
{
    const char *newline = memchr(s->scan.text + at, '\n', s->scan.len - at);

    return newline ? (size_t)(newline - s->scan.text) + 1 : s->scan.len;
}

/* The line at this offset is "\." and nothing else. */
static bool ends_data(const struct split *s, size_t at)
{
    const char *line = s->scan.text + at;
    size_t len = s->scan.len - at;

    if (len < 2 || line[0] != '\\' || line[1] != '.')
        return false;
    if (len > 2 && line[2] == '\r')
        return len == 3 || line[3] == '\n';
    return len == 2 || line[2] == '\n';
}

/* The data of the COPY whose ';' (or the end of the file) was just read. */
static int copy_data(struct split *s)
{
    struct rt_scan rest = s->scan;
    size_t start = next_line(s, s->scan.end), at = start;
    const char *found;

    rest.len = start;
    while (rt_scan_next(&rest) == RT_TOKEN_COMMENT && rest.text[rest.start] == '-')
        ;
    if (rest.start < start)
        return refuse_at(s, rest.start, "text after COPY ... FROM stdin; on its line");
    while (at < s->scan.len && !ends_data(s, at)) {
        found = memmem(s->scan.text + at, s->scan.len - at, "\n\\.", 3);
        at = found ? (size_t)(found - s->scan.text) + 1 : s->scan.len;
    }
    add(s, RT_STMT_COPY_DATA, start, at);
    s->out->has_copy = true;
    s->scan.end = next_line(s, at);
    return 0;
}

static int finish_statement(struct split *s, size_t end)
{
    add(s, s->from_stdin ? RT_STMT_COPY : RT_STMT_SQL, s->start, end);
    s->open = false;
    return s->from_stdin ? copy_data(s) : 0;
}

static void begin_statement(struct split *s)
{
    s->open = true;
    s->start = s->scan.start;
    s->parens = s->begins = s->words = 0;
    memset(s->lead, 0, sizeof(s->lead));
    s->copy = s->after_from = s->from_stdin = false;
}

/* psql's way to see CREATE [OR REPLACE] {FUNCTION | PROCEDURE}. */
static bool defines_function(const struct split *s)
{
    const char *rest = s->lead + 1;

    if (rest[0] == 'o' && rest[1] == 'r')
        rest += 2;
    return s->lead[0] == 'c' && (*rest == 'f' || *rest == 'p');
}

static char initial(const struct rt_scan *scan)
{
    static const char *const words[] = {"create", "function", "procedure", "or",
                                        "replace"};

    for (size_t i = 0; i < RT_COUNT(words); i++) {
        if (rt_scan_is(scan, words[i]))
            return words[i][0];
    }
    return '\0';
}

static void read_word(struct split *s)
{
    const struct rt_scan *scan = &s->scan;

    if (s->words == 0)
        s->copy = rt_scan_is(scan, "copy");
    if (s->words < RT_COUNT(s->lead))
        s->lead[s->words++] = initial(scan);
    if (s->parens > 0)
        return;
    if (s->copy) {
        /* The grammar takes STDOUT for STDIN here. */
        if (s->after_from && (rt_scan_is(scan, "stdin") || rt_scan_is(scan, "stdout")))
            s->from_stdin = true;
        s->after_from = rt_scan_is(scan, "from");
    } else if (defines_function(s)) {
        if (rt_scan_is(scan, "begin") || (s->begins > 0 && rt_scan_is(scan, "case")))
            s->begins++;
        else if (s->begins > 0 && rt_scan_is(scan, "end"))
            s->begins--;
    }
}

static void read_token(struct split *s, enum rt_token token)
{
    if (!s->open)
        begin_statement(s);
    s->end = s->scan.end;
    if (token == RT_TOKEN_WORD) {
        read_word(s);
        return;
    }
    s->after_from = false;
    if (token == RT_TOKEN_OPEN)
        s->parens++;
    else if (token == RT_TOKEN_CLOSE && s->parens > 0)
        s->parens--;
}

/* psql reads on behind another backslash, even SQL. */
static int skip_restrict(struct split *s, const char *name)
{
    size_t rest = s->scan.end, end = next_line(s, rest);
    const char *more = memchr(s->scan.text + rest, '\\', end - rest);

    s->scan.end = end;
    if (more == NULL)
        return 0;
    return refuse_at(s, (size_t)(more - s->scan.text), "text after \"%s\" on its line",
                     name);
}

static int backslash(struct split *s)
{
    static const char restrict_[] = "\\restrict", unrestrict[] = "\\unrestrict";
    const char *command = s->scan.text + s->scan.start;
    size_t left = s->scan.len - s->scan.start, len = 1;
    char name[40];

    while (len < left && len < sizeof(name) - 1 && command[len] > ' ' &&
           command[len] < 0x7f)
        len++;
    memcpy(name, command, len);
    name[len] = '\0';
    if (!s->open && (strcmp(name, restrict_) == 0 || strcmp(name, unrestrict) == 0)) {
        return skip_restrict(s, name);
    }
    refuse_at(s, s->scan.start, "\"%s\" is a psql command, not SQL", name);
    return rt_err_hint(s->err, "Migrations are sent to the server, which knows no psql "
                               "commands.");
}

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    return at;
}

/* "-- revtwin: no-transaction", with any blanks between. */
static int comment(struct split *s)
{
    static const char mark[] = "revtwin:", no_transaction[] = "no-transaction";
    const char *text = s->scan.text;
    size_t end = s->scan.end, at = s->scan.start + 2;

    at = skip_blanks(text, at, end);
    if (text[s->scan.start] != '-' || end - at < strlen(mark) ||
        strncasecmp(text + at, mark, strlen(mark)) != 0)
        return 0;
    at = skip_blanks(text, at + strlen(mark), end);
    while (end > at && (text[end - 1] == ' ' || text[end - 1] == '\t'))
        end--;
    if (end - at != strlen(no_transaction) ||
        memcmp(text + at, no_transaction, end - at) != 0) {
        refuse_at(s, s->scan.start, "revtwin knows no such directive");
        return rt_err_hint(s->err, "The one that it knows is \"-- revtwin: "
                                   "no-transaction\".");
    }
    if (s->open || s->out->count > 0) {
        refuse_at(s, s->scan.start, "a directive behind the first statement");
        return rt_err_hint(s->err, "It is about the whole file: move it to the top.");
    }
    s->out->no_transaction = true;
    return 0;
}

static int unterminated(struct split *s)
{
    refuse_at(s, s->scan.start, "unterminated %s", s->scan.what);
    return rt_err_detail(s->err, "It begins here and does not end in the file.");
}

/* An unfinished last statement is sent, too, without the comments behind it. */
static int finish_file(struct split *s)
{
    return s->open ? finish_statement(s, s->end) : 0;
}

static int split(struct split *s)
{
    int rc = 0;

    while (rc == 0) {
        enum rt_token token = rt_scan_next(&s->scan);

        switch (token) {
        case RT_TOKEN_END:
            return finish_file(s);
        case RT_TOKEN_UNTERMINATED:
            return unterminated(s);
        case RT_TOKEN_BACKSLASH:
            rc = backslash(s);
            break;
        case RT_TOKEN_COMMENT:
            rc = comment(s);
            break;
        case RT_TOKEN_SEMICOLON:
            s->end = s->scan.end;
            if (s->open && s->parens == 0 && s->begins == 0)
                rc = finish_statement(s, s->end);
            break;
        default:
            read_token(s, token);
        }
    }
    return rc;
}

int rt_script_split(struct rt_script *out, const char *text, size_t len,
                    struct rt_err *err)
{
    struct split s = {.out = out, .err = err, .line = 1};
    int rc;

    s.scan = (struct rt_scan){.text = text, .len = len};
    out->text = text;
    out->len = len;
    rc = check_bytes(&s);
    if (rc < 0)
        return rc;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        s.scan.end = 3;
    return split(&s);
}

void rt_script_clear(struct rt_script *script)
{
    free(script->stmts);
    *script = (struct rt_script){0};
}
