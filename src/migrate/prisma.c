#include "migrate/prisma.h"

#include "base/names.h"
#include "queries.h"

enum { NAMES_SHOWN = 20 };

const struct rt_lock rt_prisma_lock = {"72707369", "Prisma", 3};

/* ------------------------------------------------------------------ reading */

static int refuse_no_schema(struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "the search path names no schema that exists: there is no place for "
               "Prisma's table");
    return rt_err_hint(err, "Nothing was changed. Set search_path for the role that "
                            "revtwin connects as, or in the connection string "
                            "(options=-csearch_path=...).");
}

static int refuse_other_schema(const char *schema, const char *others, struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "Prisma's table is in schema %s, and migrations would run in schema %s",
               others, schema);
    return rt_err_hint(
        err,
        "Nothing was changed. What Prisma's URL calls ?schema=NAME is the search path "
        "here: put options=-csearch_path=NAME into the connection string. If that table "
        "is another application's, let Prisma make one in %s first, with prisma migrate "
        "resolve --applied NAME.",
        schema);
}

int rt_prisma_read(struct rt_prisma *out, struct rt_arena *arena, struct rt_conn *conn,
                   bool pooled, int wait, struct rt_err *err)
{
    const char *params[] = {wait >= 0 ? "true" : "false", pooled ? "true" : "false"};
    const struct rt_foreign_tool *prisma;
    struct rt_result *rows = NULL;
    const char *schema, *others;
    int rc = rt_foreign_tool(&prisma, "prisma", err);

    *out = (struct rt_prisma){0};
    if (rc == 0)
        rc = rt_lock_query(&rows, conn, &rt_prisma_lock, wait, rt_sql_prisma_session,
                           RT_COUNT(params), params, err);
    if (rc < 0)
        return rc;
    schema = rt_result_get(rows, 0, 0);
    others = rt_result_get(rows, 0, 2);
    out->exists = rt_result_true(rows, 0, 1);
    if (schema == NULL)
        rc = refuse_no_schema(err);
    else if (!out->exists && others)
        rc = refuse_other_schema(schema, others, err);
    else
        out->table = rt_arena_format(arena, "%s.%s", schema, prisma->table);
    rt_result_free(rows);
    if (rc < 0 || !out->exists)
        return rc;
    return rt_foreign_read(&out->history, arena, conn, prisma, out->table, err);
}

/* ------------------------------------------------------------------ findings */

static int refuse_failed(const struct rt_prisma *prisma, struct rt_plan *plan,
                         struct rt_arena *arena, struct rt_conn *conn, struct rt_err *err)
{
    const char *sql = rt_arena_format(arena, "WITH t AS (SELECT * FROM %s)\n%s",
                                      prisma->table, rt_sql_prisma_failed);
    struct rt_names names = {.limit = NAMES_SHOWN};
    struct rt_result *rows = NULL;
    struct rt_err *what;
    int rc = rt_query(&rows, conn, sql, 0, NULL, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < rt_result_rows(rows); i++)
        rt_names_add(&names,
                     rt_arena_format(arena, "%s, started %s%s%s",
                                     rt_result_get(rows, i, 0), rt_result_get(rows, i, 1),
                                     *rt_result_get(rows, i, 2) ? ": " : "",
                                     rt_result_get(rows, i, 2)));
    rt_result_free(rows);
    if (names.count == 0) /* those are revtwin's own */
        return 0;
    what = rt_plan_add_finding(plan, RT_REFUSAL);
    rt_err_set(what, RT_EREFUSED,
               "%zu migration%s in %s began and did not finish: failed, or under way now",
               names.count, names.count == 1 ? "" : "s", prisma->table);
    rt_names_give(&names, what);
    rt_err_hint(what,
                "Until that is settled neither Prisma nor revtwin applies anything. "
                "See what of it production has; finish it, or undo it; then: prisma "
                "migrate resolve --applied NAME, or --rolled-back NAME.");
    return 0;
}

static void refuse_changed(const struct rt_prisma *prisma, struct rt_plan *plan,
                           const struct rt_migration *m, const char *was, const char *now)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s was changed after Prisma applied it", m->path);
    rt_err_at(err, m->path, 0, 0);
    rt_err_detail(err, "The SHA-256 in %s is %s, that of the file %s.", prisma->table,
                  was, now);
    rt_err_hint(err,
                "Restore the file as it was, and put the change into a new migration.");
}

