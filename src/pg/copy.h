/*
 * COPY between servers and to this process. Bytes go through as they come: memory is
 * bounded by the largest single row, which libpq keeps whole.
 */
#ifndef RT_PG_COPY_H
#define RT_PG_COPY_H

#include "pg/conn.h"

/* What has passed. */
struct rt_copied {
    unsigned long long bytes, rows;
    unsigned long long sent; /* rows, as the server says that has read them */
};

/*
 * Run a COPY ... TO STDOUT on one connection and pass its data to a COPY ... FROM STDIN
 * on another, waiting on both. Either may stand among other statements, with semicolons
 * between them, which saves round trips; rows are what the second has taken. passed,
 * which may be NULL, is called with each piece; pieces end where a message of the first
 * server does, which has a whole row. Errors are of the side that failed by itself; when
 * production fails, the COPY on the other side is ended with an error, so that nothing of
 * it remains.
 */
int rt_copy_pipe(struct rt_copied *out, struct rt_conn *from, const char *copy_to_stdout,
                 struct rt_conn *to, const char *copy_from_stdin,
                 void (*passed)(void *context, const char *piece, size_t bytes),
                 void *context, struct rt_err *err) RT_CHECKED;

/* Several of them, one after another, which are sent at once: one round trip on the side
 * that is read from. Whatever fails ends them all. */
struct rt_copy_leg {
    const char *copy_to_stdout, *copy_from_stdin;
    struct rt_copied copied; /* filled */
};
int rt_copy_pipes(struct rt_copy_leg *legs, size_t count, struct rt_conn *from,
                  struct rt_conn *to,
                  void (*passed)(void *context, const char *piece, size_t bytes),
                  void *context, struct rt_err *err) RT_CHECKED;

/* Rows of a COPY ... TO STDOUT in text format, one after another, as they come. */
struct rt_copy_reader;

/* Send it, and let the server work: what it thinks of it, rt_copy_next tells. The
 * connection is taken until rt_copy_close, which may come before the end and then cancels
 * the statement. It may be a string with so many COPYs: their rows follow each other. */
int rt_copy_open(struct rt_copy_reader **out, struct rt_conn *conn,
                 const char *copies_to_stdout, size_t copies,
                 struct rt_err *err) RT_CHECKED;
void rt_copy_close(struct rt_copy_reader *reader); /* NULL is fine */

/* *line is the next row, NUL-terminated without its line end, columns apart by tabs, as
 * the text format writes them; borrowed until the next call. NULL at the end of each
 * COPY. */
int rt_copy_next(char **line, struct rt_copy_reader *reader,
                 struct rt_err *err) RT_CHECKED;

#endif
