/*
 * The statements that we send are the statements that psql sends. For every file of the
 * corpus, psql runs it into one database, and the server's own log tells what it got;
 * then our statements are compared with that, and sent into a second database, which
 * must end up the same.
 */
#include "check.h"
#include "cluster.h"
#include "run.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "sql/inspect.h"

static struct cluster server;
static FILE *server_log;

struct list {
    char **items;
    size_t count, cap;
};

static void push(struct list *list, char *item)
{
    list->items = rt_grow(list->items, list->count, &list->cap, sizeof(*list->items));
    list->items[list->count++] = item;
}

static void clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct list){0};
}

static const char *skip_block_comment(const char *at)
{
    int depth = 0;

    do {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at++;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at++;
        }
    } while (*at++ != '\0' && depth > 0);
    return at;
}

/*
 * What does not matter to the server and differs: leading comments, which psql sends;
 * white space at the end, which psql sends when there is no semicolon; empty lines, which
 * psql drops outside of quotes.
 */
static char *normalise(const char *text)
{
    struct rt_str out = {0};

    for (;;) {
        text += strspn(text, " \t\n\v\f\r");
        if (strncmp(text, "--", 2) == 0)
            text += strcspn(text, "\n\r");
        else if (strncmp(text, "/*", 2) == 0)
            text = skip_block_comment(text);
        else
            break;
    }
    for (; *text != '\0'; text++) {
        if (text[0] != '\n' || text[1] != '\n')
            rt_str_addn(&out, text, 1);
    }
    while (out.len > 0 && strchr(" \t\n\v\f\r", out.data[out.len - 1]) != NULL)
        out.data[--out.len] = '\0';
    return rt_str_take(&out);
}

/* The next line of the log as JSON; it may take a moment to be written. */
static json_t *next_entry(void)
{
    struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    struct rt_str line = {0};
    json_error_t error;
    json_t *entry;

    for (int waits = 0; line.len == 0 || line.data[line.len - 1] != '\n';) {
        int c = getc(server_log);

        if (c != EOF) {
            rt_str_addn(&line, &(char){(char)c}, 1);
            continue;
        }
        if (++waits > 15000)
            check_fail("the log has no more lines");
        clearerr(server_log);
        nanosleep(&pause, NULL);
    }
    entry = json_loads(line.data, 0, &error);
    if (entry == NULL)
        check_fail("%s: %s", error.text, line.data);
    rt_str_clear(&line);
    return entry;
}

static bool field_is(const json_t *entry, const char *field, const char *want)
{
    const char *got = json_string_value(json_object_get(entry, field));

    return got != NULL && strcmp(got, want) == 0;
}

/* What psql sent since the last call, normalised and without empty statements. */
static void collect_from_log(struct list *sent)
{
    static const char prefix[] = "statement: ", mark[] = "statement: SELECT 'mark'";

    cluster_exec(&server, "postgres", mark + strlen(prefix));
    for (bool end = false; !end;) {
        json_t *entry = next_entry();
        const char *message = json_string_value(json_object_get(entry, "message"));

        end = field_is(entry, "message", mark);
        if (field_is(entry, "application_name", "psql") &&
            strncmp(message, prefix, strlen(prefix)) == 0) {
            char *text = normalise(message + strlen(prefix));

            if (text[0] == '\0' || strcmp(text, ";") == 0)
                free(text);
            else
                push(sent, text);
        }
        json_decref(entry);
    }
}

static void run_psql(const char *path)
{
    char url[CLUSTER_URL_SIZE], *psql = check_printf("%s/psql", run_pg_bindir());
    const char *const argv[] = {psql,
                                "-X",
                                "-q",
                                "-v",
                                "ON_ERROR_STOP=1",
                                "-d",
                                cluster_url(&server, "by_psql", url),
                                "-f",
                                path,
                                NULL};
    struct run r = {0};

    run_program(&r, NULL, NULL, argv);
    run_expect(&r, 0);
    assert_text_equal(r.err, "");
    run_clear(&r);
    free(psql);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rbe");
    struct rt_str text = {0};
    char buf[4096];
    size_t got;

    if (file == NULL)
        check_fail("%s: cannot be opened", path);
    while ((got = fread(buf, 1, sizeof(buf), file)) > 0)
        rt_str_addn(&text, buf, got);
    fclose(file);
    *len = text.len;
    return rt_str_take(&text);
}

