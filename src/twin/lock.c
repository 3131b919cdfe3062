#include "twin/lock.h"

#include "base/str.h"
#include "pg/later.h"
#include "queries.h"

int rt_lock_list_read(struct rt_lock_list *out, struct rt_arena *arena,
                      struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found = NULL;
    struct rt_str sql = {0};
    int rc;

    *out = (struct rt_lock_list){0};
    rt_str_addf(&sql, "%s%s", rt_sql_tables_kept, rt_sql_tables_to_lock);
    rc = rt_query(&found, conn, sql.data, 0, NULL, err);
    if (rc == 0) {
        out->count = rt_result_rows(found);
        out->oids = rt_arena_alloc(arena, (out->count + 1) * sizeof(*out->oids));
        out->idents = rt_arena_alloc(arena, (out->count + 1) * sizeof(*out->idents));
    }
    for (size_t i = 0; i < out->count; i++) {
        out->oids[i] = rt_arena_strdup(arena, rt_result_get(found, i, 0));
        out->idents[i] = rt_arena_strdup(arena, rt_result_get(found, i, 1));
    }
    rt_result_free(found);
    rt_str_clear(&sql);
    return rc;
}

void rt_lock_later(struct rt_conn *conn, const struct rt_lock_list *list,
                   const char *mode)
{
    struct rt_str sql = {0};

    for (size_t i = 0; i < list->count; i++)
        rt_str_addf(&sql, "%sONLY %s", i ? ", " : "LOCK TABLE ", list->idents[i]);
    rt_str_addf(&sql, " IN %s MODE", mode);
    if (list->count > 0)
        rt_later(conn, sql.data);
    rt_str_clear(&sql);
}

bool rt_lock_covers(const struct rt_lock_list *list, const struct rt_tables *seen)
{
    size_t place = 0;

    /* Both are in the order of the names. */
    for (size_t i = 0; i < seen->count; i++) {
        while (place < list->count && strcmp(list->oids[place], seen->table[i].oid) != 0)
            place++;
        if (place == list->count)
            return false;
    }
    return true;
}

bool rt_lock_missed(const struct rt_err *err)
{
    return rt_err_is(err, "42P01") || rt_err_is(err, "3F000");
}
