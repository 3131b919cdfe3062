#include "twin/mark.h"

#include "pg/query.h"
#include "queries.h"

#define UTC(column) \
    "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

static const char *column(struct rt_arena *arena, const struct rt_result *row, int number)
{
    const char *value = rt_result_get(row, 0, number);

    return value ? rt_arena_strdup(arena, value) : NULL;
}

int rt_mark_read(struct rt_twin_mark *out, struct rt_arena *arena, struct rt_conn *conn,
                 struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc;

    *out = (struct rt_twin_mark){0};
    rc = rt_query(&found, conn, RT_MARK_EXISTS, 0, NULL, err);
    if (rc < 0 || !rt_result_true(found, 0, 0))
        goto done;
    rt_result_free(found);
    rc = rt_query(
        &found, conn,
        "SELECT source, " UTC("snapshot_at") ", lsn, method, revtwin_version, " UTC(
            "adopted_at") ", " UTC("resynced_at") ","
                                                  "       extract(epoch FROM now() - "
                                                  "snapshot_at)::bigint "
                                                  "FROM revtwin.twin",
        0, NULL, err);
    if (rc < 0)
        goto done;
    out->present = true;
    if (rt_result_rows(found) == 0) /* emptied by hand: still a twin, of unknown age */
        goto done;
    out->source = column(arena, found, 0);
    out->snapshot_at = column(arena, found, 1);
    out->lsn = column(arena, found, 2);
    out->method = column(arena, found, 3);
    out->version = column(arena, found, 4);
    out->adopted_at = column(arena, found, 5);
    out->resynced_at = column(arena, found, 6);
    out->age = strtol(rt_result_get(found, 0, 7), NULL, 10);
done:
    rt_result_free(found);
    return rc;
}

int rt_mark_write(struct rt_conn *conn, const struct rt_twin_mark *mark,
                  struct rt_err *err)
{
    const char *params[] = {mark->source, mark->snapshot_at, mark->lsn,
                            mark->method, mark->version,     mark->adopted_at};
    int rc = rt_exec(NULL, conn, rt_sql_mark_create, err);

    if (rc < 0)
        return rc;
    return rt_query(NULL, conn,
                    "INSERT INTO revtwin.twin"
                    "    (source, snapshot_at, lsn, method, revtwin_version, adopted_at) "
                    "VALUES ($1, $2::text::timestamptz, $3::text::pg_lsn, $4, $5,"
                    "        coalesce($6::text::timestamptz, now()))",
                    RT_COUNT(params), params, err);
}
