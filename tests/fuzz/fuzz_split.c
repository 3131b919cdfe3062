/*
 * Statements are in order, inside of the text and apart; between them is only what may be
 * left out; each is one statement also when it stands alone; what is refused has a place.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "sql/locate.h"
#include "sql/split.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t line_end(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] != '\n')
        at++;
    return at;
}

static bool starts(const char *text, size_t at, size_t end, const char *with)
{
    return end - at >= strlen(with) && memcmp(text + at, with, strlen(with)) == 0;
}

/* The end of the comment at this offset, or the same offset when there is none. */
static size_t skip_comment(const char *text, size_t at, size_t end)
{
    size_t depth = 0;

    if (starts(text, at, end, "--")) {
        while (at < end && text[at] != '\n' && text[at] != '\r')
            at++;
        return at;
    }
    while (at < end) {
        if (starts(text, at, end, "/*"))
            depth++;
        else if (depth > 0 && starts(text, at, end, "*/"))
            depth--;
        else if (depth > 0) {
            at++;
            continue;
        }
        if (depth == 0)
            return starts(text, at, end, "*/") ? at + 2 : at;
        at += 2;
    }
    return at;
}

static size_t skip_restrict(const char *text, size_t at, size_t end)
{
    if (starts(text, at, end, "\\restrict") || starts(text, at, end, "\\unrestrict"))
        return line_end(text, at, end);
    return at;
}

/* Nothing that psql would send is in this part of the text. */
static bool may_be_left_out(const char *text, size_t at, size_t end)
{
    while (at < end) {
        size_t before = at;

        if (is_space(text[at]) || text[at] == ';')
            at++;
        else
            at = skip_restrict(text, skip_comment(text, at, end), end);
        if (at == before)
            return false;
    }
    return true;
}

/* It is one statement also when nothing stands around it. */
static void check_alone(const char *text, const struct rt_stmt *stmt)
{
    char *alone = rt_alloc(stmt->len + 1);
    struct rt_script script = {0};
    struct rt_err err = {0};

    alone[0] = ' '; /* a byte-order mark counts only at the start of a file */
    memcpy(alone + 1, text + stmt->start, stmt->len);
    FUZZ_CHECK(rt_script_split(&script, alone, stmt->len + 1, &err) == 0);
    FUZZ_CHECK(script.count == (stmt->kind == RT_STMT_COPY ? 2 : 1));
    FUZZ_CHECK(script.stmts[0].start == 1);
    FUZZ_CHECK(script.stmts[0].len == stmt->len);
    FUZZ_CHECK(script.stmts[0].kind == stmt->kind);
    rt_script_clear(&script);
    free(alone);
}

static bool is_end_mark(const char *text, size_t at, size_t end)
{
    return starts(text, at, end, "\\.") &&
           (end - at == 2 || text[at + 2] == '\n' || starts(text, at + 2, end, "\r\n"));
}

static void check_data(const struct rt_script *script, size_t i)
{
    const struct rt_stmt *data = &script->stmts[i], *copy = data - 1;
    size_t end = data->start + data->len, copy_end = copy->start + copy->len;

    FUZZ_CHECK(i > 0 && copy->kind == RT_STMT_COPY);
    FUZZ_CHECK(may_be_left_out(script->text, copy_end, data->start));
    FUZZ_CHECK(data->start == script->len || script->text[data->start - 1] == '\n');
    FUZZ_CHECK(end == script->len || starts(script->text, end, script->len, "\\."));
    for (size_t at = data->start; at < end; at = line_end(script->text, at, end) + 1)
        FUZZ_CHECK(!is_end_mark(script->text, at, end));
}

static void check_statement(const struct rt_script *script, size_t i)
{
    const struct rt_stmt *stmt = &script->stmts[i];
    const char *text = script->text;
    size_t before = i > 0 ? stmt[-1].start + stmt[-1].len : 0;
    size_t end = stmt->start + stmt->len;

    FUZZ_CHECK(stmt->start >= before);
    FUZZ_CHECK(end <= script->len);
    FUZZ_CHECK(stmt->line == rt_locate(text, script->len, stmt->start).line);
    if (stmt->kind == RT_STMT_COPY_DATA) {
        check_data(script, i);
        return;
    }
    FUZZ_CHECK(stmt->len > 0);
    FUZZ_CHECK(!may_be_left_out(text, stmt->start, stmt->start + 1));
    FUZZ_CHECK(text[end - 1] == ';' || may_be_left_out(text, end, script->len));
    FUZZ_CHECK(i + 1 < script->count || stmt->kind == RT_STMT_SQL);
    if (i > 0 && stmt[-1].kind == RT_STMT_COPY_DATA)
        before = line_end(text, before, stmt->start);
    else if (i == 0 && starts(text, 0, script->len, "\xef\xbb\xbf"))
        before = 3;
    FUZZ_CHECK(may_be_left_out(text, before, stmt->start));
    check_alone(text, stmt);
}

static void check_refusal(const char *text, size_t len, const struct rt_err *err)
{
    FUZZ_CHECK(err->status == RT_EREFUSED);
    FUZZ_CHECK(err->message != NULL && err->path == NULL);
    FUZZ_CHECK(err->line >= 1 && err->column >= 1);
    FUZZ_CHECK(err->line <= rt_locate(text, len, len).line);
    FUZZ_CHECK(strchr(err->excerpt, '\n') == strrchr(err->excerpt, '\n'));
    FUZZ_CHECK(rt_utf8_valid(err->excerpt, strlen(err->excerpt)) == strlen(err->excerpt));
}

/* Wherever the server says that an error is, the place is in the text. */
static void check_positions(const struct rt_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        size_t start = script->stmts[i].start;

        for (unsigned long position = 0; position < 4; position++) {
            struct rt_place place = rt_locate_position(script->text, script->len, start,
                                                       position * (position + i));

            FUZZ_CHECK(place.offset >= start && place.offset <= script->len);
            FUZZ_CHECK(place.line >= script->stmts[i].line && place.column >= 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct rt_script script = {0};
    struct rt_err err = {0};

    if (rt_script_split(&script, text, size, &err) < 0) {
        check_refusal(text, size, &err);
    } else {
        FUZZ_CHECK(err.message == NULL);
        for (size_t i = 0; i < script.count; i++)
            check_statement(&script, i);
        check_positions(&script);
    }
    rt_err_clear(&err);
    rt_script_clear(&script);
    free(text);
    return 0;
}
