#include "pg/later.h"

#include "base/mem.h"
#include "pg/private.h"

static void add(struct rt_conn *conn, struct rt_late late)
{
    struct rt_waiting *waiting = &conn->waiting;

    if (waiting->count == 0)
        waiting->state = PQtransactionStatus(conn->pg);
    waiting->list =
        rt_grow(waiting->list, waiting->count, &waiting->cap, sizeof(*waiting->list));
    waiting->list[waiting->count++] = late;
}

void rt_later(struct rt_conn *conn, const char *sql)
{
    add(conn, (struct rt_late){.sql = rt_strdup(sql)});
}

void rt_later_begin(struct rt_conn *conn, const char *begin)
{
    rt_later(conn, begin);
    conn->waiting.state = PQTRANS_INTRANS;
}

void rt_later_rollback(struct rt_conn *conn)
{
    rt_later(conn, "ROLLBACK");
    conn->waiting.state = PQTRANS_IDLE;
}

void rt_later_own_names(struct rt_conn *conn)
{
    rt_later(conn, rt_conn_in_transaction(conn) ? "SET LOCAL search_path = ''"
                                                : "SET search_path = ''");
}

void rt_later_read(struct rt_conn *conn, struct rt_read *read)
{
    read->rows = NULL;
    add(conn, (struct rt_late){.read = read});
}

int rt_later_run(struct rt_conn *conn, struct rt_err *err)
{
    return conn->waiting.count > 0 ? rt_query_many(NULL, 0, conn, err) : 0;
}

/* ------------------------------------------------------------------ for pg/ */

void rt_later_forget(struct rt_conn *conn)
{
    struct rt_waiting *waiting = &conn->waiting;

    for (size_t i = 0; i < waiting->count; i++)
        free(waiting->list[i].sql);
    free(waiting->list);
    *waiting = (struct rt_waiting){0};
}

void rt_later_fail(struct rt_conn *conn)
{
    for (size_t i = 0; i < conn->waiting.count; i++) {
        struct rt_read *read = conn->waiting.list[i].read;

        if (read) {
            rt_result_free(read->rows);
            read->rows = NULL;
        }
    }
    rt_later_forget(conn);
}

bool rt_later_joins(const struct rt_conn *conn)
{
    for (size_t i = 0; i < conn->waiting.count; i++) {
        if (conn->waiting.list[i].read)
            return false;
    }
    return true;
}

void rt_later_join(struct rt_str *sql, struct rt_conn *conn, const char *next)
{
    for (size_t i = 0; i < conn->waiting.count; i++)
        rt_str_addf(sql, "%s;\n", conn->waiting.list[i].sql);
    rt_str_add(sql, next);
    rt_later_forget(conn);
}
