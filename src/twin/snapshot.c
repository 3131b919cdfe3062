#include "twin/snapshot.h"

#include "base/str.h"
#include "pg/query.h"
#include "twin/projection.h"

enum { ATTEMPTS = 10 };

int rt_session_without_timeouts(struct rt_conn *conn, struct rt_err *err)
{
    static const struct {
        const char *name;
        int since;
    } timeouts[] = {{"statement_timeout", 0},
                    {"lock_timeout", 0},
                    {"idle_in_transaction_session_timeout", 0},
                    {"idle_session_timeout", 140000},
                    {"transaction_timeout", 170000}};
    const char *set = rt_conn_in_transaction(conn) ? "SET LOCAL" : "SET";
    struct rt_str sql = {0};
    int rc;

    for (size_t i = 0; i < RT_COUNT(timeouts); i++) {
        if (rt_conn_version(conn) >= timeouts[i].since)
            rt_str_addf(&sql, "%s %s = 0;", set, timeouts[i].name);
    }
    rc = rt_exec(NULL, conn, rt_str_text(&sql), err);
    rt_str_clear(&sql);
    return rc;
}

/* Before the snapshot and outside of its transaction: some services refuse the call. */
static int read_lsn(struct rt_snapshot *out, struct rt_arena *arena, struct rt_conn *prod,
                    struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc =
        rt_query(&found, prod,
                 "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                 "ELSE pg_current_wal_lsn() END",
                 0, NULL, err);

    if (rc == 0 && rt_result_get(found, 0, 0))
        out->lsn = rt_arena_strdup(arena, rt_result_get(found, 0, 0));
    rt_result_free(found);
    if (rc < 0 && err->sqlstate[0] != '\0') {
        rt_err_clear(err);
        rc = 0;
    }
    return rc;
}

/* LOCK TABLE takes no snapshot, nor does what was sent in the transaction before. */
static int lock_tables(const struct rt_tables *tables, struct rt_conn *prod,
                       struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    if (tables->count == 0)
        return 0;
    for (size_t i = 0; i < tables->count; i++) {
        rt_str_add(&sql, i ? ", " : "LOCK TABLE ");
        rt_project_source(&sql, &tables->table[i], "");
    }
    rt_str_add(&sql, " IN ACCESS SHARE MODE");
    rc = rt_exec(NULL, prod, sql.data, err);
    rt_str_clear(&sql);
    return rc;
}

static int export_snapshot(struct rt_snapshot *out, struct rt_arena *arena,
                           struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, out->conn,
                      "SELECT pg_export_snapshot(),"
                      "       to_char(now() AT TIME ZONE 'UTC',"
                      "               'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
                      "       pg_database_size(current_database())",
                      0, NULL, err);

    if (rc == 0) {
        out->id = rt_arena_strdup(arena, rt_result_get(found, 0, 0));
        out->taken_at = rt_arena_strdup(arena, rt_result_get(found, 0, 1));
        out->size = strtoull(rt_result_get(found, 0, 2), NULL, 10);
    }
    rt_result_free(found);
    return rc;
}

/* Whether the locks are on all tables that the snapshot sees. */
static bool same_tables(const struct rt_tables *locked, const struct rt_tables *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        const struct rt_table *table = &seen->table[i];
        const struct rt_table *lock = rt_tables_find(locked, table->schema, table->name);

        if (lock == NULL || strcmp(lock->oid, table->oid) != 0)
            return false;
    }
    return true;
}

/* A table was dropped or renamed before it was locked, or somebody who locks several of
 * them had to wait for us. */
static bool is_passing(const struct rt_err *err)
{
    return rt_err_is(err, "42P01") || rt_err_is(err, "3F000") ||
           rt_err_is(err, "40P01") || rt_err_is(err, "XX000");
}

/* Once: *done tells whether it was good, else nothing stays open. */
static int attempt(struct rt_snapshot *out, bool *done, struct rt_arena *arena,
                   struct rt_conn *prod, struct rt_err *err)
{
    struct rt_tables locked;
    int rc = rt_tables_read(&locked, arena, prod, err);

    *done = false;
    if (rc == 0)
        rc = rt_exec(NULL, prod, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (rc < 0)
        return rc;
    out->conn = prod;
    rc = rt_session_without_timeouts(prod, err);
    if (rc == 0)
        rc = rt_projection_pin(prod, err);
    if (rc == 0)
        rc = lock_tables(&locked, prod, err);
    if (rc < 0 && is_passing(err)) {
        rt_err_clear(err);
        rt_snapshot_close(out);
        return 0;
    }
    if (rc == 0)
        rc = export_snapshot(out, arena, err);
    if (rc == 0)
        rc = rt_tables_read(&out->tables, arena, prod, err);
    if (rc == 0 && same_tables(&locked, &out->tables))
        *done = true;
    else
        rt_snapshot_close(out);
    return rc;
}

int rt_snapshot_open(struct rt_snapshot *out, struct rt_arena *arena,
                     struct rt_conn *prod, struct rt_err *err)
{
    bool done = false;
    int rc;

    *out = (struct rt_snapshot){0};
    rc = read_lsn(out, arena, prod, err);
    for (int i = 0; rc == 0 && !done && i < ATTEMPTS; i++)
        rc = attempt(out, &done, arena, prod, err);
    if (rc == 0 && !done) {
        rt_err_set(err, RT_EINTERNAL, "tables came and went each of %d times", ATTEMPTS);
        rt_err_hint(err, "Try again when production's schema is at rest.");
    }
    return err->status == RT_DONE ? 0
                                  : rt_err_wrap(err, "cannot take a snapshot of %s",
                                                rt_conn_server(prod)->role);
}

void rt_snapshot_close(struct rt_snapshot *snapshot)
{
    struct rt_err ignored = {0}; /* the transaction has only read */

    if (snapshot->conn && rt_exec(NULL, snapshot->conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    snapshot->conn = NULL;
}
