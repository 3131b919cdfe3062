/*
 * The statements that a run sends, in order: for each unit a transaction with the
 * migration's own statements and its ledger row, then what makes the session fresh again.
 *
 * A cursor walks over them; sending and receiving each have one, and since replies come
 * in order, the receiving cursor always tells which statement a reply or error is about.
 */
#ifndef RT_MIGRATE_SEQUENCE_H
#define RT_MIGRATE_SEQUENCE_H

#include "migrate/plan.h"

/* One transaction: the records that a plan begins with together, or one action. */
struct rt_unit {
    size_t first, count; /* of plan->actions */
};

enum rt_phase {
    RT_PHASE_BEGIN,
    RT_PHASE_SETTINGS,  /* timeouts, the mark, the lock that orders runners */
    RT_PHASE_HEAD,      /* the ledger still ends where the plan says */
    RT_PHASE_BEFORE,    /* what the actions ask for besides */
    RT_PHASE_STATEMENT, /* the file's own, unless it runs without a transaction */
    RT_PHASE_RESTORE,   /* role and encoding as they were, for the ledger's row */
    RT_PHASE_STEPS,     /* the file's rows of revtwin.step end with that transaction */
    RT_PHASE_APPEND,    /* the ledger's row or rows */
    RT_PHASE_AFTER,     /* what the actions ask for besides */
    RT_PHASE_COMMIT,
    RT_PHASE_CLEANUP, /* nothing of this file's session may reach the next one */
    RT_PHASE_COUNT,
};

/* {.unit = n} is the first statement of unit n. */
struct rt_cursor {
    size_t unit;
    enum rt_phase phase;
    size_t index; /* within the phase; for RT_PHASE_STATEMENT of script.stmts */
};

struct rt_sequence {
    const struct rt_plan *plan;
    struct rt_unit *units;
    size_t count;
};

/* The units of a plan, in the arena. */
void rt_sequence_init(struct rt_sequence *out, struct rt_arena *arena,
                      const struct rt_plan *plan);

/* Step to the next statement, perhaps of the next unit. */
void rt_cursor_advance(struct rt_cursor *cursor, const struct rt_sequence *sequence);

/* The script that a unit runs, or NULL for records. */
const struct rt_source *rt_unit_source(const struct rt_sequence *sequence, size_t unit);

/* The action that the statement is about; the first of a unit where it is about all. */
const struct rt_action *rt_cursor_action(const struct rt_cursor *cursor,
                                         const struct rt_sequence *sequence);

/* The fixed text of the statement; NULL in RT_PHASE_STATEMENT, _BEFORE and _AFTER. */
const char *rt_cursor_sql(const struct rt_cursor *cursor);

#endif
