#include "base/utf8.h"

#include "unit.h"

static void test_valid(void **state)
{
    static const struct {
        const char *bytes;
        size_t len, valid;
    } cases[] = {
        {"", 0, 0},
        {"plain ascii that is longer than eight bytes", 43, 43},
        {"a\0b", 3, 3},
        {"\xc3\xa4", 2, 2},
        {"x\xe2\x82\xacy", 5, 5},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"ab\xff", 3, 2},
        {"ab\xc3", 3, 2},            /* cut short */
        {"\xc0\x80", 2, 0},          /* overlong NUL */
        {"\xe0\x80\x80", 3, 0},      /* overlong */
        {"\xed\xa0\x80", 3, 0},      /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0},  /* above U+10FFFF */
        {"\x80", 1, 0},              /* a continuation alone */
        {"12345678\xe4nine", 13, 8}, /* Latin-1 after a full word */
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_int_equal(rt_utf8_valid(cases[i].bytes, cases[i].len), cases[i].valid);
}

static void test_characters(void **state)
{
    const char *text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    size_t len = strlen(text), bytes;

    (void)state;
    assert_int_equal(rt_utf8_count(text, len), 5);
    assert_int_equal(rt_utf8_offset(text, len, 0), 0);
    assert_int_equal(rt_utf8_offset(text, len, 2), 3);
    assert_int_equal(rt_utf8_offset(text, len, 4), 10);
    assert_int_equal(rt_utf8_offset(text, len, 99), len);
    assert_int_equal(rt_utf8_decode(text + 3, len - 3, &bytes), 0x20ac);
    assert_int_equal(bytes, 3);
    assert_int_equal(rt_utf8_decode("\xff", 1, &bytes), 0xfffd);
    assert_int_equal(bytes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
