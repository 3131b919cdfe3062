#include "migrate/apply.h"

#include "base/clock.h"
#include "base/log.h"
#include "migrate/attempt.h"
#include "migrate/failure.h"
#include "migrate/settle.h"
#include "migrate/transact.h"
#include "pg/query.h"
#include "queries.h"

enum {
    RETRY_MS = 500,
    RETRY_LIMIT_MS = 15000,
    HASTY_MS = 1500, /* workflow runners kill us soon after their signal */
};

const struct rt_ledger_row *rt_run_row_before(const struct rt_run *run, size_t unit)
{
    size_t first = run->sequence.units[unit].first;

    if (first > 0)
        return &run->rows[first - 1];
    return run->ledger->count ? &run->ledger->rows[run->ledger->count - 1] : NULL;
}

void rt_run_unit_done(struct rt_run *run, size_t number)
{
    const struct rt_unit *unit = &run->sequence.units[number];
    size_t last = unit->first + unit->count - 1;

    for (size_t i = unit->first; i <= last; i++)
        run->out->states[i] = RT_APPLY_DONE;
    run->out->done += unit->count;
    run->out->head = run->rows[last].column[RT_COL_ENTRY_HASH];
    rt_log_verbose("%s: committed (%zu of %zu)",
                   run->sequence.plan->actions[unit->first].path, run->out->done,
                   run->sequence.plan->count);
}

/* ------------------------------------------------------------------ waiting */

static bool is_stepwise(const struct rt_run *run, size_t unit)
{
    const struct rt_source *source = rt_unit_source(&run->sequence, unit);

    return source && source->mode.no_transaction;
}

/* Where a run is, for those who watch it. */
static const char *where(void *context, uint64_t *replies)
{
    const struct rt_run *run = context;
    const struct rt_cursor next = {.unit = run->replied.unit + 1};
    const struct rt_cursor *at =
        run->replied.phase == RT_PHASE_CLEANUP ? &next : &run->replied;
    const struct rt_source *source;

    *replies = (uint64_t)at->unit << 32 | (uint64_t)at->phase << 28 | at->index;
    if (at->unit >= run->sequence.count)
        return rt_conn_server(run->conn)->role;
    if (is_stepwise(run, at->unit) && at->phase == RT_PHASE_BEGIN) {
        size_t first = run->sequence.units[at->unit].first;

        *replies += run->out->steps[first].line;
        return rt_arena_format(run->arena, "%s:%u",
                               rt_cursor_action(at, &run->sequence)->path,
                               run->out->steps[first].line);
    }
    source = rt_unit_source(&run->sequence, at->unit);
    if (at->phase != RT_PHASE_STATEMENT)
        return rt_cursor_action(at, &run->sequence)->path;
    return rt_arena_format(run->arena, "%s:%u",
                           rt_cursor_action(at, &run->sequence)->path,
                           (unsigned)source->script.stmts[at->index].line);
}

/* ------------------------------------------------------------------ the run */

/* How far the units from the present one on can go in one way. */
static size_t same_way(const struct rt_run *run, bool *one_by_one)
{
    size_t unit = run->replied.unit;
    bool first = true, way = false;

    for (; unit < run->sequence.count; unit++, first = false) {
        const struct rt_source *source = rt_unit_source(&run->sequence, unit);
        bool this_way = source && source->one_by_one && !source->mode.no_transaction;

        if (!first && (this_way != way || is_stepwise(run, unit)))
            break;
        way = this_way;
    }
    *one_by_one = way;
    return unit;
}

/* End what failed, and what was only begun. */
static void roll_back(struct rt_run *run, const struct rt_err *cause)
{
    struct rt_err ignored = {0};

    if (cause->status == RT_EINT || cause->status == RT_ETERM)
        rt_conn_shield(run->conn);
    if (!rt_conn_idle(run->conn) && rt_exec(NULL, run->conn, "ROLLBACK", &ignored) < 0)
        rt_log_verbose("ROLLBACK failed: %s", ignored.message);
    rt_err_clear(&ignored);
}

/* Ask after a lost connection what is in; whether production told. */
static bool settle(struct rt_run *run, struct rt_err *err)
{
    bool hasty = err->status == RT_EINT || err->status == RT_ETERM;
    struct rt_err later = {0};
    bool settled =
        rt_settle(run, hasty ? HASTY_MS : run->options->wait * 1000, hasty, &later) == 0;

    if (later.status == RT_EINT || later.status == RT_ETERM)
        rt_err_move(err, &later);
    else if (later.message)
        rt_err_detail(err, "At last: %s.", later.message);
    rt_err_clear(&later);
    run->loss = settled ? RT_LOSS_SETTLED : RT_LOSS_OPEN;
    return settled;
}

