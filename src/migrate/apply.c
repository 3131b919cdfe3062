#include "migrate/apply.h"

#include "base/log.h"
#include "migrate/attempt.h"
#include "migrate/sequence.h"
#include "pg/query.h"
#include "pg/send.h"
#include "sql/locate.h"

/* One run: two cursors over the same sequence, one for sending, one for replies. */
struct run {
    struct rt_apply_result *out;
    struct rt_arena *arena;
    const struct rt_ledger *ledger;
    const struct rt_apply_options *options;
    struct rt_sequence sequence;
    struct rt_cursor sent, replied;
    size_t end; /* unit where the present pipeline ends */

    struct rt_ledger_row last; /* the last row that was made; {0} before the first */
    const char *head;          /* entry_hash that the unit being sent builds on */
    const char *mark;
    const char **hashes; /* entry_hash of each action's row, once it is made */
    const char *params[RT_LEDGER_COLUMNS + 1];
};

/* ------------------------------------------------------------------ sending */

static void make_row(struct run *run, const struct rt_action *action)
{
    const struct rt_ledger_row *prev = run->last.column[RT_COL_SEQ] ? &run->last : NULL;
    const struct rt_new_row entry = {.kind = action->row,
                                     .path = action->path,
                                     .checksum = action->checksum,
                                     .commit = action->commit,
                                     .statements = action->source.mode.statements,
                                     .reason = action->reason};

    run->last =
        rt_ledger_next(run->arena, run->ledger, prev, &entry, &run->options->writer);
    run->hashes[action - run->sequence.plan->actions] =
        run->last.column[RT_COL_ENTRY_HASH];
}

static const struct rt_action *action_at(const struct run *run,
                                         const struct rt_cursor *cursor)
{
    size_t offset = cursor->phase == RT_PHASE_APPEND ? cursor->index : 0;

    return &run->sequence.plan->actions[run->sequence.units[cursor->unit].first + offset];
}

static void fill_statement(struct run *run, struct rt_message *out)
{
    const struct rt_script *script =
        &rt_unit_source(&run->sequence, run->sent.unit)->script;
    const struct rt_stmt *stmt = &script->stmts[run->sent.index];

    out->sql = script->text + stmt->start;
    out->len = stmt->len;
    if (stmt->kind == RT_STMT_COPY) {
        out->copy = script->text + stmt[1].start;
        out->copy_len = stmt[1].len;
    }
}

static void fill_fixed(struct run *run, struct rt_message *out)
{
    out->sql = rt_cursor_sql(&run->sent);
    out->len = strlen(out->sql);
    out->params = run->params;
    out->flush = run->sent.phase == RT_PHASE_COMMIT;
    switch (run->sent.phase) {
    case RT_PHASE_SETTINGS:
        /* Any value that no other transaction of this session had: the row to come. */
        run->head = run->last.column[RT_COL_SEQ] ? run->last.column[RT_COL_ENTRY_HASH]
                                                 : rt_ledger_head(run->ledger);
        run->mark =
            rt_arena_format(run->arena, "%zu after %s", run->sent.unit, run->head);
        run->params[0] = run->options->lock_timeout;
        run->params[1] = run->options->statement_timeout;
        run->params[2] = run->mark;
        out->nparams = 3;
        break;
    case RT_PHASE_HEAD:
        run->params[0] = run->head;
        out->nparams = 1;
        break;
    case RT_PHASE_APPEND:
        make_row(run, action_at(run, &run->sent));
        memcpy(run->params, run->last.column, sizeof(run->last.column));
        run->params[RT_LEDGER_COLUMNS] = run->mark;
        out->nparams = RT_LEDGER_COLUMNS + 1;
        break;
    default:
        break;
    }
}

static int next_message(void *context, struct rt_message *out)
{
    struct run *run = context;

    if (run->sent.unit >= run->end)
        return 0;
    if (run->sent.phase == RT_PHASE_STATEMENT)
        fill_statement(run, out);
    else
        fill_fixed(run, out);
    rt_cursor_advance(&run->sent, &run->sequence);
    return 1;
}

/* ------------------------------------------------------------------ replies */

static void unit_done(struct run *run)
{
    const struct rt_unit *unit = &run->sequence.units[run->replied.unit];

    for (size_t i = 0; i < unit->count; i++)
        run->out->states[unit->first + i] = RT_APPLY_DONE;
    run->out->done += unit->count;
    run->out->head = run->hashes[unit->first + unit->count - 1];
    rt_log_verbose("%s: committed (%zu of %zu)",
                   run->sequence.plan->actions[unit->first].path, run->out->done,
                   run->sequence.plan->count);
}

