/*
 * The same for texts that nobody thought of: tokens in random order, most of it nonsense
 * to the server, cut by psql as we cut it. The order is the same in every run.
 */
#include "psql_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { FILES = 200, TOKENS = 40 };

/*
 * No numbers with letters behind them, which releases of psql read differently; no
 * backslash where psql would take it for a command; no E'' string that continues on the
 * next line, and no name behind a colon, where we read as the server does (scan.h).
 */
/* clang-format off */
static const char *const tokens[] = {
    ";", ";", ";", ";\n", ";\n", "(", ")", ")", "()", ",", ".", ": ", "::", ":=", "=", "*",
    "/", "-", "+", "<", ">", "~", "!", "@", "#", "%", "^", "&", "|", "?", "`", "$", "[",
    "]", "{", "}", "--", "-- x ; '\n", "--\r", "/*", "*/", "/* ; */", "/*/*;*/*/", "'",
    "''", "';'", "'\\'", "'--'", "'/*'", "E'\\''x ", "e';\\\\'x ", "U&'\\0041'",
    "u&\"\\0041;\"", "UESCAPE '!'", "B'1'", "X';'", "N';'", "n'\\'", "\"", "\";\"",
    "\"begin\"", "$$", "$$", "$a$", "$a$", "$é$", "$1 ", "$1$", "a$b$", "1 ", "1.5 ",
    ".5 ", "1. ", "1..2 ", "1e5 ", "\n", "\n\n", "\r\n", "\t", "\f", "create", "CREATE",
    "or", "replace", "function", "procedure", ";create or replace function ",
    ";create procedure p(int) ", "begin", "BEGIN", "begin atomic ", "atomic",
    "case", "case ", "end", " END ", " end;", "select", "x", "e", "u", "n", "begins", "endcase",
    "é", "日;", "\xc2\xa0", ":'x'", ":\"x\"", "'a'\n'b'",
};
/* clang-format on */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void make_text(struct rt_str *out, uint32_t *seed)
{
    static const char *const between[] = {"", " ", " ", " ", "\n"};
    size_t count = 1 + next_random(seed) % TOKENS;

    rt_str_reset(out);
    for (size_t i = 0; i < count; i++) {
        rt_str_add(out, tokens[next_random(seed) % RT_COUNT(tokens)]);
        rt_str_add(out, between[next_random(seed) % RT_COUNT(between)]);
    }
}

static void write_file(const char *path, const struct rt_str *text)
{
    FILE *file = fopen(path, "wbe");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

static void test_random(void **state)
{
    char *path = check_printf("%s/random.sql", oracle_server.dir);
    struct rt_str text = {0};
    uint32_t seed = 77;
    size_t statements = 0;

    (void)state;
    for (int done = 0; done < FILES;) {
        struct rt_script script = {0};
        struct rt_err err = {0};

        make_text(&text, &seed);
        if (rt_script_split(&script, text.data, text.len, &err) == 0) {
            write_file(path, &text);
            oracle_expect(&script, path, ORACLE_ANY_ERRORS);
            statements += script.count;
            done++;
        }
        rt_script_clear(&script);
        rt_err_clear(&err);
    }
    print_message("%d files, %zu statements\n", FILES, statements);
    assert_true(statements > FILES);
    rt_str_clear(&text);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

    return cmocka_run_group_tests(tests, oracle_start, oracle_stop);
}
