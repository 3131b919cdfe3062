/*
 * Where the messages of PostgreSQL's protocol 3 end in a stream of bytes
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). Plain text
 * only: clients connect with sslmode=disable and gssencmode=disable.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The codes of a client's first message that is no start of a session. */
#define WIRE_CANCEL 80877102U
#define WIRE_SSL 80877103U
#define WIRE_GSS 80877104U

/* One direction of a connection. */
struct wire {
    bool untyped; /* the message is a client's first one, which has no type byte */
    bool opaque;  /* not plain text, or not the protocol: nothing more is found */
    unsigned char head[8]; /* of the message, as far as it was seen */
    uint64_t seen, length; /* bytes of the message; its length once the head is there */

    char type;     /* of the last complete message; 0 for a client's first one */
    uint32_t code; /* of the client's first message: its version, or WIRE_... */
};

void wire_init(struct wire *wire, bool from_client);

/*
 * Read on. Returns how many of the bytes belong to the present message, at least one;
 * *complete tells whether it ends with the last of them.
 */
size_t wire_read(struct wire *wire, const char *bytes, size_t count, bool *complete);

#endif
