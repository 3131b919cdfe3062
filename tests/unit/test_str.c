#include "base/str.h"

#include "unit.h"

static void test_adding(void **state)
{
    struct rt_str s = {0};
    char *text;

    (void)state;
    assert_string_equal(rt_str_text(&s), "");
    rt_str_add(&s, "a");
    rt_str_addn(&s, "b\0c", 3);
    rt_str_addf(&s, "%d", 42);
    assert_int_equal(s.len, 6);
    assert_memory_equal(s.data, "ab\0c42", 7);
    for (int i = 0; i < 1000; i++)
        rt_str_add(&s, "0123456789");
    assert_int_equal(s.len, 10006);
    text = rt_str_take(&s);
    assert_int_equal(text[10005], '9');
    assert_null(s.data);
    free(text);
    text = rt_str_take(&s);
    assert_string_equal(text, "");
    free(text);
}

static void test_line_ends(void **state)
{
    static const char text[] = "a\r\n\nb\rc\n\r\r\nd\r";
    struct rt_str s = {0};

    (void)state;
    rt_str_add_lines(&s, text, sizeof(text) - 1, "\n");
    assert_string_equal(rt_str_text(&s), "a\n\nb\rc\n\r\nd\r");
    rt_str_reset(&s);
    rt_str_add_lines(&s, text, sizeof(text) - 1, "\r\n");
    assert_string_equal(rt_str_text(&s), "a\r\n\r\nb\rc\r\n\r\r\nd\r");
    rt_str_reset(&s);
    rt_str_add_lines(&s, "", 0, "\n");
    assert_string_equal(rt_str_text(&s), "");
    rt_str_clear(&s);
}

static void test_natural_order(void **state)
{
    static const char *const sorted[] = {
        "V1__a.sql",  "V2__a.sql",   "V9.sql", "V10.sql",     "V010.sql.bak", "a.sql",
        "a/b.sql",    "a/c/d.sql",   "a0.sql", "a1.sql",      "a01b.sql",     "a2.sql",
        "a100b2.sql", "a100b10.sql", "b",      "\xc3\xa4.sql"};

    (void)state;
    /* '/' sorts first, so a folder's files come before a name that goes on */
    assert_true(rt_natural_compare("a/b.sql", "a.sql") < 0);
    for (size_t i = 0; i < RT_COUNT(sorted); i++) {
        for (size_t j = 0; j < RT_COUNT(sorted); j++) {
            int ij = rt_natural_compare(sorted[i], sorted[j]);
            int ji = rt_natural_compare(sorted[j], sorted[i]);

            assert_int_equal(ij == 0, i == j);
            assert_int_equal(ij<0, ji> 0);
        }
    }
    assert_true(rt_natural_compare("V9.sql", "V10.sql") < 0);
    assert_true(rt_natural_compare("V2__z.sql", "V10__a.sql") < 0);
    assert_true(rt_natural_compare("1_a", "01_a") != 0);
    assert_true(
        rt_natural_compare("20240101_a/migration.sql", "20240102_b/migration.sql") < 0);
    assert_true(
        rt_natural_compare("99999999999999999999999", "100000000000000000000000") < 0);
    assert_true(rt_natural_compare("a", "a1") < 0);
}

static void test_edit_distance(void **state)
{
    char longer[100];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(rt_edit_distance("", ""), 0);
    assert_int_equal(rt_edit_distance("apply", "aply"), 1);
    assert_int_equal(rt_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(rt_edit_distance("abc", ""), 3);
    assert_true(rt_edit_distance("abc", longer) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_natural_order),
        cmocka_unit_test(test_edit_distance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
