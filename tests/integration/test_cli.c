/*
 * The command line by itself: every command explains itself, and what help, the manual
 * page, the README and the code say of commands, options and exit statuses agrees.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "check.h"
#include "repo.h"
#include "run.h"

/* ------------------------------------------------------------------ texts */

/* A file of the source tree, for the caller to free; "\-" of a manual page is "-". */
static char *source_text(const char *path)
{
    char *full = check_printf(SOURCE_DIR "/%s", path), *text, *to;
    FILE *file = fopen(full, "re");
    size_t len;

    if (!file)
        check_fail("cannot read %s", full);
    text = to = check_alloc(1 << 20);
    len = fread(text, 1, (1 << 20) - 1, file);
    text[len] = '\0';
    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && from[1] == '-')
            from++;
        *to++ = *from;
    }
    *to = '\0';
    fclose(file);
    free(full);
    return text;
}

/* What revtwin prints with status 0, and nothing else, for the caller to free. */
static char *said(const char *command, const char *argument)
{
    struct run r = {0};
    char *text;

    run_revtwin(&r, "/", NULL, command, argument, NULL);
    run_expect(&r, 0);
    assert_text_equal(r.err, "");
    text = check_printf("%s", r.out);
    run_clear(&r);
    return text;
}

/* Whether the text has the word, not as a part of a longer one. */
static bool has_word(const char *text, const char *word)
{
    static const char *const letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        if ((at == text || !strchr(letters, at[-1])) &&
            (at[len] == '\0' || !strchr(letters, at[len])))
            return true;
    }
    return false;
}

static void expect_word(const char *where, const char *text, const char *word)
{
    if (!has_word(text, word))
        check_fail("%s does not name %s", where, word);
}

/* Call back for every command that `revtwin help` lists. */
static void each_command(void (*fn)(const char *name, void *context), void *context)
{
    char *help = said("help", NULL), *list = strstr(help, "\ncommands:\n");
    size_t count = 0;

    assert_non_null(list);
    list += strlen("\ncommands:\n");
    for (char *line = list; line[0] == ' '; line = strchr(line, '\n') + 1) {
        char name[32];

        assert_int_equal(sscanf(line, " %31[a-z]", name), 1);
        fn(name, context);
        count++;
    }
    assert_true(count >= 8);
    free(help);
}

/* ------------------------------------------------------------------ help */

static void expect_help(const char *name, void *manual)
{
    char *text = said(name, "--help"), *same = said("help", name);
    char *options = strstr(text, "\noptions:\n"), *end, *usage;

    usage = check_printf("usage: revtwin %s [options]", name);
    assert_int_equal(strncmp(text, usage, strlen(usage)), 0);
    assert_text_equal(same, text);
    assert_non_null(options);
    end = strstr(options, "\n\n");
    assert_non_null(end);
    assert_contains(end, "exit statuses:");
    *end = '\0';
    expect_word(name, options, "--help");
    for (char *at = strstr(options, "--"); at; at = strstr(at + 2, "--")) {
        char *option = check_printf("%.*s", (int)strcspn(at, " \n,"), at);

        expect_word("the manual page", manual, option);
        free(option);
    }
    free(usage);
    free(same);
    free(text);
}

static void every_command_explains_itself(void **state)
{
    char *manual = source_text("src/revtwin.1");

    (void)state;
    each_command(expect_help, manual);
    free(manual);
}

/* The synopsis writes ".B revtwin plan". */
static void expect_in_manual(const char *name, void *manual)
{
    char *line = check_printf("\n.B revtwin %s\n", name);

    assert_contains(manual, line);
    free(line);
}

static void expect_in_readme(const char *name, void *readme)
{
    char *cell = check_printf("\n| `revtwin %s", name);

    if (strcmp(name, "version") != 0 && strcmp(name, "help") != 0)
        assert_contains(readme, cell);
    free(cell);
}

static void every_command_is_documented(void **state)
{
    char *manual = source_text("src/revtwin.1"), *readme = source_text("README.md");

    (void)state;
    each_command(expect_in_manual, manual);
    each_command(expect_in_readme, readme);
    free(manual);
    free(readme);
}

static void help_needs_nothing(void **state)
{
    static const char *const asked[][2] = {
        {"help", NULL}, {"--help", NULL}, {"-h", NULL}};
    const char *const env[] = {"PROD_DATABASE_URL=postgresql://u:p@ss@h/d",
                               "REVTWIN_WAIT=never", NULL};
    struct run r = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        run_revtwin(&r, "/", env, asked[i][0], NULL);
        run_expect(&r, 0);
        assert_contains(r.out, "usage: revtwin COMMAND");
        run_clear(&r);
    }
    run_revtwin(&r, "/", env, NULL);
    run_expect(&r, 2);
    assert_contains(r.err, "usage: revtwin COMMAND");
    run_clear(&r);
    run_revtwin(&r, "/", env, "apply", "--help", "HEAD", "--base", "x", NULL);
    run_expect(&r, 0);
    run_clear(&r);
    run_revtwin(&r, "/", env, "--version", NULL);
    run_expect(&r, 0);
    assert_contains(r.out, "revtwin ");
    run_clear(&r);
    run_revtwin(&r, "/", env, "help", "no-such-command", NULL);
    run_expect(&r, 2);
    assert_contains(r.err, "no help for \"no-such-command\"");
    run_clear(&r);
}

