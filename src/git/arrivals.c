#include "git/arrivals.h"

#include <search.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

struct rt_track {
    const char *path; /* first: the key of by_path */
    const char *origin;
    const struct rt_name *before;
    size_t step;
    git_oid commit, arrived, content;
    bool live;
};

/* tsearch compares a key with a track; a key is a pointer to a path, as a track is. */
static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct rt_track *find_track(struct rt_arrivals *all, const char *path)
{
    struct rt_track **found = tfind(&path, &all->by_path, compare_paths);

    return found ? *found : NULL;
}

/* The track of this path is now this one. */
static void enter_track(struct rt_arrivals *all, struct rt_track *track)
{
    struct rt_track **slot = tsearch(track, &all->by_path, compare_paths);

    if (slot == NULL)
        rt_out_of_memory();
    *slot = track;
}

/* 1 when the base has the path, 0 when not, or an error. */
static int base_has(struct rt_arrivals *all, const char *path, struct rt_err *err)
{
    if (!all->may_be_base)
        return 0;
    if (!all->base_listed) {
        int rc = rt_tree_list(&all->base_files, all->arena, all->repo, &all->base,
                              all->folder, false, err);

        if (rc != 0)
            return rc;
        all->base_listed = true;
    }
    return rt_listing_find(&all->base_files, path) != NULL;
}

static const struct rt_name *add_name(struct rt_arrivals *all, const char *path,
                                      const struct rt_name *before)
{
    struct rt_name *name = rt_arena_alloc(all->arena, sizeof(*name));

    *name = (struct rt_name){path, before};
    return name;
}

static void add_track(struct rt_arrivals *all, const git_oid *commit,
                      const struct rt_change *change, const struct rt_name *before)
{
    struct rt_track *track = rt_arena_alloc(all->arena, sizeof(*track));

    *track = (struct rt_track){change->path, change->path,  before,        all->steps,
                               *commit,      change->after, change->after, true};
    all->tracks = rt_grow(all->tracks, all->count, &all->cap, sizeof(*all->tracks));
    all->tracks[all->count++] = track;
    enter_track(all, track);
}

static bool is_addition(const struct rt_change *change)
{
    return git_oid_is_zero(&change->before);
}

static bool is_deletion(const struct rt_change *change)
{
    return git_oid_is_zero(&change->after);
}

static const git_oid *content_of(const struct rt_change *change)
{
    return is_deletion(change) ? &change->before : &change->after;
}

/* By content, and by natural order of path where that is equal. */
static int compare_changes(const void *a, const void *b)
{
    const struct rt_change *x = a, *y = b;
    int order = git_oid_cmp(content_of(x), content_of(y));

    return order ? order : rt_natural_compare(x->path, y->path);
}

/* What becomes of one change of a step. */
struct fate {
    struct rt_track *ended;  /* by a deletion; NULL: it was a file of the base */
    bool arrives;            /* an addition that is not a file of the base come back */
    bool taken;              /* a deletion that is half of a rename */
    const struct fate *from; /* the deletion that makes an addition a rename, or NULL */
};

/* End the tracks of deleted files. */
static void apply_deletions(struct rt_arrivals *all, const struct rt_changes *changes,
                            struct fate *fates)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (!is_deletion(&changes->items[i]))
            continue;
        fates[i].ended = find_track(all, changes->items[i].path);
        if (fates[i].ended)
            fates[i].ended->live = false;
        else
            all->may_be_base = true;
    }
}

static void apply_edits(struct rt_arrivals *all, const struct rt_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct rt_change *change = &changes->items[i];
        struct rt_track *track;

        if (is_addition(change) || is_deletion(change))
            continue;
        track = find_track(all, change->path);
        if (track)
            track->content = change->after;
    }
}

static int find_arrivals(struct rt_arrivals *all, const struct rt_changes *changes,
                         struct fate *fates, struct rt_err *err)
{
    for (size_t i = 0; i < changes->count; i++) {
        int known;

        if (!is_addition(&changes->items[i]))
            continue;
        known = base_has(all, changes->items[i].path, err);
        if (known < 0)
            return known;
        fates[i].arrives = !known;
    }
    return 0;
}

/* ------------------------------------------------------------------ renames */

/* Of the same content: neighbours, since that is what the changes are sorted by. */
static void pair_contents(const struct rt_changes *changes, struct fate *fates)
{
    size_t d = 0; /* deletions before this one are taken, or of a smaller content */

    for (size_t i = 0; i < changes->count; i++) {
        const git_oid *content = &changes->items[i].after;

        if (!fates[i].arrives)
            continue;
        while (d < changes->count &&
               (!is_deletion(&changes->items[d]) ||
                git_oid_cmp(content_of(&changes->items[d]), content) < 0))
            d++;
        if (d == changes->count ||
            !git_oid_equal(content_of(&changes->items[d]), content))
            continue;
        fates[d].taken = true;
        fates[i].from = &fates[d++];
    }
}

/* The changes that pair_contents left over, on one side, in natural order of path. */
struct half {
    size_t index;
    const char *path;
    struct rt_digest text;
};

static int compare_halves(const void *a, const void *b)
{
    return rt_natural_compare(((const struct half *)a)->path,
                              ((const struct half *)b)->path);
}

