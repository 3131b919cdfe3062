#include "base/jenkins.h"

#include "base/attr.h"

#include "unit.h"

/* What PostgreSQL 15 says: SELECT hashtextextended(text COLLATE "C", seed) */
static const struct {
    const char *text;
    uint64_t seed;
    int64_t hash;
} texts[] = {
    {"", 0, -6939563903564495251},
    {"", 1, -150071773020461347},
    {"a", 0, 3591986179850072241},
    {"a", 1, 3325245193489759299},
    {"a", UINT64_MAX, 8688456822845412000},
    {"abcd", 0, -1038429303365892052},
    {"abcdefghijk", 0, 3112909444737856467},
    {"abcdefghijk", UINT64_MAX, 2833918571160852060},
    {"abcdefghijkl", 0, -7556637188122330412},
    {"abcdefghijklm", 0, 8871624171452417744},
    {"abcdefghijklm", 1, 3808842878744369845},
    {"\xc3\xa4", UINT64_MAX, 7809251998982761648},
    {"The quick brown fox jumps over the lazy dog", 0, 2182139051089226439},
    {"The quick brown fox jumps over the lazy dog", UINT64_MAX, -2916183307962988523},
};

/* SELECT hashint4extended(value, seed) */
static const struct {
    int32_t value;
    uint64_t seed;
    int64_t hash;
} integers[] = {
    {0, 0, 4154612158245552303},
    {0, UINT64_MAX, -4140905993450701875},
    {-1, 20261121, -922395247019340480},
    {INT32_MAX, 0, -9109110466470504941},
    {INT32_MAX, 20261121, 4641123253492907967},
};

static void test_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        assert_int_equal(rt_jenkins(texts[i].text, strlen(texts[i].text), texts[i].seed),
                         texts[i].hash);
}

static void test_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(integers); i++)
        assert_int_equal(rt_jenkins_uint32((uint32_t)integers[i].value, integers[i].seed),
                         integers[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
