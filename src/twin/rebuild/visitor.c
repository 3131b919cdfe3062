#include "twin/rebuild/visitor.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queries.h"

/* Columns of twin_sessions.sql. */
enum { LINE, PID, MAY_BE_ENDED, OWN_ROLE };

int rt_visitors_read(struct rt_visitors *out, struct rt_site *site, struct rt_err *err)
{
    const char *params[] = {site->twin, site->next, site->previous};
    int rc;

    *out = (struct rt_visitors){0};
    rc = rt_query(&out->rows, site->conn, rt_sql_twin_sessions, RT_COUNT(params), params,
                  err);
    if (rc == 0)
        out->staying = rt_result_rows(out->rows);
    return rc;
}

void rt_visitors_clear(struct rt_visitors *visitors)
{
    rt_result_free(visitors->rows);
    *visitors = (struct rt_visitors){0};
}

int rt_visitors_end(struct rt_visitors *visitors, struct rt_site *site,
                    struct rt_err *err)
{
    for (size_t i = 0; i < rt_result_rows(visitors->rows); i++) {
        const char *pid = rt_result_get(visitors->rows, i, PID);
        int rc;

        if (!rt_result_true(visitors->rows, i, MAY_BE_ENDED))
            continue;
        rc = rt_query(NULL, site->conn, "SELECT pg_terminate_backend($1::text::integer)",
                      1, &pid, err);
        if (rc < 0)
            return rc;
        rt_log("ended a session: %s", rt_result_get(visitors->rows, i, LINE));
        visitors->staying--;
    }
    return 0;
}

static void add_list(struct rt_str *list, const struct rt_visitors *visitors)
{
    for (size_t i = 0; i < rt_result_rows(visitors->rows); i++)
        rt_str_addf(list, "%s%s", i ? "\n" : "", rt_result_get(visitors->rows, i, LINE));
}

int rt_visitors_refuse(const struct rt_visitors *visitors, struct rt_site *site,
                       const struct rt_swap *how, struct rt_err *err)
{
    size_t count = rt_result_rows(visitors->rows);
    struct rt_str detail = {0};

    if (count > 0)
        add_list(&detail, visitors);
    else if (err->detail)
        rt_str_add(&detail, err->detail);
    rt_err_set(err, RT_EINTERNAL, "database %s is in use, and was still after %d s",
               site->twin, how->wait_seconds);
    if (detail.data)
        rt_err_detail(err, "%s", detail.data);
    rt_str_clear(&detail);
    if (how->force && visitors->staying > 0)
        return rt_err_hint(err,
                           "Close them, or let an administrator run: GRANT "
                           "pg_signal_backend TO %s; a superuser's sessions only a "
                           "superuser may end.",
                           rt_result_get(visitors->rows, 0, OWN_ROLE));
    return rt_err_hint(err, "Close %s, then run revtwin resync%s",
                       count > 0 ? "these sessions" : "what keeps it",
                       how->force ? "." : "; or let it end them: revtwin resync --force");
}
