#include "migrate/gone.h"

bool rt_plan_first_run(const struct rt_plan_input *input)
{
    return input->ledger && input->ledger->count == 0 && input->elsewhere == NULL &&
           (!input->ledger->exists || input->base_named);
}

static void add_gone(struct rt_gone_list *list, const struct rt_set *set,
                     const char *path, const char *checksum,
                     const struct rt_ledger_row *row)
{
    if (rt_set_find(set, path) == NULL)
        list->items[list->count++] = (struct rt_gone){path, checksum, row, false};
}

static void find_in_base(struct rt_gone_list *out, const struct rt_plan_input *input)
{
    for (size_t i = 0; i < input->base_set->count; i++) {
        const struct rt_migration *m = &input->base_set->migrations[i];

        if (!m->down)
            add_gone(out, input->set, m->path, m->checksum.hex, NULL);
    }
}

static void find_in_ledger(struct rt_gone_list *out, const struct rt_plan_input *input)
{
    const struct rt_ledger *ledger = input->ledger;
    const struct rt_ledger_row *ahead = ledger->rows + ledger->count - input->ahead;

    for (size_t i = 0; i < ledger->count; i++) {
        const struct rt_ledger_row *row = ledger->by_path[i];
        const char *path = row->column[RT_COL_PATH];

        /* The last row of a path is the one that counts. */
        if (rt_ledger_find(ledger, path) == row && rt_row_applied(row) && row < ahead)
            add_gone(out, input->set, path, row->column[RT_COL_CHECKSUM], row);
    }
}

void rt_gone_find(struct rt_gone_list *out, struct rt_arena *arena,
                  const struct rt_plan_input *input)
{
    bool first = rt_plan_first_run(input);
    size_t known;

    *out = (struct rt_gone_list){0};
    if (input->ledger == NULL)
        return;
    known = first ? input->base_set->count : input->ledger->count;
    *out = (struct rt_gone_list){rt_arena_alloc(arena, known * sizeof(*out->items)), 0};
    if (first)
        find_in_base(out, input);
    else
        find_in_ledger(out, input);
}

struct rt_gone *rt_gone_with_text(const struct rt_gone_list *list,
                                  const struct rt_migration *migration)
{
    for (size_t i = 0; i < list->count; i++) {
        struct rt_gone *gone = &list->items[i];

        if (!gone->renamed && rt_migration_is(migration, gone->checksum))
            return gone;
    }
    return NULL;
}

struct rt_gone *rt_gone_before(const struct rt_gone_list *list,
                               const struct rt_arrival *arrival)
{
    for (const struct rt_name *name = arrival->before; name; name = name->before) {
        for (size_t i = 0; i < list->count; i++) {
            if (!list->items[i].renamed && strcmp(list->items[i].path, name->path) == 0)
                return &list->items[i];
        }
    }
    return NULL;
}

/* The files of the set that the range tells to be one of the list under another name. */
static bool *find_renamed(struct rt_arena *arena, const struct rt_plan_input *input,
                          const struct rt_gone_list *list)
{
    bool *renamed = rt_arena_alloc(arena, input->set->count * sizeof(*renamed));

    for (size_t i = 0; i < input->range->count; i++) {
        const struct rt_arrival *arrival = &input->range->arrivals[i];
        const struct rt_migration *m = rt_set_find(input->set, arrival->path);

        if (m && !arrival->deleted && rt_gone_before(list, arrival))
            renamed[m - input->set->migrations] = true;
    }
    return renamed;
}

/* Which rows may be the file under another name, by its text. */
static void ask_for(struct rt_past *past, const struct rt_gone_list *list,
                    const struct rt_migration *m, const char *folder)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct rt_gone *gone = &list->items[i];

        if (!rt_migration_is(m, gone->checksum))
            continue;
        if (past->since == NULL || gone->row < past->since)
            past->since = gone->row;
        past->elsewhere |= !rt_folder_has(folder, gone->path);
    }
}

struct rt_past rt_plan_past(struct rt_arena *arena, const struct rt_plan_input *input,
                            const char *folder)
{
    struct rt_past past = {NULL, false};
    struct rt_gone_list list;
    bool *renamed;

    if (input->ledger == NULL || rt_plan_first_run(input))
        return past;
    rt_gone_find(&list, arena, input);
    renamed = find_renamed(arena, input, &list);
    for (size_t i = 0; list.count > 0 && i < input->set->count; i++) {
        const struct rt_migration *m = &input->set->migrations[i];

        if (!m->down && !renamed[i] &&
            !rt_row_applied(rt_ledger_find(input->ledger, m->path)))
            ask_for(&past, &list, m, folder);
    }
    return past;
}
