#include "base/hash.h"

#include "unit.h"

/* b2sum -l 256 of coreutils */
static void test_known(void **state)
{
    struct rt_hash hash;

    (void)state;
    assert_string_equal(
        rt_hash_of("", 0).hex,
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    assert_string_equal(
        rt_hash_of("abc", 3).hex,
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    rt_hash_init(&hash);
    rt_hash_add(&hash, "a", 1);
    rt_hash_add(&hash, "bc", 2);
    assert_string_equal(rt_hash_end(&hash).hex, rt_hash_of("abc", 3).hex);
}

static struct rt_digest of_fields(const char *const *fields, size_t count)
{
    struct rt_hash hash;

    rt_hash_init(&hash);
    for (size_t i = 0; i < count; i++)
        rt_hash_field(&hash, fields[i]);
    return rt_hash_end(&hash);
}

static void test_fields_do_not_run_together(void **state)
{
    const char *lists[][2] = {
        {"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"abc", NULL}, {"", "abc"}};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(lists); i++) {
        for (size_t j = i + 1; j < RT_COUNT(lists); j++)
            assert_string_not_equal(of_fields(lists[i], 2).hex,
                                    of_fields(lists[j], 2).hex);
    }
    /* the form that ledgers carry must never change */
    assert_string_equal(of_fields(lists[0], 1).hex,
                        rt_hash_of("\2\0\0\0\0\0\0\0ab", 10).hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_fields_do_not_run_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
