#include "migrate/foreign_sum.h"

#include "unit.h"

#define LF "select 1;\nselect 2;\n"
#define CRLF "select 1;\r\nselect 2;\r\n"
#define MIXED "select 1;\r\nselect 2;\n"
#define OTHER "select 1;\nselect 3;\n"

static void expect(rt_sum_check *check, const char *key, const char *text,
                   const char *sum, enum rt_sum_verdict want)
{
    if (check(key, text, strlen(text), sum) != want)
        fail_msg("%s of \"%s\" is not judged %d", sum, text, (int)want);
}

/* Of LF and CRLF by sha256sum; a checksum of MIXED itself only fits MIXED. */
static void test_prisma(void **state)
{
    static const char *const sums[] = {
        "061e995aebcb765888ac7580f67ee3815a03b9b9c3fd5ff2dbb40db98b53a737",
        "2674985ed4b0b6d276150a73762e18316e04d2571fc354e381ddf57342ca3f28",
        /* as old versions wrote it: without the zeros of 06, 03 and 0d */
        "61e995aebcb765888ac7580f67ee3815a3b9b9c3fd5ff2dbb4db98b53a737"};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(sums); i++) {
        expect(rt_prisma_sum, "a", LF, sums[i], RT_SUM_FITS);
        expect(rt_prisma_sum, "a", CRLF, sums[i], RT_SUM_FITS);
        expect(rt_prisma_sum, "a", MIXED, sums[i], RT_SUM_FITS);
        expect(rt_prisma_sum, "a", OTHER, sums[i], RT_SUM_DIFFERS);
        expect(rt_prisma_sum, "a", LF " ", sums[i], RT_SUM_DIFFERS);
    }
    expect(rt_prisma_sum, "a", "", "", RT_SUM_DIFFERS);
}

static void test_prisma_makes(void **state)
{
    struct rt_arena arena = {0};

    (void)state;
    assert_string_equal(
        rt_prisma_checksum(&arena, LF, strlen(LF)),
        "061e995aebcb765888ac7580f67ee3815a03b9b9c3fd5ff2dbb40db98b53a737");
    assert_string_equal(
        rt_prisma_checksum(&arena, CRLF, strlen(CRLF)),
        "2674985ed4b0b6d276150a73762e18316e04d2571fc354e381ddf57342ca3f28");
    rt_arena_clear(&arena);
}

/* By sha384sum. */
static void test_sqlx(void **state)
{
    static const char *const sums[] = {
        "4e1a03fadfa230b65c73abe09f9a2cfca68fd6a9dec74517cf9817b4c925c7f7"
        "9f11f79d5bc2b97f586597d2a7b85c69",
        "07f05e4426c3c466556a586d7796e52d36d4ac399f832ed26ca0a910f5e5c6ef"
        "7c9032f7dc57fb01fc4d766e8c2c5179"};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(sums); i++) {
        expect(rt_sqlx_sum, "1", LF, sums[i], RT_SUM_FITS);
        expect(rt_sqlx_sum, "1", CRLF, sums[i], RT_SUM_FITS);
        expect(rt_sqlx_sum, "1", OTHER, sums[i], RT_SUM_DIFFERS);
    }
}

/* By Python's zlib.crc32 of the lines without their ends. */
static void test_flyway(void **state)
{
    static const char two[] = "-593479011", braces[] = "-425200811";

    (void)state;
    expect(rt_flyway_sum, "V1", LF, two, RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", CRLF, two, RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", "select 1;\rselect 2;", two, RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", "\xef\xbb\xbf" LF, two, RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", "\r\n\n" LF "\n", two, RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", OTHER, two, RT_SUM_DIFFERS);
    expect(rt_flyway_sum, "V1", "", "0", RT_SUM_FITS);
    expect(rt_flyway_sum, "V1", "select '\xc3\xa4 ${x}';", braces, RT_SUM_FITS);
    /* what ${x} was replaced with is not known here */
    expect(rt_flyway_sum, "Rview", "select ${x};", two, RT_SUM_UNKNOWN);
    expect(rt_flyway_sum, "V1", "select ${x};", two, RT_SUM_DIFFERS);
    expect(rt_flyway_sum, "Rview", OTHER, two, RT_SUM_DIFFERS);
}

static void test_graphile(void **state)
{
    static const char file[] = "--! Previous: sha1:01\n--! Hash: sha1:02\n"
                               "--! Message: x\n\nselect 1;\n--! Hash: sha1:03\n";

    (void)state;
    expect(rt_graphile_sum, "000001", file, "sha1:02", RT_SUM_FITS);
    expect(rt_graphile_sum, "000001", file, "sha1:01", RT_SUM_DIFFERS);
    expect(rt_graphile_sum, "000001", file, "sha1:03", RT_SUM_DIFFERS);
    expect(rt_graphile_sum, "000001", file, "sha1:0", RT_SUM_DIFFERS);
    expect(rt_graphile_sum, "000001", "", "sha1:02", RT_SUM_DIFFERS);
    expect(rt_graphile_sum, "000001", "--!", "sha1:02", RT_SUM_DIFFERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prisma),   cmocka_unit_test(test_prisma_makes),
        cmocka_unit_test(test_sqlx),     cmocka_unit_test(test_flyway),
        cmocka_unit_test(test_graphile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
