/* The order in which tables gain rows. */
#include "twin/delta/order.h"
#include "unit.h"

/* "01 12": table 0 references 1, and 1 references 2. */
static void expect(const char *text, size_t count, const char *ranks, const char *cuts)
{
    struct rt_edge edges[16] = {{0}};
    unsigned rank[10];
    size_t n = 0;

    for (const char *p = text; *p; p += p[2] ? 3 : 2)
        edges[n++] = (struct rt_edge){
            .child = (size_t)(p[0] - '0'), .parent = (size_t)(p[1] - '0'), .cut = true};
    rt_order(rank, count, edges, n);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rank[i], ranks[i] - '0');
    for (size_t i = 0; i < n; i++)
        assert_int_equal(edges[i].cut, cuts[i] == 'x');
}

static void test_referenced_tables_come_first(void **state)
{
    (void)state;
    expect("", 0, "", "");
    expect("", 3, "000", "");
    expect("01 12", 3, "210", "--");
    expect("10 20 31 32", 4, "0112", "----");
    expect("01 02 12 01", 3, "210", "----");
}

static void test_cycles_are_cut(void **state)
{
    (void)state;
    expect("01 10", 2, "01", "x-");
    expect("01 12 20", 3, "021", "x--");
    /* What hangs on a cycle keeps its edges. */
    expect("01 12 21", 3, "101", "-x-");
    expect("01 10 20", 3, "102", "-x-");
    expect("01 10 23 32 02", 4, "0123", "x-x-x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_referenced_tables_come_first),
        cmocka_unit_test(test_cycles_are_cut),
    };

    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