static int take_reply(void *context, const char *tag, const char *value,
                      struct rt_err *err)
{
    struct run *run = context;
    const struct rt_cursor *at = &run->replied;

    if (at->phase == RT_PHASE_APPEND) {
        const struct rt_action *action = action_at(run, at);

        run->out->milliseconds[action - run->sequence.plan->actions] =
            rt_arena_strdup(run->arena, value ? value : "0");
    }
    if (at->phase == RT_PHASE_COMMIT) {
        /* A failed transaction answers COMMIT with success and the tag ROLLBACK. */
        if (strcmp(tag, "COMMIT") != 0)
            return rt_err_set(err, RT_EMIGRATION, "the server answered COMMIT with %s",
                              tag);
        unit_done(run);
    }
    rt_cursor_advance(&run->replied, &run->sequence);
    return 0;
}

/* A sign of life while a statement takes long. */
static void tell_waiting(void *context)
{
    const struct run *run = context;
    const struct rt_cursor *at = &run->replied;

    if (at->unit < run->sequence.count && at->phase == RT_PHASE_STATEMENT)
        rt_log("%s:%u: still running (%zu of %zu migrations are in)",
               action_at(run, at)->path,
               (unsigned)rt_unit_source(&run->sequence, at->unit)
                   ->script.stmts[at->index]
                   .line,
               run->out->done, run->sequence.plan->count);
    else
        rt_log("waiting for the server (%zu of %zu migrations are in)", run->out->done,
               run->sequence.plan->count);
}

/* ------------------------------------------------------------------ errors */

static void place_error(const struct run *run, struct rt_err *err)
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

static bool is_state(const struct rt_err *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}

/* The failing casts of ledger_head.sql and ledger_append.sql. */
static bool is_our_cast(const struct rt_err *err)
{
    return is_state(err, "22P02") && strstr(err->message, "revtwin: ") != NULL;
}

static void explain_ended_transaction(struct rt_err *err)
{
    rt_err_set(err, RT_EUNKNOWN,
               "the file ended the transaction that it ran in; what it did before that "
               "may be committed without a ledger row");
    rt_err_hint(err, "Look at what the file changed, undo or finish it by hand, then "
                     "record it with revtwin baseline, or take the transaction control "
                     "out of it.");
}

static void explain_ledger_error(const struct run *run, struct rt_err *err)
{
    enum rt_phase phase = run->replied.phase;

    if (phase == RT_PHASE_COMMIT) { /* a deferred constraint */
        rt_err_wrap(err, "at COMMIT");
        err->status = RT_EMIGRATION;
    } else if (is_our_cast(err) && phase == RT_PHASE_APPEND) {
        explain_ended_transaction(err);
    } else if (is_our_cast(err) || is_state(err, "23505")) {
        rt_err_set(err, RT_ELOCKED, "another revtwin changed the ledger meanwhile");
    } else if (phase == RT_PHASE_SETTINGS && is_state(err, "55P03")) {
        rt_err_set(err, RT_ELOCKED, "another revtwin is in the middle of a migration");
    } else {
        rt_err_wrap(err, "cannot write the ledger");
        err->status = RT_EMIGRATION;
    }
}

/* What chooses the same files again. Without a row there is nothing that --ledger could
 * start after, and the only step of a plan may be the first of all. */
static const char *same_range(const struct run *run)
{
    const struct rt_plan *plan = run->sequence.plan;
    const struct rt_action *first = &plan->actions[0];
    const char *last = plan->actions[plan->count - 1].commit;

    if (run->ledger->count + run->out->done > 0)
        return "--ledger";
    if (first->kind == RT_ACTION_RECORD)
        return rt_arena_format(run->arena, "--base %.12s", first->commit);
    if (strcmp(first->commit, last) == 0)
        return rt_arena_format(run->arena, "%.12s", last);
    return rt_arena_format(run->arena, "--base %.12s^", first->commit);
}

static void advise_going_on(const struct run *run, struct rt_err *err)
{
    rt_err_advice(err,
                  "What was under way was rolled back, and nothing after it was "
                  "started: %zu of %zu migrations are in. Once the cause is mended, go "
                  "on with: revtwin apply %s",
                  run->out->done, run->sequence.plan->count, same_range(run));
}

