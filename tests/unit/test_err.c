#include "base/err.h"

#include "unit.h"

static void test_building(void **state)
{
    struct rt_err err = {0}, other = {0};

    (void)state;
    assert_int_equal(rt_err_set(&err, RT_EREFUSED, "no %s", "way"), -3);
    assert_int_equal(rt_err_wrap(&err, "at %d", 7), -3);
    assert_int_equal(rt_err_at(&err, "a.sql", 4, 2), -3);
    rt_err_detail(&err, "Detail.");
    rt_err_hint(&err, "Hint.");
    rt_err_hint(&err, "Another, after: %s", err.hint);
    rt_err_advice(&err, "Do it.");
    assert_string_equal(err.message, "at 7: no way");
    assert_string_equal(err.hint, "Another, after: Hint.");
    assert_string_equal(err.path, "a.sql");
    rt_err_move(&other, &err);
    assert_null(err.message);
    assert_int_equal(err.status, RT_DONE);
    assert_int_equal(other.line, 4);
    /* setting anew forgets everything, and may quote the old message */
    rt_err_set(&other, RT_EUSAGE, "was: %s", other.message);
    assert_string_equal(other.message, "was: at 7: no way");
    assert_null(other.hint);
    assert_null(other.path);
    rt_err_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_building)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
