#include "base/mem.h"

#include "unit.h"

static void test_grow(void **state)
{
    int *items = NULL;
    size_t cap = 0, moves = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        size_t before = cap;

        items = rt_grow(items, (size_t)i, &cap, sizeof(*items));
        assert_true(cap > (size_t)i);
        moves += cap != before;
        items[i] = i;
    }
    assert_int_equal(items[99999], 99999);
    assert_true(moves < 40); /* geometric, or long arrays would cost their square */
    free(items);
}

static void test_text(void **state)
{
    char *zero = rt_alloc(0), *copy = rt_strndup("abc", 2), *none = rt_strndup(NULL, 0);
    char *text = rt_format("%s-%d", "x", 7);
    unsigned char *zeroed = rt_alloc(64);

    (void)state;
    assert_non_null(zero);
    assert_string_equal(copy, "ab");
    assert_string_equal(none, "");
    assert_string_equal(text, "x-7");
    for (int i = 0; i < 64; i++)
        assert_int_equal(zeroed[i], 0);
    free(zero);
    free(copy);
    free(none);
    free(text);
    free(zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
