#include "base/uuid.h"

#include <sodium.h>

void rt_uuid(char out[RT_UUID_SIZE])
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    unsigned char raw[16];
    size_t at = 0;

    randombytes_buf(raw, sizeof(raw));
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40); /* version 4, */
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80); /* variant 10 */
    for (size_t g = 0; g < RT_COUNT(groups); g++) {
        if (g > 0)
            *out++ = '-';
        sodium_bin2hex(out, 2 * groups[g] + 1U, raw + at, groups[g]);
        out += (ptrdiff_t)2 * groups[g];
        at += groups[g];
    }
}
