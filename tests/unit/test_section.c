#include "sql/section.h"

#include "unit.h"

static int check(const char *text, struct rt_err *err)
{
    struct rt_script script = {0};
    int rc = rt_script_split(&script, text, strlen(text), err);

    if (rc < 0)
        fail_msg("%s: %s", text, err->message);
    rc = rt_script_check_sections(&script, err);
    rt_script_clear(&script);
    return rc;
}

static void test_one_direction(void **state)
{
    static const char *const texts[] = {
        "",
        "select 1;",
        "-- migrate:up\nselect 1;\n",
        "-- migrate:up\nselect 1;\n\n-- migrate:down\n",
        "-- migrate:up\nselect 1;\n\n-- migrate:down",
        "-- migrate:up\nselect 1;\n\n-- migrate:down\n-- nothing to undo\n\n",
        "-- +goose Up\nselect 1;\n-- +goose Down\n",
        "-- migrate:downwards\nselect 1;",
        "-- we migrate:down\nselect 1;",
        "-- +goose Downhill\nselect 1;",
        "-- +goose down\nselect 1;",
        "-- + goose Down\nselect 1;",
        "-- Down migration: see 0004.down.sql\nselect 1;",
        "-- downmigration\nselect 1;",
        "-- down\nselect 1;",
        "select 1; -- migrate:down\nselect 2;",
        "select 'migrate:down';\n-\nselect 1;",
        "copy t from stdin;\n-- migrate:down\n1\n\\.\n",
        "copy t from stdin;\n1\n-- +goose Down\n\\.\nselect 1;",
        "-",
        "--",
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_err err = {0};

        if (check(texts[i], &err) != 0)
            fail_msg("%s: %s", texts[i], err.message);
    }
}

static void test_both_directions(void **state)
{
    static const struct {
        const char *text;
        unsigned long line;
    } cases[] = {
        {"-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;", 3},
        {"-- migrate:up\r\nselect 1;\r\n-- migrate:down\r\nselect 2;\r\n", 3},
        {"select 1;\n--   migrate:down transaction:false\nselect 2;", 2},
        {"-- migrate:up\nselect 1;\n-- migrate:down\n-- migrate:up\nselect 2;\n", 3},
        {"-- migrate:up\nselect 1\n-- migrate:down\n, 2;", 3}, /* one statement to psql */
        {"-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;", 3},
        {"--+goose Down\nselect 1;", 1},
        {"-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;", 3},
        {"select 1;\n\t---- down   migration \nselect 2;", 2},
        {"select 1;\n-- migrate:down\ncopy t from stdin;\n1\n\\.\n", 2},
        {"copy t from stdin;\n-- migrate:down\n\\.\n-- migrate:down\nselect 1;", 4},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_err err = {0};

        if (check(cases[i].text, &err) != -RT_EREFUSED)
            fail_msg("%s: not refused", cases[i].text);
        assert_int_equal(err.line, cases[i].line);
        assert_non_null(err.excerpt);
        assert_non_null(strstr(err.message, "runs every file whole"));
        assert_non_null(strstr(err.hint, "NAME.down.sql"));
        assert_non_null(strstr(err.hint, "revtwin baseline"));
        rt_err_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_direction),
        cmocka_unit_test(test_both_directions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
