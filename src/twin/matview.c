#include "twin/matview.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "queries.h"

int rt_matviews_compare(const char **differing, struct rt_arena *arena,
                        struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    static const char differ[] =
        "SELECT string_agg(name, ', ' ORDER BY name) FROM ("
        "SELECT name FROM unnest($1::text::text[], $2::text::text[]) AS t (a, b),"
        " LATERAL (VALUES (a), (b)) AS v (name)"
        " WHERE name IS NOT NULL AND name::regclass NOT IN (SELECT oid FROM far)"
        " GROUP BY name HAVING count(*) = 1) _";
    char *sql = rt_format("%s%s", rt_sql_tables_far, differ);
    struct rt_result *here = NULL, *there = NULL, *names = NULL;
    int rc = rt_query(&here, prod, rt_sql_matviews_empty, 0, NULL, err);

    *differing = NULL;
    if (rc == 0)
        rc = rt_query(&there, twin, rt_sql_matviews_empty, 0, NULL, err);
    if (rc == 0) {
        const char *params[] = {rt_result_get(here, 0, 0), rt_result_get(there, 0, 0)};

        rc = rt_query(&names, twin, sql, RT_COUNT(params), params, err);
    }
    if (rc == 0 && rt_result_get(names, 0, 0))
        *differing = rt_arena_strdup(arena, rt_result_get(names, 0, 0));
    free(sql);
    rt_result_free(here);
    rt_result_free(there);
    rt_result_free(names);
    return rc;
}

void rt_matviews_ask(struct rt_read *empty, struct rt_conn *prod)
{
    *empty = (struct rt_read){.sql = rt_sql_matviews_empty};
    rt_later_read(prod, empty);
}

int rt_matviews_refresh(unsigned long *refreshed, const struct rt_read *empty,
                        struct rt_conn *twin, const char *changed, struct rt_err *err)
{
    const char *params[] = {changed, rt_result_get(empty->rows, 0, 0)};
    struct rt_result *statements = NULL;
    char *ask = rt_format("%s%s", rt_sql_tables_far, rt_sql_matviews_refresh);
    struct rt_str sql = {0};
    int rc = rt_query(&statements, twin, ask, RT_COUNT(params), params, err);

    free(ask);
    *refreshed = 0;
    if (rc == 0)
        *refreshed = rt_result_rows(statements);
    for (size_t i = 0; i < *refreshed; i++)
        rt_str_addf(&sql, "%s;", rt_result_get(statements, i, 0));
    if (*refreshed > 0)
        rc = rt_exec(NULL, twin, sql.data, err);
    rt_str_clear(&sql);
    rt_result_free(statements);
    return rc;
}
