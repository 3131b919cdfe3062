#include "migrate/foreign_name.h"

#include "unit.h"

/* Equal keys pair a file with a row; NULL is a file that is no migration of the tool. */
static void test_keys(void **state)
{
    static const struct {
        enum rt_naming naming;
        const char *path, *key, *row;
    } cases[] = {
        {RT_NAMING_FOLDER, "prisma/migrations/0_init/migration.sql", "0_init", "0_init"},
        {RT_NAMING_FOLDER, "20240101000000_a b/migration.sql", "20240101000000_a b",
         "20240101000000_a b"},
        {RT_NAMING_FOLDER, "migrations/0_init/other.sql", NULL, NULL},
        {RT_NAMING_FOLDER, "migration.sql", NULL, NULL},
        {RT_NAMING_FOLDER, "/migration.sql", NULL, NULL},
        {RT_NAMING_FOLDER, "migrations/0_init_migration.sql", NULL, NULL},

        {RT_NAMING_FLYWAY, "db/V1__users.sql", "V1", "V1"},
        {RT_NAMING_FLYWAY, "V1_2__users.sql", "V1.2", "V1.2"},
        {RT_NAMING_FLYWAY, "V1.02.0__users.sql", "V1.2", "V1.2"},
        {RT_NAMING_FLYWAY, "V001_10__a__b.sql", "V1.10", "V1.10"},
        {RT_NAMING_FLYWAY, "V0__zero.sql", "V0", "V0.0"},
        {RT_NAMING_FLYWAY, "V20240131235959123456__long.sql", "V20240131235959123456",
         "V20240131235959123456"},
        {RT_NAMING_FLYWAY, "V7.sql", "V7", "V7"},
        {RT_NAMING_FLYWAY, "V1___x.sql", "V1", "V1"},
        {RT_NAMING_FLYWAY, "B5__all.sql", "B5", "B5.0"},
        {RT_NAMING_FLYWAY, "R__my_view.sql", "Rmy view", "Rmy view"},
        {RT_NAMING_FLYWAY, "R1__my_view.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "V1x__users.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "V__users.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "V1..2__users.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "V1_.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "v1__users.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "V1__users.SQL", NULL, NULL},
        {RT_NAMING_FLYWAY, "V.sql", NULL, NULL},
        {RT_NAMING_FLYWAY, "beforeMigrate.sql", NULL, NULL},

        {RT_NAMING_DIGITS, "db/migrations/20240101000000_a.sql", "20240101000000",
         "20240101000000"},
        {RT_NAMING_DIGITS, "0020b.sql", "0020", "0020"},
        {RT_NAMING_DIGITS, "3.sql", "3", "3"},
        {RT_NAMING_DIGITS, "000002-more-things.sql", "000002", "000002.sql"},
        {RT_NAMING_DIGITS, "x4_d.sql", NULL, NULL},
        {RT_NAMING_DIGITS, "current.sql", NULL, NULL},

        {RT_NAMING_NUMBER, "m/00012_users.sql", "12", "12"},
        {RT_NAMING_NUMBER, "12_users.up.sql", "12", "12"},
        {RT_NAMING_NUMBER, "000_zero.sql", "0", "0"},
        {RT_NAMING_NUMBER, "12users.sql", NULL, NULL},
        {RT_NAMING_NUMBER, "12.sql", NULL, NULL},
        {RT_NAMING_NUMBER, "_users.sql", NULL, NULL},

        {RT_NAMING_NUMBER_UP, "000012_users.up.sql", "12", "12"},
        {RT_NAMING_NUMBER_UP, "12_.up.sql", "12", "12"},
        {RT_NAMING_NUMBER_UP, "12_users.down.sql", NULL, NULL},
        {RT_NAMING_NUMBER_UP, "12_users.sql", NULL, NULL},

        {RT_NAMING_STEM, "m/1700000000000_a.b.sql", "1700000000000_a.b",
         "1700000000000_a.b"},
        {RT_NAMING_STEM, ".sql", NULL, NULL},
    };
    struct rt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        const char *key = rt_foreign_file_key(&arena, cases[i].naming, cases[i].path);

        if ((key == NULL) != (cases[i].key == NULL))
            fail_msg("%s: key is %s", cases[i].path, key ? key : "NULL");
        if (key == NULL)
            continue;
        assert_string_equal(key, cases[i].key);
        assert_string_equal(rt_foreign_row_key(&arena, cases[i].naming, cases[i].row),
                            key);
    }
    rt_arena_clear(&arena);
}

static void test_strange_rows_are_their_own_keys(void **state)
{
    struct rt_arena arena = {0};

    (void)state;
    assert_string_equal(rt_foreign_row_key(&arena, RT_NAMING_NUMBER_UP, "-1"), "-1");
    assert_string_equal(rt_foreign_row_key(&arena, RT_NAMING_FLYWAY, "V1a"), "V1a");
    assert_string_equal(rt_foreign_row_key(&arena, RT_NAMING_FLYWAY, "V"), "V");
    assert_string_equal(rt_foreign_row_key(&arena, RT_NAMING_DIGITS, "x"), "x");
    assert_string_equal(rt_foreign_row_key(&arena, RT_NAMING_FOLDER, ""), "");
    rt_arena_clear(&arena);
}

static void test_at_most(void **state)
{
    (void)state;
    assert_true(rt_foreign_at_most("9", "10"));
    assert_true(rt_foreign_at_most("10", "10"));
    assert_false(rt_foreign_at_most("11", "10"));
    assert_true(rt_foreign_at_most("V1.9", "V1.10"));
    assert_true(rt_foreign_at_most("V1", "V1.1"));
    assert_false(rt_foreign_at_most("V1.1", "V1"));
    assert_true(rt_foreign_at_most("V1.99", "V2"));
    assert_false(rt_foreign_at_most("B1", "V2"));
    assert_false(rt_foreign_at_most("Rview", "V2"));
    assert_false(rt_foreign_at_most("R", "R2"));
    assert_false(rt_foreign_at_most("1", "-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_strange_rows_are_their_own_keys),
        cmocka_unit_test(test_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
