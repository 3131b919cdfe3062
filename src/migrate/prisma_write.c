/* What each action of a plan writes to Prisma's table. */
#include "base/uuid.h"
#include "migrate/prisma.h"
#include "pg/query.h"
#include "queries.h"

struct writing {
    const struct rt_prisma *prisma;
    struct rt_arena *arena;
    struct rt_repo *repo;
    const struct rt_set *set;
    bool makes_table; /* the next action does */
};

static const char *name_of(struct rt_arena *arena, const char *path)
{
    return rt_foreign_file_key(arena, RT_NAMING_FOLDER, path);
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

/* Fails when Prisma was at work. name is NULL when it has the migration already. */
static const char *check_text(const struct writing *w, const char *name)
{
    struct rt_str sql = {0};
    const char *text;

    rt_str_addf(&sql, "WITH t AS (SELECT * FROM %s), wanted (name) AS (SELECT ",
                w->prisma->table);
    if (name)
        rt_quote_literal(&sql, name);
    else
        rt_str_add(&sql, "NULL");
    rt_str_addf(&sql, "::text)\n%s", rt_sql_prisma_check);
    text = rt_arena_strdup(w->arena, rt_str_text(&sql));
    rt_str_clear(&sql);
    return text;
}

static const char *check_conflict(const struct writing *w, const char *name)
{
    return rt_arena_format(w->arena,
                           "Prisma was at work meanwhile: %s has %s%sa migration that is "
                           "not finished",
                           w->prisma->table, name ? name : "", name ? ", or " : "");
}

static const struct rt_command *check(const struct writing *w, const char *name)
{
    return command(w, (struct rt_command){.sql = check_text(w, name),
                                          .purpose = "look into Prisma's table",
                                          .conflict = check_conflict(w, name)});
}

static const char *new_id(const struct writing *w)
{
    char *id = rt_arena_alloc(w->arena, RT_UUID_SIZE);

    rt_uuid(id);
    return id;
}

/*
 * Of a file that runs without a transaction: all in one of its own, before. A session
 * that waits for Prisma's lock would deadlock with CREATE INDEX CONCURRENTLY; this row
 * keeps Prisma away instead, as one of its own does.
 */
static const struct rt_command *begin(const struct writing *w, const char *name,
                                      const char *checksum)
{
    const char *table = w->prisma->table;
    struct rt_str sql = {0};
    const char *text;

    rt_str_addf(
        &sql, "BEGIN; SET LOCAL lock_timeout = '%s'; SELECT pg_advisory_xact_lock(%s);\n",
        w->prisma->lock_timeout, rt_prisma_lock.key);
    if (w->makes_table)
        rt_str_addf(&sql, "CREATE TABLE %s %s;\n", table, rt_sql_prisma_create);
    rt_str_addf(&sql,
                "%s;\nWITH t AS (SELECT * FROM %s), started (id, checksum, name) AS "
                "(SELECT '%s', '%s', ",
                check_text(w, name), table, new_id(w), checksum);
    rt_quote_literal(&sql, name);
    rt_str_addf(&sql, "::text)\nINSERT INTO %s %s;\nCOMMIT", table, rt_sql_prisma_begin);
    text = rt_arena_strdup(w->arena, rt_str_text(&sql));
    rt_str_clear(&sql);
    return command(w, (struct rt_command){.sql = text,
                                          .purpose = "tell Prisma of the migration",
                                          .conflict = check_conflict(w, name)});
}

static const struct rt_command *finish(const struct writing *w, const char *name,
                                       const char *checksum, bool applied)
{
    const char **params = list(w, 5), *table = w->prisma->table;

    params[0] = name;
    params[1] = applied ? NULL : ""; /* as "migrate deploy" and "migrate resolve" do */
    params[2] = applied ? "1" : "0";
    params[3] = new_id(w);
    params[4] = checksum;
    return command(
        w,
        (struct rt_command){
            .sql = rt_arena_format(w->arena,
                                   "WITH t AS (SELECT * FROM %s), begun AS (UPDATE %s "
                                   "%s)\nINSERT INTO %s %s",
                                   table, table, rt_sql_prisma_finish, table,
                                   rt_sql_prisma_insert),
            .params = params,
            .nparams = 5,
            .purpose = "record the migration in Prisma's table",
            .conflict = rt_arena_format(w->arena, "Prisma recorded %s meanwhile", name)});
}

/* What happens to the row that there is: rest is with $1, the name, and $2. */
static const struct rt_command *update(const struct writing *w, const char *rest,
                                       const char *name, const char *checksum)
{
    const char **params = list(w, 2);

    params[0] = name;
    params[1] = checksum;
    return command(w,
                   (struct rt_command){.sql = rt_arena_format(w->arena, "UPDATE %s %s",
                                                              w->prisma->table, rest),
                                       .params = params,
                                       .nparams = checksum ? 2 : 1,
                                       .purpose = "change the row in Prisma's table",
                                       .conflict = "Prisma changed its table meanwhile"});
}

/* ------------------------------------------------------------------ attaching */

/* The row says that it is applied, or is to be written. */
static int attach_row(struct writing *w, struct rt_action *action, const char *name,
                      const struct rt_migration *m, struct rt_err *err)
{
    const char *checksum;
    int rc = rt_prisma_checksum_of(&checksum, w->arena, w->repo, m, err);

    if (rc < 0)
        return rc;
    if (action->source.mode.no_transaction)
        action->before = begin(w, name, checksum);
    else
        action->before = w->makes_table ? make_table(w) : check(w, name);
    action->after = finish(w, name, checksum, action->kind == RT_ACTION_APPLY);
    w->makes_table = false;
    return 0;
}

static int attach_amended(const struct writing *w, struct rt_action *action,
                          const char *name, const struct rt_migration *m,
                          struct rt_err *err)
{
    const char *checksum;
    int rc = rt_prisma_checksum_of(&checksum, w->arena, w->repo, m, err);

    if (rc == 0)
        action->after = update(w, rt_sql_prisma_amend, name, checksum);
    return rc;
}

static int attach(struct writing *w, struct rt_action *action, struct rt_err *err)
{
    const struct rt_migration *m = rt_set_find(w->set, action->path);
    const char *name = name_of(w->arena, action->path);
    const struct rt_foreign_row *row;
    bool done;

    if (m == NULL || name == NULL) /* not committed, or not in the tree */
        return 0;
    row = w->prisma->rows[m - w->set->migrations];
    done = row && row->state == RT_FOREIGN_APPLIED;
    if (!done && action->row != RT_ROW_AMENDED && action->row != RT_ROW_FORGOTTEN &&
        action->row != RT_ROW_SKIPPED)
        return attach_row(w, action, name, m, err);
    if (w->prisma->exists && !action->source.mode.no_transaction)
        action->before = check(w, NULL);
    if (action->row == RT_ROW_FORGOTTEN && row)
        action->after = update(w, rt_sql_prisma_forget, name, NULL);
    if (action->row == RT_ROW_AMENDED && done)
        return attach_amended(w, action, name, m, err);
    return 0;
}

int rt_prisma_attach(const struct rt_prisma *prisma, struct rt_plan *plan,
                     struct rt_arena *arena, struct rt_repo *repo,
                     const struct rt_set *set, struct rt_err *err)
{
    struct writing w = {.prisma = prisma,
                        .arena = arena,
                        .repo = repo,
                        .set = set,
                        .makes_table = !prisma->exists && prisma->lack_count == 0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < plan->count; i++)
        rc = attach(&w, &plan->actions[i], err);
    return rc;
}
