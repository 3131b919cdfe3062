/* revtwin status: production's ledger against the repository, and the twin's age */
#include "report/status.h"
#include "cmd/collect.h"
#include "cmd/prisma.h"
#include "pg/later.h"
#include "report/age.h"
#include "report/plan.h"

static int production(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    struct rt_trouble trouble = {.stopped = work->ledger.stopped,
                                 .stopped_count = work->ledger.stopped_count};
    struct rt_attempt *attempts = NULL;
    int rc = 0;

    if (work->ledger.exists)
        rc = rt_attempts_read(&attempts, &trouble.attempt_count, &context->arena,
                              work->prod, err);
    if (rc == 0)
        rc = rt_collect_comparison(work, context, err);
    if (rc < 0)
        return rc;
    trouble.attempts = attempts;
    rt_report_production(&context->report, &work->ledger, &context->arena, &work->plan,
                         &trouble);
    rt_prisma_report(work, context);
    rt_report_findings(&context->report, &work->plan);
    return 0;
}

static bool is_same(const struct rt_ledger_row *a, const struct rt_ledger_row *b)
{
    return strcmp(a->column[RT_COL_ENTRY_HASH], b->column[RT_COL_ENTRY_HASH]) == 0;
}

static bool has_row(const struct rt_ledger *ledger, const struct rt_ledger_row *row)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (is_same(&ledger->rows[i], row))
            return true;
    }
    return false;
}

/* What a resync would bring: the twin's ledger was production's once. */
static void compare_ledgers(struct rt_twin_age *age, struct rt_arena *arena,
                            const struct rt_ledger *prod, const struct rt_ledger *twin)
{
    size_t same = 0;

    age->compared = true;
    age->behind = rt_arena_alloc(arena, (prod->count + 1) * sizeof(*age->behind));
    while (same < prod->count && same < twin->count &&
           is_same(&prod->rows[same], &twin->rows[same]))
        same++;
    for (size_t i = same; i < prod->count; i++) {
        if (rt_row_is(&prod->rows[i], RT_ROW_APPLIED) && !has_row(twin, &prod->rows[i]))
            age->behind[age->behind_count++] = prod->rows[i].column[RT_COL_PATH];
    }
    for (size_t i = same; i < twin->count; i++)
        age->ahead += !has_row(prod, &twin->rows[i]);
}

/* Developers may do to the twin what they like: what cannot be read there is said. */
static int look_at_twin(struct rt_twin_age *age, struct rt_context *context,
                        const struct rt_ledger *prod, struct rt_conn *conn,
                        struct rt_err *err)
{
    struct rt_ledger ledger = {0};
    int rc = rt_mark_read(&age->mark, &context->arena, conn, err);

    if (rc == 0)
        rc = rt_receipt_read(&age->receipt, &context->arena, conn, err);
    if (rc == 0)
        rc = rt_ledger_read(&ledger, &context->arena, conn, -1, err);
    if (rc == 0)
        compare_ledgers(age, &context->arena, prod, &ledger);
    if (rc == 0 || rc == -RT_EINT || rc == -RT_ETERM || rt_conn_lost(conn))
        return rc;
    age->problem = rt_arena_strdup(&context->arena, err->message);
    rt_err_clear(err);
    return 0;
}

static int twin(struct rt_context *context, const struct rt_ledger *prod,
                struct rt_err *err)
{
    struct rt_twin_age age = {.clock = prod->server_clock};
    struct rt_conn *conn;
    int rc = rt_conn_open(&conn, &context->twin, RT_READ_ONLY, err);

    if (rc == 0) {
        rt_later_own_names(conn);
        rc = look_at_twin(&age, context, prod, conn, err);
    }
    if (rc == 0) {
        age.database = rt_conn_database(conn);
        rt_report_age(&context->report, &age);
    }
    rt_conn_close(conn);
    return rc;
}

int rt_cmd_status(struct rt_context *context, struct rt_err *err)
{
    struct rt_work work = {0};
    int rc = rt_collect_commit(&work, context, RT_COMMIT_OPERAND, err);

    if (rc == 0)
        rc = rt_collect_ledger(&work, context, RT_INTENT_LOOK, false, err);
    if (rc == 0)
        rc = rt_collect_set(&work, context, err);
    if (rc == 0)
        rc = production(&work, context, err);
    if (rc == 0 && context->twin.conninfo.text)
        rc = twin(context, &work.ledger, err);
    rt_work_clear(&work);
    return rc;
}
