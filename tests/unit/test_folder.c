#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

static char tmp[64];

static int setup(void **state)
{
    (void)state;
    snprintf(tmp, sizeof(tmp), "/tmp/rt-folder-XXXXXX");
    return mkdtemp(tmp) && setenv("TMPDIR", tmp, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unsetenv("TMPDIR");
    return rmdir(tmp); /* nothing is left in it */
}

static void write_file(const char *dir, const char *name)
{
    char *path = rt_format("%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
    free(path);
}

static bool is_there(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

static void make(struct rt_folder *folder)
{
    struct rt_err err = {0};

    assert_int_equal(rt_folder_make(folder, &err), 0);
}

static void folder_is_private_and_goes_with_its_files(void **state)
{
    struct rt_folder folder;
    struct stat info;
    char *path;

    (void)state;
    make(&folder);
    path = rt_strdup(folder.path);
    assert_int_equal(lstat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    write_file(path, "one");
    write_file(path, "two");
    rt_folder_remove(&folder);
    assert_false(is_there(path));
    rt_folder_remove(&folder);
    free(path);
}

/* A process that makes a folder with a file in it, and dies. */
static void leave_one(char path[128])
{
    struct rt_folder folder;
    int out[2], status;

    assert_int_equal(pipe(out), 0);
    if (fork() == 0) {
        make(&folder);
        write_file(folder.path, "schema");
        _exit(write(out[1], folder.path, strlen(folder.path) + 1) < 0);
    }
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    assert_true(read(out[0], path, 128) > 0);
    close(out[0]);
    close(out[1]);
}

static void those_of_dead_processes_are_removed(void **state)
{
    struct rt_folder first, second;
    char dead[128];

    (void)state;
    make(&first);
    leave_one(dead);
    assert_true(is_there(dead));
    make(&second);
    assert_false(is_there(dead));
    assert_true(is_there(first.path));
    rt_folder_remove(&first);
    rt_folder_remove(&second);
}

/* Names that only look alike, and what is open to others. */
static void nothing_else_is_touched(void **state)
{
    char *longer = rt_format("%s/revtwin-schema.abcdefg", tmp);
    char *open_to_all = rt_format("%s/revtwin-schema.abcdef", tmp);
    char *link = rt_format("%s/revtwin-schema.ABCDEF", tmp);
    char *somebodys = rt_format("%s/revtwin.abcdef", tmp); /* mktemp -d in a script */
    struct rt_folder folder;

    (void)state;
    write_file(tmp, "revtwin-schema.123456");
    assert_int_equal(mkdir(longer, 0700), 0);
    assert_int_equal(mkdir(somebodys, 0700), 0);
    assert_int_equal(mkdir(open_to_all, 0755), 0);
    write_file(open_to_all, "file");
    assert_int_equal(symlink(longer, link), 0);
    make(&folder);
    rt_folder_remove(&folder);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(longer), 0);
    assert_int_equal(rmdir(somebodys), 0);
    free(link);
    link = rt_format("%s/file", open_to_all);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(open_to_all), 0);
    free(link);
    link = rt_format("%s/revtwin-schema.123456", tmp);
    assert_int_equal(unlink(link), 0);
    free(link);
    free(longer);
    free(somebodys);
    free(open_to_all);
}

static void without_a_place_it_says_so(void **state)
{
    struct rt_folder folder;
    struct rt_err err = {0};

    (void)state;
    setenv("TMPDIR", "/no/such/folder", 1);
    assert_int_equal(rt_folder_make(&folder, &err), -RT_EINTERNAL);
    assert_non_null(strstr(err.message, "/no/such/folder"));
    rt_folder_remove(&folder);
    rt_err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folder_is_private_and_goes_with_its_files, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(those_of_dead_processes_are_removed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_else_is_touched, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_place_it_says_so, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