/* Whether to try the unit again, after a pause. */
static bool retry(struct rt_run *run, enum rt_failure failure, struct rt_err *err)
{
    const struct rt_unit *unit = &run->sequence.units[run->replied.unit];
    unsigned *retries = &run->out->retries[unit->first];
    const char *blocker = rt_watch_blocker(&run->watch);
    unsigned pause;

    if (!rt_failure_passes(failure, err) || *retries >= run->options->retries)
        return false;
    pause = rt_clock_backoff((*retries)++, RETRY_MS, RETRY_LIMIT_MS);
    rt_log("%s: %s%s%s; %strying again in %.1f s (%u of %u)",
           run->sequence.plan->actions[unit->first].path, err->message,
           blocker ? " while it waited for " : "", blocker ? blocker : "",
           failure == RT_FAILURE_STOPPED ? "" : "rolled back, ", pause / 1000.0, *retries,
           run->options->retries);
    roll_back(run, err);
    return rt_clock_pause(pause, err) == 0;
}

/* Something failed: 0 when the run can go on after all, from run->replied. */
static int handle(struct rt_run *run, struct rt_err *err)
{
    enum rt_failure failure;

    /* What fails between two files hits the one that was to come: the other is in. */
    if (run->replied.phase == RT_PHASE_CLEANUP)
        run->replied = (struct rt_cursor){.unit = run->replied.unit + 1};
    if (rt_conn_lost(run->conn) && run->replied.unit < run->sequence.count)
        settle(run, err);
    if (run->replied.unit == run->sequence.count)
        return 0; /* what comes after the last COMMIT has no say in it */
    failure = rt_failure_of(run, err);
    if (retry(run, failure, err))
        return 0;
    if (err->status == RT_EINT || err->status == RT_ETERM) /* perhaps in the pause */
        failure = rt_failure_of(run, err);
    if (!rt_conn_lost(run->conn))
        roll_back(run, err);
    rt_failure_explain(run, failure, err);
    if (!rt_conn_lost(run->conn) &&
        (failure == RT_FAILURE_MIGRATION || failure == RT_FAILURE_LOST))
        rt_attempt_record(run->conn,
                          rt_cursor_action(&run->replied, &run->sequence)->path,
                          rt_cursor_action(&run->replied, &run->sequence)->commit, err,
                          run->options->writer.client);
    return -(int)err->status;
}

/* After a lost connection: whether all statements are done, so that the run can go on. */
static bool settle_steps(struct rt_run *run, const struct rt_action *action,
                         struct rt_stepwise *steps, struct rt_err *err)
{
    int done;

    if (!settle(run, err))
        return false;
    done = rt_stepwise_ask(run->conn, run->arena, action, steps, err);
    if (err->status == RT_EINT || err->status == RT_ETERM)
        return false;
    if (done == 0)
        err->status = RT_EINTERNAL;
    return done == 1;
}

/*
 * The other tool's lock of this session, given back for as long as a file runs without a
 * transaction, and perhaps had again: who waits for it holds a snapshot, for which CREATE
 * INDEX CONCURRENTLY would wait in turn.
 */
static void lend_lock(struct rt_run *run, bool back)
{
    const char *sql = back ? "SELECT pg_try_advisory_lock($1::bigint)" : rt_sql_lock_give;
    const struct rt_lock *lock = run->options->other_lock;
    struct rt_err ignored = {0};

    if (lock == NULL || run->ledger->pooled)
        return;
    if (rt_query(NULL, run->conn, sql, 1, &lock->key, &ignored) < 0)
        rt_log_verbose("%s's lock: %s", lock->holder, ignored.message);
    rt_err_clear(&ignored);
}

/* What the action asks for before its statements run. */
static int open_steps(struct rt_run *run, const struct rt_action *action,
                      struct rt_err *err)
{
    if (action->before == NULL)
        return 0;
    run->replied.phase = RT_PHASE_BEFORE;
    while (rt_exec(NULL, run->conn, action->before->sql, err) < 0) {
        enum rt_failure failure;

        if (rt_conn_lost(run->conn))
            settle(run, err);
        failure = rt_failure_of(run, err);
        if (!retry(run, failure, err)) {
            if (!rt_conn_lost(run->conn))
                roll_back(run, err);
            rt_failure_explain(run, failure, err);
            return -(int)err->status;
        }
        rt_err_clear(err);
    }
    run->replied.phase = RT_PHASE_BEGIN;
    lend_lock(run, false);
    return 0;
}

