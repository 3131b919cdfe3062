/* Single statements and their rows. */
#include "pg/query.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "pg/pipeline.h"
#include "pg/private.h"

/* Read the replies of what was sent: the last good result, or the first error. */
static int collect(struct rt_result **out, struct rt_conn *conn, struct rt_err *err)
{
    PGresult *last = NULL, *result;
    int rc;

    for (;;) {
        rc = rt_conn_wait(conn, false, err);
        if (rc < 0)
            break;
        result = PQgetResult(conn->pg);
        if (result == NULL)
            break;
        PQclear(last);
        last = result;
        if (PQresultStatus(result) != PGRES_TUPLES_OK &&
            PQresultStatus(result) != PGRES_COMMAND_OK &&
            PQresultStatus(result) != PGRES_EMPTY_QUERY) {
            rc = rt_err_result(err, conn, result);
            break;
        }
    }
    if (rc < 0)
        rt_conn_drain(conn);
    if (rc == 0 && out) {
        *out = rt_alloc(sizeof(**out));
        (*out)->pg = last;
        last = NULL;
    }
    PQclear(last);
    return rc;
}

int rt_query(struct rt_result **out, struct rt_conn *conn, const char *sql, int nparams,
             const char *const *params, struct rt_err *err)
{
    struct rt_read read = {.sql = sql, .nparams = nparams, .params = params};
    int rc;

    if (out)
        *out = NULL;
    if (conn->waiting.count > 0) {
        rc = rt_query_many(&read, 1, conn, err);
        if (out)
            *out = read.rows;
        else
            rt_result_free(read.rows);
        return rc;
    }
    if (!PQsendQueryParams(conn->pg, sql, nparams, NULL, params, NULL, NULL, 0))
        return rt_err_result(err, conn, NULL);
    return collect(out, conn, err);
}

int rt_conn_send(struct rt_conn *conn, const char *sql, struct rt_err *err)
{
    struct rt_str all = {0};
    int rc = rt_later_joins(conn) ? 0 : rt_later_run(conn, err);

    if (rc < 0)
        return rc;
    rt_later_join(&all, conn, sql);
    if (!PQsendQuery(conn->pg, rt_str_text(&all)))
        rc = rt_err_result(err, conn, NULL);
    rt_str_clear(&all);
    return rc;
}

int rt_exec(struct rt_result **out, struct rt_conn *conn, const char *sql,
            struct rt_err *err)
{
    int rc;

    if (out)
        *out = NULL;
    rc = rt_conn_send(conn, sql, err);
    return rc < 0 ? rc : collect(out, conn, err);
}

/* ------------------------------------------------------------------ several at once */

static int send_many(struct rt_conn *conn, const struct rt_read *reads, size_t count,
                     struct rt_err *err)
{
    int rc = rt_pipeline_begin(conn, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = rt_pipeline_send(conn, reads[i].sql, reads[i].nparams, reads[i].params, err);
    return rc == 0 ? rt_pipeline_end(conn, err) : rc;
}

int rt_query_many(struct rt_read *reads, size_t count, struct rt_conn *conn,
                  struct rt_err *err)
{
    struct rt_result *end = NULL;
    int rc;

    for (size_t i = 0; i < count; i++)
        reads[i].rows = NULL;
    rt_err_clear(err);
    rc = send_many(conn, reads, count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = rt_pipeline_next(&reads[i].rows, conn, err);
    if (rc == 0)
        rc = rt_pipeline_next(&end, conn, err);
    rt_pipeline_close(conn);
    for (size_t i = 0; rc < 0 && i < count; i++) {
        rt_result_free(reads[i].rows);
        reads[i].rows = NULL;
    }
    return rc;
}

/* ------------------------------------------------------------------ rows */

size_t rt_result_rows(const struct rt_result *result)
{
    return (size_t)PQntuples(result->pg);
}

const char *rt_result_get(const struct rt_result *result, size_t row, int column)
{
    if (PQgetisnull(result->pg, (int)row, column))
        return NULL;
    return PQgetvalue(result->pg, (int)row, column);
}

bool rt_result_true(const struct rt_result *result, size_t row, int column)
{
    const char *value = rt_result_get(result, row, column);

    return value && value[0] == 't';
}

void rt_result_free(struct rt_result *result)
{
    if (result == NULL)
        return;
    PQclear(result->pg);
    free(result);
}

void rt_quote_ident(struct rt_str *sql, const char *name)
{
    rt_str_add(sql, "\"");
    for (; *name; name++)
        rt_str_addn(sql, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    rt_str_add(sql, "\"");
}

void rt_quote_literal(struct rt_str *sql, const char *text)
{
    /* E'' only where needed: it reads the same under either string setting. */
    rt_str_add(sql, strchr(text, '\\') ? "E'" : "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            rt_str_addn(sql, text, 1);
        rt_str_addn(sql, text, 1);
    }
    rt_str_add(sql, "'");
}
