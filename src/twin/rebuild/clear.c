#include "twin/rebuild/clear.h"

#include "base/log.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/guard.h"
#include "twin/hold.h"
#include "twin/holder.h"

enum {
    ATTEMPTS = 5,
    TO_END = 5 /* seconds that an ended session may take */
};

int rt_clear_explain(const struct rt_clear *job, struct rt_err *err)
{
    struct rt_err ignored = {0};
    struct rt_holders holders;

    /* One of production leaves the transaction whole. */
    if (!rt_err_is(err, RT_HOLDER_TIMEOUT) || rt_conn_in_transaction(job->twin))
        return -(int)err->status;
    if (rt_holders_read(&holders, job->twin, &ignored) == 0)
        rt_holders_refuse(&holders, job->wait_seconds, job->force, err);
    rt_holders_clear(&holders);
    rt_err_clear(&ignored);
    return -(int)err->status;
}

/* ------------------------------------------------------------------ locking */

/* Readers, too, are in the way of a DROP. */
static int end_holders(struct rt_conn *twin, struct rt_err *err)
{
    struct rt_holders holders;
    int rc = rt_holders_list(&holders, twin, RT_HOLD_READ, err);

    if (rc == 0)
        rc = rt_holders_end(&holders, twin, err);
    rt_holders_clear(&holders);
    return rc;
}

static int lock_tables(const struct rt_clear *job, struct rt_err *err)
{
    struct rt_result *tables;
    struct rt_str sql = {0};
    int rc = rt_query(&tables, job->twin, rt_sql_clear_locks, 0, NULL, err);

    if (rc == 0 && rt_result_get(tables, 0, 0)) {
        if (job->force)
            rc = end_holders(job->twin, err);
        rt_str_addf(&sql, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE",
                    rt_result_get(tables, 0, 0));
        if (rc == 0)
            rc = rt_exec(NULL, job->twin, sql.data, err);
    }
    rt_str_clear(&sql);
    rt_result_free(tables);
    return rc;
}

/* ------------------------------------------------------------------ dropping */

/* Columns of clear_drops.sql. */
enum { STATEMENT, NOT_OURS };

static int refuse(const struct rt_result *drops, struct rt_err *err)
{
    struct rt_str list = {0};
    size_t rows = rt_result_rows(drops);

    for (size_t i = 0; i < rows; i++) {
        if (rt_result_get(drops, i, STATEMENT) && rt_result_get(drops, i, NOT_OURS))
            rt_str_addf(&list, "%s%s", list.len ? "\n" : "",
                        rt_result_get(drops, i, NOT_OURS));
    }
    if (list.len == 0)
        return 0;
    rt_err_set(err, RT_EREFUSED, "not everything on the twin is this role's to drop");
    rt_err_detail(err, "%s", list.data);
    rt_str_clear(&list);
    return rt_err_hint(err, "Let their owners drop these, or an administrator GRANT "
                            "those roles to this one.");
}

static int run(const struct rt_result *drops, struct rt_conn *twin, struct rt_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rt_result_rows(drops); i++) {
        const char *statement = rt_result_get(drops, i, STATEMENT);

        if (statement)
            rc = rt_exec(NULL, twin, statement, err);
        else
            rt_log("warning: stays on the twin, as this role may not drop it: %s",
                   rt_result_get(drops, i, NOT_OURS));
    }
    return rc < 0 ? rt_err_wrap(err, "cannot clear the twin") : 0;
}

static int drop(const struct rt_clear *job, struct rt_err *err)
{
    struct rt_result *extensions, *drops = NULL;
    const char *params[3];
    int rc = rt_query(&extensions, job->prod,
                      "SELECT array_agg(extname ORDER BY e.oid),"
                      "       array_agg(nspname ORDER BY e.oid),"
                      "       array_agg(extversion ORDER BY e.oid) "
                      "FROM pg_catalog.pg_extension e "
                      "JOIN pg_catalog.pg_namespace n ON n.oid = extnamespace",
                      0, NULL, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < 3; i++)
        params[i] = rt_result_get(extensions, 0, i);
    rc = rt_query(&drops, job->twin, rt_sql_clear_drops, 3, params, err);
    if (rc == 0)
        rc = refuse(drops, err);
    if (rc == 0)
        rc = run(drops, job->twin, err);
    rt_result_free(drops);
    rt_result_free(extensions);
    return rc;
}

/* ------------------------------------------------------------------ the whole */

/* Something was dropped or renamed between reading its name and locking it, or a session
 * that held one lock had to wait for another of ours. */
static bool is_passing(const struct rt_err *err)
{
    return rt_err_is(err, "42P01") || rt_err_is(err, "3F000") || rt_err_is(err, "40P01");
}

static int attempt(const struct rt_clear *job, struct rt_err *err)
{
    bool longer = job->force && job->wait_seconds < TO_END;
    int rc = rt_hold_begin(job->twin, longer ? TO_END : job->wait_seconds, err);

    if (rc == 0)
        rc = lock_tables(job, err);
    if (rc == 0 && job->must_be_empty)
        rc = rt_guard_adopted(job->twin, false, err);
    return rc < 0 ? rc : drop(job, err);
}

int rt_clear(const struct rt_clear *job, struct rt_err *err)
{
    int rc = attempt(job, err);

    for (int i = 1; rc < 0 && is_passing(err) && i < ATTEMPTS; i++) {
        rt_err_clear(err);
        rc = rt_exec(NULL, job->twin, "ROLLBACK", err);
        if (rc == 0)
            rc = attempt(job, err);
    }
    return rc < 0 ? rt_clear_explain(job, err) : 0;
}
