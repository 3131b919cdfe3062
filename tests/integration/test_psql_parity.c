/*
 * The statements that we send are the statements that psql sends. For every file of the
 * corpus, psql runs it into one database; our statements are compared with what the
 * server got, and sent into a second database, which must end up the same.
 */
#include "psql_oracle.h"
#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sql/inspect.h"

/* The tag is the server's, but for a few where it says more or other things. */
static void check_tag(const char *tag, const char *server_says)
{
    static const char *const others[][2] = {
        {"CREATE TABLE AS", "SELECT"},
        {"SELECT INTO", "SELECT"},
        {"CREATE MATERIALIZED VIEW", "SELECT"},
        {"ROLLBACK TO SAVEPOINT", "ROLLBACK"},
        {"DISCARD", "DISCARD TEMP"},
        {"SET LOCAL", "SET"},
    };
    size_t len = strcspn(server_says, "0123456789");

    while (len > 0 && server_says[len - 1] == ' ')
        len--;
    if (strcmp(tag, "SQL") == 0 ||
        (strlen(tag) == len && strncmp(tag, server_says, len) == 0))
        return;
    for (size_t i = 0; i < RT_COUNT(others); i++) {
        if (strcmp(tag, others[i][0]) == 0 && strlen(others[i][1]) == len &&
            strncmp(others[i][1], server_says, len) == 0)
            return;
    }
    check_fail("our tag %s, the server's %s", tag, server_says);
}

static PGresult *copy_in(PGconn *conn, const struct rt_script *script,
                         const struct rt_stmt *data)
{
    if (PQputCopyData(conn, script->text + data->start, (int)data->len) != 1 ||
        PQputCopyEnd(conn, NULL) != 1)
        check_fail("COPY: %s", PQerrorMessage(conn));
    return PQgetResult(conn);
}

static void send_ours(const struct rt_script *script)
{
    PGconn *conn = cluster_connect(&oracle_server, "by_us");

    for (size_t i = 0; i < script->count; i++) {
        const struct rt_stmt *stmt = &script->stmts[i];
        char *text = rt_strndup(script->text + stmt->start, stmt->len);
        PGresult *result = PQexec(conn, text);

        assert_int_equal(PQresultStatus(result) == PGRES_COPY_IN,
                         stmt->kind == RT_STMT_COPY);
        if (stmt->kind == RT_STMT_COPY) {
            PQclear(result);
            result = copy_in(conn, script, &script->stmts[++i]);
        }
        if (PQresultStatus(result) != PGRES_COMMAND_OK &&
            PQresultStatus(result) != PGRES_TUPLES_OK)
            check_fail("%s: %s", text, PQerrorMessage(conn));
        check_tag(stmt->tag, PQcmdStatus(result));
        PQclear(result);
        while ((result = PQgetResult(conn)) != NULL)
            PQclear(result);
        free(text);
    }
    PQfinish(conn);
}

static void compare_databases(void)
{
    char *by_psql = cluster_dump(&oracle_server, "by_psql", NULL);
    char *by_us = cluster_dump(&oracle_server, "by_us", NULL);

    assert_text_equal(by_us, by_psql);
    free(by_psql);
    free(by_us);
}

static void read_script(struct rt_script *script, char **text, const char *path)
{
    struct rt_err err = {0};
    size_t len;

    *text = oracle_read(path, &len);
    if (rt_script_split(script, *text, len, &err) < 0)
        check_fail("%s:%lu: %s", path, err.line, err.message);
    rt_script_inspect(script);
}

/* What psql does with the file, and what we do with it, is the same. */
static void run_both(const char *path)
{
    struct rt_script script = {0};
    char *text;

    oracle_empty("by_psql");
    oracle_empty("by_us");
    read_script(&script, &text, path);
    oracle_expect(&script, path, ORACLE_NO_ERRORS);
    send_ours(&script);
    compare_databases();
    rt_script_clear(&script);
    free(text);
}

static void test_file(void **state)
{
    char *path = check_printf("%s/split/%s", CORPUS_DIR, (const char *)*state);

    run_both(path);
    free(path);
}

/* The server refuses statements of these files: only what is sent is compared. */
static void test_refused_file(void **state)
{
    char *path = check_printf("%s/refused/%s", CORPUS_DIR, (const char *)*state);
    struct rt_script script = {0};
    char *text;

    read_script(&script, &text, path);
    oracle_expect(&script, path, ORACLE_ANY_ERRORS);
    rt_script_clear(&script);
    free(text);
    free(path);
}

/* Psql cuts these in the wrong places (sql/scan.h); the server takes our statements. */
static void test_server_file(void **state)
{
    char *path = check_printf("%s/server/%s", CORPUS_DIR, (const char *)*state);
    struct rt_script script = {0};
    char *text;

    oracle_empty("by_us");
    read_script(&script, &text, path);
    send_ours(&script);
    rt_script_clear(&script);
    free(text);
    free(path);
}

/* Plain output of the pg_dump that is installed, of a database with something of all. */
static void test_dump(void **state)
{
    char *path = check_printf("%s/split/pg_dump.sql", CORPUS_DIR);
    char *dump = check_printf("%s/dump.sql", oracle_server.dir);
    char *pg_dump = check_printf("%s/pg_dump", run_pg_bindir());
    char url[CLUSTER_URL_SIZE];
    const char *const argv[] = {pg_dump, "-f", dump,
                                cluster_url(&oracle_server, "by_us", url), NULL};
    struct run r = {0};

    (void)state;
    run_both(path);
    run_program(&r, NULL, NULL, argv);
    run_expect(&r, 0);
    run_clear(&r);
    run_both(dump);
    free(pg_dump);
    free(dump);
    free(path);
}

enum { MAX_TESTS = 500 };

static int is_sql(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".sql") == 0;
}

static void add_files(struct CMUnitTest *tests, size_t *count, const char *folder,
                      CMUnitTestFunction test)
{
    char *path = check_printf("%s/%s", CORPUS_DIR, folder);
    struct dirent **files;
    int found = scandir(path, &files, is_sql, alphasort);

    if (found < 1 || *count + (size_t)found > MAX_TESTS)
        check_fail("%s: %d files", path, found);
    for (int i = 0; i < found; i++) {
        char *name = rt_strdup(files[i]->d_name);

        tests[(*count)++] =
            (struct CMUnitTest){.name = name, .test_func = test, .initial_state = name};
        free(files[i]);
    }
    free(files);
    free(path);
}

int main(void)
{
    static struct CMUnitTest tests[MAX_TESTS];
    size_t count = 0;
    int failed;

    tests[count++] =
        (struct CMUnitTest){.name = rt_strdup("pg_dump"), .test_func = test_dump};
    add_files(tests, &count, "split", test_file);
    add_files(tests, &count, "refused", test_refused_file);
    add_files(tests, &count, "server", test_server_file);
    failed =
        _cmocka_run_group_tests("psql_parity", tests, count, oracle_start, oracle_stop);
    for (size_t i = 0; i < count; i++)
        free((char *)tests[i].name);
    return failed;
}
