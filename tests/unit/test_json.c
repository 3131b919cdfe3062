#include "base/json.h"

#include <unistd.h>

#include "unit.h"

static void test_text(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        {"plain", "plain"},
        {"\xc3\xa4", "\xc3\xa4"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"", ""},
    };
    json_t *object = json_object(), *null = rt_json_text(NULL);

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        json_t *value = rt_json_text(cases[i].bytes);

        assert_string_equal(json_string_value(value), cases[i].expected);
        json_decref(value);
    }
    assert_true(json_is_null(null));
    rt_json_put(object, "there", "yes");
    rt_json_put(object, "not there", NULL);
    assert_int_equal(json_object_size(object), 1);
    json_decref(object);
}

static void test_read(void **state)
{
    static const char *const bad[] = {"", "{", "{\"a\": 1} trailing", "{\"a\":1,\"a\":2}",
                                      "\xff\xfe"};
    char path[] = "/tmp/rt-json-XXXXXX";
    int fd = mkstemp(path);
    struct rt_err err = {0};
    json_t *value;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\":\n 1}", 9), 9);
    assert_int_equal(rt_json_read(&value, path, "the file", &err), 0);
    assert_int_equal(json_integer_value(json_object_get(value, "a")), 1);
    json_decref(value);
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
        assert_int_equal(rt_json_read(&value, path, "the file", &err), -RT_EUSAGE);
        assert_non_null(strstr(err.message, "the file is not valid JSON"));
        assert_string_equal(err.path, path);
    }
    unlink(path);
    close(fd);
    assert_int_equal(rt_json_read(&value, path, "the file", &err), -RT_EUSAGE);
    assert_non_null(strstr(err.message, "cannot read the file"));
    rt_err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
