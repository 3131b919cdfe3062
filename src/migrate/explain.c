/* What a failure is told as: status, place and advice, and the states of the actions. */
#include "migrate/failure.h"
#include "pg/query.h"
#include "queries.h"
#include "sql/locate.h"

static void place_error(const struct rt_run *run, struct rt_err *err)
{
    const struct rt_script *script =
        &rt_unit_source(&run->sequence, run->replied.unit)->script;
    const struct rt_stmt *stmt = &script->stmts[run->replied.index];
    struct rt_place place =
        err->position
            ? rt_locate_position(script->text, script->len, stmt->start, err->position)
            : rt_locate(script->text, script->len, stmt->start);

    rt_err_place(err, script->text, script->len, place);
}

/* What some SQLSTATEs mean here. */
static void explain_state(const struct rt_run *run, struct rt_err *err)
{
    if (rt_err_is(err, "55P03") && rt_watch_blocker(&run->watch))
        rt_err_detail(err, "It waited for %s.", rt_watch_blocker(&run->watch));
    if (rt_err_is(err, "57014") && err->hint == NULL)
        rt_err_hint(err, "The statement_timeout of the role, the database or the run "
                         "ended it; --statement-timeout (apply.statement-timeout) sets "
                         "another one for migrations.");
    if (rt_err_is(err, "25001") && err->hint == NULL)
        rt_err_hint(err, "Let the file start with the line \"-- revtwin: "
                         "no-transaction\": then every statement of it runs by itself.");
    if (rt_err_is(err, "55P04") && err->hint == NULL)
        rt_err_hint(err, "Add the value in a file of its own, which then commits before "
                         "another file uses it.");
}

static void explain_migration(const struct rt_run *run, struct rt_err *err)
{
    if (run->replied.phase == RT_PHASE_COMMIT)
        rt_err_wrap(err, "at COMMIT");
    else if (run->replied.phase == RT_PHASE_STATEMENT)
        place_error(run, err);
    err->status = RT_EMIGRATION;
    explain_state(run, err);
}

/* Who was it? Best effort. */
static void name_the_other(struct rt_run *run, struct rt_err *err)
{
    struct rt_err ignored = {0};
    struct rt_result *rows = NULL;

    if (rt_watch_blocker(&run->watch))
        rt_err_detail(err, "It waited for %s.", rt_watch_blocker(&run->watch));
    else if (rt_query(&rows, run->conn, rt_sql_ledger_newest, 0, NULL, &ignored) == 0 &&
             rt_result_rows(rows) > 0)
        rt_err_detail(err, "The ledger's newest row is about %s, by user %s from %s, %s.",
                      rt_result_get(rows, 0, 0), rt_result_get(rows, 0, 1),
                      rt_result_get(rows, 0, 2), rt_result_get(rows, 0, 3));
    rt_result_free(rows);
    rt_err_clear(&ignored);
}

/* What an action asked for besides its row, where the error is about that; or NULL. */
static const struct rt_command *command_at(const struct rt_run *run)
{
    const struct rt_action *action = rt_cursor_action(&run->replied, &run->sequence);

    return run->replied.phase == RT_PHASE_BEFORE  ? action->before
           : run->replied.phase == RT_PHASE_AFTER ? action->after
                                                  : NULL;
}

static void explain_ours(const struct rt_run *run, struct rt_err *err)
{
    const struct rt_command *command = command_at(run);

    rt_err_wrap(err, "cannot %s", command ? command->purpose : "write the ledger");
    err->status = RT_EMIGRATION;
}

static void explain_conflict(struct rt_run *run, struct rt_err *err)
{
    const struct rt_command *command = command_at(run);
    const struct rt_lock *other = run->options->other_lock;

    if (command) {
        rt_err_set(err, RT_ELOCKED, "%s", command->conflict);
        return;
    }
    if (rt_err_is(err, "55P03"))
        rt_err_set(err, RT_ELOCKED, "another revtwin%s%s is in the middle of a migration",
                   other ? " or " : "", other ? other->holder : "");
    else
        rt_err_set(err, RT_ELOCKED,
                   "another revtwin, or somebody by hand, changed the ledger meanwhile");
    name_the_other(run, err);
}

static void explain_reset(struct rt_err *err)
{
    rt_err_set(err, RT_EMIGRATION,
               "the file reset the settings that revtwin makes for its transaction");
    rt_err_hint(err,
                "RESET ALL, also inside of a function or DO, takes revtwin.migration "
                "away, by which the transaction is known: reset single settings.");
}

static void explain_ended(struct rt_err *err)
{
    rt_err_set(err, RT_EUNKNOWN,
               "the file ended the transaction that it ran in; what it did before that "
               "may be committed without a ledger row");
    rt_err_hint(err, "Look at what the file changed, undo or finish it by hand, then "
                     "record it with revtwin baseline REV PATH, or take the transaction "
                     "control out of it.");
}

/* What chooses the same files again. Without a row there is nothing that --ledger could
 * start after, and the only step of a plan may be the first of all. */
