/*
 * Whether the ledger is what was written to it.
 *
 * A row's own hash shows that it was edited; its prev_hash that a row was removed,
 * inserted or moved. Who can write to the table can recompute both, which leaves two
 * things that he cannot make: a signature, and a head that was noted elsewhere. The
 * latter also shows that rows were cut off the end.
 */
#ifndef RT_MIGRATE_CHAIN_H
#define RT_MIGRATE_CHAIN_H

#include "migrate/ledger.h"

/* What is known besides the ledger; each may be NULL. */
struct rt_proof {
    const struct rt_public_keys *keys; /* every row has to be signed by one of them, */
    const char *head; /* but those up to this one, which is proof itself */
};

struct rt_digest rt_ledger_hash(const struct rt_ledger_row *row);

/* How many rows there are up to the one with this entry_hash, 0 for NULL and the start;
 * SIZE_MAX when there is no such row. */
size_t rt_ledger_rows_until(const struct rt_ledger *ledger, const char *head);

/* What is wrong, as messages in row order; *count 0 when nothing is. proof may be NULL:
 * the chain alone. */
const char **rt_ledger_faults(size_t *count, struct rt_arena *arena,
                              const struct rt_ledger *ledger,
                              const struct rt_proof *proof);

#endif
