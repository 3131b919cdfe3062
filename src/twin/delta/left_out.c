#include "twin/delta/left_out.h"

#include "base/str.h"
#include "pg/query.h"

int rt_left_out_empty(const struct rt_tables *twin, struct rt_conn *writer,
                      struct rt_err *err)
{
    struct rt_str full = {0}, list = {0};
    struct rt_result *found = NULL;
    int rc = 0;

    for (size_t i = 0; i < twin->count; i++) {
        if (twin->table[i].unlogged)
            rt_str_addf(&full, "%sEXISTS (SELECT FROM ONLY %s)",
                        full.len ? ", " : "SELECT ", twin->table[i].ident);
    }
    if (full.len > 0)
        rc = rt_query(&found, writer, full.data, 0, NULL, err);
    for (size_t i = 0, k = 0; rc == 0 && found && i < twin->count; i++) {
        if (twin->table[i].unlogged && rt_result_true(found, 0, (int)k++))
            rt_str_addf(&list, "%s ONLY %s", list.len ? "," : "TRUNCATE",
                        twin->table[i].ident);
    }
    if (rc == 0 && list.len > 0)
        rc = rt_exec(NULL, writer, list.data, err);
    rt_result_free(found);
    rt_str_clear(&full);
    rt_str_clear(&list);
    return rc;
}
