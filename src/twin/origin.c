#include "twin/origin.h"

#include "base/str.h"
#include "pg/later.h"

#define SAVEPOINT "revtwin_origin"

/* pg_control_checkpoint() lags behind a promotion until the next checkpoint; the names of
 * WAL files do not, and there are none during recovery. When one of its processes crashes
 * the server recovers from its log without being started anew, and may then give out
 * numbers of transactions again that were not yet logged; statistics are reset. */
static const struct {
    size_t offset;
    const char *sql;
} facts[] = {
    {offsetof(struct rt_origin, snapshot), "pg_current_snapshot()"},
    {offsetof(struct rt_origin, database),
     "(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"},
    {offsetof(struct rt_origin, started),
     "to_char((SELECT greatest(pg_postmaster_start_time(), stats_reset)"
     "         FROM pg_catalog.pg_stat_bgwriter) AT TIME ZONE 'UTC',"
     "        'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"},
    {offsetof(struct rt_origin, lsn),
     "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
     "     ELSE pg_current_wal_insert_lsn() END"},
    {offsetof(struct rt_origin, timeline),
     "CASE WHEN pg_is_in_recovery()"
     "     THEN (SELECT lpad(upper(to_hex(timeline_id)), 8, '0')"
     "           FROM pg_control_checkpoint())"
     "     ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END"},
    {offsetof(struct rt_origin, system),
     "(SELECT system_identifier FROM pg_control_system())"},
};

/* Ask for some of them. What the server refuses leaves them NULL, and *refused set. */
static int ask(struct rt_origin *out, bool *refused, size_t first, size_t count,
               struct rt_arena *arena, struct rt_conn *conn, struct rt_err *err)
{
    bool within = rt_conn_in_transaction(conn);
    struct rt_str sql = {0};
    struct rt_result *found = NULL;
    int rc;

    if (within)
        rt_later(conn, "SAVEPOINT " SAVEPOINT);
    rt_str_add(&sql, "SELECT ");
    for (size_t i = first; i < first + count; i++)
        rt_str_addf(&sql, "%s%s", i > first ? ", " : "", facts[i].sql);
    rc = rt_query(&found, conn, sql.data, 0, NULL, err);
    rt_str_clear(&sql);
    *refused = rc < 0 && err->sqlstate[0] != '\0' && rc == -RT_EINTERNAL;
    if (*refused) {
        rt_err_clear(err);
        rc = within ? rt_exec(NULL, conn, "ROLLBACK TO SAVEPOINT " SAVEPOINT, err) : 0;
    }
    if (rc == 0 && within)
        rt_later(conn, "RELEASE SAVEPOINT " SAVEPOINT);
    for (size_t i = first; rc == 0 && found && i < first + count; i++) {
        const char *value = rt_result_get(found, 0, (int)(i - first));

        if (value)
            *(const char **)((char *)out + facts[i].offset) =
                rt_arena_strdup(arena, value);
    }
    rt_result_free(found);
    return rc;
}

int rt_origin_read(struct rt_origin *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err)
{
    bool refused;
    int rc;

    *out = (struct rt_origin){0};
    rc = ask(out, &refused, 0, RT_COUNT(facts), arena, conn, err);
    if (rc < 0 || !refused)
        return rc;
    for (size_t i = 0; rc == 0 && i < RT_COUNT(facts); i++)
        rc = ask(out, &refused, i, 1, arena, conn, err);
    return rc;
}