/* What fails inside of a transaction leaves it open: to be idle is to have ended it. */
static bool transaction_is_gone(const struct run *run, const struct rt_conn *conn)
{
    return run->replied.phase > RT_PHASE_BEGIN && run->replied.phase < RT_PHASE_COMMIT &&
           rt_conn_idle(conn);
}

static void explain_error(struct run *run, struct rt_conn *conn, struct rt_err *err)
{
    const struct rt_action *action = action_at(run, &run->replied);
    bool cancelled = err->status == RT_EINT || err->status == RT_ETERM;

    if (rt_conn_lost(conn)) {
        rt_err_wrap(err, "the connection to production was lost");
        err->status = RT_EUNKNOWN;
    } else if (transaction_is_gone(run, conn)) {
        explain_ended_transaction(err);
    } else if (!cancelled && run->replied.phase == RT_PHASE_STATEMENT) {
        err->status = RT_EMIGRATION;
        place_error(run, err);
    } else if (!cancelled) {
        explain_ledger_error(run, err);
    }
    if (!cancelled)
        rt_err_at(err, action->path, err->line, err->column);
    if (err->status == RT_EUNKNOWN)
        rt_err_advice(err,
                      "%zu of %zu migrations are known to be committed. Run revtwin "
                      "status to see what production's ledger says, then revtwin "
                      "apply --ledger to go on.",
                      run->out->done, run->sequence.plan->count);
    else
        advise_going_on(run, err);
}

static void fail_unit(struct run *run, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_err ignored = {0};
    const struct rt_unit *unit;

    /* What fails between two files hits the one that was to come: the other is in. */
    if (run->replied.phase == RT_PHASE_CLEANUP)
        run->replied = (struct rt_cursor){.unit = run->replied.unit + 1};
    explain_error(run, conn, err);
    unit = &run->sequence.units[run->replied.unit];
    for (size_t i = 0; i < unit->count; i++)
        run->out->states[unit->first + i] = RT_APPLY_FAILED;
    if (rt_conn_lost(conn))
        return;
    /* COMMIT has ended the transaction, whatever its answer. */
    if (run->replied.phase < RT_PHASE_COMMIT &&
        rt_exec(NULL, conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    else if (err->status == RT_EMIGRATION)
        rt_attempt_record(conn, action_at(run, &run->replied)->path,
                          action_at(run, &run->replied)->commit, err,
                          run->options->writer.client);
}

/* ------------------------------------------------------------------ the run */

static bool sends_one_by_one(const struct run *run, size_t unit)
{
    const struct rt_source *source = rt_unit_source(&run->sequence, unit);

    return source && source->one_by_one;
}

int rt_apply(struct rt_apply_result *out, struct rt_arena *arena, struct rt_conn *conn,
             const struct rt_plan *plan, struct rt_ledger *ledger,
             const struct rt_apply_options *options, struct rt_err *err)
{
    struct run run = {.out = out, .arena = arena, .ledger = ledger, .options = options};
    const struct rt_sender sender = {next_message, take_reply, &run};
    int rc = 0;

    out->states = rt_arena_alloc(arena, plan->count * sizeof(*out->states));
    out->milliseconds = rt_arena_alloc(arena, plan->count * sizeof(*out->milliseconds));
    out->head = rt_ledger_head(ledger);
    run.hashes = rt_arena_alloc(arena, plan->count * sizeof(*run.hashes));
    if (ledger->count > 0)
        run.last = ledger->rows[ledger->count - 1];
    rt_sequence_init(&run.sequence, arena, plan);
    if (!ledger->exists && run.sequence.count > 0)
        rc = rt_ledger_create(ledger, conn, err);
    if (rc < 0)
        return rc;
    rt_conn_on_wait(conn, tell_waiting, &run);
    while (rc == 0 && run.end < run.sequence.count) {
        bool one_by_one = sends_one_by_one(&run, run.end);

        while (run.end < run.sequence.count &&
               sends_one_by_one(&run, run.end) == one_by_one)
            run.end++;
        rc = one_by_one ? rt_send_one_by_one(conn, &sender, err)
                        : rt_send_pipelined(conn, &sender, err);
    }
    rt_conn_on_wait(conn, NULL, NULL);
    if (rc == 0 || out->done == plan->count) {
        rt_err_clear(err); /* what comes after the last COMMIT has no say in it */
        return 0;
    }
    fail_unit(&run, conn, err);
    return -(int)err->status;
}
