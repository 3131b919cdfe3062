#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>

#include "sql/locate.h"

#define E_ACUTE "\xc3\xa9"
#define ZHONG "\xe4\xb8\xad"    /* two columns wide */
#define ACUTE "\xcc\x81"        /* combining: none */
#define CRAB "\xf0\x9f\xa6\x80" /* two columns wide */
#define BOM "\xef\xbb\xbf"

static const struct {
    const char *name, *text;
    size_t offset;
    unsigned long line, column;
    const char *excerpt;
} places[] = {
    {"empty text", "", 0, 1, 1, "\n^"},
    {"past the end", "ab", 9, 1, 3, "ab\n  ^"},
    {"first byte", "abc", 0, 1, 1, "abc\n^"},
    {"middle", "abc", 1, 1, 2, "abc\n ^"},
    {"second line", "ab\ncd\nef", 4, 2, 2, "cd\n ^"},
    {"on the newline", "ab\ncd", 2, 1, 3, "ab\n  ^"},
    {"after the last newline", "ab\n", 3, 2, 1, "\n^"},
    {"empty line", "a\n\nb", 2, 2, 1, "\n^"},
    {"CRLF", "ab\r\ncd\r\n", 5, 2, 2, "cd\n ^"},
    {"on the carriage return", "ab\r\ncd", 2, 1, 3, "ab\n  ^"},
    {"on the newline after it", "ab\r\ncd", 3, 1, 4, "ab\n  ^"},
    {"a lone carriage return ends no line", "a\rb", 2, 1, 3, "a b\n  ^"},
    {"tabs", "\ta\tb", 3, 1, 4, "\ta\tb\n\t \t^"},
    {"accents", E_ACUTE E_ACUTE "x", 4, 1, 3, E_ACUTE E_ACUTE "x\n  ^"},
    {"inside a character", E_ACUTE E_ACUTE "x", 3, 1, 2, E_ACUTE E_ACUTE "x\n ^"},
    {"wide characters", ZHONG ZHONG "x", 6, 1, 3, ZHONG ZHONG "x\n    ^"},
    {"emoji", CRAB "x", 4, 1, 2, CRAB "x\n  ^"},
    {"combining characters", "e" ACUTE "x", 3, 1, 3, "e" ACUTE "x\n ^"},
    {"control characters", "a\x1b[31mb", 6, 1, 7, "a [31mb\n      ^"},
    {"C1 control characters",
     "a\xc2\x9b"
     "1mb",
     5, 1, 5, "a 1mb\n    ^"},
    {"byte-order mark", BOM "ab\ncd", 4, 1, 2, "ab\n ^"},
    {"start of the byte-order mark", BOM "ab", 0, 1, 1, "ab\n^"},
    {"byte-order mark, second line", BOM "ab\ncd", 7, 2, 2, "cd\n ^"},
    {"bytes that are not UTF-8", "a\xff\xfe", 2, 1, 3, "a\xef\xbf\xbd\xef\xbf\xbd\n  ^"},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(places); i++) {
        size_t len = strlen(places[i].text);
        struct rt_place place = rt_locate(places[i].text, len, places[i].offset);
        char *excerpt = rt_excerpt(places[i].text, len, place);

        if (place.line != places[i].line || place.column != places[i].column)
            fail_msg("%s: %lu:%lu", places[i].name, place.line, place.column);
        if (strcmp(excerpt, places[i].excerpt) != 0)
            fail_msg("%s: got\n%s\nexpected\n%s", places[i].name, excerpt,
                     places[i].excerpt);
        free(excerpt);
    }
}

static const struct {
    const char *name, *text;
    size_t start;
    unsigned long position, line, column;
} positions[] = {
    {"first character", "a; bc", 3, 1, 1, 4},
    {"none known", "a; bc", 3, 0, 1, 4},
    {"later", "a; bc", 3, 2, 1, 5},
    {"characters, not bytes", "a; '" E_ACUTE ZHONG "' x", 3, 6, 1, 9},
    {"next line", "a;\nb '" CRAB "'\n  x", 3, 9, 3, 3},
    {"CRLF counts as two", "a;\r\nb\r\nx", 4, 4, 3, 1},
    {"past the end", "a;\nbc", 3, 99, 2, 3},
    {"after a byte-order mark", BOM "bc", 3, 2, 1, 2},
    {"start past the end", "a", 9, 1, 1, 2},
};

static void test_positions(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(positions); i++) {
        struct rt_place place =
            rt_locate_position(positions[i].text, strlen(positions[i].text),
                               positions[i].start, positions[i].position);

        if (place.line != positions[i].line || place.column != positions[i].column)
            fail_msg("%s: %lu:%lu", positions[i].name, place.line, place.column);
    }
}

/* A line of so many characters, all 'a' but for the place, which is 'X'. */
static void check_cut(size_t length, size_t at, const char *shown)
{
    char line[1000];
    char *excerpt;

    memset(line, 'a', sizeof(line));
    line[at] = 'X';
    excerpt = rt_excerpt(line, length, rt_locate(line, length, at));
    assert_string_equal(excerpt, shown);
    free(excerpt);
}

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define S50 "                                                  "

static void test_long_lines(void **state)
{
    (void)state;
    check_cut(1000, 500, "..." A50 "X" A10 A10 A10 A10 "aaaaaaaaa...\n   " S50 "^");
    check_cut(1000, 0, "X" A10 A10 A10 A10 "aaaaaaaaa...\n^");
    check_cut(1000, 999, "..." A50 "X\n   " S50 "^");
    check_cut(120, 10, A10 "X" A50 A50 "aaaaaaaaa\n          ^");
}

static void test_long_line_of_wide_characters(void **state)
{
    char line[3 * 300], *excerpt;

    (void)state;
    for (size_t i = 0; i < sizeof(line); i += 3)
        memcpy(line + i, ZHONG, 3); /* NOLINT(bugprone-not-null-terminated-result) */
    excerpt = rt_excerpt(line, sizeof(line), rt_locate(line, sizeof(line), 3 * 150));
    assert_int_equal(strspn(excerpt, "."), 3);
    assert_int_equal(strcspn(excerpt, "\n"), 3 + 3 * 100 + 3);
    assert_string_equal(strchr(excerpt, '\n') + 1, "   " S50 S50 "^");
    free(excerpt);
}

/* Widths do not depend on the locale of the process, and the locale stays as it was. */
static void test_locale(void **state)
{
    char *excerpt;

    (void)state;
    assert_non_null(setlocale(LC_ALL, "C"));
    excerpt = rt_excerpt(ZHONG "x", 4, rt_locate(ZHONG "x", 4, 3));
    assert_string_equal(excerpt, ZHONG "x\n  ^");
    free(excerpt);
    assert_ptr_equal(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
    assert_string_equal(setlocale(LC_ALL, NULL), "C");
}

static void test_err_place(void **state)
{
    const char *text = "a;\n b;";
    struct rt_err err = {0};

    (void)state;
    rt_err_set(&err, RT_EMIGRATION, "no");
    rt_err_at(&err, "m/1.sql", 0, 0);
    rt_err_place(&err, text, strlen(text), rt_locate(text, strlen(text), 0));
    rt_err_place(&err, text, strlen(text), rt_locate(text, strlen(text), 4));
    assert_string_equal(err.path, "m/1.sql");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 2);
    assert_string_equal(err.excerpt, " b;\n ^");
    rt_err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_long_line_of_wide_characters),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_err_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
