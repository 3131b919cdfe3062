/* The display on a terminal of its own, and without one. */
#include "report/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "unit.h"

static void test_bytes(void **state)
{
    static const struct {
        unsigned long long done, all;
        const char *want;
    } cases[] = {
        {0, 0, "0 B"},
        {999, 0, "999 B"},
        {1000, 0, "1.0 kB"},
        {1200000000, 2000000000, "1.2 of 2.0 GB"},
        {0, 5000000, "0.0 of 5.0 MB"},
        {5000001, 5000000, "5.0 MB"},
        {2000000000000000000ull, 0, "2000.0 PB"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_str text = {0};

        rt_display_bytes(&text, cases[i].done, cases[i].all);
        assert_string_equal(rt_str_text(&text), cases[i].want);
        rt_str_clear(&text);
    }
}

/* Two phases, with a log line between two draws. */
static void work(void)
{
    struct rt_progress progress = {.phase = NULL};
    struct rt_display *display = rt_display_open(&progress);

    rt_progress_phase(&progress, "comparing", 7, 0);
    progress.rows_read = 1234;
    usleep(250000);
    progress.tables = 7;
    rt_progress_show(&progress);
    rt_log("something else");
    rt_progress_phase(&progress, "copying", 48, 2000000000);
    progress.tables = 12;
    progress.bytes = 1200000000;
    usleep(800000);
    rt_progress_show(&progress);
    rt_display_close(display);
    rt_progress_show(&progress); /* nobody looks any more */
}

/* What a terminal of so many columns gets. */
static void watch(char *text, size_t size, unsigned short columns)
{
    struct winsize window = {.ws_row = 24, .ws_col = columns};
    int master, terminal, saved = dup(STDERR_FILENO);
    size_t len = 0;
    ssize_t n;

    assert_int_equal(openpty(&master, &terminal, NULL, NULL, &window), 0);
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    work();
    dup2(saved, STDERR_FILENO);
    close(saved);
    while (len < size - 1 && (n = read(master, text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(master);
}

/* The lines that are left when everything was written. */
static void screen_of(const char *text, char *left, size_t size)
{
    size_t len = 0;

    for (const char *p = text; *p; p++) {
        int up, used = 0;

        if (*p == '\r')
            continue;
        if (sscanf(p, "\033[%dA\033[J%n", &up, &used) == 1 && used > 0) {
            assert_true(len == 0 || left[len - 1] == '\n');
            while (up-- > 0) {
                assert_true(len > 0);
                len--;
                while (len > 0 && left[len - 1] != '\n')
                    len--;
            }
            p += used - 1;
            continue;
        }
        assert_true(*p != '\033' && len < size - 1);
        left[len++] = *p;
    }
    left[len] = '\0';
}

static void test_table_on_a_terminal(void **state)
{
    char text[8192], left[8192];

    (void)state;
    setenv("TERM", "xterm", 1);
    rt_log_level(RT_NORMAL);
    watch(text, sizeof(text), 100);
    assert_non_null(strstr(text, "comparing         7 of 7           1234 rows"));
    assert_non_null(strstr(text, "copying         12 of 48       1.2 of 2.0 GB"));
    assert_non_null(strstr(text, "GB/s     0:01     0:01"));
    screen_of(text, left, sizeof(left));
    assert_string_equal(left, "revtwin: something else\n");
}

static void test_narrow_terminal(void **state)
{
    char text[8192], left[8192];

    (void)state;
    setenv("TERM", "xterm", 1);
    watch(text, sizeof(text), 20);
    assert_non_null(strstr(text, "copying         12 "));
    assert_null(strstr(text, "12 of"));
    screen_of(text, left, sizeof(left));
    assert_string_equal(left, "revtwin: something else\n");
}

static void test_terminal_that_can_do_nothing(void **state)
{
    char text[8192];

    (void)state;
    setenv("TERM", "dumb", 1);
    watch(text, sizeof(text), 100);
    assert_string_equal(text, "revtwin: something else\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_table_on_a_terminal),
        cmocka_unit_test(test_narrow_terminal),
        cmocka_unit_test(test_terminal_that_can_do_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