/* ------------------------------------------------------------------ exit statuses */

/* As base/err.h has them, in order. */
static const int statuses[] = {
    RT_DONE,     RT_EINTERNAL, RT_EUSAGE,  RT_EREFUSED, RT_EMIGRATION, RT_ERESYNC,
    RT_EUNKNOWN, RT_EDIFFERS,  RT_ELOCKED, RT_EINT,     RT_ETERM,
};

enum { STATUSES = sizeof(statuses) / sizeof(*statuses) };

/* No other value is in the enum: every "= N" between its braces is counted. */
static void statuses_are_those_of_the_code(void **state)
{
    char *text = source_text("src/base/err.h");
    char *at = strstr(text, "enum rt_status {"), *end;
    size_t count = 0;

    (void)state;
    assert_non_null(at);
    end = strstr(at, "\n};");
    assert_non_null(end);
    *end = '\0';
    while ((at = strchr(at, '=')) != NULL) {
        assert_true(count < STATUSES);
        assert_int_equal(strtol(at + 1, &at, 10), statuses[count++]);
    }
    assert_int_equal(count, STATUSES);
    free(text);
}

/* Help says "    3  text", the manual page ".B 3" and the text in the next line. */
static void help_and_manual_page_give_the_same_statuses(void **state)
{
    char *help = said("help", NULL), *at = strstr(help, "exit statuses:\n");
    char *manual = source_text("src/revtwin.1"), *entry;
    size_t count = 0;

    (void)state;
    assert_non_null(at);
    for (at = strchr(at, '\n') + 1; *at == ' '; at = strchr(at, '\n') + 1) {
        int number = (int)strtol(at, &at, 10), other = 0;

        assert_true(count < STATUSES);
        assert_int_equal(number, statuses[count++]);
        if (*at == ',') {
            assert_true(count < STATUSES);
            other = (int)strtol(at + 1, &at, 10);
            assert_int_equal(other, statuses[count++]);
        }
        at += strspn(at, " ");
        if (other)
            entry = check_printf("\n.BR %d \", \" %d\n%.*s\n", number, other,
                                 (int)strcspn(at, "\n"), at);
        else
            entry = check_printf("\n.B %d\n%.*s\n", number, (int)strcspn(at, "\n"), at);
        assert_contains(manual, entry);
        free(entry);
    }
    assert_int_equal(count, STATUSES);
    free(manual);
    free(help);
}

/* "Exit statuses: 0 done · 1 environment · ... · 130/143 cancelled." */
static void readme_has_every_status(void **state)
{
    char *text = source_text("README.md"), *at = strstr(text, "Exit statuses: "), *end;
    size_t count = 0;

    (void)state;
    assert_non_null(at);
    end = strchr(at, '.');
    assert_non_null(end);
    *end = '\0';
    while ((at = strpbrk(at, "0123456789")) != NULL) {
        assert_true(count < STATUSES);
        assert_int_equal(strtol(at, &at, 10), statuses[count++]);
    }
    assert_int_equal(count, STATUSES);
    free(text);
}

/* ------------------------------------------------------------------ output */

/* A result that nobody can read is not a success. */
static void full_output_is_an_error(void **state)
{
    static const char *const arguments[] = {
        "help",           "version", "help config", "apply --help",
        "version --json", "plan",    "plan --json"};
    struct repo repo;

    (void)state;
    repo_init(&repo);
    repo_write(&repo, "migrations/V1.sql", "SELECT 1;");
    repo_commit(&repo, "V1");
    for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
        char *script =
            check_printf("exec %s %s > /dev/full", REVTWIN_BINARY, arguments[i]);
        const char *argv[] = {"sh", "-c", script, NULL};
        struct run r = {0};

        run_program(&r, repo.dir, NULL, argv);
        run_expect(&r, 1);
        assert_contains(r.err, "cannot write to standard output");
        run_clear(&r);
        free(script);
    }
    repo_clear(&repo);
}

/* The error counts, not that it could not be printed in full. */
static void full_output_hides_no_error(void **state)
{
    const char *argv[] = {"sh", "-c", "exec " REVTWIN_BINARY " plan --json > /dev/full",
                          NULL};
    struct run r = {0};

    (void)state;
    run_program(&r, "/", NULL, argv);
    run_expect(&r, 2);
    assert_contains(r.err, "no git repository");
    run_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_explains_itself),
        cmocka_unit_test(every_command_is_documented),
        cmocka_unit_test(help_needs_nothing),
        cmocka_unit_test(statuses_are_those_of_the_code),
        cmocka_unit_test(help_and_manual_page_give_the_same_statuses),
        cmocka_unit_test(readme_has_every_status),
        cmocka_unit_test(full_output_is_an_error),
        cmocka_unit_test(full_output_hides_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
