#include "migrate/chain.h"

struct rt_digest rt_ledger_hash(const struct rt_ledger_row *row)
{
    struct rt_hash hash;

    rt_hash_init(&hash);
    for (int c = 0; c < RT_COL_ENTRY_HASH; c++)
        rt_hash_field(&hash, row->column[c]);
    return rt_hash_end(&hash);
}

size_t rt_ledger_rows_until(const struct rt_ledger *ledger, const char *head)
{
    if (head == NULL || strcmp(head, RT_LEDGER_START) == 0)
        return 0;
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcasecmp(ledger->rows[i].column[RT_COL_ENTRY_HASH], head) == 0)
            return i + 1;
    }
    return SIZE_MAX;
}

/* NULL, or why the row cannot follow a row with the hash before. */
static const char *broken_link(const struct rt_ledger *ledger,
                               const struct rt_ledger_row *row, const char *before)
{
    const char *prev = row->column[RT_COL_PREV_HASH];

    if (strcmp(prev, before) == 0)
        return NULL;
    return rt_ledger_rows_until(ledger, prev) == SIZE_MAX
               ? "does not follow the row before it: a row was removed or replaced"
               : "does not follow the row before it: rows were inserted or moved";
}

static const char *bad_signature(const struct rt_ledger_row *row,
                                 const struct rt_public_keys *keys)
{
    const char *signature = row->column[RT_COL_SIGNATURE];

    if (signature == NULL)
        return "is not signed";
    return rt_is_signed(keys, row->column[RT_COL_ENTRY_HASH], signature)
               ? NULL
               : "has a signature that none of the given keys made";
}

const char **rt_ledger_faults(size_t *count, struct rt_arena *arena,
                              const struct rt_ledger *ledger,
                              const struct rt_proof *proof)
{
    const struct rt_proof none = {0}, *known = proof ? proof : &none;
    const char **faults =
        rt_arena_alloc(arena, (3 * ledger->count + 1) * sizeof(*faults));
    size_t proven = rt_ledger_rows_until(ledger, known->head);
    const char *before = RT_LEDGER_START;

    *count = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct rt_ledger_row *row = &ledger->rows[i];
        const char *const *column = row->column;
        bool signed_too = known->keys && (proven == SIZE_MAX || i >= proven);
        const char *wrong[] = {
            strcmp(rt_ledger_hash(row).hex, column[RT_COL_ENTRY_HASH]) == 0
                ? NULL
                : "was edited: its content does not match its hash",
            broken_link(ledger, row, before),
            signed_too ? bad_signature(row, known->keys) : NULL,
        };

        for (size_t w = 0; w < RT_COUNT(wrong); w++) {
            if (wrong[w])
                faults[(*count)++] =
                    rt_arena_format(arena, "ledger row %s (%s) %s", column[RT_COL_SEQ],
                                    column[RT_COL_PATH], wrong[w]);
        }
        before = column[RT_COL_ENTRY_HASH];
    }
    if (proven == SIZE_MAX)
        faults[(*count)++] = rt_arena_format(arena,
                                             "the ledger has no row with the head %s: "
                                             "rows were removed or rewritten since "
                                             "it was noted",
                                             known->head);
    return faults;
}
