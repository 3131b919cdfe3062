#include "base/utf8.h"

/* Byte length that a lead byte announces; 0 for a byte that cannot start a character. */
static size_t announced(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* Byte length of the valid character at s, 0 when there is none. */
static size_t valid_char(const unsigned char *s, size_t len)
{
    size_t n = announced(s[0]);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

size_t rt_utf8_valid(const char *s, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)s;
    size_t at = 0;

    while (at < len) {
        uint64_t word;
        size_t n;

        if (len - at >= sizeof(word)) { /* eight ASCII bytes at a time */
            memcpy(&word, bytes + at, sizeof(word));
            if ((word & 0x8080808080808080) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        n = valid_char(bytes + at, len - at);

        if (n == 0)
            break;
        at += n;
    }
    return at;
}

size_t rt_utf8_count(const char *s, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

size_t rt_utf8_offset(const char *s, size_t len, size_t n)
{
    size_t at = 0;

    while (at < len && n > 0) {
        at++;
        while (at < len && ((unsigned char)s[at] & 0xc0) == 0x80)
            at++;
        n--;
    }
    return at;
}

uint32_t rt_utf8_decode(const char *s, size_t len, size_t *bytes)
{
    const unsigned char *u = (const unsigned char *)s;
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = valid_char(u, len);
    uint32_t c;

    if (n == 0) {
        *bytes = 1;
        return 0xfffd;
    }
    c = u[0] & mask[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (u[i] & 0x3f);
    *bytes = n;
    return c;
}
