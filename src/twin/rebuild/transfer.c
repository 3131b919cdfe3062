#include "twin/rebuild/transfer.h"

#include <errno.h>

#include "base/folder.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "twin/crew.h"

/* The archive is a file: three parts of it are restored, with other work in between, and
 * production does not wait for that. */
struct rt_transfer {
    const struct rt_tools *tools;
    struct rt_conn *prod, *target;
    char **dump_environ, **restore_environ; /* carry the passwords */
    char *entries;                          /* the archive's list */
    const char *far;                        /* rt_tables.far, borrowed */
    struct rt_folder folder;
    char *schema, *list;                           /* files in it */
    char *snapshot, *encoding, *dbname, *use_list; /* arguments */
};

static void prepare(struct rt_transfer *t, const struct rt_snapshot *snapshot,
                    const char *database)
{
    struct rt_str dbname = {0};

    t->snapshot = rt_format("--snapshot=%s", snapshot->id);
    t->encoding = rt_format("--encoding=%s",
                            database ? rt_conn_parameter(t->prod, "server_encoding")
                                     : "UTF8"); /* of our own connections */
    rt_str_add(&dbname, "--dbname=" RT_KEEPALIVES " dbname='");
    for (const char *p = database ? database : ""; *p; p++)
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
    rt_environ_free(t->dump_environ);
    rt_environ_free(t->restore_environ);
    free(t->entries);
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
    size_t len = strlen(text);
    char *first = first_error(text);
    const char *program = strrchr(command->argv[0], '/') + 1;

    if (command->exit_status > 128)
        rt_err_set(err, RT_EINTERNAL, "%s: %s was ended by signal %d", doing, program,
                   command->exit_status - 128);
    else
        rt_err_set(err, RT_EINTERNAL, "%s: %s: %s", doing, program,
                   *first ? first : "failed without a word");
    while (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0)
        rt_err_detail(err, "%.*s", (int)len, text);
    if (strstr(text, "Query was: LOCK TABLE"))
        rt_err_hint(err, RT_CREW_MADE_WAY);
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

/* ------------------------------------------------------------------ steps */

#define DUMP_OPTIONS(t)                                                               \
    "--format=custom", "--compress=0", "--no-owner", "--no-acl", "--no-publications", \
        "--no-subscriptions", "--no-security-labels", "--no-blobs",                   \
        "--lock-wait-timeout=5000", "--no-password", "--dbname=" RT_KEEPALIVES,       \
        (t)->encoding, (t)->snapshot
/* An archive has tablespaces whatever pg_dump is told. */
#define RESTORE_OPTIONS \
    "--exit-on-error", "--no-owner", "--no-acl", "--no-tablespaces", "--no-password"

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

/* ------------------------------------------------------------------ the list */

/* A line of an archive's list: "ID; CATALOG OID KIND SCHEMA NAME OWNER". */
struct entry {
    unsigned long catalog;
    char oid[16];
    const char *kind; /* and what follows it */
};

static bool read_entry(struct entry *out, const char *line)
{
    size_t number = strspn(line, "0123456789"), digits;
    char *oid;

    if (number == 0 || line[number] != ';')
        return false;
    out->catalog = strtoul(line + number + 1, &oid, 10);
    oid += strspn(oid, " ");
    digits = strspn(oid, "0123456789");
    if (digits == 0 || digits >= sizeof(out->oid) || oid[digits] != ' ')
        return false;
    memcpy(out->oid, oid, digits);
    out->oid[digits] = '\0';
    out->kind = oid + digits + 1;
    return true;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

enum { /* OIDs of catalogs */
       SCHEMAS = 2615,
       EVENT_TRIGGERS = 3466,
};

/* Which only their owner may write. */
static bool is_comment_on_extension(const struct entry *entry)
{
    return starts(entry->kind, "COMMENT - EXTENSION ");
}

/* That a partition's own triggers of a foreign key are disabled: pg_dump names them by
 * their OIDs, which the copy has not. */
static bool is_state_of_internal_trigger(const struct entry *entry)
{
    return starts(entry->kind, "TRIGGER ") &&
           strstr(entry->kind, " RI_ConstraintTrigger_") != NULL;
}

static bool is_among(const char *list, const struct entry *entry)
{
    char oid[24];

    snprintf(oid, sizeof(oid), " %s ", entry->oid);
    return strstr(list, oid) != NULL;
}

/* To fill a materialized view with what is elsewhere. */
static bool is_far(const struct rt_transfer *t, const struct entry *entry)
{
    return starts(entry->kind, "MATERIALIZED VIEW DATA ") && is_among(t->far, entry);
}

static bool is_last(const struct entry *entry)
{
    return entry->catalog == EVENT_TRIGGERS || starts(entry->kind, "COMMENT ");
}

/* Of a foreign key that the table itself has not got (foreign.h). */
static bool is_comment_on_no_key(const struct entry *entry,
                                 const struct rt_indexes *without)
{
    for (size_t i = 0; i < without->key_count; i++) {
        const struct rt_foreign_key *key = &without->key[i];

        if (key->violated && key->on_partitions && starts(entry->kind, key->comment))
            return true;
    }
    return false;
}

/* Which lines of the list: those of what comes last, or else all others without some. */
struct choice {
    bool last;
    const struct rt_indexes *without;
    const char *schemas; /* without these: OIDs, each with a space before and after it */
};

static bool is_chosen(const struct rt_transfer *t, const struct choice *choice,
                      const struct entry *entry)
{
    if (is_last(entry) != choice->last || is_comment_on_extension(entry) ||
        is_state_of_internal_trigger(entry) || is_far(t, entry))
        return false;
    if (choice->schemas && entry->catalog == SCHEMAS)
        return !is_among(choice->schemas, entry);
    return !(choice->without &&
             (rt_indexes_have(choice->without, entry->catalog, entry->oid) ||
              is_comment_on_no_key(entry, choice->without)));
}

static int write_list(const struct rt_transfer *t, const struct choice *choice,
                      struct rt_err *err)
{
    FILE *file = fopen(t->list, "we");
    bool good = file != NULL;

    for (const char *line = t->entries; good && *line;) {
        size_t len = strcspn(line, "\n");
        char *text = rt_strndup(line, len);
        struct entry entry;

        if (read_entry(&entry, text) && is_chosen(t, choice, &entry))
            good = fprintf(file, "%s\n", text) > 0;
        free(text);
        line += len + (line[len] == '\n');
    }
    if (file && fclose(file) != 0)
        good = false;
    return good ? 0
                : rt_err_set(err, RT_EINTERNAL, "cannot write %s: %s", t->list,
                             strerror(errno));
}

/* ------------------------------------------------------------------ parts */

int rt_transfer_read(struct rt_transfer *t, struct rt_err *err)
{
    const char *const dump[] = {t->tools->pg_dump,
                                DUMP_OPTIONS(t),
                                "--section=pre-data",
                                "--section=post-data",
                                "--file",
                                t->schema,
                                NULL};
    const char *const list[] = {t->tools->pg_restore, "--list", t->schema, NULL};
    int rc = run(t, dump, t->dump_environ, "cannot read production", NULL, err);

    return rc < 0 ? rc
                  : run(t, list, t->restore_environ, "cannot read the dump", &t->entries,
                        err);
}

int rt_transfer_open(struct rt_transfer **out, const struct rt_tools *tools,
                     const struct rt_snapshot *snapshot, struct rt_conn *target,
                     const char *database, struct rt_err *err)
{
    struct rt_transfer *t = rt_alloc(sizeof(*t));
    int rc;

    *t = (struct rt_transfer){.tools = tools, .prod = snapshot->conn, .target = target};
    t->far = snapshot->tables.far;
    prepare(t, snapshot, database);
    rc = make_folder(t, err);
    if (rc < 0) {
        rt_transfer_close(t);
        t = NULL;
    }
    *out = t;
    return rc;
}

/* What is chosen of a section (NULL: of both): into the database, or as *text. */
static int restore(const struct rt_transfer *t, const struct choice *choice,
                   const char *section, char **text, struct rt_err *err)
{
    const char *const argv[] = {t->tools->pg_restore,
                                RESTORE_OPTIONS,
                                text ? "--file=-" : t->dbname,
                                t->use_list,
                                t->schema,
                                section,
                                NULL};
    int rc = write_list(t, choice, err);

    return rc < 0
               ? rc
               : run(t, argv, t->restore_environ, "cannot fill the new twin", text, err);
}

#define BEFORE "--section=pre-data"
#define AFTER "--section=post-data"

int rt_transfer_before(const struct rt_transfer *t, struct rt_err *err)
{
    return restore(t, &(struct choice){0}, BEFORE, NULL, err);
}

int rt_transfer_after(const struct rt_transfer *t, const struct rt_indexes *without,
                      struct rt_err *err)
{
    return restore(t, &(struct choice){.without = without}, AFTER, NULL, err);
}

int rt_transfer_last(const struct rt_transfer *t, const struct rt_indexes *without,
                     struct rt_err *err)
{
    return restore(t, &(struct choice){.last = true, .without = without}, NULL, NULL,
                   err);
}

int rt_transfer_before_text(char **out, const struct rt_transfer *t, const char *schemas,
                            struct rt_err *err)
{
    return restore(t, &(struct choice){.schemas = schemas}, BEFORE, out, err);
}

int rt_transfer_after_text(char **out, const struct rt_transfer *t,
                           const struct rt_indexes *without, struct rt_err *err)
{
    return restore(t, &(struct choice){.without = without}, AFTER, out, err);
}

int rt_transfer_last_text(char **out, const struct rt_transfer *t,
                          const struct rt_indexes *without, struct rt_err *err)
{
    return restore(t, &(struct choice){.last = true, .without = without}, NULL, out, err);
}
