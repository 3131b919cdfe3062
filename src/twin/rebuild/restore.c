#include "twin/rebuild/restore.h"

#include "base/mem.h"
#include "pg/pipeline.h"
#include "sql/split.h"

enum { BATCH = 65536 /* bytes, or one statement */, SHOWN = 2000 };

static int send_one(struct rt_conn *conn, const struct rt_script *script, size_t i,
                    struct rt_err *err)
{
    char *sql = rt_strndup(script->text + script->stmts[i].start, script->stmts[i].len);
    int rc = rt_pipeline_send(conn, sql, 0, NULL, err);

    free(sql);
    return rc;
}

static int explain(const struct rt_script *script, size_t i, struct rt_err *err)
{
    const struct rt_stmt *stmt = &script->stmts[i];
    size_t len = stmt->len < SHOWN ? stmt->len : SHOWN;
    char *detail = err->detail ? rt_strdup(err->detail) : NULL;

    rt_err_detail(err, "%s%sCommand was: %.*s%s", detail ? detail : "",
                  detail ? "\n" : "", (int)len, script->text + stmt->start,
                  len < stmt->len ? " ..." : "");
    free(detail);
    return -(int)err->status;
}

/* From *next on as many as go at once. */
static int run_batch(struct rt_conn *conn, const struct rt_script *script, size_t *next,
                     struct rt_err *err)
{
    size_t first = *next, bytes = 0;
    struct rt_result *done;
    int rc = rt_pipeline_begin(conn, err);

    while (rc == 0 && *next < script->count && bytes < BATCH) {
        bytes += script->stmts[*next].len;
        rc = send_one(conn, script, (*next)++, err);
    }
    if (rc == 0)
        rc = rt_pipeline_end(conn, err);
    for (size_t i = first; rc == 0 && i < *next; i++) {
        rc = rt_pipeline_next(&done, conn, err);
        rt_result_free(done);
        if (rc < 0 && err->sqlstate[0])
            explain(script, i, err);
    }
    if (rc == 0)
        rc = rt_pipeline_next(&done, conn, err);
    rt_pipeline_close(conn);
    return rc;
}

int rt_restore(struct rt_conn *conn, const char *text, struct rt_err *err)
{
    struct rt_script script = {0};
    size_t next = 0;
    int rc = rt_script_split(&script, text, strlen(text), err);

    while (rc == 0 && next < script.count)
        rc = run_batch(conn, &script, &next, err);
    rt_script_clear(&script);
    return rc;
}
