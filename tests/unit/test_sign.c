#include "base/sign.h"

#include "unit.h"

/* The seeds and public keys of RFC 8032, 7.1, tests 1 and 2, encoded by hand; and what
 * OpenSSL signs with the first for "revtwin ledger entry 1\n" and 32 times "ab". */
#define SECRET                                                            \
    "revtwin-secret-key-1:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWp" \
    "gBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
#define PUBLIC "revtwin-public-key-1:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp4Saww"
#define OTHER_PUBLIC \
    "revtwin-public-key-1:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0ZgxuyelV"
#define TEXT "abababababababababababababababababababababababababababababababab"
#define SIGNATURE                                                          \
    "nten/7UEPmJRql5hQrImx/KgnqrPldGUYSmOkreuy42ewS2KCVJjqhjeThD+n8A781GV" \
    "3J5C6vZp0vGKSjR7DQ=="

static struct rt_public_keys public_keys(struct rt_arena *arena, const char *text)
{
    struct rt_public_keys keys;
    struct rt_err err = {0};

    if (rt_public_keys_parse(&keys, arena, text, "here", &err) < 0)
        fail_msg("%s", err.message);
    return keys;
}

static struct rt_signing_key *signing_key(const char *text)
{
    struct rt_signing_key *key;
    struct rt_err err = {0};

    if (rt_signing_key_parse(&key, text, "here", &err) < 0)
        fail_msg("%s", err.message);
    return key;
}

static void test_known_answers(void **state)
{
    struct rt_arena arena = {0};
    struct rt_public_keys keys = public_keys(&arena, PUBLIC);
    struct rt_signing_key *key = signing_key(SECRET);
    struct rt_secret secret = {0};

    (void)state;
    assert_string_equal(rt_public_key_text(&arena, key), PUBLIC);
    rt_signing_key_text(&secret, key);
    assert_string_equal(secret.text, SECRET);
    assert_string_equal(rt_sign(key, TEXT).text, SIGNATURE);
    assert_true(rt_is_signed(&keys, TEXT, SIGNATURE));
    rt_secret_clear(&secret);
    rt_signing_key_free(key);
    rt_arena_clear(&arena);
}

static void test_pairs_that_are_made(void **state)
{
    struct rt_signing_key *key = rt_signing_key_make(), *other = rt_signing_key_make();
    struct rt_arena arena = {0};
    struct rt_public_keys keys = public_keys(&arena, rt_public_key_text(&arena, key));
    struct rt_signature signature = rt_sign(key, TEXT);

    (void)state;
    assert_true(rt_is_signed(&keys, TEXT, signature.text));
    assert_false(rt_is_signed(&keys, "another text", signature.text));
    assert_false(rt_is_signed(&keys, TEXT, rt_sign(other, TEXT).text));
    rt_signing_key_free(key);
    rt_signing_key_free(other);
    rt_signing_key_free(NULL);
    rt_arena_clear(&arena);
}

static void test_what_is_no_signature(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        TEXT,
        "nten/7UEPmJRql5hQrImx_KgnqrPldGUYSmOkreuy42ewS2KCVJjqhjeThD-n8A781GV3J5C6vZp0vGK"
        "SjR7DQ==",     /* another alphabet */
        SIGNATURE "\n", /* more than it */
        " " SIGNATURE,
        SIGNATURE SIGNATURE,
        /* R the neutral element, s = 0 */
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAA==",
    };
    struct rt_arena arena = {0};
    struct rt_public_keys keys = public_keys(&arena, PUBLIC);
    char flipped[] = SIGNATURE;

    (void)state;
    for (size_t i = 0; i < RT_COUNT(bad); i++)
        assert_false(rt_is_signed(&keys, TEXT, bad[i]));
    for (size_t i = 0; i < strlen(SIGNATURE) - 2; i++) {
        flipped[i] = SIGNATURE[i] == 'A' ? 'B' : 'A';
        assert_false(rt_is_signed(&keys, TEXT, flipped));
        flipped[i] = SIGNATURE[i];
    }
    assert_true(rt_is_signed(&keys, TEXT, flipped));
    rt_arena_clear(&arena);
}

static void test_several_public_keys(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        bool good;
    } cases[] = {
        {PUBLIC, 1, true},
        {"\n# ours\n\t" PUBLIC " \r\n\n", 1, true},
        {OTHER_PUBLIC "\n", 1, false},
        {OTHER_PUBLIC "\n# since May\n" PUBLIC "\n", 2, true},
        {PUBLIC "\n" OTHER_PUBLIC "\n" PUBLIC, 3, true},
    };
    struct rt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_public_keys keys = public_keys(&arena, cases[i].text);

        assert_int_equal(keys.count, cases[i].count);
        assert_int_equal(rt_is_signed(&keys, TEXT, SIGNATURE), cases[i].good);
    }
    rt_arena_clear(&arena);
}

