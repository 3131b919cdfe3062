#include "migrate/walk.h"

#include <stdarg.h>

#include "base/log.h"
#include "base/mem.h"
#include "migrate/session.h"
#include "queries.h"

/* Whatever the role's default is: what is read after a lock has to be as it is then. */
#define BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED"

void rt_walk_note(struct rt_walk *walk, const char *fmt, ...)
{
    const char *before = walk->run->notes;
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = rt_vformat(fmt, ap);
    va_end(ap);
    rt_log("%s: %s", walk->action->path, text);
    walk->run->notes = rt_arena_format(walk->arena, "%s%s%s", before ? before : "",
                                       before ? "\n" : "", text);
    free(text);
}

void rt_walk_to(struct rt_walk *walk, size_t number)
{
    const struct rt_source *source = &walk->action->source;
    size_t place = walk->places[number - 1];

    walk->number = number;
    walk->stmt = &source->script.stmts[place];
    walk->checksum = rt_resume_checksum(source, place);
    rt_stmt_concurrent(&walk->what, walk->arena, source->script.text + walk->stmt->start,
                       walk->stmt->len);
    walk->run->line = walk->stmt->line;
    walk->object = (struct rt_object){0};
    walk->step = rt_stopped_step(walk->file, number);
    walk->same_text = walk->step && strcmp(walk->step->checksum, walk->checksum.hex) == 0;
    walk->version = walk->step ? walk->step->version : 0;
    /* Until it is looked at, it is what it was. */
    walk->object_name = walk->same_text ? walk->step->object : NULL;
    walk->found = walk->same_text && walk->step->found;
    rt_batch_reset(&walk->batch);
    walk->claims = false;
    walk->claimed = SIZE_MAX;
}

/* What is not understood may be a DO, too. */
bool rt_walk_may_be_partial(const struct rt_walk *walk)
{
    return walk->what.kind == RT_CONCURRENT_CODE ||
           walk->stmt->stmt_class == RT_CLASS_UNPARSED;
}

/* ------------------------------------------------------------------ messages */

void rt_mark_fill(struct rt_mark *out, const struct rt_walk *walk, const char *state,
                  long long version, const struct rt_err *failure)
{
    const struct rt_action *action = walk->action;

    snprintf(out->statement, sizeof(out->statement), "%zu", walk->number);
    snprintf(out->statements, sizeof(out->statements), "%zu",
             action->source.mode.statements);
    snprintf(out->version, sizeof(out->version), "%lld", version);
    snprintf(out->line, sizeof(out->line), "%lu",
             failure && failure->line ? failure->line : (unsigned long)walk->stmt->line);
    out->params[0] = action->path;
    out->params[1] = out->statement;
    out->params[2] = out->statements;
    out->params[3] = walk->checksum.hex;
    out->params[4] = action->checksum;
    out->params[5] = action->commit;
    out->params[6] = state;
    out->params[7] = out->version;
    out->params[8] = walk->object_name;
    out->params[9] = walk->found ? "true" : "false";
    out->params[10] = out->line;
    out->params[11] = failure && failure->sqlstate[0] ? failure->sqlstate : NULL;
    out->params[12] = failure ? failure->message : NULL;
    out->params[13] = walk->run->client;
}

struct rt_message rt_walk_message(const struct rt_walk *walk, const struct rt_stmt *stmt)
{
    const char *text = walk->action->source.script.text;
    struct rt_message message = {.sql = text + stmt->start, .len = stmt->len};

    if (stmt->kind == RT_STMT_COPY) {
        message.copy = text + stmt[1].start;
        message.copy_len = stmt[1].len;
    }
    return message;
}

static void add_frame(struct rt_walk *walk, const char *sql)
{
    rt_batch_add(&walk->batch, RT_PART_FRAME, sql, 0, NULL);
}

static void add_restore(struct rt_walk *walk)
{
    for (size_t i = 0; i < RT_SESSION_RESTORE; i++)
        add_frame(walk, rt_session_restore[i]);
}

/* What only waits for older transactions to end keeps nobody waiting behind it. */
static const char *lock_timeout(const struct rt_walk *walk)
{
    bool waits = walk->what.kind == RT_CONCURRENT_CREATE_INDEX ||
                 walk->what.kind == RT_CONCURRENT_DROP_INDEX ||
                 walk->what.kind == RT_CONCURRENT_REINDEX;

    return waits && !walk->run->impatient ? "0" : walk->run->lock_timeout;
}

/* The row, in a transaction that is left open. mark and head have to last until they are
 * sent. */
static void add_claim(struct rt_walk *walk, const struct rt_mark *mark, const char **head)
{
    add_frame(walk, BEGIN);
    add_restore(walk);
    /* Whoever else is about to write the row does not keep us for long. */
    rt_batch_add(&walk->batch, RT_PART_FRAME,
                 "SELECT set_config('lock_timeout', $1, true)", 1,
                 &walk->run->lock_timeout);
    rt_batch_add(&walk->batch, RT_PART_CLAIM, rt_sql_step_mark, RT_COUNT(mark->params),
                 mark->params);
    /* After the row: the one who deletes it has written the ledger. */
    rt_batch_add(&walk->batch, RT_PART_HEAD, rt_sql_ledger_head, 1, head);
}

