#include "base/uuid.h"

#include "unit.h"

static void form(void **state)
{
    (void)state;
    for (int n = 0; n < 200; n++) {
        char text[RT_UUID_SIZE];

        rt_uuid(text);
        assert_int_equal(strlen(text), RT_UUID_SIZE - 1);
        for (size_t i = 0; i < RT_UUID_SIZE - 1; i++) {
            bool dash = i == 8 || i == 13 || i == 18 || i == 23;

            assert_true(dash ? text[i] == '-' : strchr("0123456789abcdef", text[i]) != 0);
        }
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
}

static void different(void **state)
{
    char one[RT_UUID_SIZE], other[RT_UUID_SIZE];

    (void)state;
    rt_uuid(one);
    rt_uuid(other);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form),
        cmocka_unit_test(different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