/* The statements of a file without a transaction; its row is left to be written. */
static int run_steps(struct rt_run *run, struct rt_err *err)
{
    const struct rt_action *action = rt_cursor_action(&run->replied, &run->sequence);
    const struct rt_ledger_row *before = rt_run_row_before(run, run->replied.unit);
    struct rt_stepwise *steps = &run->out->steps[action - run->sequence.plan->actions];
    int rc;

    *steps = (struct rt_stepwise){.lock_timeout = run->options->lock_timeout,
                                  .impatient = run->options->impatient,
                                  .statement_timeout = run->options->statement_timeout,
                                  .client = run->options->writer.client,
                                  .head = before ? before->column[RT_COL_ENTRY_HASH]
                                                 : rt_ledger_head(run->ledger),
                                  .pooled = run->ledger->pooled,
                                  .wait = run->options->wait};
    run->replied = (struct rt_cursor){.unit = run->replied.unit};
    rc = open_steps(run, action, err);
    if (rc < 0)
        return rc;
    while (rt_stepwise_run(run->conn, run->arena, action, steps, err) < 0) {
        bool goes_on = rt_conn_lost(run->conn)
                           ? settle_steps(run, action, steps, err)
                           : steps->repeatable && retry(run, RT_FAILURE_STOPPED, err);

        if (!goes_on) {
            rt_failure_explain(run, RT_FAILURE_STOPPED, err);
            return -(int)err->status;
        }
        rt_err_clear(err);
    }
    if (action->before)
        lend_lock(run, true);
    return 0;
}

/* Where rows of revtwin.step are to be written, its table has to be there. */
static bool lacks_tables(const struct rt_run *run)
{
    const struct rt_plan *plan = run->sequence.plan;

    if (plan->count == 0 || (run->ledger->exists && run->ledger->has_steps))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].clears_steps)
            return true;
    }
    return !run->ledger->exists;
}

int rt_apply(struct rt_apply_result *out, struct rt_arena *arena, struct rt_conn *conn,
             const struct rt_plan *plan, struct rt_ledger *ledger,
             const struct rt_apply_options *options, struct rt_err *err)
{
    struct rt_run run = {.out = out,
                         .arena = arena,
                         .conn = conn,
                         .ledger = ledger,
                         .options = options,
                         .watch = {.where = where,
                                   .context = &run,
                                   .watched = conn,
                                   .pooled = ledger->pooled,
                                   .lock_timeout = options->lock_timeout,
                                   .arena = arena}};
    int rc = 0;

    out->states = rt_arena_alloc(arena, plan->count * sizeof(*out->states));
    out->milliseconds = rt_arena_alloc(arena, plan->count * sizeof(*out->milliseconds));
    out->retries = rt_arena_alloc(arena, plan->count * sizeof(*out->retries));
    out->steps = rt_arena_alloc(arena, plan->count * sizeof(*out->steps));
    out->head = rt_ledger_head(ledger);
    run.rows = rt_arena_alloc(arena, plan->count * sizeof(*run.rows));
    rt_sequence_init(&run.sequence, arena, plan);
    rt_watch_start(&run.watch);
    while (rc == 0 && run.replied.unit < run.sequence.count) {
        bool one_by_one;
        size_t end = same_way(&run, &one_by_one);

        /* One that is there and empty tells the next run that nothing counts as applied
         * (rt_plan_first_run): baselines come with it, or neither of them. */
        if (lacks_tables(&run))
            rc =
                rt_ledger_create(ledger, conn, ledger->exists || plan->records == 0, err);
        if (rc == 0 && is_stepwise(&run, run.replied.unit))
            rc = run_steps(&run, err);
        if (rc < 0)
            break;
        rc = rt_transact(&run, end, one_by_one, err);
        if (out->done > 0 && !ledger->exists)
            ledger->exists = ledger->has_steps = true;
        if (rc < 0)
            rc = handle(&run, err);
        if (rc == 0)
            rt_err_clear(err);
    }
    rt_watch_stop(&run.watch);
    return rc;
}
