/* Writing to Prisma's table. */
#include "base/names.h"
#include "base/uuid.h"
#include "migrate/prisma.h"
#include "pg/query.h"
#include "queries.h"

enum { NAMES_SHOWN = 20 };

struct writing {
    struct rt_prisma *prisma;
    struct rt_arena *arena;
    struct rt_repo *repo;
    const struct rt_set *set;
    bool makes_table; /* the next action does */
};

static const char *name_of(struct rt_arena *arena, const char *path)
{
    return rt_foreign_file_key(arena, RT_NAMING_FOLDER, path);
}

static int read_checksum(const char **out, const struct writing *w,
                         const struct rt_migration *m, struct rt_err *err)
{
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, w->repo, &m->oid, err);

    if (rc < 0)
        return rt_err_at(err, m->path, 0, 0);
    *out = rt_prisma_checksum(w->arena, blob.data, blob.len);
    rt_blob_close(&blob);
    return 0;
}

/* ------------------------------------------------------------------ order */

static bool comes_before(struct rt_arena *arena, const struct rt_action *a,
                         const struct rt_action *b)
{
    return a->commit && b->commit && strcmp(a->commit, b->commit) == 0 &&
           strcmp(name_of(arena, a->path), name_of(arena, b->path)) < 0;
}

void rt_prisma_sort(struct rt_plan *plan, struct rt_arena *arena)
{
    for (size_t i = 1; i < plan->count; i++) {
        struct rt_action moved = plan->actions[i];
        size_t at = i;

        for (; at > 0 && comes_before(arena, &moved, &plan->actions[at - 1]); at--)
            plan->actions[at] = plan->actions[at - 1];
        plan->actions[at] = moved;
    }
}

/* ------------------------------------------------------------------ commands */

static const struct rt_command *command(const struct writing *w, struct rt_command text)
{
    struct rt_command *out = rt_arena_alloc(w->arena, sizeof(*out));

    *out = text;
    return out;
}

static const char **list(const struct writing *w, size_t count)
{
    return rt_arena_alloc(w->arena, count * sizeof(const char *));
}

static const struct rt_command *make_table(const struct writing *w)
{
    return command(
        w, (struct rt_command){
               .sql = rt_arena_format(w->arena, "CREATE TABLE %s %s", w->prisma->table,
                                      rt_sql_prisma_create),
               .purpose = "make Prisma's table",
               .conflict = rt_arena_format(w->arena, "Prisma made its table %s meanwhile",
                                           w->prisma->table)});
}

/* name is NULL when Prisma has the migration already. */
static const struct rt_command *check(const struct writing *w, const char *name)
{
    const char **params = list(w, 1);

    params[0] = name;
    return command(
        w, (struct rt_command){
               .sql = rt_arena_format(w->arena, "WITH t AS (SELECT * FROM %s)\n%s",
                                      w->prisma->table, rt_sql_prisma_check),
               .params = params,
               .nparams = 1,
               .purpose = "look into Prisma's table",
               .conflict = rt_arena_format(
                   w->arena,
                   "Prisma was at work meanwhile: %s has %s%sa migration that is not "
                   "finished",
                   w->prisma->table, name ? name : "", name ? ", or " : "")});
}

static const struct rt_command *insert(const struct writing *w, const char *name,
                                       const char *checksum, bool applied)
{
    const char **params = list(w, 5);
    char *id = rt_arena_alloc(w->arena, RT_UUID_SIZE);

    rt_uuid(id);
    params[0] = id;
    params[1] = checksum;
    params[2] = name;
    params[3] = applied ? NULL : ""; /* as "migrate deploy" and "migrate resolve" do */
    params[4] = applied ? "1" : "0";
    return command(w, (struct rt_command){
                          .sql = rt_arena_format(w->arena, "INSERT INTO %s %s",
                                                 w->prisma->table, rt_sql_prisma_insert),
                          .params = params,
                          .nparams = 5,
                          .purpose = "record the migration in Prisma's table",
                          .conflict = rt_arena_format(
                              w->arena, "Prisma recorded %s meanwhile", name)});
}

static const struct rt_command *amend(const struct writing *w, const char *name,
                                      const char *checksum)
{
    const char **params = list(w, 2);

    params[0] = name;
    params[1] = checksum;
    return command(w, (struct rt_command){
                          .sql = rt_arena_format(w->arena, "UPDATE %s %s",
                                                 w->prisma->table, rt_sql_prisma_amend),
                          .params = params,
                          .nparams = 2,
                          .purpose = "amend the checksum in Prisma's table",
                          .conflict = "Prisma changed its table meanwhile"});
}

/* ------------------------------------------------------------------ attaching */

static bool writes_row(const struct rt_action *action, const struct rt_foreign_row *row)
{
    return row == NULL && action->row != RT_ROW_AMENDED &&
           action->row != RT_ROW_FORGOTTEN && action->row != RT_ROW_SKIPPED;
}

