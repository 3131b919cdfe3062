#include "base/secret.h"

#include "unit.h"

static void test_redact(void **state)
{
    static const struct {
        const char *text, *word, *expected;
    } cases[] = {
        {"no secret here", "hunter2", "no secret here"},
        {"password hunter2 wrong: hunter2", "hunter2", "password **** wrong: ****"},
        {"hunter2", "hunter2", "****"},
        {"kept", "", "kept"},
        {"kept", NULL, "kept"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *got = rt_redact(cases[i].text, cases[i].word);

        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

static void test_secret(void **state)
{
    struct rt_secret secret = {0};

    (void)state;
    rt_secret_set(&secret, "one");
    rt_secret_set(&secret, "two");
    assert_string_equal(secret.text, "two");
    rt_secret_set(&secret, NULL);
    assert_null(secret.text);
    rt_secret_clear(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redact),
        cmocka_unit_test(test_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
