#include "twin/snapshot.h"
#include "pg/query.h"

int rt_session_without_timeouts(struct rt_conn *conn, struct rt_err *err)
{
    const char *params[] = {rt_conn_in_transaction(conn) ? "true" : "false"};

    /* Which of them exist depends on the server's version. */
    return rt_query(NULL, conn,
                    "SELECT set_config(name, '0', $1) FROM pg_catalog.pg_settings "
                    "WHERE name IN ('statement_timeout', 'lock_timeout',"
                    "               'idle_session_timeout', 'transaction_timeout',"
                    "               'idle_in_transaction_session_timeout')",
                    1, params, err);
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

int rt_snapshot_open(struct rt_snapshot *out, struct rt_arena *arena,
                     struct rt_conn *prod, struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc;

    *out = (struct rt_snapshot){0};
    rc = read_lsn(out, arena, prod, err);
    if (rc == 0)
        rc = rt_exec(NULL, prod, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (rc == 0)
        rc = rt_session_without_timeouts(prod, err);
    if (rc == 0) {
        out->conn = prod;
        rc = rt_query(&found, prod,
                      "SELECT pg_export_snapshot(),"
                      "       to_char(now() AT TIME ZONE 'UTC',"
                      "               'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
                      "       pg_database_size(current_database())",
                      0, NULL, err);
    }
    if (rc == 0) {
        out->id = rt_arena_strdup(arena, rt_result_get(found, 0, 0));
        out->taken_at = rt_arena_strdup(arena, rt_result_get(found, 0, 1));
        out->size = strtoull(rt_result_get(found, 0, 2), NULL, 10);
    }
    rt_result_free(found);
    return rc < 0 ? rt_err_wrap(err, "cannot take a snapshot of production") : 0;
}

void rt_snapshot_close(struct rt_snapshot *snapshot)
{
    struct rt_err ignored = {0}; /* the transaction has only read */

    if (snapshot->conn && rt_exec(NULL, snapshot->conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    snapshot->conn = NULL;
}
