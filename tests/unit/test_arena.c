#include "base/arena.h"

#include "unit.h"

static void test_blocks(void **state)
{
    struct rt_arena arena = {0};
    char *big, *small[1000];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        small[i] = rt_arena_format(&arena, "%d", i);
        assert_int_equal((uintptr_t)small[i] % 16, 0);
    }
    big = rt_arena_alloc(&arena, 1000000);
    for (size_t i = 0; i < 1000000; i++)
        assert_int_equal(big[i], 0);
    memset(big, 1, 1000000);
    assert_string_equal(small[999], "999");
    assert_string_equal(rt_arena_strndup(&arena, "abcdef", 3), "abc");
    assert_non_null(rt_arena_alloc(&arena, 0));
    rt_arena_clear(&arena);
    assert_null(arena.blocks);
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
