#include "migrate/transact.h"

#include "base/log.h"
#include "pg/send.h"

struct sending {
    struct rt_run *run;
    size_t end;       /* unit where it stops */
    const char *mark; /* of the transaction that is being sent */
    const char *params[RT_LEDGER_COLUMNS + 1];
};

/* ------------------------------------------------------------------ sending */

static const char *head_before(const struct rt_run *run, size_t unit)
{
    const struct rt_ledger_row *row = rt_run_row_before(run, unit);

    return row ? row->column[RT_COL_ENTRY_HASH] : rt_ledger_head(run->ledger);
}

static const struct rt_ledger_row *make_row(struct rt_run *run)
{
    const struct rt_action *action = rt_cursor_action(&run->sent, &run->sequence);
    size_t i = (size_t)(action - run->sequence.plan->actions);
    const struct rt_ledger_row *prev =
        run->sent.index > 0 ? &run->rows[i - 1] : rt_run_row_before(run, run->sent.unit);
    const struct rt_new_row fresh = {.kind = action->row,
                                     .path = action->path,
                                     .checksum = action->checksum,
                                     .commit = action->commit,
                                     .statements = action->source.mode.statements,
                                     .reason = action->reason};

    run->rows[i] = action->verbatim ? *action->verbatim
                                    : rt_ledger_next(run->arena, run->ledger, prev,
                                                     &fresh, &run->options->writer);
    return &run->rows[i];
}

static void fill_statement(const struct rt_run *run, struct rt_message *out)
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

static void fill_command(const struct rt_command *command, struct rt_message *out)
{
    out->sql = command->sql;
    out->len = strlen(command->sql);
    out->params = command->params;
    out->nparams = command->nparams;
}

static void fill_fixed(struct sending *s, struct rt_message *out)
{
    struct rt_run *run = s->run;

    out->sql = rt_cursor_sql(&run->sent);
    out->len = strlen(out->sql);
    out->params = s->params;
    switch (run->sent.phase) {
    case RT_PHASE_SETTINGS:
        /* Any value that no other transaction of this session had: the row to come. */
        s->mark = rt_arena_format(run->arena, "%zu after %s", run->sent.unit,
                                  head_before(run, run->sent.unit));
        s->params[0] = run->options->lock_timeout;
        s->params[1] = run->options->statement_timeout;
        s->params[2] = s->mark;
        s->params[3] = run->options->other_lock ? run->options->other_lock->key : NULL;
        out->nparams = 4;
        break;
    case RT_PHASE_HEAD:
        s->params[0] = head_before(run, run->sent.unit);
        out->nparams = 1;
        break;
    case RT_PHASE_STEPS:
        s->params[0] = rt_cursor_action(&run->sent, &run->sequence)->path;
        out->nparams = 1;
        break;
    case RT_PHASE_APPEND:
        memcpy(s->params, make_row(run)->column, sizeof(run->rows->column));
        s->params[RT_LEDGER_COLUMNS] = s->mark;
        out->nparams = RT_LEDGER_COLUMNS + 1;
        break;
    default:
        break;
    }
}

static int next_message(void *context, struct rt_message *out)
{
    struct sending *s = context;
    struct rt_run *run = s->run;

    if (run->sent.unit >= s->end)
        return 0;
    /* The server keeps replies back. It is asked for those before each statement that may
     * take its time, or else nobody could tell which one does. */
    out->flush = run->sent.phase == RT_PHASE_HEAD || run->sent.phase == RT_PHASE_BEFORE ||
                 run->sent.phase == RT_PHASE_STATEMENT ||
                 run->sent.phase == RT_PHASE_COMMIT;
    if (run->sent.phase == RT_PHASE_STATEMENT)
        fill_statement(run, out);
    else if (run->sent.phase == RT_PHASE_BEFORE)
        fill_command(rt_cursor_action(&run->sent, &run->sequence)->before, out);
    else if (run->sent.phase == RT_PHASE_AFTER)
        fill_command(rt_cursor_action(&run->sent, &run->sequence)->after, out);
    else
        fill_fixed(s, out);
    rt_cursor_advance(&run->sent, &run->sequence);
    return 1;
}

/* ------------------------------------------------------------------ replies */

static int take_reply(void *context, const char *tag, const char *value,
                      struct rt_err *err)
{
    struct sending *s = context;
    struct rt_run *run = s->run;
    const struct rt_cursor *at = &run->replied;

    if (at->phase == RT_PHASE_SETTINGS)
        run->xid = rt_arena_strdup(run->arena, value ? value : "");
    if (at->phase == RT_PHASE_APPEND) {
        const struct rt_action *action = rt_cursor_action(at, &run->sequence);

        run->out->milliseconds[action - run->sequence.plan->actions] =
            rt_arena_strdup(run->arena, value ? value : "0");
    }
    if (at->phase == RT_PHASE_COMMIT) {
        /* A failed transaction answers COMMIT with success and the tag ROLLBACK. */
        if (strcmp(tag, "COMMIT") != 0)
            return rt_err_set(err, RT_EMIGRATION, "the server answered COMMIT with %s",
                              tag);
        rt_run_unit_done(run, at->unit);
    }
    rt_cursor_advance(&run->replied, &run->sequence);
    return 0;
}

int rt_transact(struct rt_run *run, size_t end, bool one_by_one, struct rt_err *err)
{
    struct sending sending = {.run = run, .end = end};
    const struct rt_sender sender = {next_message, take_reply, &sending};

    run->sent = run->replied = (struct rt_cursor){
        .unit = run->replied.unit,
        .phase = rt_conn_in_transaction(run->conn) ? RT_PHASE_SETTINGS : RT_PHASE_BEGIN};
    return one_by_one ? rt_send_one_by_one(run->conn, &sender, err)
                      : rt_send_pipelined(run->conn, &sender, err);
}
