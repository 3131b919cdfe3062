#include "base/digest.h"

#include "unit.h"

static const char *hex(const unsigned char *bytes, size_t len)
{
    static char text[2 * RT_SHA384_BYTES + 1];

    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

/* Of "", "abc" and 200 times "a", by sha256sum, sha384sum and Python's zlib.crc32. */
static void test_known(void **state)
{
    static char many[200];
    static const struct {
        const char *text;
        size_t len;
        uint32_t crc32;
        const char *sha256, *sha384;
    } known[] = {
        {"", 0, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
         "274edebfe76f65fbd51ad2f14898b95b"},
        {"abc", 3, 0x352441c2,
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {many, sizeof(many), 0x599af058,
         "c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5",
         "0691b6e978614b67d60557b2a2cddd53406508522efa21c624dbbfa8ab6e726d"
         "5c586b489c7c09f24109a64c10211d48"},
    };
    unsigned char sum[RT_SHA384_BYTES];

    (void)state;
    memset(many, 'a', sizeof(many));
    for (size_t i = 0; i < RT_COUNT(known); i++) {
        rt_sha256(sum, known[i].text, known[i].len);
        assert_string_equal(hex(sum, RT_SHA256_BYTES), known[i].sha256);
        rt_sha384(sum, known[i].text, known[i].len);
        assert_string_equal(hex(sum, RT_SHA384_BYTES), known[i].sha384);
        assert_int_equal(rt_crc32(0, known[i].text, known[i].len), known[i].crc32);
    }
}

static void test_crc32_goes_on(void **state)
{
    (void)state;
    assert_int_equal(rt_crc32(rt_crc32(0, "12345", 5), "6789", 4), 0xcbf43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_crc32_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
