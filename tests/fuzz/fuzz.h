/*
 * A fuzz target is a program that libFuzzer feeds (ci/fuzz), or driver.c with the files
 * of the corpus (a test). A property that does not hold ends the program.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "base/err.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(property)                                                       \
    do {                                                                           \
        if (!(property)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #property); \
            abort();                                                               \
        }                                                                          \
    } while (0)

/* A copy without a byte to spare, so that reading past its end is seen; to be freed. */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = rt_alloc(size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

#endif
