#include "sql/section.h"

#include <strings.h>

#include "sql/locate.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t skip_blanks(const char *line, size_t at, size_t len)
{
    while (at < len && is_blank(line[at]))
        at++;
    return at;
}

/* The line's words are these and no others. */
static bool says(const char *line, size_t len, const char *first, const char *second,
                 int (*compare)(const char *, const char *, size_t))
{
    size_t words[] = {strlen(first), strlen(second)}, at = words[0];

    if (len < at || compare(line, first, at) != 0)
        return false;
    if (words[1] > 0) {
        size_t next = skip_blanks(line, at, len);

        if (next == at || len - next < words[1] ||
            compare(line + next, second, words[1]) != 0)
            return false;
        at = next + words[1];
    }
    return skip_blanks(line, at, len) == len;
}

static bool begins_down_section(const char *line, size_t len)
{
    static const char dbmate[] = "migrate:down";
    size_t at = skip_blanks(line, 0, len), word = sizeof(dbmate) - 1;

    if (len - at < 2 || line[at] != '-' || line[at + 1] != '-')
        return false;
    while (at < len && (line[at] == '-' || is_blank(line[at])))
        at++;
    line += at;
    len -= at;
    /* dbmate's may be followed by options. */
    if (len >= word && memcmp(line, dbmate, word) == 0 &&
        (len == word || is_blank(line[word])))
        return true;
    return says(line, len, "+goose", "Down", strncmp) ||
           says(line, len, "down", "migration", strncasecmp);
}

/* Whether SQL follows that is not itself data around the place. */
static bool statement_follows(const struct rt_script *script, size_t at)
{
    size_t i = script->count;

    while (i > 0 && script->stmts[i - 1].start > at)
        i--;
    if (i > 0 && script->stmts[i - 1].kind == RT_STMT_COPY_DATA &&
        script->stmts[i - 1].start + script->stmts[i - 1].len > at)
        return false;
    return i < script->count ||
           (i > 0 && script->stmts[i - 1].start + script->stmts[i - 1].len > at);
}

int rt_script_check_sections(const struct rt_script *script, struct rt_err *err)
{
    const char *text = script->text;
    size_t at = 0;

    while (at < script->len) {
        const char *newline = memchr(text + at, '\n', script->len - at);
        size_t len = newline ? (size_t)(newline - text) - at : script->len - at;

        if (begins_down_section(text + at, len) && statement_follows(script, at)) {
            rt_err_set(err, RT_EREFUSED,
                       "the file goes on with what undoes it, and revtwin runs every "
                       "file whole");
            rt_err_place(err, text, script->len, rt_locate(text, script->len, at));
            return rt_err_hint(err, "Move everything from this line on into "
                                    "NAME.down.sql, which is never applied, or delete "
                                    "it. If production has the migration already, "
                                    "record it with revtwin baseline REV PATH.");
        }
        at += len + 1;
    }
    return 0;
}