static size_t leftovers(struct half *out, const struct rt_changes *changes,
                        const struct fate *fates, bool additions)
{
    size_t count = 0;

    for (size_t i = 0; i < changes->count; i++) {
        const struct rt_change *change = &changes->items[i];
        bool left = additions ? fates[i].arrives && !fates[i].from
                              : is_deletion(change) && !fates[i].taken;

        if (left && (change->mode & 0170000) == 0100000) /* what a link says is no text */
            out[count++] = (struct half){.index = i, .path = change->path};
    }
    if (count > 1)
        qsort(out, count, sizeof(*out), compare_halves);
    return count;
}

static int read_text(struct half *half, struct rt_repo *repo,
                     const struct rt_changes *changes, struct rt_err *err)
{
    struct rt_oid oid = rt_oid_make(content_of(&changes->items[half->index]));
    struct rt_blob blob = {0};
    int rc = rt_blob_open(&blob, repo, &oid, err);

    if (rc == 0)
        half->text = rt_hash_lines(blob.data, blob.len, "\n");
    rt_blob_close(&blob);
    return rc;
}

/* Of the same text but for line ends; content is only read where there may be such. */
static int pair_texts(struct rt_repo *repo, const struct rt_changes *changes,
                      struct fate *fates, struct rt_err *err)
{
    struct half *added = rt_alloc(2 * changes->count * sizeof(*added));
    struct half *deleted = added + changes->count;
    size_t n = leftovers(added, changes, fates, true);
    size_t m = leftovers(deleted, changes, fates, false);
    int rc = 0;

    for (size_t i = 0; n > 0 && m > 0 && rc == 0 && i < n + m; i++)
        rc = read_text(i < n ? &added[i] : &deleted[i - n], repo, changes, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        for (size_t j = 0; j < m && !fates[added[i].index].from; j++) {
            struct fate *from = &fates[deleted[j].index];

            if (from->taken || strcmp(added[i].text.hex, deleted[j].text.hex) != 0)
                continue;
            from->taken = true;
            fates[added[i].index].from = from;
        }
    }
    free(added);
    return rc;
}

/* A dead track that had the path stays dead: nothing finds it any more. */
static void move_track(struct rt_arrivals *all, struct rt_track *track,
                       const struct rt_change *to)
{
    tdelete(track, &all->by_path, compare_paths);
    track->before = add_name(all, track->path, track->before);
    track->path = to->path;
    track->content = to->after;
    track->live = true;
    enter_track(all, track);
}

/* A file that comes back; with another content it is not what was once renamed. */
static void revive_track(struct rt_track *track, const struct rt_change *change)
{
    if (!git_oid_equal(&track->content, &change->after))
        track->before = NULL;
    track->live = true;
    track->content = change->after;
}

static void apply_additions(struct rt_arrivals *all, const git_oid *commit,
                            const struct rt_changes *changes, const struct fate *fates)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct rt_change *change = &changes->items[i];
        const struct fate *from = fates[i].from;
        struct rt_track *track;

        if (!fates[i].arrives)
            continue;
        track = find_track(all, change->path);
        if (from && from->ended)
            move_track(all, from->ended, change);
        else if (from)
            add_track(all, commit, change,
                      add_name(all, changes->items[from - fates].path, NULL));
        else if (track)
            revive_track(track, change);
        else
            add_track(all, commit, change, NULL);
    }
}

int rt_arrivals_step(struct rt_arrivals *all, const git_oid *commit,
                     struct rt_changes *changes, struct rt_err *err)
{
    struct fate *fates;
    int rc;

    if (changes->count == 0) {
        all->steps++;
        return 0;
    }
    fates = rt_alloc(changes->count * sizeof(*fates));
    qsort(changes->items, changes->count, sizeof(*changes->items), compare_changes);
    apply_deletions(all, changes, fates);
    apply_edits(all, changes);
    rc = find_arrivals(all, changes, fates, err);
    if (rc == 0) {
        pair_contents(changes, fates);
        rc = pair_texts(all->repo, changes, fates, err);
    }
    if (rc == 0)
        apply_additions(all, commit, changes, fates);
    all->steps++;
    free(fates);
    return rc;
}

static int compare_tracks(const void *a, const void *b)
{
    const struct rt_track *x = *(struct rt_track *const *)a;
    const struct rt_track *y = *(struct rt_track *const *)b;

    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return rt_natural_compare(x->origin, y->origin);
}

void rt_arrivals_result(struct rt_range *out, struct rt_arrivals *all)
{
    if (all->count > 1)
        qsort(all->tracks, all->count, sizeof(struct rt_track *), compare_tracks);
    out->arrivals = rt_arena_alloc(all->arena, all->count * sizeof(*out->arrivals));
    out->count = all->count;
    for (size_t i = 0; i < all->count; i++) {
        const struct rt_track *track = all->tracks[i];

        out->arrivals[i] = (struct rt_arrival){
            .path = track->path,
            .origin = track->origin,
            .before = track->before,
            .step = rt_oid_make(&track->commit),
            .oid = rt_oid_make(&track->arrived),
            .edited = track->live && !git_oid_equal(&track->arrived, &track->content),
            .deleted = !track->live};
    }
}

static void keep_track(void *track)
{
    (void)track; /* it is in the arena */
}

void rt_arrivals_clear(struct rt_arrivals *all)
{
    tdestroy(all->by_path, keep_track);
    free(all->tracks);
    all->by_path = NULL;
    all->tracks = NULL;
    all->count = all->cap = 0;
}
