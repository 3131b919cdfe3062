#include "base/opt.h"
#include "base/str.h"

#include "unit.h"

struct target {
    bool flag, other;
    const char *text;
};

static const struct rt_opt table[] = {
    {'f', RT_OPT_FLAG, "flag", NULL, "a flag", offsetof(struct target, flag)},
    {0, RT_OPT_FLAG, "other", NULL, "another", offsetof(struct target, other)},
    {'t', RT_OPT_TEXT, "text", "WORD", "a text", offsetof(struct target, text)},
};

static int parse(struct target *target, int *first, struct rt_err *err, int argc,
                 const char *const *words)
{
    char *argv[8] = {(char *)"prog"};

    for (int i = 0; i < argc; i++)
        argv[i + 1] = (char *)words[i];
    return rt_opt_parse(table, RT_COUNT(table), target, argc + 1, argv, first, err);
}

static void test_parsing(void **state)
{
    const char *words[] = {"operand", "--flag", "--text=abc", "more", "--", "--other"};
    const char *letters[] = {"-ftxyz"};
    struct target target = {0};
    struct rt_err err = {0};
    int first;

    (void)state;
    assert_int_equal(parse(&target, &first, &err, 6, words), 0);
    assert_true(target.flag);
    assert_false(target.other); /* after "--" it is an operand */
    assert_string_equal(target.text, "abc");
    assert_int_equal(first, 4);
    assert_int_equal(parse(&target, &first, &err, 1, letters), 0);
    assert_string_equal(target.text, "xyz");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *word, *message, *hint;
    } cases[] = {
        {"--flaf", "unknown option --flaf", "Did you mean --flag?"},
        {"--flga=s3cret", "unknown option --flga", "Did you mean --flag?"},
        {"--nothinglikeit", "unknown option --nothinglikeit", NULL},
        {"-x", "unknown option -x", NULL},
        {"--text", "option --text needs an argument", NULL},
        {"-t", "option -t needs an argument", NULL},
        {"--flag=1", "option --flag takes no argument", NULL},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct target target = {0};
        struct rt_err err = {0};
        int first;

        assert_int_equal(parse(&target, &first, &err, 1, &cases[i].word), -RT_EUSAGE);
        assert_string_equal(err.message, cases[i].message);
        if (cases[i].hint)
            assert_string_equal(err.hint, cases[i].hint);
        else
            assert_null(err.hint);
        rt_err_clear(&err);
    }
}

static void test_usage(void **state)
{
    struct rt_str text = {0};

    (void)state;
    rt_opt_usage(table, RT_COUNT(table), &text);
    assert_string_equal(text.data, "  -f, --flag                a flag\n"
                                   "      --other               another\n"
                                   "  -t, --text WORD           a text\n");
    rt_str_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parsing),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
