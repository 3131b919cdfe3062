/* Failing a test from helper code, with all of the text that explains it. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Print the message to stderr (cmocka's own buffer cuts long ones) and fail the running
 * test; outside of a test the program exits with status 1.
 */
_Noreturn void check_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What is being tried, told with every failure from here on; NULL: nothing any more. */
void check_context(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* malloc'ed printf, and malloc, that never return NULL. */
char *check_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *check_alloc(size_t size);

/* Put the lines between from and end, each with its newline, in the order of their text.
 */
void check_sort_lines(char *from, const char *end);

void check_contains(const char *text, const char *part, const char *file, int line);
void check_lacks(const char *text, const char *part, const char *file, int line);
void check_text(const char *got, const char *want, const char *file, int line);

/* text has part somewhere; text has it nowhere; two (long) texts are equal. */
#define assert_contains(text, part) check_contains(text, part, __FILE__, __LINE__)
#define assert_lacks(text, part) check_lacks(text, part, __FILE__, __LINE__)
#define assert_text_equal(got, want) check_text(got, want, __FILE__, __LINE__)

#endif
