/* Memory does not grow with what a migration selects, copies or changes. */
#include "scene.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEGABYTE (1 << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLACK = 512 }; /* of the sanitizer: its shadow, and memory that it keeps freed */
#else
enum { SLACK = 0 };
#endif

/* Peak resident memory of the process so far in MB; 0 when it has ended. */
static long peak_memory(pid_t pid)
{
    char *path = check_printf("/proc/%d/status", (int)pid), line[256];
    FILE *file = fopen(path, "re");
    long kb = 0;

    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    }
    if (file)
        fclose(file);
    free(path);
    return kb / 1024;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

/* Apply the commit, which succeeds; returns the peak in MB. */
static long apply(struct scene *s)
{
    long most = 0, now;

    s->run.seconds = 120;
    scene_start(s, "apply");
    while (!has_ended(s->run.pid)) {
        now = peak_memory(s->run.pid);
        most = now > most ? now : most;
        usleep(2000);
    }
    scene_finish(s, 0);
    assert_true(most > 0);
    return most;
}

static void assert_memory(struct scene *s, long megabytes)
{
    long most = apply(s);

    print_message("           %ld MB\n", most);
    if (most > megabytes + SLACK)
        check_fail("%ld MB resident, expected at most %ld", most, megabytes);
}

static void millions_of_selected_rows(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1", "SELECT n, repeat('x', 100) FROM generate_series(1, 2000000) n;");
    repo_commit(&s->repo, "many rows in a pipeline");
    assert_memory(s, 40);
    scene_file(s, "V2",
               "COPY log (name) FROM stdin;\n\\.\n"
               "SELECT n, repeat('x', 100) FROM generate_series(1, 2000000) n;");
    repo_commit(&s->repo, "many rows after a COPY");
    assert_memory(s, 40);
    assert_ledger(s, "applied V1, applied V2");
}

/* Statements or rows until there are 20 MB of them: start, a number, middle, end. */
struct filling {
    const char *start, *middle;
    int zeros;
    const char *end;
};

static char *twenty_megabytes(const char *before, struct filling row, const char *after)
{
    size_t size = 20 * MEGABYTE, length;
    char *text = check_alloc(size + 4096);

    length = (size_t)snprintf(text, 4096, "%s", before);
    for (int n = 1; length < size; n++)
        length += (size_t)snprintf(text + length, 2048, "%s%d%s%0*d%s\n", row.start, n,
                                   row.middle, row.zeros, 0, row.end);
    snprintf(text + length, 2048, "%s", after);
    return text;
}

static void large_file_of_many_statements(void **state)
{
    struct scene *s = *state;
    char *sql = twenty_megabytes(
        "CREATE TABLE t (a int, b text);\n",
        (struct filling){"INSERT INTO t VALUES (", ", '", 1000, "');"}, "SELECT 1;\n");

    scene_file(s, "V1", sql);
    repo_commit(&s->repo, "many statements");
    assert_memory(s, 20 + 30);
    assert_production(s, "SELECT count(*) > 19000 AND count(*) = max(a) FROM t", "t");
    free(sql);
}

static void one_large_copy(void **state)
{
    struct scene *s = *state;
    char *sql = twenty_megabytes("CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n",
                                 (struct filling){"", "\t", 200, ""}, "\\.\nSELECT 1;\n");

    scene_file(s, "V1", sql);
    repo_commit(&s->repo, "a large COPY");
    assert_memory(s, 20 + 30);
    assert_production(s, "SELECT count(*) > 90000 AND count(*) = max(a) FROM t", "t");
    free(sql);
}

/* The server answers long before it has all of the data. */
static void large_copy_that_fails_at_its_first_row(void **state)
{
    struct scene *s = *state;
    char *sql = twenty_megabytes("CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n",
                                 (struct filling){"x", "\t", 200, ""}, "\\.\n");

    scene_file(s, "V1", sql);
    repo_commit(&s->repo, "a large COPY");
    scene_run(s, 4, "apply");
    assert_warned(s, "COPY t, line 1, column a: \"x1\"");
    free(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(millions_of_selected_rows),
        scene_test(large_file_of_many_statements),
        scene_test(one_large_copy),
        scene_test(large_copy_that_fails_at_its_first_row),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
