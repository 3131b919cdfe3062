#include "migrate/chain.h"

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
    rt_ledger_faults(&faults, &arena, &ledger, NULL);
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
        texts = rt_ledger_faults(&faults, &arena, &ledger, NULL);
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
    texts = rt_ledger_faults(&faults, &arena, &ledger, NULL);
    assert_int_equal(faults, 3);
    assert_non_null(strstr(texts[0], "inserted or moved"));

    ledger = make_ledger(&arena, 4);
    memmove(&ledger.rows[1], &ledger.rows[2], 2 * sizeof(*ledger.rows)); /* removed */
    ledger.count = 3;
    texts = rt_ledger_faults(&faults, &arena, &ledger, NULL);
    assert_int_equal(faults, 1);
    assert_non_null(strstr(texts[0], "removed"));

    ledger = make_ledger(&arena, 4);
    memmove(&ledger.rows[0], &ledger.rows[1], 3 * sizeof(*ledger.rows)); /* the first */
    ledger.count = 3;
    rt_ledger_faults(&faults, &arena, &ledger, NULL);
    assert_int_equal(faults, 1);
    rt_arena_clear(&arena);
}

/* ------------------------------------------------------------------ proof */

static size_t count_faults(struct rt_arena *arena, const struct rt_ledger *ledger,
                           const struct rt_public_keys *keys, const char *head)
{
    const struct rt_proof proof = {keys, head};
    size_t count;

    rt_ledger_faults(&count, arena, ledger, &proof);
    return count;
}

static void test_signatures(void **state)
{
    struct rt_signing_key *key = rt_signing_key_make(), *other = rt_signing_key_make();
    struct rt_arena arena = {0};
    struct rt_public_keys keys = rt_signing_key_public(&arena, key);
    struct rt_ledger ledger = make_ledger(&arena, 4);
    const struct rt_writer writer = {.client = "here", .key = key};
    const struct rt_new_row entry = {.path = "m/2.sql", .checksum = "c", .commit = "d"};
    const char *hash = ledger.rows[1].column[RT_COL_ENTRY_HASH];

    (void)state;
    assert_null(ledger.rows[3].column[RT_COL_SIGNATURE]);
    ledger.rows[3] = rt_ledger_next(&arena, &ledger, &ledger.rows[2], &entry, &writer);
    assert_true(rt_is_signed(&keys, ledger.rows[3].column[RT_COL_ENTRY_HASH],
                             ledger.rows[3].column[RT_COL_SIGNATURE]));
    assert_int_equal(count_faults(&arena, &ledger, NULL, NULL), 0);
    assert_int_equal(count_faults(&arena, &ledger, &keys, NULL), 3);
    assert_int_equal(count_faults(&arena, &ledger, &keys, hash), 1);
    assert_int_equal(count_faults(&arena, &ledger, &keys, RT_LEDGER_START), 3);
    assert_int_equal(count_faults(&arena, &ledger, &keys, rt_ledger_head(&ledger)), 0);
    assert_int_equal(count_faults(&arena, &ledger, &keys, "c0ffee"), 4);
    assert_int_equal(count_faults(&arena, &ledger, NULL, "c0ffee"), 1);

    /* A signature of another row, and one of another key. */
    ledger.rows[2].column[RT_COL_SIGNATURE] = ledger.rows[3].column[RT_COL_SIGNATURE];
    assert_int_equal(count_faults(&arena, &ledger, &keys, hash), 1);
    ledger.rows[2].column[RT_COL_SIGNATURE] = rt_arena_strdup(
        &arena, rt_sign(other, ledger.rows[2].column[RT_COL_ENTRY_HASH]).text);
    assert_int_equal(count_faults(&arena, &ledger, &keys, hash), 1);
    ledger.rows[2].column[RT_COL_SIGNATURE] = rt_arena_strdup(
        &arena, rt_sign(key, ledger.rows[2].column[RT_COL_ENTRY_HASH]).text);
    assert_int_equal(count_faults(&arena, &ledger, &keys, hash), 0);
    rt_signing_key_free(key);
    rt_signing_key_free(other);
    rt_arena_clear(&arena);
}

/* A list of all faults of every row has its room. */
static void test_every_fault_at_once(void **state)
{
    struct rt_signing_key *key = rt_signing_key_make();
    struct rt_arena arena = {0};
    struct rt_public_keys keys = rt_signing_key_public(&arena, key);
    struct rt_ledger ledger = make_ledger(&arena, 3);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        ledger.rows[i].column[RT_COL_PREV_HASH] = "x";
    assert_int_equal(count_faults(&arena, &ledger, &keys, "nowhere"), 10);
    rt_signing_key_free(key);
    rt_arena_clear(&arena);
}

static void test_rows_until(void **state)
{
    struct rt_arena arena = {0};
    struct rt_ledger ledger = make_ledger(&arena, 2), empty = {0};

    (void)state;
    assert_int_equal(rt_ledger_rows_until(&ledger, NULL), 0);
    assert_int_equal(rt_ledger_rows_until(&ledger, RT_LEDGER_START), 0);
    assert_int_equal(rt_ledger_rows_until(&ledger, rt_ledger_head(&ledger)), 2);
    assert_true(rt_ledger_rows_until(&empty, rt_ledger_head(&ledger)) == SIZE_MAX);
    rt_arena_clear(&arena);
}

/* ------------------------------------------------------------------ amended rows */

static void test_what_amended_rows_replace(void **state)
{
    static const struct {
        const char *path, *kind, *checksum;
    } rows[] = {
        {"a", "applied", "1"}, {"b", "applied", "1"}, {"b", "amended", "2"},
        {"b", "amended", "3"}, {"c", "applied", "1"}, {"c", "forgotten", "2"},
        {"c", "applied", "3"}, {"c", "amended", "4"}, {"d", "amended", "1"},
    };
    static const struct {
        const char *path, *checksum;
        bool had;
    } cases[] = {
        {"a", "1", false}, /* it has it */
        {"b", "1", true},  {"b", "2", true},  {"b", "3", false}, {"b", "4", false},
        {"c", "3", true},  {"c", "2", false}, /* before what was replaced */
        {"c", "1", false}, {"d", "1", false}, {"e", "1", false}, {"", "1", false},
    };
    struct rt_arena arena = {0};
    struct rt_ledger ledger = {.count = RT_COUNT(rows)};

    (void)state;
    ledger.rows = rt_arena_alloc(&arena, ledger.count * sizeof(*ledger.rows));
    for (size_t i = 0; i < ledger.count; i++) {
        ledger.rows[i].column[RT_COL_PATH] = rows[i].path;
        ledger.rows[i].column[RT_COL_KIND] = rows[i].kind;
        ledger.rows[i].column[RT_COL_CHECKSUM] = rows[i].checksum;
    }
    rt_ledger_index(&ledger, &arena);
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        if (rt_ledger_had(&ledger, cases[i].path, cases[i].checksum) != cases[i].had)
            fail_msg("%s %s", cases[i].path, cases[i].checksum);
    }
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_last_row_of_a_path_counts),
        cmocka_unit_test(test_edits_show),
        cmocka_unit_test(test_missing_and_moved_rows_show),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_every_fault_at_once),
        cmocka_unit_test(test_rows_until),
        cmocka_unit_test(test_what_amended_rows_replace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
