#include "twin/delta/volley.h"

#include "base/mem.h"
#include "pg/later.h"

void rt_volley_add(struct rt_volley *volley, struct rt_str *sql)
{
    volley->reads =
        rt_grow(volley->reads, volley->count, &volley->cap, sizeof(*volley->reads));
    volley->reads[volley->count++] = (struct rt_read){.sql = rt_str_take(sql)};
}

int rt_volley_run(struct rt_volley *volley, struct rt_conn *conn, struct rt_err *err)
{
    int rc;

    if (volley->count == 0)
        return 0;
    rt_later(conn, "SET LOCAL random_page_cost = 0.1");
    rc = rt_query_many(volley->reads, volley->count, conn, err);
    if (rc == 0)
        rt_later(conn, "SET LOCAL random_page_cost TO DEFAULT");
    return rc;
}

void rt_volley_clear(struct rt_volley *volley)
{
    for (size_t i = 0; i < volley->count; i++) {
        rt_result_free(volley->reads[i].rows);
        free((char *)volley->reads[i].sql);
    }
    free(volley->reads);
    *volley = (struct rt_volley){0};
}
