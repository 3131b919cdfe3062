#include "twin/transfer.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

/* Everything but the comments is streamed by one pg_dump, which locks all tables before
 * it reads the first: a TRUNCATE or a rewrite in between would leave a table empty in an
 * old snapshot. The comments go through files, to be chosen from a list. */
struct work {
    const struct rt_transfer *transfer;
    char **dump_environ, **restore_environ;        /* carry the passwords */
    char *dir, *schema, *list;                     /* a folder, and files in it */
    char *snapshot, *encoding, *dbname, *use_list; /* arguments */
};

static void open_work(struct work *w, const struct rt_transfer *transfer)
{
    const struct rt_conn *prod = transfer->snapshot->conn;
    struct rt_str dbname = {0};

    w->transfer = transfer;
    w->snapshot = rt_format("--snapshot=%s", transfer->snapshot->id);
    w->encoding = rt_format("--encoding=%s", rt_conn_parameter(prod, "server_encoding"));
    rt_str_add(&dbname, "--dbname=dbname='");
    for (const char *p = transfer->database; *p; p++)
        rt_str_addf(&dbname, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    rt_str_add(&dbname, "'");
    w->dbname = rt_str_take(&dbname);
    w->dump_environ = rt_conn_environ(prod);
    w->restore_environ = rt_conn_environ(transfer->target);
}

static int make_folder(struct work *w, struct rt_err *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = rt_format("%s/revtwin.XXXXXX", tmp && *tmp ? tmp : "/tmp");

    if (mkdtemp(dir) == NULL) {
        rt_err_set(err, RT_EINTERNAL, "cannot make folder %s: %s", dir, strerror(errno));
        free(dir);
        return -RT_EINTERNAL;
    }
    w->dir = dir;
    w->schema = rt_format("%s/schema", w->dir);
    w->list = rt_format("%s/list", w->dir);
    w->use_list = rt_format("--use-list=%s", w->list);
    return 0;
}

static void close_work(struct work *w)
{
    if (w->dir) {
        unlink(w->schema);
        unlink(w->list);
        rmdir(w->dir);
    }
    rt_environ_free(w->dump_environ);
    rt_environ_free(w->restore_environ);
    free(w->dir);
    free(w->schema);
    free(w->list);
    free(w->use_list);
    free(w->snapshot);
    free(w->encoding);
    free(w->dbname);
}

/* ------------------------------------------------------------------ errors */

/* "ERROR: ..." out of "pg_restore: error: could not execute query: ERROR:  ...\n...". */
static char *first_error(const char *text)
{
    const char *from = strstr(text, "error: ");

    from = from ? from + strlen("error: ") : text;
    return rt_strndup(from, strcspn(from, "\n"));
}

static int failed(const struct work *w, const char *doing, const struct rt_child *command,
                  struct rt_err *err)
{
    char *once = rt_conn_redact(w->transfer->snapshot->conn, command->errors);
    char *text = rt_conn_redact(w->transfer->target, once);
    char *first = first_error(text);
    const char *program = strrchr(command->argv[0], '/') + 1;

    if (command->exit_status > 128)
        rt_err_set(err, RT_EINTERNAL, "%s: %s was ended by signal %d", doing, program,
                   command->exit_status - 128);
    else
        rt_err_set(err, RT_EINTERNAL, "%s: %s: %s", doing, program,
                   *first ? first : "failed without a word");
    if (*text)
        rt_err_detail(err, "%s", text);
    free(first);
    free(text);
    free(once);
    return -RT_EINTERNAL;
}

static int check_one(const struct work *w, const char *doing,
                     const struct rt_child *command, struct rt_err *err)
{
    return command->exit_status == 0 ? 0 : failed(w, doing, command, err);
}

/* When the reader fails, the writer dies of SIGPIPE; when the writer fails, the reader
 * misses the end of its input: the one that failed by itself is named. */
static int check_both(const struct work *w, const struct rt_child *writer,
                      const struct rt_child *reader, struct rt_err *err)
{
    if (writer->exit_status != 0 && writer->exit_status != 128 + SIGPIPE)
        return failed(w, "cannot read production", writer, err);
    return check_one(w, "cannot fill the new twin", reader, err);
}

/* ------------------------------------------------------------------ steps */

#define DUMP_OPTIONS(w)                                                              \
    "--format=custom", "--compress=0", "--no-owner", "--no-acl", "--no-tablespaces", \
        "--no-subscriptions", "--no-password", (w)->encoding, (w)->snapshot
#define RESTORE_OPTIONS(w) \
    "--exit-on-error", "--no-owner", "--no-acl", "--no-password", (w)->dbname

static int stream(const struct work *w, struct rt_err *err)
{
    const char *const dump[] = {w->transfer->tools->pg_dump, DUMP_OPTIONS(w),
                                "--no-comments", NULL};
    const char *const restore[] = {w->transfer->tools->pg_restore, RESTORE_OPTIONS(w),
                                   NULL};
    struct rt_child commands[] = {{.argv = dump, .environment = w->dump_environ},
                                  {.argv = restore, .environment = w->restore_environ}};
    int rc = rt_child_run(commands, 2, NULL, err);

    if (rc == 0)
        rc = check_both(w, &commands[0], &commands[1], err);
    rt_child_clear(&commands[0]);
    rt_child_clear(&commands[1]);
    return rc;
}

/* Run one program; output may be NULL. */
static int run(const struct work *w, const char *const *argv, char *const *environment,
               const char *doing, char **output, struct rt_err *err)
{
    struct rt_child command = {.argv = argv, .environment = environment};
    int rc = rt_child_run(&command, 1, output, err);

    if (rc == 0)
        rc = check_one(w, doing, &command, err);
    rt_child_clear(&command);
    return rc;
}

/* Write the comments of an archive's list, but not those on extensions. */
static int write_list(const struct work *w, const char *text, struct rt_err *err)
{
    FILE *file = fopen(w->list, "we");
    bool good = file != NULL;

    while (good && *text) {
        int len = (int)strcspn(text, "\n");
        char *line = rt_strndup(text, (size_t)len);

        if (strstr(line, " COMMENT ") && !strstr(line, " COMMENT - EXTENSION "))
            good = fprintf(file, "%s\n", line) > 0;
        free(line);
        text += len + (text[len] == '\n');
    }
    if (file && fclose(file) != 0)
        good = false;
    return good ? 0
                : rt_err_set(err, RT_EINTERNAL, "cannot write %s: %s", w->list,
                             strerror(errno));
}

static int copy_comments(const struct work *w, struct rt_err *err)
{
    const struct rt_tools *tools = w->transfer->tools;
    const char *const dump[] = {tools->pg_dump,
                                DUMP_OPTIONS(w),
                                "--section=pre-data",
                                "--section=post-data",
                                "--file",
                                w->schema,
                                NULL};
    const char *const list[] = {tools->pg_restore, "--list", w->schema, NULL};
    const char *const restore[] = {tools->pg_restore, RESTORE_OPTIONS(w), w->use_list,
                                   w->schema, NULL};
    char *text = NULL;
    int rc = run(w, dump, w->dump_environ, "cannot read production", NULL, err);

    if (rc == 0)
        rc = run(w, list, w->restore_environ, "cannot read the dump", &text, err);
    if (rc == 0)
        rc = write_list(w, text, err);
    if (rc == 0)
        rc = run(w, restore, w->restore_environ, "cannot fill the new twin", NULL, err);
    free(text);
    return rc;
}

int rt_transfer_data(const struct rt_transfer *transfer, struct rt_err *err)
{
    struct work w = {0};
    int rc;

    open_work(&w, transfer);
    rc = stream(&w, err);
    close_work(&w);
    return rc;
}

int rt_transfer_comments(const struct rt_transfer *transfer, struct rt_err *err)
{
    struct work w = {0};
    int rc;

    open_work(&w, transfer);
    rc = make_folder(&w, err);
    if (rc == 0)
        rc = copy_comments(&w, err);
    close_work(&w);
    return rc;
}