static const char *same_range(const struct rt_run *run)
{
    const struct rt_plan *plan = run->sequence.plan;
    const struct rt_action *first = &plan->actions[0];
    const char *last = plan->actions[plan->count - 1].commit;

    if (run->ledger->count + run->out->done > 0)
        return "--ledger";
    if (plan->base == NULL ||
        (first->kind == RT_ACTION_APPLY && strcmp(first->commit, last) == 0))
        return rt_arena_format(run->arena, "%.12s", last);
    return rt_arena_format(run->arena, "--base %.12s",
                           *plan->base ? plan->base : RT_BASE_NONE);
}

static void advise_stopped(const struct rt_run *run, struct rt_err *err)
{
    const struct rt_action *action = rt_cursor_action(&run->replied, &run->sequence);
    bool other = err->status == RT_ELOCKED;
    bool stopped = run->out->steps[action - run->sequence.plan->actions].stopped_at > 0;

    rt_err_advice(
        err, "%s%s%zu of %zu migrations are in. %s, go on with: revtwin apply %s%s%s",
        err->advice ? err->advice : "", err->advice ? "\n" : "", run->out->done,
        run->sequence.plan->count,
        other ? "When the other run is done" : "Once the cause is mended",
        same_range(run), stopped ? "\n" : "",
        stopped ? rt_stopped_ways_out(run->arena, action->path) : "");
}

static void advise(const struct rt_run *run, enum rt_failure failure, struct rt_err *err)
{
    size_t done = run->out->done, all = run->sequence.plan->count;

    if (failure == RT_FAILURE_UNSETTLED)
        rt_err_advice(err,
                      "%zu of %zu migrations are known to be committed; what was under "
                      "way may be, too. Run revtwin status to see what production's "
                      "ledger says, then revtwin apply %s to go on.",
                      done, all, same_range(run));
    else if (failure == RT_FAILURE_STOPPED)
        advise_stopped(run, err);
    else if (failure == RT_FAILURE_ENDED)
        rt_err_advice(err,
                      "%zu of %zu migrations are in. Nothing after this file was "
                      "started. When it is settled, go on with: revtwin apply %s",
                      done, all, same_range(run));
    else
        rt_err_advice(err,
                      "What was under way %s, and nothing after it was started: %zu of "
                      "%zu migrations are in. Once the cause is mended, go on with: "
                      "revtwin apply %s",
                      run->loss == RT_LOSS_OPEN ? "is rolled back when the server notices"
                                                : "was rolled back",
                      done, all, same_range(run));
}

static void set_states(struct rt_run *run, enum rt_failure failure)
{
    enum rt_apply_state state =
        failure == RT_FAILURE_CANCELLED ? RT_APPLY_CANCELLED
        : failure == RT_FAILURE_STOPPED ? RT_APPLY_STOPPED
        : failure == RT_FAILURE_UNSETTLED || failure == RT_FAILURE_ENDED
            ? RT_APPLY_UNKNOWN
            : RT_APPLY_FAILED;
    size_t first = run->replied.unit;

    if (failure == RT_FAILURE_STOPPED &&
        run->out->steps[run->sequence.units[first].first].stopped_at == 0)
        return; /* it did not start */
    for (size_t u = first; u < run->sequence.count; u++) {
        const struct rt_unit *unit = &run->sequence.units[u];

        if (u > first && (failure != RT_FAILURE_UNSETTLED || !rt_commit_was_sent(run, u)))
            break;
        for (size_t i = 0; i < unit->count; i++)
            run->out->states[unit->first + i] = state;
    }
}

void rt_failure_explain(struct rt_run *run, enum rt_failure failure, struct rt_err *err)
{
    const char *path = rt_cursor_action(&run->replied, &run->sequence)->path;

    switch (failure) {
    case RT_FAILURE_MIGRATION:
        explain_migration(run, err);
        break;
    case RT_FAILURE_LEDGER:
        explain_ours(run, err);
        break;
    case RT_FAILURE_CONFLICT:
        explain_conflict(run, err);
        break;
    case RT_FAILURE_LOST:
        rt_err_wrap(err, "the connection to %s was lost",
                    rt_conn_server(run->conn)->role);
        err->status = RT_EINTERNAL;
        break;
    case RT_FAILURE_UNSETTLED:
        rt_err_wrap(err,
                    "the connection to %s was lost, and it could not be asked what was "
                    "committed",
                    rt_conn_server(run->conn)->role);
        err->status = RT_EUNKNOWN;
        break;
    case RT_FAILURE_RESET:
        explain_reset(err);
        break;
    case RT_FAILURE_ENDED:
        explain_ended(err);
        break;
    case RT_FAILURE_STOPPED:
        explain_state(run, err);
        break;
    case RT_FAILURE_CANCELLED:
        break;
    }
    if (failure != RT_FAILURE_CANCELLED && failure != RT_FAILURE_STOPPED)
        rt_err_at(err, path, err->line, err->column);
    advise(run, failure, err);
    set_states(run, failure);
}
