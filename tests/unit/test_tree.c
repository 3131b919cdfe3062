/* The pure parts of git/: names, folders and lookups. */
#include "git/tree.h"

#include "unit.h"

static void test_names(void **state)
{
    static const struct {
        const char *path;
        bool sql;
    } cases[] = {
        {"a.sql", true}, {"a/b/c.sql", true}, {"A.SQL", true},
        {".sql", true},  {"a.sql~", false},   {"a.sqlx", false},
        {"sql", false},  {"", false},         {"a.sql/b", false},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_int_equal(rt_is_sql(cases[i].path), cases[i].sql);
}

static void test_folders(void **state)
{
    static const struct {
        const char *given, *expected; /* NULL: refused */
    } cases[] = {
        {"migrations", "migrations"},
        {"./db//migrations/", "db/migrations"},
        {".", ""},
        {"", ""},
        {"db/./x", "db/x"},
        {"..", NULL},
        {"db/../../x", NULL},
        {"..db", "..db"},
    };
    struct rt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_err err = {0};
        const char *got;
        int rc = rt_folder_normalize(&got, &arena, cases[i].given, &err);

        assert_int_equal(rc, cases[i].expected ? 0 : -RT_EUSAGE);
        if (cases[i].expected)
            assert_string_equal(got, cases[i].expected);
        rt_err_clear(&err);
    }
    rt_arena_clear(&arena);
}

static void test_find(void **state)
{
    struct rt_entry entries[] = {{.path = "m/10.sql"}, {.path = "m/9.sql"}};
    struct rt_listing listing = {entries, 2}, empty = {0};

    (void)state;
    rt_listing_sort(&listing);
    assert_string_equal(entries[0].path, "m/9.sql");
    assert_ptr_equal(rt_listing_find(&listing, "m/10.sql"), &entries[1]);
    assert_null(rt_listing_find(&listing, "m/1.sql"));
    assert_null(rt_listing_find(&empty, "m/1.sql"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
