#include "migrate/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "pg/query.h"
#include "queries.h"

enum { LOOK_AGAIN_MS = 1000, TELL_AGAIN_MS = 10000 };

static const char *or_unknown(const char *text)
{
    return text && *text ? text : "unknown";
}

static const char *describe(struct rt_watch *watch, const struct rt_result *rows)
{
    size_t more = rt_result_rows(rows) - 1;

    return rt_arena_format(
        watch->arena,
        "%s on %s, held by pid %s (user %s, application %s, %s, query since %s)%s",
        or_unknown(rt_result_get(rows, 0, 1)), or_unknown(rt_result_get(rows, 0, 0)),
        rt_result_get(rows, 0, 2), or_unknown(rt_result_get(rows, 0, 3)),
        or_unknown(rt_result_get(rows, 0, 4)), or_unknown(rt_result_get(rows, 0, 5)),
        or_unknown(rt_result_get(rows, 0, 6)),
        more ? rt_arena_format(watch->arena, " and %zu more", more) : "");
}

/*
 * A transaction for each question: one that stays open may keep its snapshot, for which
 * CREATE INDEX CONCURRENTLY waits, so that we would wait for ourselves; and in it
 * pg_stat_activity would always show what it showed first.
 */
static int query(struct rt_result **rows, struct rt_watch *watch,
                 const char *const params[1], struct rt_err *err)
{
    struct rt_read reads[] = {
        {.sql = "BEGIN READ ONLY"},
        {.sql = rt_sql_blockers, .nparams = 1, .params = params},
        {.sql = "COMMIT"},
    };
    int rc = 0;

    if (watch->conn == NULL)
        rc = rt_conn_open(&watch->conn, rt_conn_server(watch->watched), RT_READ_WRITE,
                          err);
    if (rc == 0)
        rc = rt_query_many(reads, RT_COUNT(reads), watch->conn, err);
    rt_result_free(reads[0].rows);
    rt_result_free(reads[2].rows);
    *rows = reads[1].rows;
    return rc;
}

/* Who blocks; NULL when nobody does, or when that cannot be known. */
static const char *ask(struct rt_watch *watch, struct rt_err *err)
{
    const char *pid = rt_arena_format(watch->arena, "%d", rt_conn_pid(watch->watched));
    const char *params[] = {watch->pooled ? NULL : pid};
    const char *blocker = NULL;
    struct rt_result *rows;

    watch->pid = NULL;
    if (query(&rows, watch, params, err) == 0 && rt_result_rows(rows) > 0) {
        blocker = describe(watch, rows);
        watch->pid = rt_arena_strdup(watch->arena, rt_result_get(rows, 0, 2));
    }
    rt_result_free(rows);
    return blocker;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* When to look first: a wait of a second is worth it, and a lock_timeout that is shorter
 * would else end before anybody has looked. */
static int64_t first_look_ms(const char *lock_timeout)
{
    char *unit;
    long long number = lock_timeout ? strtoll(lock_timeout, &unit, 10) : 0;

    if (number == 0 || (*unit && strcmp(unit, "ms") != 0) || number >= LOOK_AGAIN_MS)
        return LOOK_AGAIN_MS;
    return number / 2;
}

static void tell(void *context)
{
    struct rt_watch *watch = context;
    int64_t now = rt_clock_ms();
    struct rt_err err = {0};
    const char *before = watch->pid;
    uint64_t replies;
    const char *where = watch->where(watch->context, &replies);

    if (replies != watch->replies || watch->since == 0) {
        watch->replies = replies;
        watch->since = now - RT_WAIT_TICK_MS;
        watch->told_at = watch->looked_at = 0;
        before = watch->pid = watch->blocker = NULL;
    }
    if (watch->looked_at ? now - watch->looked_at < LOOK_AGAIN_MS
                         : now - watch->since < first_look_ms(watch->lock_timeout))
        return;
    watch->looked_at = now;
    if (!watch->unable)
        watch->blocker = ask(watch, &err);
    watch->unable = watch->unable || err.status != RT_DONE;
    rt_err_clear(&err);
    if (same(before, watch->pid) &&
        now - (watch->told_at ? watch->told_at : watch->since) < TELL_AGAIN_MS)
        return;
    watch->told_at = now;
    if (watch->blocker)
        rt_log("%s: waiting for %s", where, watch->blocker);
    else
        rt_log("%s: still running after %d s", where, (int)((now - watch->since) / 1000));
}

const char *rt_watch_blocker(const struct rt_watch *watch)
{
    uint64_t replies;

    watch->where(watch->context, &replies);
    return watch->since && replies == watch->replies ? watch->blocker : NULL;
}

void rt_watch_start(struct rt_watch *watch)
{
    rt_conn_on_wait(watch->watched, tell, watch);
}

void rt_watch_stop(struct rt_watch *watch)
{
    rt_conn_on_wait(watch->watched, NULL, NULL);
    rt_conn_close(watch->conn);
    watch->conn = NULL;
}
