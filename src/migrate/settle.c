#include "migrate/settle.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "pg/query.h"
#include "queries.h"

enum { POLL_MS = 200, POOLER_MS = 1000, CONNECT_MS = 1000 };

/* The row that the server has if the unit was committed; NULL: none was sent. */
static const char *hash_of_unit(const struct rt_run *run, size_t unit)
{
    const struct rt_unit *u = &run->sequence.units[unit];

    return run->rows[u->first + u->count - 1].column[RT_COL_ENTRY_HASH];
}

static bool has_row(const struct rt_result *rows, const char *hash)
{
    for (size_t i = 0; hash && i < rt_result_rows(rows); i++) {
        if (strcmp(rt_result_get(rows, i, 0), hash) == 0)
            return true;
    }
    return false;
}

static int count_rows(struct rt_run *run, struct rt_err *err)
{
    const struct rt_ledger *ledger = run->ledger;
    const char *params[] = {
        ledger->count ? ledger->rows[ledger->count - 1].column[RT_COL_SEQ] : "0"};
    struct rt_result *rows = NULL;
    size_t unit = run->replied.unit;
    int rc =
        rt_query(&rows, run->conn, rt_sql_settle_rows, RT_COUNT(params), params, err);

    /* Undefined table: the ledger was to come with its first rows, and did not. */
    if (rc < 0 && strcmp(err->sqlstate, "42P01") == 0)
        return 0;
    if (rc < 0)
        return rc;
    while (unit < run->sequence.count && has_row(rows, hash_of_unit(run, unit)))
        rt_run_unit_done(run, unit++);
    run->replied = (struct rt_cursor){.unit = unit};
    rt_result_free(rows);
    return 0;
}

/* 1 when the lost session is gone, 0 when not yet; *standby: who answers cannot tell. */
static int is_gone(struct rt_run *run, const char *pid, bool *standby, struct rt_err *err)
{
    const char *params[] = {
        pid, rt_arena_format(run->arena, "%lld", (long long)run->ledger->server_clock)};
    struct rt_result *rows;
    int rc =
        rt_query(&rows, run->conn, rt_sql_settle_lock, RT_COUNT(params), params, err);

    if (rc < 0)
        return rc;
    *standby = rt_result_get(rows, 0, 0) == NULL;
    rc = rt_result_true(rows, 0, 0);
    rt_result_free(rows);
    if (rc == 0)
        rt_err_set(err, RT_EUNKNOWN, "%s",
                   *standby ? "the server that answers is in recovery"
                            : "the lost session is still at work");
    return rc;
}

static int try_once(struct rt_run *run, const char *pid, int64_t end, bool *standby,
                    struct rt_err *err)
{
    int64_t left = end - rt_clock_ms();
    int rc = 0;

    /* Of several hosts another one may be the primary by now. */
    if (rt_conn_lost(run->conn) || *standby)
        rc = rt_conn_reopen(run->conn, left > CONNECT_MS ? (unsigned)left : CONNECT_MS,
                            err);
    if (rc == 0)
        rc = is_gone(run, pid, standby, err);
    /* Behind a pooler the process is not known, only that nobody is in a migration: what
     * was still on its way has arrived a moment later. */
    if (rc == 1 && pid == NULL)
        poll(NULL, 0, POOLER_MS);
    return rc == 1 ? count_rows(run, err) : rc == 0 ? -(int)err->status : rc;
}

int rt_settle(struct rt_run *run, unsigned ms, bool hasty, struct rt_err *err)
{
    int64_t end = rt_clock_ms() + ms;
    const char *pid = run->ledger->pooled
                          ? NULL
                          : rt_arena_format(run->arena, "%d", rt_conn_pid(run->conn));
    bool standby = false;
    int rc;

    rt_log("the connection to %s was lost; asking it what was committed",
           rt_conn_server(run->conn)->role);
    if (hasty)
        rt_conn_shield(run->conn);
    for (;;) {
        rc = try_once(run, pid, end, &standby, err);
        if (rc == 0) {
            rt_err_clear(err);
            return 0;
        }
        if (rc == -RT_EINT || rc == -RT_ETERM || rt_clock_ms() >= end)
            return rc;
        poll(NULL, 0, POLL_MS);
    }
}
