#include "migrate/adopt.h"

#include "base/names.h"

/* A file of the set under its key in the tool's naming. */
struct keyed {
    const char *key;
    size_t index; /* of the set */
};

struct adoption {
    struct rt_plan *plan;
    struct rt_baseline *baseline;
    struct rt_arena *arena;
    struct rt_repo *repo;
    const struct rt_foreign *foreign;
    struct keyed *files; /* sorted by key */
    size_t count;
    struct rt_names missing, failed, changed, several, unchecked;
    bool partial;
};

static const char *path_of(const struct adoption *a, const struct keyed *file)
{
    return a->baseline->set->migrations[file->index].path;
}

/* ------------------------------------------------------------------ keys */

static int compare_keys(const void *left, const void *right)
{
    const struct keyed *x = left, *y = right;
    int order = strcmp(x->key, y->key);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void key_files(struct adoption *a)
{
    const struct rt_set *set = a->baseline->set;

    a->files = rt_arena_alloc(a->arena, set->count * sizeof(*a->files));
    for (size_t i = 0; i < set->count; i++) {
        const struct rt_migration *m = &set->migrations[i];
        const char *key =
            m->down ? NULL
                    : rt_foreign_file_key(a->arena, a->foreign->tool->naming, m->path);

        if (key)
            a->files[a->count++] = (struct keyed){key, i};
    }
    if (a->count > 0)
        qsort(a->files, a->count, sizeof(*a->files), compare_keys);
}

/* The first file of the key, and how many there are. */
static size_t find_key(const struct adoption *a, const char *key, size_t *first)
{
    size_t low = 0, high = a->count, found = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(a->files[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (low + found < a->count && strcmp(a->files[low + found].key, key) == 0)
        found++;
    return found;
}

/* ------------------------------------------------------------------ rows */

static void choose_below(struct adoption *a, const char *limit)
{
    for (size_t i = 0; i < a->count; i++) {
        if (rt_foreign_at_most(a->files[i].key, limit))
            a->baseline->chosen[a->files[i].index] = true;
    }
}

static void choose_ranges(struct adoption *a)
{
    const char *limit = NULL;

    for (size_t i = 0; i < a->foreign->count; i++) {
        const struct rt_foreign_row *row = &a->foreign->rows[i];

        if (row->state != RT_FOREIGN_BELOW ||
            (limit && rt_foreign_at_most(row->key, limit)))
            continue;
        limit = row->key;
        choose_below(a, limit);
    }
}

static int check_sum(struct adoption *a, const struct keyed *file,
                     const struct rt_foreign_row *row, enum rt_sum_verdict *verdict,
                     struct rt_err *err)
{
    const struct rt_migration *m = &a->baseline->set->migrations[file->index];
    struct rt_blob blob = {0};
    int rc;

    *verdict = RT_SUM_FITS;
    if (row->checksum == NULL || a->foreign->tool->check_sum == NULL)
        return 0;
    rc = rt_blob_open(&blob, a->repo, &m->oid, err);
    if (rc < 0)
        return rt_err_at(err, m->path, 0, 0);
    *verdict = a->foreign->tool->check_sum(file->key, blob.data, blob.len, row->checksum);
    rt_blob_close(&blob);
    return 0;
}

static int take_file(struct adoption *a, const struct keyed *file,
                     const struct rt_foreign_row *row, struct rt_err *err)
{
    enum rt_sum_verdict verdict;
    int rc = check_sum(a, file, row, &verdict, err);

    if (rc < 0)
        return rc;
    a->baseline->chosen[file->index] = verdict != RT_SUM_DIFFERS;
    if (verdict == RT_SUM_DIFFERS)
        rt_names_add(&a->changed, path_of(a, file));
    if (verdict == RT_SUM_UNKNOWN)
        rt_names_add(&a->unchecked, path_of(a, file));
    return 0;
}

static void leave_files(struct adoption *a, const struct rt_foreign_row *row,
                        struct rt_names *names, size_t first, size_t found)
{
    struct rt_str line = {0};

    rt_str_add(&line, row->label);
    for (size_t i = first; i < first + found; i++) {
        rt_str_addf(&line, "%s %s", i == first ? ":" : ",", path_of(a, &a->files[i]));
        a->baseline->chosen[a->files[i].index] = false;
    }
    rt_names_add(names, rt_str_text(&line));
    rt_str_clear(&line);
}

static int take_row(struct adoption *a, const struct rt_foreign_row *row,
                    struct rt_err *err)
{
    size_t first, found = find_key(a, row->key, &first);

    if (row->state == RT_FOREIGN_FAILED)
        leave_files(a, row, &a->failed, first, found);
    else if (found == 0)
        rt_names_add(&a->missing, row->label);
    else if (found > 1)
        leave_files(a, row, &a->several, first, found);
    else
        return take_file(a, &a->files[first], row, err);
    return 0;
}

/* ------------------------------------------------------------------ findings */

static struct rt_err *find(struct adoption *a)
{
    return rt_plan_add_finding(a->plan, a->partial ? RT_WARNING : RT_REFUSAL);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* What files that are left out come to, and the ways on. */
static void hint(const struct adoption *a, struct rt_err *err, const char *mend)
{
    if (a->partial)
        rt_err_hint(err, "They stay pending, and revtwin apply would run them: record "
                         "those that production has with revtwin baseline REV PATH.");
    else
        rt_err_hint(err, "%s --partial records the others only.", mend);
}

static bool some_chosen(const struct adoption *a)
{
    for (size_t i = 0; i < a->baseline->set->count; i++) {
        if (a->baseline->chosen[i])
            return true;
    }
    return false;
}

static void find_missing(struct adoption *a)
{
    const char *tool = a->foreign->tool->name;
    struct rt_err *err;

    if (a->missing.count == 0)
        return;
    err = find(a);
    rt_err_set(err, RT_EREFUSED,
               "%zu migration%s that %s applied %s no file in commit %.12s",
               a->missing.count, plural(a->missing.count), tool,
               a->missing.count == 1 ? "has" : "have", a->baseline->commit->hex);
    rt_names_give(&a->missing, err);
    if (!some_chosen(a))
        rt_err_hint(err, "No file is one of them: is it the right folder? --path names "
                         "another.");
    else if (!a->partial)
        rt_err_hint(err, "Bring the files back; --partial goes on without them (what was "
                         "squashed since, or is written in another language than SQL).");
}

static void find_failed(struct adoption *a)
{
    struct rt_err *err;

    if (a->failed.count == 0)
        return;
    err = find(a);
    rt_err_set(err, RT_EREFUSED,
               "%zu migration%s failed or never finished, %s says: what of %s production "
               "has is unknown",
               a->failed.count, plural(a->failed.count), a->foreign->tool->name,
               a->failed.count == 1 ? "it" : "them");
    rt_names_give(&a->failed, err);
    hint(a, err, "Look at production, and settle it with that tool.");
}

static void find_changed(struct adoption *a)
{
    struct rt_err *err;

    if (a->changed.count == 0)
        return;
    err = find(a);
    rt_err_set(err, RT_EREFUSED,
               "%zu file%s changed after %s applied %s: the checksum does not fit",
               a->changed.count, a->changed.count == 1 ? " was" : "s were",
               a->foreign->tool->name, a->changed.count == 1 ? "it" : "them");
    rt_names_give(&a->changed, err);
    hint(a, err, "Restore what was applied, and put the change into a new migration.");
}

static void find_several(struct adoption *a)
{
    struct rt_err *err;

    if (a->several.count == 0)
        return;
    err = find(a);
    rt_err_set(err, RT_EREFUSED, "%zu migration%s of %s fit%s more than one file",
               a->several.count, plural(a->several.count), a->foreign->tool->name,
               a->several.count == 1 ? "s" : "");
    rt_names_give(&a->several, err);
    hint(a, err, "Leave only the one that was applied.");
}

static void note_unchecked(struct adoption *a)
{
    struct rt_err *err;

    if (a->unchecked.count == 0)
        return;
    err = rt_plan_add_finding(a->plan, RT_NOTE);
    rt_err_set(err, RT_DONE,
               "%zu file%s not be checked against %s's checksum: placeholders were "
               "replaced before",
               a->unchecked.count, a->unchecked.count == 1 ? " could" : "s could",
               a->foreign->tool->name);
    rt_names_give(&a->unchecked, err);
}

int rt_baseline_adopt(struct rt_plan *out, struct rt_baseline *baseline,
                      struct rt_arena *arena, struct rt_repo *repo,
                      const struct rt_foreign *foreign, bool partial, struct rt_err *err)
{
    struct adoption a = {.plan = out,
                         .baseline = baseline,
                         .arena = arena,
                         .repo = repo,
                         .foreign = foreign,
                         .partial = partial};
    int rc = 0;

    key_files(&a);
    choose_ranges(&a);
    for (size_t i = 0; rc == 0 && i < foreign->count; i++) {
        if (foreign->rows[i].state != RT_FOREIGN_BELOW)
            rc = take_row(&a, &foreign->rows[i], err);
    }
    find_missing(&a);
    find_failed(&a);
    find_changed(&a);
    find_several(&a);
    note_unchecked(&a);
    return rc;
}
