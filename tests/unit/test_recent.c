/* Whether a receipt says anything about two servers as they are now. */
#include "twin/delta/recent.h"
#include "unit.h"

static const struct rt_origin prod = {.system = "700",
                                      .timeline = "00000001",
                                      .started = "2026-01-01T00:00:00.000000Z",
                                      .database = "5",
                                      .snapshot = "1000:1005:1000,1003",
                                      .lsn = "1/A0"};
static const struct rt_origin twin = {
    .system = "800", .database = "6", .snapshot = "50:50:"};
static const struct rt_receipt receipt = {
    .present = true,
    .origin = {.system = "700",
               .timeline = "00000001",
               .started = "2026-01-01T00:00:00.000000Z",
               .database = "5",
               .snapshot = "900:905:",
               .lsn = "0/FFFFFFFF"},
    .twin_xid = "41",
    .twin_snapshot = "40:42:40",
    .twin_system = "800",
    .twin_database = "6",
};

/* One field of one of the three is this instead. */
static void expect(const char *why, size_t of, size_t offset, const char *value)
{
    struct rt_origin now = prod, there = twin;
    struct rt_receipt then = receipt;
    char *base[] = {(char *)&now, (char *)&there, (char *)&then};
    struct rt_arena arena = {0};
    const char *got;

    *(const char **)(base[of] + offset) = value;
    got = rt_recent_unfit(&arena, &then, &now, &there);
    if (why && got)
        assert_string_equal(got, why);
    else if (why || got)
        fail_msg("%s, expected %s", got ? got : "fit", why ? why : "fit");
    rt_arena_clear(&arena);
}

#define PROD(field) 0, offsetof(struct rt_origin, field)
#define TWIN(field) 1, offsetof(struct rt_origin, field)
#define THEN(field) 2, offsetof(struct rt_receipt, field)

static void test_same_servers_are_fit(void **state)
{
    (void)state;
    expect(NULL, PROD(lsn), "1/A1");
    expect(NULL, PROD(lsn), NULL);
    expect(NULL, PROD(lsn), "0/FFFFFFFF");
    expect(NULL, THEN(origin.lsn), NULL);
    expect(NULL, TWIN(timeline), "00000009");
    expect(NULL, TWIN(started), "2026-11-21T00:00:00.000000Z");
    expect(NULL, TWIN(lsn), "0/0");
}

static void test_another_server_is_not(void **state)
{
    (void)state;
    expect("production is another server", PROD(system), "701");
    expect("production is another server", PROD(system), NULL);
    expect("production is another server", THEN(origin.system), NULL);
    expect("production is another database", PROD(database), "7");
    expect("production was restored or promoted", PROD(timeline), "00000002");
    expect("production was restored or promoted", PROD(timeline), NULL);
    expect("production was restarted, and may have been restored", PROD(started),
           "2026-01-01T00:00:00.000001Z");
    expect("production has gone back in its log", PROD(lsn), "0/FFFFFFFE");
    expect("the twin is on another server", TWIN(system), "801");
    expect("the twin is on another server", TWIN(system), NULL);
    expect("the twin is another database", TWIN(database), "5");
}

static void test_numbers_that_cannot_be_compared(void **state)
{
    (void)state;
    expect(NULL, PROD(snapshot), "905:905:");
    expect("production has gone back to earlier transactions", PROD(snapshot),
           "904:904:");
    expect(NULL, PROD(snapshot), "2000000900:2000000900:");
    expect("production has had too many transactions since", PROD(snapshot),
           "2000000901:2000000901:");
    expect("production has had too many transactions since", PROD(snapshot),
           "901:4294968195:901");
    expect("the twin has gone back to earlier transactions", TWIN(snapshot), "41:41:");
    expect("the twin has had too many transactions since", TWIN(snapshot),
           "4294967336:4294967336:");
}

static void test_what_is_no_snapshot(void **state)
{
    static const char *const texts[] = {NULL, "",     ":",   "x",    "5",
                                        "5:", "5:x:", "0:5", "9:5:", "-1:5"};

    (void)state;
    expect("the twin does not tell its transactions", THEN(twin_xid), NULL);
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        expect("production does not tell its transactions", PROD(snapshot), texts[i]);
        expect("production does not tell its transactions", THEN(origin.snapshot),
               texts[i]);
        expect("the twin does not tell its transactions", TWIN(snapshot), texts[i]);
        expect("the twin does not tell its transactions", THEN(twin_snapshot), texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_servers_are_fit),
        cmocka_unit_test(test_another_server_is_not),
        cmocka_unit_test(test_numbers_that_cannot_be_compared),
        cmocka_unit_test(test_what_is_no_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
