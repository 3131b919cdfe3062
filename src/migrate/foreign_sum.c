#include "migrate/foreign_sum.h"

#include "base/digest.h"
#include "base/str.h"

static const char *line_end(const char *at, const char *end)
{
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    return at;
}

/* Skip the end of a line: "\n", "\r" or both. */
static const char *next_line(const char *at, const char *end)
{
    if (at < end && *at == '\r')
        at++;
    else if (at < end)
        return at + 1;
    return at < end && *at == '\n' ? at + 1 : at;
}

/* ------------------------------------------------------------------ SHA-2 */

typedef bool fits(const char *bytes, size_t len, const char *sum);

static void add_hex(struct rt_str *out, const unsigned char *bytes, size_t len,
                    bool padded)
{
    for (size_t i = 0; i < len; i++)
        rt_str_addf(out, padded ? "%02x" : "%x", bytes[i]);
}

static bool sha256_fits(const char *bytes, size_t len, const char *sum)
{
    unsigned char raw[RT_SHA256_BYTES];
    struct rt_str hex = {0};
    bool same;

    rt_sha256(raw, bytes, len);
    add_hex(&hex, raw, sizeof(raw), strlen(sum) == 2 * sizeof(raw));
    same = strcmp(rt_str_text(&hex), sum) == 0;
    rt_str_clear(&hex);
    return same;
}

static bool sha384_fits(const char *bytes, size_t len, const char *sum)
{
    unsigned char raw[RT_SHA384_BYTES];
    struct rt_str hex = {0};
    bool same;

    rt_sha384(raw, bytes, len);
    add_hex(&hex, raw, sizeof(raw), true);
    same = strcmp(rt_str_text(&hex), sum) == 0;
    rt_str_clear(&hex);
    return same;
}

static bool fits_with(const char *bytes, size_t len, const char *newline, const char *sum,
                      fits *test)
{
    struct rt_str text = {0};
    bool same;

    rt_str_add_lines(&text, bytes, len, newline);
    same = test(rt_str_text(&text), text.len, sum);
    rt_str_clear(&text);
    return same;
}

static enum rt_sum_verdict check(const char *bytes, size_t len, const char *sum,
                                 fits *test)
{
    if (test(bytes, len, sum) || fits_with(bytes, len, "\n", sum, test) ||
        fits_with(bytes, len, "\r\n", sum, test))
        return RT_SUM_FITS;
    return RT_SUM_DIFFERS;
}

enum rt_sum_verdict rt_prisma_sum(const char *key, const char *bytes, size_t len,
                                  const char *sum)
{
    (void)key;
    return check(bytes, len, sum, sha256_fits);
}

const char *rt_prisma_checksum(struct rt_arena *arena, const char *bytes, size_t len)
{
    unsigned char raw[RT_SHA256_BYTES];
    struct rt_str hex = {0};
    const char *text;

    rt_sha256(raw, bytes, len);
    add_hex(&hex, raw, sizeof(raw), true);
    text = rt_arena_strdup(arena, rt_str_text(&hex));
    rt_str_clear(&hex);
    return text;
}

enum rt_sum_verdict rt_sqlx_sum(const char *key, const char *bytes, size_t len,
                                const char *sum)
{
    (void)key;
    return check(bytes, len, sum, sha384_fits);
}

/* ------------------------------------------------------------------ others */

enum rt_sum_verdict rt_flyway_sum(const char *key, const char *bytes, size_t len,
                                  const char *sum)
{
    const char *at = bytes, *end = bytes + len;
    char number[16];
    uint32_t crc = 0;

    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (at < end) {
        const char *stop = line_end(at, end);

        crc = rt_crc32(crc, at, (size_t)(stop - at));
        at = next_line(stop, end);
    }
    snprintf(number, sizeof(number), "%d", (int)(int32_t)crc);
    if (strcmp(number, sum) == 0)
        return RT_SUM_FITS;
    return key[0] == 'R' && memmem(bytes, len, "${", 2) ? RT_SUM_UNKNOWN : RT_SUM_DIFFERS;
}

enum rt_sum_verdict rt_graphile_sum(const char *key, const char *bytes, size_t len,
                                    const char *sum)
{
    static const char label[] = "--! Hash: ";
    const char *at = bytes, *end = bytes + len;
    size_t want = strlen(sum);

    (void)key;
    while ((size_t)(end - at) > 3 && memcmp(at, "--!", 3) == 0) {
        const char *stop = line_end(at, end);
        size_t line = (size_t)(stop - at), skip = strlen(label);

        if (line == skip + want && memcmp(at, label, skip) == 0 &&
            memcmp(at + skip, sum, want) == 0)
            return RT_SUM_FITS;
        at = next_line(stop, end);
    }
    return RT_SUM_DIFFERS;
}
