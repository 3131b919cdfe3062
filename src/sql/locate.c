#include "sql/locate.h"

#include <locale.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

/* Lines of more characters than SHOWN are cut to AROUND on either side of the place. */
enum { SHOWN = 120, AROUND = 50 };

struct line {
    size_t start, end; /* without its line end */
};

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The line of an offset. A byte-order mark is not part of the first one. */
static struct line line_at(const char *text, size_t len, size_t offset)
{
    struct line line = {.start = offset};
    const char *newline = NULL;

    while (line.start > 0 && text[line.start - 1] != '\n')
        line.start--;
    if (offset < len)
        newline = memchr(text + offset, '\n', len - offset);
    line.end = newline ? (size_t)(newline - text) : len;
    if (line.end > line.start && text[line.end - 1] == '\r')
        line.end--;
    if (line.start == 0 && line.end >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        line.start = 3;
    return line;
}

struct rt_place rt_locate(const char *text, size_t len, size_t offset)
{
    struct rt_place place = {.offset = offset < len ? offset : len, .line = 1};
    const char *at = text;
    size_t start;

    while (place.offset > 0 && place.offset < len && is_continuation(text[place.offset]))
        place.offset--;
    while (place.offset > 0 &&
           (at = memchr(at, '\n', (size_t)(text + place.offset - at))) != NULL) {
        place.line++;
        at++;
    }
    start = line_at(text, len, place.offset).start;
    place.column = 1;
    if (place.offset > start)
        place.column += rt_utf8_count(text + start, place.offset - start);
    return place;
}

struct rt_place rt_locate_position(const char *text, size_t len, size_t start,
                                   unsigned long position)
{
    size_t skipped = 0;

    if (position > 1 && start < len)
        skipped = rt_utf8_offset(text + start, len - start, position - 1);
    return rt_locate(text, len, start + skipped);
}

/* Terminal columns of a character; only characters that print have a say in it. */
static int columns_of(uint32_t c)
{
    int width = wcwidth((wchar_t)c);

    return width < 0 ? 1 : width;
}

/*
 * Add the character at s to the line as it is shown, or the blanks that are as wide.
 * Returns its length in bytes.
 */
static size_t show(struct rt_str *out, const char *s, size_t len, bool blank)
{
    size_t bytes;
    uint32_t c = rt_utf8_decode(s, len, &bytes);

    if (c == '\t')
        rt_str_add(out, "\t");
    else if (blank)
        rt_str_addf(out, "%*s", columns_of(c), "");
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        rt_str_add(out, " ");
    else if (c == 0xfffd)
        rt_str_add(out, "\xef\xbf\xbd"); /* maybe from a byte that is not UTF-8 */
    else
        rt_str_addn(out, s, bytes);
    return bytes;
}

static void show_range(struct rt_str *out, const char *text, struct line range,
                       bool blank)
{
    for (size_t at = range.start; at < range.end;)
        at += show(out, text + at, range.end - at, blank);
}

/* At most count characters back from the place. */
static size_t back(const char *text, size_t start, size_t offset, size_t count)
{
    for (; offset > start && count > 0; count--) {
        offset--;
        while (offset > start && is_continuation(text[offset]))
            offset--;
    }
    return offset;
}

/* The part of the line that is shown: all of it, or what is around the place. */
static struct line shown_part(const char *text, struct line line, size_t offset)
{
    struct line part = line;

    if (line.end - line.start <= SHOWN ||
        rt_utf8_count(text + line.start, line.end - line.start) <= SHOWN)
        return line;
    part.start = back(text, line.start, offset, AROUND);
    part.end = offset + rt_utf8_offset(text + offset, line.end - offset, AROUND);
    return part;
}

char *rt_excerpt(const char *text, size_t len, struct rt_place place)
{
    size_t offset = place.offset < len ? place.offset : len;
    struct line line = line_at(text, len, offset), part;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    struct rt_str out = {0};

    if (offset < line.start)
        offset = line.start;
    if (offset > line.end)
        offset = line.end;
    part = shown_part(text, line, offset);
    rt_str_add(&out, part.start > line.start ? "..." : "");
    show_range(&out, text, part, false);
    rt_str_add(&out, part.end < line.end ? "...\n" : "\n");
    rt_str_add(&out, part.start > line.start ? "   " : "");
    show_range(&out, text, (struct line){part.start, offset}, true);
    rt_str_add(&out, "^");
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return rt_str_take(&out);
}

void rt_err_place(struct rt_err *err, const char *text, size_t len, struct rt_place place)
{
    free(err->excerpt);
    err->excerpt = rt_excerpt(text, len, place);
    err->line = place.line;
    err->column = place.column;
}
