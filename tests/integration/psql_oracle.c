#include "psql_oracle.h"
#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

struct cluster oracle_server;
static FILE *server_log;

struct list {
    char **items;
    size_t count, cap;
};

/* Keep it, but for an empty statement. */
static void push(struct list *list, char *item)
{
    if (item[0] == '\0' || strcmp(item, ";") == 0) {
        free(item);
        return;
    }
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

/*
 * What psql sent since the last call, normalised and without empty statements. What the
 * server can read is logged before it runs; what it cannot, only with its error.
 */
static void collect_from_log(struct list *sent)
{
    static const char prefix[] = "statement: ", mark[] = "statement: SELECT 'mark'";
    char *logged = rt_strdup("");

    cluster_exec(&oracle_server, "postgres", mark + strlen(prefix));
    for (bool end = false; !end;) {
        json_t *entry = next_entry();
        const char *message = json_string_value(json_object_get(entry, "message"));
        const char *failed = json_string_value(json_object_get(entry, "statement"));
        const char *text = NULL;

        end = field_is(entry, "message", mark);
        if (field_is(entry, "application_name", "psql")) {
            if (strncmp(message, prefix, strlen(prefix)) == 0)
                text = message + strlen(prefix);
            else if (failed && strcmp(failed, logged) != 0)
                text = failed;
        }
        if (text != NULL || failed != NULL) {
            free(logged);
            logged = rt_strdup(text && text != failed ? text : "");
        }
        if (text != NULL)
            push(sent, normalise(text));
        json_decref(entry);
    }
    free(logged);
}

static void run_psql(const char *path, enum oracle_errors errors)
{
    char url[CLUSTER_URL_SIZE], *psql = check_printf("%s/psql", run_pg_bindir());
    const char *const argv[] = {psql,
                                "-X",
                                "-q",
                                "-v",
                                errors == ORACLE_NO_ERRORS ? "ON_ERROR_STOP=1"
                                                           : "ON_ERROR_STOP=0",
                                "-d",
                                cluster_url(&oracle_server, "by_psql", url),
                                "-f",
                                path,
                                NULL};
    struct run r = {0};

    run_program(&r, NULL, NULL, argv);
    run_expect(&r, 0);
    if (errors == ORACLE_NO_ERRORS)
        assert_text_equal(r.err, "");
    run_clear(&r);
    free(psql);
}

char *oracle_read(const char *path, size_t *len)
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

/* Of a file that ends without a semicolon psql sends also the comments that follow. */
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
        if (i + 1 == script->count)
            drop_tail(sent->items[n], normal);
        assert_text_equal(normal, sent->items[n++]);
        free(normal);
        free(text);
    }
    if (n < sent->count)
        check_fail("only psql sent this:\n%s", sent->items[n]);
}

void oracle_expect(const struct rt_script *script, const char *path,
                   enum oracle_errors errors)
{
    struct list sent = {0};

    collect_from_log(&sent); /* what is left of a test that failed */
    clear(&sent);
    run_psql(path, errors);
    collect_from_log(&sent);
    compare(script, &sent);
    clear(&sent);
}

void oracle_empty(const char *name)
{
    cluster_exec(
        &oracle_server, name,
        "set client_min_messages = warning;"
        "do $$ declare s name; begin"
        "    for s in select nspname from pg_namespace"
        "        where nspname !~ '^pg_' and nspname <> 'information_schema' loop"
        "        execute format('drop schema %I cascade', s);"
        "    end loop;"
        "    create schema public;"
        "end $$");
}

int oracle_start(void **state)
{
    static const char *const settings[] = {
        "log_statement=all",    "log_destination=jsonlog",
        "logging_collector=on", "log_filename=statements",
        "log_rotation_age=0",   "log_rotation_size=0",
        "wal_level=logical",    NULL};
    char *path;

    (void)state;
    cluster_start(&oracle_server, settings);
    cluster_createdb(&oracle_server, "by_psql");
    cluster_createdb(&oracle_server, "by_us");
    path = check_printf("%s/data/log/statements.json", oracle_server.dir);
    server_log = fopen(path, "re");
    if (server_log == NULL)
        check_fail("%s: cannot be opened", path);
    free(path);
    return 0;
}

int oracle_stop(void **state)
{
    (void)state;
    fclose(server_log);
    cluster_stop(&oracle_server);
    return 0;
}
