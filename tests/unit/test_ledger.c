#include "migrate/ledger.h"

#include "unit.h"

static struct rt_ledger make_ledger(struct rt_arena *arena, size_t count)
{
    struct rt_ledger ledger = {.exists = true, .database = "db", .session_user = "me"};
    const struct rt_writer writer = {.client = "here"};

    ledger.rows = rt_arena_alloc(arena, (count + 1) * sizeof(*ledger.rows));
    for (size_t i = 0; i < count; i++) {
        const char *path = rt_arena_format(arena, "m/%zu.sql", i + 1);

        const struct rt_new_row entry = {
            .path = path, .checksum = "c0ffee", .commit = "abc", .statements = i};

        ledger.rows[i] = rt_ledger_next(arena, &ledger, i ? &ledger.rows[i - 1] : NULL,
                                        &entry, &writer);
    }
    ledger.count = count;
    rt_ledger_index(&ledger, arena);
    return ledger;
}

static void test_rows(void **state)
{
    struct rt_arena arena = {0};
    struct rt_ledger ledger = make_ledger(&arena, 3);
    size_t faults;

    (void)state;
    assert_string_equal(ledger.rows[0].column[RT_COL_SEQ], "1");
    assert_string_equal(ledger.rows[2].column[RT_COL_SEQ], "3");
    assert_int_equal(strspn(ledger.rows[0].column[RT_COL_PREV_HASH], "0"), 64);
    assert_string_equal(ledger.rows[1].column[RT_COL_PREV_HASH],
                        ledger.rows[0].column[RT_COL_ENTRY_HASH]);
    assert_int_equal(strlen(ledger.rows[0].column[RT_COL_APPLIED_AT]),
                     strlen("2026-01-31T23:59:59.123456Z"));
    assert_null(ledger.rows[0].column[RT_COL_PULL_REQUEST]);
    assert_string_equal(rt_ledger_head(&ledger),
                        ledger.rows[2].column[RT_COL_ENTRY_HASH]);
    rt_ledger_faults(&faults, &arena, &ledger);
    assert_int_equal(faults, 0);
    assert_ptr_equal(rt_ledger_find(&ledger, "m/2.sql"), &ledger.rows[1]);
    assert_null(rt_ledger_find(&ledger, "m/4.sql"));
    assert_null(rt_ledger_find(&ledger, ""));
    rt_arena_clear(&arena);
}

static void test_last_row_of_a_path_counts(void **state)
{
    struct rt_arena arena = {0};
    struct rt_ledger ledger = make_ledger(&arena, 4);

    (void)state;
    ledger.rows[3].column[RT_COL_PATH] = "m/1.sql";
    rt_ledger_index(&ledger, &arena);
    assert_ptr_equal(rt_ledger_find(&ledger, "m/1.sql"), &ledger.rows[3]);
    rt_arena_clear(&arena);
}

/* Whatever column is changed, the row's own hash shows it. */
static void test_edits_show(void **state)
{
    (void)state;
    for (int column = 0; column <= RT_COL_ENTRY_HASH; column++) {
        struct rt_arena arena = {0};
        struct rt_ledger ledger = make_ledger(&arena, 3);
        size_t faults;
        const char **texts;

        ledger.rows[1].column[column] = "9";
        texts = rt_ledger_faults(&faults, &arena, &ledger);
        assert_true(faults > 0);
        assert_non_null(strstr(texts[0], "was edited"));
        rt_arena_clear(&arena);
    }
}

static void test_missing_and_moved_rows_show(void **state)
{
    struct rt_arena arena = {0};
    struct rt_ledger ledger = make_ledger(&arena, 4);
    struct rt_ledger_row kept = ledger.rows[1];
    const char **texts;
    size_t faults;

    (void)state;
    ledger.rows[1] = ledger.rows[2]; /* swapped */
    ledger.rows[2] = kept;
    texts = rt_ledger_faults(&faults, &arena, &ledger);
    assert_int_equal(faults, 3);
    assert_non_null(strstr(texts[0], "inserted or moved"));

    ledger = make_ledger(&arena, 4);
    memmove(&ledger.rows[1], &ledger.rows[2], 2 * sizeof(*ledger.rows)); /* removed */
    ledger.count = 3;
    texts = rt_ledger_faults(&faults, &arena, &ledger);
    assert_int_equal(faults, 1);
    assert_non_null(strstr(texts[0], "removed"));

    ledger = make_ledger(&arena, 4);
    memmove(&ledger.rows[0], &ledger.rows[1], 3 * sizeof(*ledger.rows)); /* the first */
    ledger.count = 3;
    rt_ledger_faults(&faults, &arena, &ledger);
    assert_int_equal(faults, 1);
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_last_row_of_a_path_counts),
        cmocka_unit_test(test_edits_show),
        cmocka_unit_test(test_missing_and_moved_rows_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