/* As Prisma warns. What the ledger has, too, is the ledger's to tell. */
static void warn_missing(const struct rt_prisma *prisma, struct rt_plan *plan,
                         struct rt_arena *arena, const bool *found,
                         const struct rt_ledger *ledger, const char *folder)
{
    struct rt_names names = {.limit = NAMES_SHOWN};
    struct rt_err *err;

    for (size_t i = 0; i < prisma->history.count; i++) {
        const char *path =
            rt_arena_format(arena, "%s%s%s/migration.sql", folder, *folder ? "/" : "",
                            prisma->history.rows[i].key);

        if (!found[i] && rt_ledger_find(ledger, path) == NULL)
            rt_names_add(&names, prisma->history.rows[i].label);
    }
    if (names.count == 0)
        return;
    err = rt_plan_add_finding(plan, RT_WARNING);
    rt_err_set(err, RT_DONE, "%zu migration%s in %s %s no folder in the tree",
               names.count, names.count == 1 ? "" : "s", prisma->table,
               names.count == 1 ? "has" : "have");
    rt_names_give(&names, err);
}

/* ------------------------------------------------------------------ matching */

struct keyed {
    const char *key;
    size_t index; /* of the history's rows */
};

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static struct keyed *sort_rows(struct rt_arena *arena, const struct rt_foreign *history)
{
    struct keyed *keyed = rt_arena_alloc(arena, history->count * sizeof(*keyed));

    for (size_t i = 0; i < history->count; i++)
        keyed[i] = (struct keyed){history->rows[i].key, i};
    if (history->count > 0)
        qsort(keyed, history->count, sizeof(*keyed), compare_keys);
    return keyed;
}

/* The first and the last row of a name: it may have been applied twice. */
static const struct keyed *find_key(const struct keyed *keyed, size_t count,
                                    const char *key, const struct keyed **end)
{
    const struct keyed want = {key, 0};
    const struct keyed *at =
        count ? bsearch(&want, keyed, count, sizeof(want), compare_keys) : NULL;

    *end = at;
    if (at == NULL)
        return NULL;
    while (at > keyed && strcmp(at[-1].key, key) == 0)
        at--;
    while (*end < keyed + count && strcmp((*end)->key, key) == 0)
        (*end)++;
    return at;
}

static int compare_file(struct rt_prisma *prisma, struct rt_plan *plan,
                        struct rt_arena *arena, struct rt_repo *repo,
                        const struct rt_migration *m, const struct rt_foreign_row *row,
                        struct rt_err *err)
{
    const struct rt_foreign_tool *tool = prisma->history.tool;
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, repo, &m->oid, err);

    if (rc < 0)
        return rt_err_at(err, m->path, 0, 0);
    if (tool->check_sum(row->key, blob.data, blob.len, row->checksum) == RT_SUM_DIFFERS)
        refuse_changed(prisma, plan, m, row->checksum,
                       rt_prisma_checksum(arena, blob.data, blob.len));
    rt_blob_close(&blob);
    return 0;
}

int rt_prisma_match(struct rt_prisma *prisma, struct rt_plan *plan,
                    struct rt_arena *arena, struct rt_conn *conn, struct rt_repo *repo,
                    const struct rt_set *set, const struct rt_ledger *ledger,
                    const char *folder, struct rt_err *err)
{
    const struct rt_foreign *history = &prisma->history;
    struct keyed *keyed = sort_rows(arena, history);
    bool *found = rt_arena_alloc(arena, history->count * sizeof(*found));
    bool *applied = rt_arena_alloc(arena, set->count * sizeof(*applied));
    bool failed = false;
    int rc = 0;

    prisma->elsewhere = (struct rt_elsewhere){"Prisma", prisma->table, applied};
    prisma->rows = rt_arena_alloc(arena, set->count * sizeof(*prisma->rows));
    for (size_t i = 0; rc == 0 && i < set->count; i++) {
        const struct rt_migration *m = &set->migrations[i];
        const char *key =
            m->down ? NULL : rt_foreign_file_key(arena, RT_NAMING_FOLDER, m->path);
        const struct keyed *at = NULL, *end = NULL;

        if (key)
            at = find_key(keyed, history->count, key, &end);
        for (; at < end; at++) {
            found[at->index] = true;
            prisma->rows[i] = &history->rows[at->index];
        }
        if (prisma->rows[i] == NULL || rt_row_applied(rt_ledger_find(ledger, m->path)))
            continue;
        applied[i] = prisma->rows[i]->state == RT_FOREIGN_APPLIED;
        if (applied[i])
            rc = compare_file(prisma, plan, arena, repo, m, prisma->rows[i], err);
    }
    for (size_t i = 0; i < history->count; i++)
        failed |= history->rows[i].state == RT_FOREIGN_FAILED;
    if (rc == 0 && failed)
        rc = refuse_failed(prisma, plan, arena, conn, err);
    if (rc < 0)
        return rc;
    warn_missing(prisma, plan, arena, found, ledger, folder);
    return 0;
}