static int attach(struct writing *w, struct rt_action *action, struct rt_err *err)
{
    const struct rt_migration *m = rt_set_find(w->set, action->path);
    const char *name = name_of(w->arena, action->path), *checksum;
    const struct rt_foreign_row *row;
    bool writes;
    int rc;

    if (m == NULL || name == NULL) /* not committed, or not in the tree */
        return 0;
    row = w->prisma->rows[m - w->set->migrations];
    writes = writes_row(action, row);
    if (!writes && (row == NULL || action->row != RT_ROW_AMENDED)) {
        if (w->prisma->exists)
            action->before = check(w, NULL);
        return 0;
    }
    rc = read_checksum(&checksum, w, m, err);
    if (rc < 0)
        return rc;
    action->before = w->makes_table ? make_table(w) : check(w, writes ? name : NULL);
    action->after = writes ? insert(w, name, checksum, action->kind == RT_ACTION_APPLY)
                           : amend(w, name, checksum);
    w->makes_table = false;
    return 0;
}

/* What the ledger has and the table has not. */
static int find_lacks(const struct writing *w, struct rt_plan *plan,
                      struct rt_names *names, struct rt_err *err)
{
    struct rt_prisma *prisma = w->prisma;

    prisma->lacks = rt_arena_alloc(w->arena, w->set->count * sizeof(*prisma->lacks));
    for (size_t i = 0; plan->known && i < w->set->count; i++) {
        const struct rt_migration *m = &w->set->migrations[i];
        struct rt_prisma_lack *lack = &prisma->lacks[prisma->lack_count];
        int rc;

        if (!plan->known[i] || prisma->rows[i])
            continue;
        lack->name = name_of(w->arena, m->path);
        rc = read_checksum(&lack->checksum, w, m, err);
        if (rc < 0)
            return rc;
        rt_names_add(names, m->path);
        prisma->lack_count++;
    }
    return 0;
}

static void note_lacks(const struct rt_prisma *prisma, struct rt_plan *plan,
                       struct rt_names *names)
{
    struct rt_err *err;

    if (names->count == 0)
        return;
    err = rt_plan_add_finding(plan, RT_NOTE);
    rt_err_set(err, RT_DONE,
               "%zu migration%s that the ledger has %s no row in %s: written first, so "
               "that Prisma does not run %s again",
               names->count, names->count == 1 ? "" : "s",
               names->count == 1 ? "has" : "have", prisma->table,
               names->count == 1 ? "it" : "them");
    rt_names_give(names, err);
}

int rt_prisma_attach(struct rt_prisma *prisma, struct rt_plan *plan,
                     struct rt_arena *arena, struct rt_repo *repo,
                     const struct rt_set *set, struct rt_err *err)
{
    struct writing w = {.prisma = prisma, .arena = arena, .repo = repo, .set = set};
    struct rt_names names = {.limit = NAMES_SHOWN};
    int rc = find_lacks(&w, plan, &names, err);

    note_lacks(prisma, plan, &names);
    w.makes_table = !prisma->exists && prisma->lack_count == 0;
    for (size_t i = 0; rc == 0 && i < plan->count; i++)
        rc = attach(&w, &plan->actions[i], err);
    return rc;
}

/* ------------------------------------------------------------------ filling */

static void add_rows(struct rt_str *sql, const struct rt_prisma *prisma)
{
    for (size_t i = 0; i < prisma->lack_count; i++) {
        char id[RT_UUID_SIZE];

        rt_uuid(id);
        rt_str_addf(sql, "%s('%s', '%s', ", i ? ",\n" : "", id,
                    prisma->lacks[i].checksum);
        rt_quote_literal(sql, prisma->lacks[i].name);
        rt_str_add(sql, ")");
    }
}

static int explain_fill(const struct rt_prisma *prisma, struct rt_err *err)
{
    bool locked = strcmp(err->sqlstate, "55P03") == 0;

    rt_err_wrap(err, "cannot write the rows that %s lacks", prisma->table);
    if (locked)
        err->status = RT_ELOCKED;
    rt_err_advice(err, "No migration was started.");
    return -(int)err->status;
}

int rt_prisma_fill(const struct rt_prisma *prisma, struct rt_conn *conn,
                   const char *lock_timeout, struct rt_err *err)
{
    struct rt_err ignored = {0};
    struct rt_str sql = {0};
    int rc;

    if (prisma->lack_count == 0)
        return 0;
    rt_str_addf(&sql,
                "BEGIN; SET LOCAL lock_timeout = '%s';\n"
                "SELECT pg_advisory_xact_lock(8243124935563243009), "
                "pg_advisory_xact_lock(%s);\n",
                lock_timeout, rt_prisma_lock.key);
    if (!prisma->exists)
        rt_str_addf(&sql, "CREATE TABLE %s %s;\n", prisma->table, rt_sql_prisma_create);
    rt_str_addf(&sql,
                "INSERT INTO %s (id, checksum, migration_name, logs, finished_at)\n"
                "SELECT id, checksum, name, '', transaction_timestamp() FROM (VALUES\n",
                prisma->table);
    add_rows(&sql, prisma);
    rt_str_addf(&sql,
                ") AS lacks (id, checksum, name)\n"
                "WHERE NOT EXISTS (SELECT FROM %s WHERE migration_name = name AND "
                "rolled_back_at IS NULL);\nCOMMIT",
                prisma->table);
    rc = rt_exec(NULL, conn, rt_str_text(&sql), err);
    rt_str_clear(&sql);
    if (rc == 0)
        return 0;
    if (!rt_conn_lost(conn) && rt_exec(NULL, conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    return err->status == RT_EINT || err->status == RT_ETERM ? -(int)err->status
                                                             : explain_fill(prisma, err);
}
