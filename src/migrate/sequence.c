#include "migrate/sequence.h"

#include "migrate/session.h"
#include "queries.h"

void rt_sequence_init(struct rt_sequence *out, struct rt_arena *arena,
                      const struct rt_plan *plan)
{
    size_t records = 0;

    while (records < plan->count && plan->actions[records].kind == RT_ACTION_RECORD)
        records++;
    out->plan = plan;
    out->count = 0;
    out->units = rt_arena_alloc(arena, (plan->count + 1) * sizeof(*out->units));
    if (records > 0)
        out->units[out->count++] = (struct rt_unit){0, records};
    for (size_t i = records; i < plan->count; i++)
        out->units[out->count++] = (struct rt_unit){i, 1};
}

const struct rt_source *rt_unit_source(const struct rt_sequence *sequence, size_t unit)
{
    const struct rt_action *action =
        &sequence->plan->actions[sequence->units[unit].first];

    return action->kind == RT_ACTION_APPLY ? &action->source : NULL;
}

/* How many statements the cursor's phase has. */
static size_t phase_length(const struct rt_cursor *cursor,
                           const struct rt_sequence *sequence)
{
    const struct rt_source *source = rt_unit_source(sequence, cursor->unit);

    switch (cursor->phase) {
    case RT_PHASE_STATEMENT:
        return source && !source->mode.no_transaction
                   ? source->mode.first + source->mode.count
                   : 0;
    case RT_PHASE_RESTORE:
        return source ? RT_SESSION_RESTORE : 0;
    case RT_PHASE_BEFORE:
    case RT_PHASE_STEPS:
    case RT_PHASE_APPEND:
    case RT_PHASE_AFTER:
        return sequence->units[cursor->unit].count;
    case RT_PHASE_CLEANUP:
        return source ? RT_SESSION_CLEANUP : 0;
    default:
        return 1;
    }
}

const struct rt_action *rt_cursor_action(const struct rt_cursor *cursor,
                                         const struct rt_sequence *sequence)
{
    bool each = cursor->phase == RT_PHASE_BEFORE || cursor->phase == RT_PHASE_STEPS ||
                cursor->phase == RT_PHASE_APPEND || cursor->phase == RT_PHASE_AFTER;

    return &sequence->plan->actions[sequence->units[cursor->unit].first +
                                    (each ? cursor->index : 0)];
}

/* Whether nothing is sent at this place: COPY data travel with their COPY statement, and
 * few actions ask for more than their row. */
static bool is_empty(const struct rt_cursor *cursor, const struct rt_sequence *sequence)
{
    const struct rt_action *action = rt_cursor_action(cursor, sequence);

    switch (cursor->phase) {
    case RT_PHASE_BEFORE:
        return action->before == NULL || action->source.mode.no_transaction;
    case RT_PHASE_STEPS:
        return !action->clears_steps;
    case RT_PHASE_AFTER:
        return action->after == NULL;
    case RT_PHASE_STATEMENT:
        return action->source.script.stmts[cursor->index].kind == RT_STMT_COPY_DATA;
    default:
        return false;
    }
}

static void enter(struct rt_cursor *cursor, const struct rt_sequence *sequence)
{
    const struct rt_source *source = rt_unit_source(sequence, cursor->unit);

    cursor->index = 0;
    if (cursor->phase == RT_PHASE_STATEMENT && source)
        cursor->index = source->mode.first;
}

void rt_cursor_advance(struct rt_cursor *cursor, const struct rt_sequence *sequence)
{
    cursor->index++;
    for (;;) {
        if (cursor->index < phase_length(cursor, sequence)) {
            if (!is_empty(cursor, sequence))
                return;
            cursor->index++;
            continue;
        }
        cursor->phase++;
        if (cursor->phase == RT_PHASE_COUNT) {
            *cursor = (struct rt_cursor){.unit = cursor->unit + 1};
            return;
        }
        enter(cursor, sequence);
    }
}

const char *rt_cursor_sql(const struct rt_cursor *cursor)
{
    switch (cursor->phase) {
    case RT_PHASE_BEGIN:
        return "BEGIN";
    case RT_PHASE_SETTINGS:
        return rt_sql_migration_begin;
    case RT_PHASE_HEAD:
        return rt_sql_ledger_head;
    case RT_PHASE_RESTORE:
        return rt_session_restore[cursor->index];
    case RT_PHASE_STEPS:
        return rt_sql_step_clear;
    case RT_PHASE_APPEND:
        return rt_sql_ledger_append;
    case RT_PHASE_COMMIT:
        return "COMMIT";
    case RT_PHASE_CLEANUP:
        return rt_session_cleanup[cursor->index];
    default:
        return NULL;
    }
}
