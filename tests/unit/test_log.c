#include "base/log.h"

#include <unistd.h>

#include "unit.h"

/* What one normal and one verbose line leave on standard error at a level. */
static void check(enum rt_verbosity level, const char *expected)
{
    char path[] = "/tmp/rt-log-XXXXXX", text[256] = "";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    ssize_t len;

    assert_true(file >= 0 && saved >= 0);
    unlink(path);
    rt_log_level(level);
    dup2(file, STDERR_FILENO);
    rt_log("said %d", 1);
    rt_log_verbose("told %s", "more");
    dup2(saved, STDERR_FILENO);
    len = pread(file, text, sizeof(text) - 1, 0);
    assert_true(len >= 0);
    assert_string_equal(text, expected);
    close(file);
    close(saved);
}

static void test_levels(void **state)
{
    (void)state;
    check(RT_QUIET, "");
    check(RT_NORMAL, "revtwin: said 1\n");
    check(RT_VERBOSE, "revtwin: said 1\nrevtwin: told more\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