/* Our settings, then those of the file so far: a session that goes on with it has not
 * seen them. Behind a pooler only ours, for a transaction. params has to last until they
 * are sent. */
static void add_settings(struct rt_walk *walk, const char *params[3])
{
    const struct rt_source *source = &walk->action->source;

    params[0] = lock_timeout(walk);
    params[1] = walk->run->statement_timeout;
    params[2] = walk->run->pooled ? "true" : "false";
    rt_batch_add(&walk->batch, RT_PART_FRAME, rt_sql_step_settings, 3, params);
    for (size_t i = 0; i + 1 < walk->number; i++) {
        const struct rt_stmt *stmt = &source->script.stmts[walk->places[i]];

        if (stmt->stmt_class == RT_CLASS_SETTING)
            rt_batch_add_message(&walk->batch, RT_PART_SETTING, walk->places[i],
                                 rt_walk_message(walk, stmt));
    }
}

/* What refuses a transaction works in several, and the last of them (an index becomes
 * valid in it) stays open until the pipeline goes on: BEGIN takes it over, and COMMIT
 * ends it, before a row that cannot be written would undo it. */
static void add_end(struct rt_walk *walk)
{
    if (walk->stmt->stmt_class != RT_CLASS_NO_TX)
        return;
    add_frame(walk, "BEGIN");
    add_frame(walk, "COMMIT");
}

/* ------------------------------------------------------------------ sending */

int rt_walk_send(struct rt_walk *walk, struct rt_message message, bool not_yet,
                 struct rt_err *err)
{
    bool copy = message.copy != NULL, pooled = walk->run->pooled;
    bool unsure = walk->stmt->stmt_class == RT_CLASS_UNPARSED; /* may be a COPY, too */
    struct rt_mark first, last;
    const char *limits[3], *head = walk->run->head;
    int rc;

    rt_batch_reset(&walk->batch);
    walk->claims = true;
    rt_mark_fill(&first, walk, copy ? "done" : "started", walk->version, NULL);
    rt_mark_fill(&last, walk, "done", walk->version + 1, NULL);
    add_claim(walk, &first, &head);
    if (copy || !pooled)
        add_settings(walk, limits);
    if (!copy)
        add_frame(walk, "COMMIT");
    walk->claimed = copy ? SIZE_MAX : walk->batch.count;
    if (!copy && pooled && walk->stmt->stmt_class == RT_CLASS_PLAIN)
        add_settings(walk, limits);
    rt_batch_add_message(&walk->batch, RT_PART_STATEMENT, 0, message);
    if (copy) {
        add_frame(walk, "COMMIT");
    } else if (!not_yet) {
        add_end(walk);
        add_restore(walk);
        rt_batch_add(&walk->batch, RT_PART_DONE, rt_sql_step_mark, RT_COUNT(last.params),
                     last.params);
    }
    rc = rt_batch_send(&walk->batch, walk->conn, copy || (unsure && !not_yet), err);
    if (rc == 0)
        walk->version += copy || not_yet ? 1 : 2;
    return rc;
}

int rt_walk_send_text(struct rt_walk *walk, const char *sql, bool not_yet,
                      struct rt_err *err)
{
    return rt_walk_send(walk, (struct rt_message){.sql = sql, .len = strlen(sql)},
                        not_yet, err);
}

int rt_walk_mark_done(struct rt_walk *walk, struct rt_err *err)
{
    const char *head = walk->run->head;
    struct rt_mark mark;
    int rc;

    rt_batch_reset(&walk->batch);
    walk->claims = true;
    rt_mark_fill(&mark, walk, "done", walk->version, NULL);
    add_claim(walk, &mark, &head);
    add_frame(walk, "COMMIT");
    rc = rt_batch_send(&walk->batch, walk->conn, false, err);
    if (rc == 0)
        walk->version++;
    return rc;
}

int rt_walk_ask(struct rt_walk *walk, struct rt_err *err)
{
    struct rt_question question;
    const char *limits[3];
    int rc;

    if (!rt_leftover_question(&question, &walk->what))
        return 0;
    rt_batch_reset(&walk->batch);
    add_frame(walk, BEGIN);
    add_restore(walk);
    add_settings(walk, limits);
    rt_batch_add(&walk->batch, RT_PART_FRAME, question.sql, RT_COUNT(question.params),
                 question.params);
    add_frame(walk, "COMMIT");
    rc = rt_batch_send(&walk->batch, walk->conn, false, err);
    if (rc == 0)
        walk->object = rt_leftover_answer(walk->arena, &walk->what, walk->batch.answer);
    return rc;
}