/* Without a semicolon at its end psql sends also the comments that follow. */
static void drop_tail(char *sent, const char *ours)
{
    size_t len = strlen(ours);
    char *tail;

    if (strncmp(sent, ours, len) != 0)
        return;
    tail = normalise(sent + len);
    if (tail[0] == '\0')
        sent[len] = '\0';
    free(tail);
}

static void compare(const struct rt_script *script, const struct list *sent)
{
    size_t n = 0;

    for (size_t i = 0; i < script->count; i++) {
        const struct rt_stmt *stmt = &script->stmts[i];
        char *text, *normal;

        if (stmt->kind == RT_STMT_COPY_DATA)
            continue;
        text = rt_strndup(script->text + stmt->start, stmt->len);
        normal = normalise(text);
        if (n == sent->count)
            check_fail("psql did not send this:\n%s", text);
        if (i + 1 == script->count && text[stmt->len - 1] != ';')
            drop_tail(sent->items[n], normal);
        assert_text_equal(normal, sent->items[n++]);
        free(normal);
        free(text);
    }
    if (n < sent->count)
        check_fail("only psql sent this:\n%s", sent->items[n]);
}

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
    PGconn *conn = cluster_connect(&server, "by_us");

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
    char *by_psql = cluster_dump(&server, "by_psql", NULL);
    char *by_us = cluster_dump(&server, "by_us", NULL);

    assert_text_equal(by_us, by_psql);
    free(by_psql);
    free(by_us);
}

/* Much faster than a database for every file. */
static void empty_database(const char *name)
{
    cluster_exec(
        &server, name,
        "set client_min_messages = warning;"
        "do $$ declare s name; begin"
        "    for s in select nspname from pg_namespace"
        "        where nspname !~ '^pg_' and nspname <> 'information_schema' loop"
        "        execute format('drop schema %I cascade', s);"
        "    end loop;"
        "    create schema public;"
        "end $$");
}

static void test_file(void **state)
{
    char *path = check_printf("%s/%s", CORPUS_DIR, (const char *)*state);
    struct rt_script script = {0};
    struct rt_err err = {0};
    struct list sent = {0};
    size_t len;
    char *text = read_file(path, &len);

    empty_database("by_psql");
    empty_database("by_us");
    collect_from_log(&sent); /* what is left of a test that failed */
    clear(&sent);
    run_psql(path);
    collect_from_log(&sent);
    if (rt_script_split(&script, text, len, &err) < 0)
        check_fail("line %lu: %s", err.line, err.message);
    rt_script_inspect(&script);
    compare(&script, &sent);
    send_ours(&script);
    compare_databases();
    clear(&sent);
    rt_script_clear(&script);
    free(text);
    free(path);
}

static int start_server(void **state)
{
    static const char *const settings[] = {
        "log_statement=all",    "log_destination=jsonlog",
        "logging_collector=on", "log_filename=statements",
        "log_rotation_age=0",   "log_rotation_size=0",
        "wal_level=logical",    NULL};
    char *path;

    (void)state;
    cluster_start(&server, settings);
    cluster_createdb(&server, "by_psql");
    cluster_createdb(&server, "by_us");
    path = check_printf("%s/data/log/statements.json", server.dir);
    server_log = fopen(path, "re");
    if (server_log == NULL)
        check_fail("%s: cannot be opened", path);
    free(path);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    fclose(server_log);
    cluster_stop(&server);
    return 0;
}

static int is_sql(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".sql") == 0;
}

int main(void)
{
    enum { MAX_FILES = 500 };
    static struct CMUnitTest tests[MAX_FILES];
    struct dirent **files;
    int count = scandir(CORPUS_DIR, &files, is_sql, alphasort), failed;

    if (count < 40 || count > MAX_FILES)
        check_fail("%s: %d files", CORPUS_DIR, count);
    for (int i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = files[i]->d_name,
                                       .test_func = test_file,
                                       .initial_state = files[i]->d_name};
    failed = _cmocka_run_group_tests("psql_parity", tests, (size_t)count, start_server,
                                     stop_server);
    for (int i = 0; i < count; i++)
        free(files[i]);
    free(files);
    return failed;
}
