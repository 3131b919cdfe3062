/*
 * Sequences, of identity columns too: the twin's follow production's, last value and
 * whether it was given out. setval alone would stay behind after a rollback; a RESTART
 * gives the sequence storage of the transaction's own, which a rollback takes away
 * together with what setval wrote to it.
 */
#ifndef RT_TWIN_SEQUENCE_H
#define RT_TWIN_SEQUENCE_H

#include "pg/conn.h"

/* In the twin's open transaction; both sides have the same sequences. *changed counts
 * those that were elsewhere. */
int rt_sequences_follow(unsigned long *changed, struct rt_conn *prod,
                        struct rt_conn *twin, struct rt_err *err) RT_CHECKED;

#endif
