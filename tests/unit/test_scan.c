#include "sql/scan.h"

#include "base/str.h"

#include "unit.h"

/* The tokens of a text, one letter each: Word, Other, ( ) ; \ Comment, Unterminated. */
static char *tokens(const char *text)
{
    struct rt_scan scan = {.text = text, .len = strlen(text)};
    struct rt_str out = {0};
    enum rt_token token;

    while ((token = rt_scan_next(&scan)) != RT_TOKEN_END) {
        size_t start = scan.start;

        rt_str_addf(&out, "%c", "?WO();\\CU"[token]);
        assert_true(start < scan.end && scan.end <= scan.len);
        if (token == RT_TOKEN_UNTERMINATED)
            rt_str_addf(&out, "<%s at %zu>", scan.what, start);
    }
    return rt_str_take(&out);
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {" \t\r\n", ""},
        {"select a, 'it''s'", "WWOO"},
        {"a;b", "W;W"},
        {"(a)", "(W)"},
        {"\\d", "\\W"},
        {"-- note\nx", "CW"},
        {"/* a /* b */ c */ x", "CW"},
        {"/* a /* b */", "U</* comment at 0>"},
        {"e'it\\'s' x", "OW"},
        {"type'it\\' x", "WOW"},
        {"E'a\\'\n;'\n'b\\';' ;", "O;"},
        {"'open", "U<quoted string at 0>"},
        {"x \"open", "WU<quoted identifier at 2>"},
        {"$$ ; $$;", "O;"},
        {"$a$ $b$ $a$ x", "OW"},
        {"$a$ open", "U<dollar-quoted string at 0>"},
        {"foo$bar$ baz$bar$", "WW"},
        {"$1;$2", "O;O"},
        {"1e5 2x;", "OO;"},
        {"\xc3\xa4\xc3\xb6 x", "WW"},
        {"$\xc3\xa4$;$\xc3\xa4$", "O"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *got = tokens(cases[i].text);

        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%s: %s, expected %s", cases[i].text, got, cases[i].expected);
        free(got);
    }
}

static void test_words(void **state)
{
    struct rt_scan scan = {.text = "Begin beginning", .len = 15};

    (void)state;
    assert_int_equal(rt_scan_next(&scan), RT_TOKEN_WORD);
    assert_true(rt_scan_is(&scan, "begin"));
    assert_int_equal(rt_scan_next(&scan), RT_TOKEN_WORD);
    assert_false(rt_scan_is(&scan, "begin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
