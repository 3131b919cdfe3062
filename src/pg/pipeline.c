#include "pg/pipeline.h"

#include "base/mem.h"
#include "pg/private.h"

int rt_pipeline_begin(struct rt_conn *conn, struct rt_err *err)
{
    int rc = PQenterPipelineMode(conn->pg) ? 0 : rt_err_result(err, conn, NULL);

    for (size_t i = 0; rc == 0 && i < conn->waiting.count; i++) {
        const struct rt_late *late = &conn->waiting.list[i];

        rc = late->read ? rt_pipeline_send(conn, late->read->sql, late->read->nparams,
                                           late->read->params, err)
                        : rt_pipeline_send(conn, late->sql, 0, NULL, err);
    }
    if (rc < 0)
        rt_later_fail(conn);
    return rc;
}

int rt_pipeline_send(struct rt_conn *conn, const char *sql, int nparams,
                     const char *const *params, struct rt_err *err)
{
    return PQsendQueryParams(conn->pg, sql, nparams, NULL, params, NULL, NULL, 0)
               ? 0
               : rt_err_result(err, conn, NULL);
}

int rt_pipeline_end(struct rt_conn *conn, struct rt_err *err)
{
    return PQpipelineSync(conn->pg) ? 0 : rt_err_result(err, conn, NULL);
}

static int next(struct rt_result **out, struct rt_conn *conn, struct rt_err *err)
{
    *out = NULL;
    for (;;) {
        int rc = rt_conn_wait(conn, false, err);
        PGresult *result = rc == 0 ? PQgetResult(conn->pg) : NULL;
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_COMMAND_OK;

        if (rc < 0)
            return rc;
        if (result == NULL) { /* the end of one statement's results */
            if (rt_conn_lost(conn))
                return rt_err_result(err, conn, NULL);
            continue;
        }
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            *out = rt_alloc(sizeof(**out));
            (*out)->pg = result;
            return 0;
        }
        if (status == PGRES_PIPELINE_SYNC)
            PQexitPipelineMode(conn->pg);
        else
            rc = rt_err_result(err, conn, result);
        PQclear(result);
        return rc;
    }
}

/* What had waited for the pipeline is answered before it. */
int rt_pipeline_next(struct rt_result **out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_waiting *waiting = &conn->waiting;
    int rc = 0;

    while (rc == 0 && waiting->answered < waiting->count) {
        struct rt_read *read = waiting->list[waiting->answered++].read;
        struct rt_result *rows;

        rc = next(&rows, conn, err);
        if (read)
            read->rows = rows;
        else
            rt_result_free(rows);
    }
    *out = NULL;
    if (rc < 0)
        return rc;
    rt_later_forget(conn);
    return next(out, conn, err);
}

void rt_pipeline_close(struct rt_conn *conn)
{
    struct rt_err ignored = {0};

    if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF)
        rt_later_fail(conn);
    /* Up to the end of the pipeline, so that the connection stays of use. */
    while (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF && !rt_conn_lost(conn)) {
        PGresult *result;

        if (rt_conn_wait(conn, true, &ignored) < 0)
            continue;
        result = PQgetResult(conn->pg);
        if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC)
            PQexitPipelineMode(conn->pg);
        PQclear(result);
    }
    rt_err_clear(&ignored);
    conn->cancelled_at = 0;
}
