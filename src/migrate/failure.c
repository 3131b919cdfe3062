#include "migrate/failure.h"

/* ------------------------------------------------------------------ classifying */

/* The failing casts of our queries. */
static bool is_our_cast(const struct rt_err *err)
{
    return rt_err_is(err, "22P02") && strstr(err->message, "revtwin: ") != NULL;
}

/* What fails inside of a transaction leaves it open: to be idle is to have ended it. */
static bool transaction_is_gone(const struct rt_run *run)
{
    return run->replied.phase > RT_PHASE_BEGIN && run->replied.phase < RT_PHASE_COMMIT &&
           rt_conn_idle(run->conn);
}

bool rt_commit_was_sent(const struct rt_run *run, size_t unit)
{
    return run->sent.unit > unit ||
           (run->sent.unit == unit && run->sent.phase > RT_PHASE_COMMIT);
}

/* The mark is gone, but not the transaction: the file reset the settings that we made. */
static bool mark_was_reset(const struct rt_run *run, const struct rt_err *err)
{
    const char *xid =
        run->xid ? rt_arena_format(run->arena, "(now in %s)", run->xid) : "";

    return *xid && strstr(err->message, xid) != NULL;
}

static enum rt_failure failure_in_ours(const struct rt_run *run, const struct rt_err *err)
{
    enum rt_phase phase = run->replied.phase;

    if (phase == RT_PHASE_COMMIT) /* a deferred constraint */
        return RT_FAILURE_MIGRATION;
    if (is_our_cast(err) && phase == RT_PHASE_APPEND)
        return mark_was_reset(run, err) ? RT_FAILURE_RESET : RT_FAILURE_ENDED;
    if (is_our_cast(err) || rt_err_is(err, "23505") ||
        (phase == RT_PHASE_SETTINGS && rt_err_is(err, "55P03")) ||
        (phase == RT_PHASE_BEFORE && /* another one waited for, or made meanwhile */
         (rt_err_is(err, "55P03") || rt_err_is(err, "42P07"))))
        return RT_FAILURE_CONFLICT;
    return RT_FAILURE_LEDGER;
}

enum rt_failure rt_failure_of(const struct rt_run *run, const struct rt_err *err)
{
    bool cancelled = err->status == RT_EINT || err->status == RT_ETERM;

    if (run->loss == RT_LOSS_OPEN && rt_commit_was_sent(run, run->replied.unit))
        return RT_FAILURE_UNSETTLED;
    if (cancelled)
        return RT_FAILURE_CANCELLED;
    if (run->loss != RT_LOSS_NONE)
        return RT_FAILURE_LOST;
    if (transaction_is_gone(run))
        return RT_FAILURE_ENDED;
    return run->replied.phase == RT_PHASE_STATEMENT ? RT_FAILURE_MIGRATION
                                                    : failure_in_ours(run, err);
}

bool rt_failure_passes(enum rt_failure failure, const struct rt_err *err)
{
    static const char *const states[] = {"55P03", "40P01", "40001"};

    if (failure > RT_FAILURE_CONFLICT && failure != RT_FAILURE_STOPPED)
        return false;
    for (size_t i = 0; i < RT_COUNT(states); i++) {
        if (rt_err_is(err, states[i]))
            return true;
    }
    return false;
}
