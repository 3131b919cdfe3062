#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void expect_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_exit_statuses(void **state)
{
    static const struct {
        const char *script;
        int expected;
    } cases[] = {{"exit 0", 0}, {"exit 3", 3}, {"kill -9 $$", 128 + SIGKILL}};
    (void)state;

    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_child command = {.argv = SHELL(cases[i].script)};
        struct rt_err err = {0};

        assert_int_equal(rt_child_run(&command, 1, NULL, &err), 0);
        assert_int_equal(command.exit_status, cases[i].expected);
        assert_string_equal(command.errors, "");
        rt_child_clear(&command);
    }
    expect_no_children();
}

static void test_pipeline_and_its_errors(void **state)
{
    struct rt_child commands[] = {
        {.argv = SHELL("echo one >&2; printf abc")},
        {.argv = SHELL("echo two >&2; tr a-z A-Z; exit 7")},
        {.argv = SHELL("sed s/B/-/; echo three >&2")},
    };
    struct rt_err err = {0};
    char *output;
    (void)state;

    assert_int_equal(rt_child_run(commands, RT_COUNT(commands), &output, &err), 0);
    assert_string_equal(output, "A-C");
    assert_string_equal(commands[0].errors, "one\n");
    assert_string_equal(commands[1].errors, "two\n");
    assert_string_equal(commands[2].errors, "three\n");
    assert_int_equal(commands[1].exit_status, 7);
    for (size_t i = 0; i < RT_COUNT(commands); i++)
        rt_child_clear(&commands[i]);
    free(output);
}

static void test_writer_learns_that_its_reader_is_gone(void **state)
{
    struct rt_child commands[] = {{.argv = SHELL("exec yes")},
                                  {.argv = SHELL("exec head -n 1")}};
    struct rt_err err = {0};
    char *output;
    (void)state;

    signal(SIGPIPE, SIG_IGN); /* as rt_cancel_install does */
    assert_int_equal(rt_child_run(commands, 2, &output, &err), 0);
    signal(SIGPIPE, SIG_DFL);
    assert_string_equal(output, "y\n");
    assert_int_equal(commands[0].exit_status, 128 + SIGPIPE);
    rt_child_clear(&commands[0]);
    rt_child_clear(&commands[1]);
    free(output);
}

static void test_only_the_end_of_long_errors_is_kept(void **state)
{
    struct rt_child command = {
        .argv = SHELL("head -c 1000000 /dev/zero | tr '\\0' x >&2; printf end >&2")};
    struct rt_err err = {0};
    (void)state;

    assert_int_equal(rt_child_run(&command, 1, NULL, &err), 0);
    assert_int_equal(strlen(command.errors), 64 * 1024);
    assert_string_equal(command.errors + 64 * 1024 - 4, "xend");
    rt_child_clear(&command);
}

static void test_large_outputs_do_not_block_each_other(void **state)
{
    static const char *const script = "head -c 4000000 /dev/zero | tr '\\0' e >&2 & cat; "
                                      "head -c 4000000 /dev/zero | tr '\\0' o; wait";
    struct rt_child commands[] = {{.argv = SHELL(script)}, {.argv = SHELL(script)}};
    struct rt_err err = {0};
    char *output;
    (void)state;

    assert_int_equal(rt_child_run(commands, 2, &output, &err), 0);
    assert_int_equal(strlen(output), 8000000);
    assert_int_equal(strspn(output, "o"), 8000000);
    assert_int_equal(strlen(commands[1].errors), 64 * 1024);
    rt_child_clear(&commands[0]);
    rt_child_clear(&commands[1]);
    free(output);
}

static void test_program_that_cannot_be_started(void **state)
{
    static const char *const names[] = {"revtwin-no-such-program", "/etc/passwd",
                                        "/revtwin/no/such"};
    (void)state;

    for (size_t i = 0; i < RT_COUNT(names); i++) {
        const char *const argv[] = {names[i], NULL};
        struct rt_child commands[] = {{.argv = SHELL("exec sleep 60")}, {.argv = argv}};
        time_t start = time(NULL);
        struct rt_err err = {0};
        char *output = (char *)"";

        assert_int_equal(rt_child_run(commands, 2, &output, &err), -RT_EINTERNAL);
        assert_non_null(strstr(err.message, names[i]));
        assert_null(output);
        assert_in_range(time(NULL) - start, 0, 3);
        rt_child_clear(&commands[0]);
        rt_child_clear(&commands[1]);
        rt_err_clear(&err);
    }
    expect_no_children();
}

