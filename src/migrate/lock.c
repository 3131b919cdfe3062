#include "migrate/lock.h"

#include "base/clock.h"
#include "base/log.h"
#include "queries.h"

enum { POLL_MS = 500 };

static int explain(const struct rt_lock *lock, struct rt_conn *conn, int waited,
                   struct rt_err *err)
{
    struct rt_result *holder = NULL;
    int rc = rt_query(&holder, conn, rt_sql_lock_holder, 1, &lock->key, err);

    if (rc < 0)
        return rc;
    rt_err_set(err, RT_ELOCKED, "%s holds %s's lock (waited %d s)", lock->holder,
               rt_conn_server(conn)->role, waited);
    if (rt_result_rows(holder) > 0)
        rt_err_detail(err,
                      "Held by pid %s, user %s, application %s, from %s, connected "
                      "since %s.",
                      rt_result_get(holder, 0, 0), rt_result_get(holder, 0, 1),
                      rt_result_get(holder, 0, 2), rt_result_get(holder, 0, 3),
                      rt_result_get(holder, 0, 4));
    rt_err_hint(
        err,
        "Nothing was changed. Run the command again when the other run is done. If "
        "that run is gone, and only the server does not know it yet: SELECT "
        "pg_terminate_backend(%s).",
        rt_result_rows(holder) > 0 ? rt_result_get(holder, 0, 0) : "PID");
    rt_result_free(holder);
    return -RT_ELOCKED;
}

int rt_lock_query(struct rt_result **out, struct rt_conn *conn,
                  const struct rt_lock *lock, int wait, const char *sql, int nparams,
                  const char *const *params, struct rt_err *err)
{
    int64_t start = rt_clock_us();
    bool told = false;

    for (;;) {
        int rc = rt_query(out, conn, sql, nparams, params, err);

        if (rc < 0 || wait < 0 || rt_result_true(*out, 0, lock->column))
            return rc;
        rt_result_free(*out);
        *out = NULL;
        if (rt_clock_us() - start >= (int64_t)wait * 1000000)
            return explain(lock, conn, wait, err);
        if (!told)
            rt_log("waiting for %s, which is at work on %s", lock->holder,
                   rt_conn_server(conn)->role);
        told = true;
        rc = rt_clock_pause(POLL_MS, err);
        if (rc < 0)
            return rc;
    }
}
