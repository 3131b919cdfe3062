#include "twin/holder.h"

#include "base/log.h"
#include "base/str.h"
#include "pg/later.h"
#include "queries.h"

/* Columns of table_holders.sql. */
enum { LINE, PID, MAY_BE_ENDED, OWN_ROLE };

enum { LISTED = 20 };

int rt_holders_list(struct rt_holders *out, struct rt_conn *conn, enum rt_holding least,
                    struct rt_err *err)
{
    static const char *const names[] = {"read", "write", "exclude"};
    int rc;

    *out = (struct rt_holders){0};
    rc = rt_query(&out->rows, conn, rt_sql_table_holders, 1, &names[least], err);
    if (rc == 0)
        out->staying = rt_result_rows(out->rows);
    return rc;
}

int rt_holders_read(struct rt_holders *out, struct rt_conn *twin, struct rt_err *err)
{
    int rc;

    *out = (struct rt_holders){0};
    rc = rt_exec(NULL, twin, "ROLLBACK", err);
    if (rc == 0) {
        rt_later_begin(twin, "BEGIN READ ONLY");
        rt_later_own_names(twin);
    }
    /* Who writes is in the way of the first lock, and later, who reads. */
    if (rc == 0)
        rc = rt_holders_list(out, twin, RT_HOLD_WRITE, err);
    if (rc == 0 && out->staying == 0) {
        rt_holders_clear(out);
        rc = rt_holders_list(out, twin, RT_HOLD_READ, err);
    }
    return rc;
}

void rt_holders_clear(struct rt_holders *holders)
{
    rt_result_free(holders->rows);
    *holders = (struct rt_holders){0};
}

int rt_holders_end(struct rt_holders *holders, struct rt_conn *twin, struct rt_err *err)
{
    for (size_t i = 0; holders->rows && i < rt_result_rows(holders->rows); i++) {
        const char *pid = rt_result_get(holders->rows, i, PID);
        int rc;

        if (!rt_result_true(holders->rows, i, MAY_BE_ENDED))
            continue;
        rc = rt_query(NULL, twin, "SELECT pg_terminate_backend($1::text::integer)", 1,
                      &pid, err);
        if (rc < 0)
            return rc;
        rt_log("ended a session: %s", rt_result_get(holders->rows, i, LINE));
        holders->staying--;
    }
    return 0;
}

bool rt_holders_tell(const struct rt_holders *holders, struct rt_err *err)
{
    size_t count = holders->rows ? rt_result_rows(holders->rows) : 0;
    struct rt_str list = {0};

    for (size_t i = 0; i < count && i < LISTED; i++)
        rt_str_addf(&list, "%s%s", i ? "\n" : "", rt_result_get(holders->rows, i, LINE));
    rt_err_detail(err, "%s",
                  count > 0 ? list.data : "Whoever held them has let go since then.");
    rt_str_clear(&list);
    return count > 0;
}

int rt_holders_refuse(const struct rt_holders *holders, int wait_seconds, bool forced,
                      struct rt_err *err)
{
    rt_err_set(err, RT_EINTERNAL,
               "tables of the twin are in use, and were still after %d s", wait_seconds);
    if (!rt_holders_tell(holders, err))
        return rt_err_hint(err, "Run revtwin resync again.");
    if (forced)
        return rt_err_hint(err,
                           "End them, or let an administrator run: GRANT "
                           "pg_signal_backend TO %s; a superuser's sessions only a "
                           "superuser may end.",
                           rt_result_get(holders->rows, 0, OWN_ROLE));
    return rt_err_hint(err,
                       "End these transactions, then run the same command again; or let "
                       "it end the sessions: add --force");
}
