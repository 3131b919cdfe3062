/* What only the ledger has, for Prisma's table. */
#include "base/names.h"
#include "base/uuid.h"
#include "migrate/prisma.h"
#include "pg/query.h"
#include "queries.h"

enum { NAMES_SHOWN = 20 };

int rt_prisma_checksum_of(const char **out, struct rt_arena *arena, struct rt_repo *repo,
                          const struct rt_migration *m, struct rt_err *err)
{
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, repo, &m->oid, err);

    if (rc < 0)
        return rt_err_at(err, m->path, 0, 0);
    *out = rt_prisma_checksum(arena, blob.data, blob.len);
    rt_blob_close(&blob);
    return 0;
}

/* ------------------------------------------------------------------ finding */

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

int rt_prisma_find_lacks(struct rt_prisma *prisma, struct rt_plan *plan,
                         struct rt_arena *arena, struct rt_repo *repo,
                         const struct rt_set *set, struct rt_err *err)
{
    struct rt_names names = {.limit = NAMES_SHOWN};
    int rc = 0;

    prisma->lacks = rt_arena_alloc(arena, set->count * sizeof(*prisma->lacks));
    for (size_t i = 0; rc == 0 && plan->known && i < set->count; i++) {
        const struct rt_migration *m = &set->migrations[i];
        const struct rt_foreign_row *row = prisma->rows[i];
        struct rt_prisma_lack *lack = &prisma->lacks[prisma->lack_count];

        if (!plan->known[i] || (row && row->state == RT_FOREIGN_APPLIED))
            continue;
        lack->name = rt_foreign_file_key(arena, RT_NAMING_FOLDER, m->path);
        rc = rt_prisma_checksum_of(&lack->checksum, arena, repo, m, err);
        rt_names_add(&names, m->path);
        prisma->lack_count += rc == 0;
    }
    note_lacks(prisma, plan, &names);
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
                   struct rt_err *err)
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
                prisma->lock_timeout, rt_prisma_lock.key);
    if (!prisma->exists)
        rt_str_addf(&sql, "CREATE TABLE %s %s;\n", prisma->table, rt_sql_prisma_create);
    rt_str_addf(&sql,
                "WITH t AS (SELECT * FROM %s), lacks (id, checksum, name) AS (VALUES\n",
                prisma->table);
    add_rows(&sql, prisma);
    rt_str_addf(
        &sql,
        "), begun AS (UPDATE %s SET finished_at = transaction_timestamp(), logs = "
        "'', checksum = lacks.checksum FROM lacks WHERE migration_name = name AND "
        "finished_at IS NULL AND "
        "rolled_back_at IS NULL AND logs LIKE 'revtwin: %%')\nINSERT INTO %s "
        "%s;\nCOMMIT",
        prisma->table, prisma->table, rt_sql_prisma_fill);
    rc = rt_exec(NULL, conn, rt_str_text(&sql), err);
    rt_str_clear(&sql);
    if (rc == 0)
        return 0;
    if (!rt_conn_lost(conn) && rt_exec(NULL, conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    return err->status == RT_EINT || err->status == RT_ETERM ? -(int)err->status
                                                             : explain_fill(prisma, err);
}
