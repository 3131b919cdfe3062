#include "cmd/settings.h"

#include "base/str.h"

#include "unit.h"

static int settle(struct rt_settings *settings, const char *name, const char *value,
                  struct rt_err *err)
{
    struct rt_config_entry entry = {name, value};
    struct rt_config file = {&entry, name ? 1 : 0};

    return rt_settings_settle(settings, &file, err);
}

static void test_precedence(void **state)
{
    struct rt_settings settings = {0};
    struct rt_err err = {0};

    (void)state;
    unsetenv("REVTWIN_PATH");
    assert_int_equal(settle(&settings, NULL, NULL, &err), 0);
    assert_string_equal(settings.value[RT_SET_PATH], "migrations");
    assert_null(settings.value[RT_SET_BRANCH]);
    assert_string_equal(settings.value[RT_SET_LAYOUT], "auto");
    assert_int_equal(settle(&settings, "migrations.path", "from/file", &err), 0);
    assert_string_equal(settings.value[RT_SET_PATH], "from/file");
    setenv("REVTWIN_PATH", "from/env", 1);
    assert_int_equal(settle(&settings, "migrations.path", "from/file", &err), 0);
    assert_string_equal(settings.value[RT_SET_PATH], "from/env");
    settings.flag[RT_SET_PATH] = "from/flag";
    assert_int_equal(settle(&settings, "migrations.path", "from/file", &err), 0);
    assert_string_equal(settings.value[RT_SET_PATH], "from/flag");
    unsetenv("REVTWIN_PATH");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *name, *value, *message, *hint;
    } cases[] = {
        {"migrations.pth", "x", "unknown key migrations.pth", "migrations.path"},
        {"something.else", "x", "unknown key something.else", "revtwin help config"},
        {"apply.wait", "soon", "whole number", NULL},
        {"apply.lock-timeout", "5 parsecs", "with ms, s, min or h", NULL},
        {"apply.lock-timeout", "2147483648", "at most 2147483647ms", NULL},
        {"apply.lock-timeout", "2147483648ms", "at most 2147483647ms", NULL},
        {"apply.statement-timeout", "2147484s", "at most 2147483647ms", NULL},
        {"apply.statement-timeout", "35792min", "at most 2147483647ms", NULL},
        {"apply.statement-timeout", "597h", "at most 2147483647ms", NULL},
        {"apply.statement-timeout", "99999999999h", "at most 2147483647ms", NULL},
        {"apply.statement-timeout", "9223372036854775808", "at most", NULL},
        {"resync.after-apply", "maybe", "true or false", NULL},
        {"migrations.layout", "Prisma", "auto, plain or prisma", NULL},
        {"migrations.path", "/etc", "inside the repository", NULL},
        {"migrations.path", "", "inside the repository", NULL},
        {"migrations.path", "../other", "inside the repository", NULL},
        {"resync.bindir", "bin", "cannot be set", "--bindir"},
        {"migrations.branch", "feature", "cannot be set", "--branch"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_settings settings = {0};
        struct rt_err err = {0};

        assert_int_equal(settle(&settings, cases[i].name, cases[i].value, &err),
                         -RT_EUSAGE);
        assert_non_null(strstr(err.message, cases[i].message));
        assert_string_equal(err.path, "revtwin.conf");
        if (cases[i].hint)
            assert_non_null(strstr(err.hint, cases[i].hint));
        rt_err_clear(&err);
    }
}

static void test_values(void **state)
{
    struct rt_settings settings = {0};
    struct rt_err err = {0};

    (void)state;
    assert_int_equal(settle(&settings, "resync.after-apply", "off", &err), 0);
    assert_false(rt_setting_true(&settings, RT_SET_RESYNC));
    assert_int_equal(rt_setting_number(&settings, RT_SET_WAIT), 60);
    assert_int_equal(settle(&settings, "apply.lock-timeout", "1500ms", &err), 0);
    assert_string_equal(settings.value[RT_SET_LOCK_TIMEOUT], "1500ms");
    assert_int_equal(settle(&settings, "apply.lock-timeout", "2147483647", &err), 0);
    assert_int_equal(settle(&settings, "apply.statement-timeout", "596h", &err), 0);
}

static void test_help_names_every_key(void **state)
{
    struct rt_str text = {0};

    (void)state;
    rt_settings_help(&text);
    assert_non_null(strstr(text.data, "migrations.path"));
    assert_non_null(strstr(text.data, "default: migrations\n"));
    assert_non_null(strstr(text.data, "resync.bindir"));
    rt_str_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_help_names_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
