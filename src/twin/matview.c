#include "twin/matview.h"

#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

int rt_matviews_refresh(unsigned long *refreshed, struct rt_conn *prod,
                        struct rt_conn *twin, const char *changed, struct rt_err *err)
{
    struct rt_result *empty = NULL, *statements = NULL;
    struct rt_str sql = {0};
    int rc = rt_query(&empty, prod, rt_sql_matviews_empty, 0, NULL, err);

    *refreshed = 0;
    if (rc == 0) {
        const char *params[] = {changed, rt_result_get(empty, 0, 0)};

        rc = rt_query(&statements, twin, rt_sql_matviews_refresh, RT_COUNT(params),
                      params, err);
    }
    if (rc == 0)
        *refreshed = rt_result_rows(statements);
    for (size_t i = 0; i < *refreshed; i++)
        rt_str_addf(&sql, "%s;", rt_result_get(statements, i, 0));
    if (*refreshed > 0)
        rc = rt_exec(NULL, twin, sql.data, err);
    rt_str_clear(&sql);
    rt_result_free(statements);
    rt_result_free(empty);
    return rc;
}
