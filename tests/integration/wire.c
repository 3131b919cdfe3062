#include "wire.h"

#include <string.h>

enum { FIRST_HEAD = 8, TYPED_HEAD = 5 }; /* length and code; type and length */

void wire_init(struct wire *wire, bool from_client)
{
    *wire = (struct wire){.untyped = from_client};
}

static uint32_t number_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

/* Take the message's head as far as it has come. Returns how many bytes that were. */
static size_t read_head(struct wire *wire, const char *bytes, size_t count)
{
    size_t head = wire->untyped ? FIRST_HEAD : TYPED_HEAD, used = 0;

    while (wire->seen < head && used < count)
        wire->head[wire->seen++] = (unsigned char)bytes[used++];
    if (used == 0 || wire->seen < head)
        return used;
    wire->length =
        wire->untyped ? number_at(wire->head) : (uint64_t)number_at(wire->head + 1) + 1;
    wire->opaque = wire->length < head;
    return used;
}

static void finish(struct wire *wire)
{
    if (wire->untyped) {
        wire->code = number_at(wire->head + 4);
        wire->opaque = wire->code == WIRE_SSL || wire->code == WIRE_GSS;
    }
    wire->type = '\0';
    if (!wire->untyped)
        wire->type = (char)wire->head[0];
    wire->untyped = false;
    wire->seen = wire->length = 0;
}

size_t wire_read(struct wire *wire, const char *bytes, size_t count, bool *complete)
{
    size_t used = wire->opaque ? 0 : read_head(wire, bytes, count), rest = count - used;

    *complete = false;
    if (wire->opaque)
        return count;
    if (wire->length == 0)
        return used;
    if (rest > wire->length - wire->seen)
        rest = (size_t)(wire->length - wire->seen);
    wire->seen += rest;
    *complete = wire->seen == wire->length;
    if (*complete)
        finish(wire);
    return used + rest;
}
