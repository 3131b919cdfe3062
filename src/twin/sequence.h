/*
 * Sequences, of identity columns too: the twin's follow production's, last value and
 * whether it was given out. setval alone would stay behind after a rollback; a RESTART
 * gives the sequence storage of the transaction's own, which a rollback takes away
 * together with what setval wrote to it.
 */
#ifndef RT_TWIN_SEQUENCE_H
#define RT_TWIN_SEQUENCE_H

#include "base/arena.h"
#include "pg/query.h"

/* One that is elsewhere on the twin. */
struct rt_sequence {
    const char *name; /* quoted */
    struct rt_sequence_place {
        const char *last;
        bool called; /* last was given out */
    } prod, twin;
};

/* Those of which both sides have one of the name, in the order of the names. Texts live
 * in the arena. */
int rt_sequences_compare(struct rt_sequence **out, size_t *count, struct rt_arena *arena,
                         struct rt_conn *prod, struct rt_conn *twin,
                         struct rt_err *err) RT_CHECKED;

/* Where the sequences of one side are. Which there are may be asked for ahead, with the
 * next statement there (pg/later.h). */
struct rt_places {
    struct rt_read names;
    struct rt_read *reads; /* rows of name, last_value, is_called follow each other */
    size_t count;
    size_t read, row; /* the next one */
};                    /* starts as {0} */

void rt_places_ask(struct rt_places *places, struct rt_conn *conn);
int rt_places_read(struct rt_places *places, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;
void rt_places_clear(struct rt_places *places);

/* In the twin's open transaction; both sides have the same sequences. prod: as read
 * there. *changed counts those that were elsewhere. */
int rt_sequences_follow(unsigned long *changed, struct rt_places *prod,
                        struct rt_conn *twin, struct rt_err *err) RT_CHECKED;

#endif
