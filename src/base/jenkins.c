#include "base/jenkins.h"

struct state {
    uint32_t a, b, c;
};

static uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static void mix_step(uint32_t *x, uint32_t y, uint32_t *z, int bits)
{
    *x -= *z;
    *x ^= rotate(*z, bits);
    *z += y;
}

static void mix(struct state *s)
{
    mix_step(&s->a, s->b, &s->c, 4);
    mix_step(&s->b, s->c, &s->a, 6);
    mix_step(&s->c, s->a, &s->b, 8);
    mix_step(&s->a, s->b, &s->c, 16);
    mix_step(&s->b, s->c, &s->a, 19);
    mix_step(&s->c, s->a, &s->b, 4);
}

static void finish_step(uint32_t *x, uint32_t y, int bits)
{
    *x ^= y;
    *x -= rotate(y, bits);
}

static uint64_t finish(struct state *s)
{
    finish_step(&s->c, s->b, 14);
    finish_step(&s->a, s->c, 11);
    finish_step(&s->b, s->a, 25);
    finish_step(&s->c, s->b, 16);
    finish_step(&s->a, s->c, 4);
    finish_step(&s->b, s->a, 14);
    finish_step(&s->c, s->b, 24);
    return (uint64_t)s->b << 32 | s->c;
}

/* The seed is as a piece of the data. */
static struct state begin(size_t size, uint64_t seed)
{
    uint32_t start = 0x9e3779b9U + (uint32_t)size + 3923095U;
    struct state s = {start, start, start};

    if (seed != 0) {
        s.a += (uint32_t)(seed >> 32);
        s.b += (uint32_t)seed;
        mix(&s);
    }
    return s;
}

/* Little-endian. */
static uint32_t word(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint64_t rt_jenkins(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *at = bytes;
    unsigned char rest[12] = {0};
    struct state s = begin(size, seed);

    for (; size >= 12; at += 12, size -= 12) {
        s.a += word(at);
        s.b += word(at + 4);
        s.c += word(at + 8);
        mix(&s);
    }
    for (size_t i = 0; i < size; i++)
        rest[i] = at[i];
    s.a += word(rest);
    s.b += word(rest + 4);
    s.c += word(rest + 8) << 8; /* whose lowest byte is the length's */
    return finish(&s);
}

uint64_t rt_jenkins_uint32(uint32_t value, uint64_t seed)
{
    struct state s = begin(sizeof(value), seed);

    s.a += value;
    return finish(&s);
}