static void test_environment_and_input(void **state)
{
    char *const environment[] = {(char *)"ONLY=this one", NULL};
    struct rt_child command = {.argv = SHELL("cat; echo \"$ONLY$HOME\""),
                               .environment = environment};
    struct rt_err err = {0};
    char *output;
    (void)state;

    setenv("HOME", "/somewhere", 1);
    assert_int_equal(rt_child_run(&command, 1, &output, &err), 0);
    assert_string_equal(output, "this one\n");
    rt_child_clear(&command);
    free(output);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void test_no_descriptor_leaks(void **state)
{
    struct rt_child commands[] = {{.argv = SHELL("true")},
                                  {.argv = SHELL("cd /proc/self/fd && echo *")}};
    int inheritable = open("/dev/null", O_RDONLY);
    size_t before = open_descriptors();
    struct rt_err err = {0};
    char *output, *first = NULL;
    (void)state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(rt_child_run(commands, 2, &output, &err), 0);
        rt_child_clear(&commands[0]);
        rt_child_clear(&commands[1]);
        assert_int_equal(open_descriptors(), before);
        if (i == 0)
            first = output;
    }
    /* The shell opens one more to read the folder. */
    assert_int_equal(strncmp(output, "0 1 2", 5), 0);
    assert_true(strlen(output) <= strlen("0 1 2 33\n"));
    close(inheritable);
    free(first);
    free(output);
}

/* The functions below run in a process of their own and return its exit status. */

static int in_child(int (*body)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int without_standard_descriptors(void)
{
    struct rt_child commands[] = {{.argv = SHELL("printf ab; printf e >&2")},
                                  {.argv = SHELL("cat")}};
    struct rt_err err = {0};
    char *output;

    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    if (rt_child_run(commands, 2, &output, &err) != 0)
        return 1;
    return strcmp(output, "ab") == 0 && strcmp(commands[0].errors, "e") == 0 ? 0 : 2;
}

static int missing_program_without_standard_descriptors(void)
{
    struct rt_child command = {.argv = (const char *const[]){"/no/such/program", NULL}};
    struct rt_err err = {0};

    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    if (rt_child_run(&command, 1, NULL, &err) != -RT_EINTERNAL)
        return 1;
    return strstr(err.message, strerror(ENOENT)) ? 0 : 2;
}

static void test_standard_descriptors_are_closed(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_standard_descriptors), 0);
    assert_int_equal(in_child(missing_program_without_standard_descriptors), 0);
}

static int signalled_after_a_moment(int sig, const char *script)
{
    struct rt_child commands[] = {{.argv = SHELL(script)}, {.argv = SHELL("cat")}};
    pid_t self = getpid(), sender;
    struct rt_err err = {0};
    int rc;

    rt_cancel_install();
    sender = fork();
    if (sender == 0) {
        usleep(300 * 1000);
        _exit(kill(self, sig));
    }
    rc = rt_child_run(commands, 2, NULL, &err);
    waitpid(sender, NULL, 0);
    if (waitpid(-1, NULL, WNOHANG) != -1)
        return 1;
    return -rc;
}

static int interrupted(void)
{
    return signalled_after_a_moment(SIGINT, "exec sleep 60");
}

static int terminated_and_stubborn(void)
{
    return signalled_after_a_moment(SIGTERM, "trap '' TERM; exec sleep 60");
}

static void test_cancel_ends_the_children(void **state)
{
    time_t start = time(NULL);
    (void)state;

    assert_int_equal(in_child(interrupted), RT_EINT);
    assert_in_range(time(NULL) - start, 0, 3);
    assert_int_equal(in_child(terminated_and_stubborn), RT_ETERM);
    assert_in_range(time(NULL) - start, 0, 12);
}

static bool is_running(pid_t pid)
{
    char *path = rt_format("/proc/%d/stat", (int)pid);
    char text[256] = "", *paren;
    FILE *file = fopen(path, "re");

    free(path);
    if (file == NULL)
        return false;
    paren = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
    fclose(file);
    return paren && paren[2] != 'Z';
}

static void test_children_end_with_their_parent(void **state)
{
    struct rt_child command = {0};
    struct rt_err err = {0};
    char text[32] = "";
    pid_t runner, child;
    int ends[2];
    (void)state;

    assert_int_equal(pipe(ends), 0);
    runner = fork();
    if (runner == 0) {
        char *script =
            rt_format("echo $$ >/proc/%d/fd/%d; exec sleep 60", (int)getpid(), ends[1]);

        command.argv = SHELL(script);
        _exit(rt_child_run(&command, 1, NULL, &err));
    }
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    child = (pid_t)strtol(text, NULL, 10);
    assert_true(is_running(child));
    kill(runner, SIGKILL);
    waitpid(runner, NULL, 0);
    for (int tries = 0; is_running(child) && tries < 500; tries++)
        usleep(10 * 1000);
    assert_false(is_running(child));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_pipeline_and_its_errors),
        cmocka_unit_test(test_writer_learns_that_its_reader_is_gone),
        cmocka_unit_test(test_only_the_end_of_long_errors_is_kept),
        cmocka_unit_test(test_large_outputs_do_not_block_each_other),
        cmocka_unit_test(test_program_that_cannot_be_started),
        cmocka_unit_test(test_environment_and_input),
        cmocka_unit_test(test_no_descriptor_leaks),
        cmocka_unit_test(test_standard_descriptors_are_closed),
        cmocka_unit_test(test_cancel_ends_the_children),
        cmocka_unit_test(test_children_end_with_their_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
