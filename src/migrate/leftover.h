/*
 * What a CONCURRENTLY statement that did not end well has left in production, and so what
 * is to be done when it is its turn again.
 */
#ifndef RT_MIGRATE_LEFTOVER_H
#define RT_MIGRATE_LEFTOVER_H

#include "migrate/step.h"
#include "sql/concurrent.h"

/* What the statement is about, as production has it. */
struct rt_object {
    const char *name; /* quoted, with its schema when it is there; NULL: nothing known */
    bool there;       /* the index exists; the partition is attached */
    bool valid;       /* of an index */
    bool on_table;    /* of CREATE INDEX: on the table that the statement names */
    bool unique;      /* of an index */
    bool pending;     /* of DETACH: begun, and to be finished with FINALIZE */
};

enum rt_verdict {
    RT_VERDICT_RUN,    /* run it */
    RT_VERDICT_DONE,   /* it is done: leave it out */
    RT_VERDICT_CLEAN,  /* drop the invalid index that it left, then run it */
    RT_VERDICT_FINISH, /* run the FINALIZE of the partition instead */
    RT_VERDICT_REFUSE, /* IF NOT EXISTS would take somebody's invalid index for its own */
    RT_VERDICT_UNTOLD, /* nobody can tell whether it was done */
};

/* The query that tells an rt_object, and its parameters; false: there is none. */
struct rt_question {
    const char *sql;
    const char *params[4];
};
bool rt_leftover_question(struct rt_question *out, const struct rt_concurrent *what);

/* Its answer, as text; name is in the arena. */
struct rt_object rt_leftover_answer(struct rt_arena *arena,
                                    const struct rt_concurrent *what, const char *answer);

/* A name for SQL, in the arena; schema may be NULL. */
const char *rt_quote_name(struct rt_arena *arena, const char *schema, const char *name);

/* Decide. step is the statement's row, NULL when it was never started; same_text: the
 * file has the text still that the row is about. Pure. */
enum rt_verdict rt_leftover_decide(const struct rt_concurrent *what,
                                   const struct rt_object *object,
                                   const struct rt_step *step, bool same_text);

#endif
