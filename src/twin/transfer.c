#include "twin/transfer.h"

#include <errno.h>
#include <signal.h>

#include "base/folder.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "pg/query.h"

/* Tables and data are streamed by one pg_dump, which locks all tables before it reads the
 * first: a TRUNCATE or a rewrite in between would leave a table empty in an old snapshot.
 * The rest goes through a file, for production not to wait for the twin's indexes, and
 * for the comments to be chosen from a list. */
struct rt_transfer {
    const struct rt_tools *tools;
    struct rt_conn *prod, *target;
    struct rt_result *large_objects;        /* statements that comment on them */
    char **dump_environ, **restore_environ; /* carry the passwords */
    struct rt_folder folder;
    char *schema, *list;                           /* files in it */
    char *snapshot, *encoding, *dbname, *use_list; /* arguments */
};

static void prepare(struct rt_transfer *t, const struct rt_snapshot *snapshot,
                    const char *database)
{
    struct rt_str dbname = {0};

    t->snapshot = rt_format("--snapshot=%s", snapshot->id);
    t->encoding =
        rt_format("--encoding=%s", rt_conn_parameter(t->prod, "server_encoding"));
    rt_str_add(&dbname, "--dbname=" RT_KEEPALIVES " dbname='");
    for (const char *p = database; *p; p++)
        rt_str_addf(&dbname, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    rt_str_add(&dbname, "'");
    t->dbname = rt_str_take(&dbname);
    t->dump_environ = rt_conn_environ(t->prod);
    t->restore_environ = rt_conn_environ(t->target);
}

static int make_folder(struct rt_transfer *t, struct rt_err *err)
{
    int rc = rt_folder_make(&t->folder, err);

    if (rc < 0)
        return rc;
    t->schema = rt_format("%s/schema", t->folder.path);
    t->list = rt_format("%s/list", t->folder.path);
    t->use_list = rt_format("--use-list=%s", t->list);
    return 0;
}

void rt_transfer_close(struct rt_transfer *t)
{
    if (t == NULL)
        return;
    rt_folder_remove(&t->folder);
    rt_result_free(t->large_objects);
    rt_environ_free(t->dump_environ);
    rt_environ_free(t->restore_environ);
    free(t->schema);
    free(t->list);
    free(t->use_list);
    free(t->snapshot);
    free(t->encoding);
    free(t->dbname);
    free(t);
}

/* ------------------------------------------------------------------ errors */

/* "ERROR: ..." out of "pg_restore: error: could not execute query: ERROR:  ...\n...". */
static char *first_error(const char *text)
{
    const char *from = strstr(text, "error: ");

    from = from ? from + strlen("error: ") : text;
    return rt_strndup(from, strcspn(from, "\n"));
}

static int failed(const struct rt_transfer *t, const char *doing,
                  const struct rt_child *command, struct rt_err *err)
{
    char *once = rt_conn_redact(t->prod, command->errors);
    char *text = rt_conn_redact(t->target, once);
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

static int check_one(const struct rt_transfer *t, const char *doing,
                     const struct rt_child *command, struct rt_err *err)
{
    return command->exit_status == 0 ? 0 : failed(t, doing, command, err);
}

/* When the reader fails, the writer dies of SIGPIPE; when the writer fails, the reader
 * misses the end of its input: the one that failed by itself is named. */
static int check_both(const struct rt_transfer *t, const struct rt_child *writer,
                      const struct rt_child *reader, struct rt_err *err)
{
    if (writer->exit_status != 0 && writer->exit_status != 128 + SIGPIPE)
        return failed(t, "cannot read production", writer, err);
    return check_one(t, "cannot fill the new twin", reader, err);
}

/* ------------------------------------------------------------------ steps */

#define DUMP_OPTIONS(t)                                                              \
    "--format=custom", "--compress=0", "--no-owner", "--no-acl", "--no-tablespaces", \
        "--no-publications", "--no-subscriptions", "--no-security-labels",           \
        "--no-password", "--dbname=" RT_KEEPALIVES, (t)->encoding, (t)->snapshot
#define RESTORE_OPTIONS(t) \
    "--exit-on-error", "--no-owner", "--no-acl", "--no-password", (t)->dbname

/* Run one program; output may be NULL. */
static int run(const struct rt_transfer *t, const char *const *argv,
               char *const *environment, const char *doing, char **output,
               struct rt_err *err)
{
    struct rt_child command = {.argv = argv, .environment = environment};
    int rc = rt_child_run(&command, 1, output, err);

    if (rc == 0)
        rc = check_one(t, doing, &command, err);
    rt_child_clear(&command);
    return rc;
}

/* Whether a line of an archive's list, "ID; CATALOG OID KIND SCHEMA NAME OWNER", is a
 * comment to copy: those on extensions are not. */
static bool is_comment(const char *line)
{
    static const char kind[] = "COMMENT ", extension[] = "COMMENT - EXTENSION ";
    int at = 0;

    return sscanf(line, "%*u; %*u %*u %n", &at) == 0 && at > 0 &&
           strncmp(line + at, kind, strlen(kind)) == 0 &&
           strncmp(line + at, extension, strlen(extension)) != 0;
}

static int write_list(const struct rt_transfer *t, const char *text, struct rt_err *err)
{
    FILE *file = fopen(t->list, "we");
    bool good = file != NULL;

    while (good && *text) {
        size_t len = strcspn(text, "\n");
        char *line = rt_strndup(text, len);

        if (is_comment(line))
            good = fprintf(file, "%s\n", line) > 0;
        free(line);
        text += len + (text[len] == '\n');
    }
    if (file && fclose(file) != 0)
        good = false;
    return good ? 0
                : rt_err_set(err, RT_EINTERNAL, "cannot write %s: %s", t->list,
                             strerror(errno));
}

static int read_schema(const struct rt_transfer *t, struct rt_err *err)
{
    const char *const dump[] = {t->tools->pg_dump,
                                DUMP_OPTIONS(t),
                                "--section=pre-data",
                                "--section=post-data",
                                "--file",
                                t->schema,
                                NULL};
    const char *const list[] = {t->tools->pg_restore, "--list", t->schema, NULL};
    char *text = NULL;
    int rc = run(t, dump, t->dump_environ, "cannot read production", NULL, err);

    if (rc == 0)
        rc = run(t, list, t->restore_environ, "cannot read the dump", &text, err);
    if (rc == 0)
        rc = write_list(t, text, err);
    free(text);
    return rc;
}

int rt_transfer_open(struct rt_transfer **out, const struct rt_tools *tools,
                     const struct rt_snapshot *snapshot, struct rt_conn *target,
                     const char *database, struct rt_err *err)
{
    struct rt_transfer *t = rt_alloc(sizeof(*t));
    int rc;

    *t = (struct rt_transfer){.tools = tools, .prod = snapshot->conn, .target = target};
    prepare(t, snapshot, database);
    rc = make_folder(t, err);
    if (rc == 0)
        rc = read_schema(t, err);
    if (rc == 0) /* pg_dump 17 and later has these with the data, without comments */
        rc = rt_query(&t->large_objects, t->prod,
                      "SELECT format('COMMENT ON LARGE OBJECT %s IS %L', objoid,"
                      "              description) "
                      "FROM pg_catalog.pg_description "
                      "WHERE classoid = 'pg_catalog.pg_largeobject'::regclass",
                      0, NULL, err);
    if (rc < 0) {
        rt_transfer_close(t);
        t = NULL;
    }
    *out = t;
    return rc;
}

int rt_transfer_data(const struct rt_transfer *t, struct rt_err *err)
{
    const char *const dump[] = {t->tools->pg_dump,    DUMP_OPTIONS(t),  "--no-comments",
                                "--section=pre-data", "--section=data", NULL};
    const char *const restore[] = {t->tools->pg_restore, RESTORE_OPTIONS(t), NULL};
    struct rt_child commands[] = {{.argv = dump, .environment = t->dump_environ},
                                  {.argv = restore, .environment = t->restore_environ}};
    int rc = rt_child_run(commands, 2, NULL, err);

    if (rc == 0)
        rc = check_both(t, &commands[0], &commands[1], err);
    rt_child_clear(&commands[0]);
    rt_child_clear(&commands[1]);
    return rc;
}

int rt_transfer_rest(const struct rt_transfer *t, struct rt_err *err)
{
    const char *const restore[] = {
        t->tools->pg_restore,  RESTORE_OPTIONS(t), "--no-comments",
        "--section=post-data", t->schema,          NULL};

    return run(t, restore, t->restore_environ, "cannot fill the new twin", NULL, err);
}

int rt_transfer_comments(const struct rt_transfer *t, struct rt_conn *next,
                         struct rt_err *err)
{
    const char *const restore[] = {t->tools->pg_restore, RESTORE_OPTIONS(t), t->use_list,
                                   t->schema, NULL};
    int rc = run(t, restore, t->restore_environ, "cannot fill the new twin", NULL, err);

    for (size_t i = 0; rc == 0 && i < rt_result_rows(t->large_objects); i++)
        rc = rt_exec(NULL, next, rt_result_get(t->large_objects, i, 0), err);
    return rc;
}