static void test_secret_key_with_a_comment(void **state)
{
    struct rt_signing_key *key = signing_key("# production\r\n\r\n  " SECRET "\r\n");

    (void)state;
    assert_string_equal(rt_sign(key, TEXT).text, SIGNATURE);
    rt_signing_key_free(key);
}

/* What is refused, and a word of the message; none quotes the text. */
struct refusal {
    const char *text, *message;
};

static void check_refusal(const struct refusal *refusal, int rc, struct rt_err *err)
{
    assert_int_equal(rc, -RT_EUSAGE);
    if (strstr(err->message, refusal->message) == NULL ||
        strstr(err->message, "here") == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err->message, refusal->message);
    assert_null(strstr(err->message, "nWGx"));
    assert_null(err->hint ? strstr(err->hint, "nWGx") : NULL);
    rt_err_clear(err);
}

static void test_refused_secret_keys(void **state)
{
    static const struct refusal refusals[] = {
        {"", "no key"},
        {"\n# only a comment\n", "no key"},
        {"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "not a key of revtwin"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nnWGx", "not a key of revtwin"},
        {SECRET "\nnWGx", "not a key of revtwin"},
        {PUBLIC, "a public key, but signing needs the secret one"},
        {SECRET "\n" SECRET, "more than one secret key"},
        {"revtwin-secret-key-1:", "damaged"},
        {"revtwin-secret-key-1:nWGxne", "damaged"},
        {SECRET "=", "damaged"},
        {SECRET "AAAA", "damaged"},
        {"revtwin-secret-key-1: nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/"
         "tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
         "damaged"},
    };
    struct rt_signing_key *key;
    struct rt_err err = {0};
    char flipped[] = SECRET;

    (void)state;
    for (size_t i = 0; i < RT_COUNT(refusals); i++) {
        int rc = rt_signing_key_parse(&key, refusals[i].text, "here", &err);

        assert_null(key);
        check_refusal(&refusals[i], rc, &err);
    }
    /* One character of the key, wherever: the two halves no longer fit. */
    for (size_t i = strlen(RT_SECRET_KEY_PREFIX); i < strlen(SECRET) - 2; i++) {
        const struct refusal refusal = {flipped, "damaged"};

        flipped[i] = SECRET[i] == 'A' ? 'B' : 'A';
        check_refusal(&refusal, rt_signing_key_parse(&key, flipped, "here", &err), &err);
        flipped[i] = SECRET[i];
    }
}

static void test_refused_public_keys(void **state)
{
    static const struct refusal refusals[] = {
        {"", "no key"},
        {"# none yet\n", "no key"},
        {"ssh-ed25519 AAAA me@here", "not a key of revtwin"},
        {PUBLIC "\n\x01\x02", "not a key of revtwin"},
        {SECRET, "a secret key where public ones are expected"},
        {PUBLIC "\n" SECRET, "a secret key where public ones are expected"},
        {"revtwin-public-key-1:11qYAYKx", "damaged"},
        {PUBLIC "AAAA", "damaged"},
        {PUBLIC "\nrevtwin-public-key-1:", "damaged"},
    };
    struct rt_public_keys keys;
    struct rt_arena arena = {0};
    struct rt_err err = {0};
    char flipped[] = PUBLIC;

    (void)state;
    for (size_t i = 0; i < RT_COUNT(refusals); i++)
        check_refusal(&refusals[i],
                      rt_public_keys_parse(&keys, &arena, refusals[i].text, "here", &err),
                      &err);
    for (size_t i = strlen(RT_PUBLIC_KEY_PREFIX); i < strlen(PUBLIC); i++) {
        const struct refusal refusal = {flipped, "damaged"};

        flipped[i] = PUBLIC[i] == 'A' ? 'B' : 'A';
        check_refusal(&refusal,
                      rt_public_keys_parse(&keys, &arena, flipped, "here", &err), &err);
        flipped[i] = PUBLIC[i];
    }
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_pairs_that_are_made),
        cmocka_unit_test(test_what_is_no_signature),
        cmocka_unit_test(test_several_public_keys),
        cmocka_unit_test(test_secret_key_with_a_comment),
        cmocka_unit_test(test_refused_secret_keys),
        cmocka_unit_test(test_refused_public_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
