/*
 * What psql sends for a file, as the server's own log tells: the measure for src/sql. The
 * server has two databases, "by_psql" and "by_us".
 */
#ifndef TEST_PSQL_ORACLE_H
#define TEST_PSQL_ORACLE_H

#include "check.h"
#include "cluster.h"

#include "sql/split.h"

extern struct cluster oracle_server;

/* Group setup and teardown. */
int oracle_start(void **state);
int oracle_stop(void **state);

enum oracle_errors { ORACLE_NO_ERRORS, ORACLE_ANY_ERRORS };

/*
 * Run the file with psql in by_psql, and fail the test unless it sent the statements of
 * the script. With ORACLE_ANY_ERRORS the server may refuse them; such a file must not
 * have COPY data, which psql reads only when the server asks for it.
 */
void oracle_expect(const struct rt_script *script, const char *path,
                   enum oracle_errors errors);

/* Make a database empty; much faster than another one for every file. */
void oracle_empty(const char *name);

/* malloc'ed content of a file. */
char *oracle_read(const char *path, size_t *len);

#endif
