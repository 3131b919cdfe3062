#include "git/arrivals.h"

#include <search.h>

#include "base/mem.h"
#include "base/str.h"

struct rt_track {
    const char *path; /* first: the key of by_path */
    const char *origin;
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

static void add_track(struct rt_arrivals *all, const git_oid *commit,
                      const struct rt_change *change)
{
    struct rt_track *track = rt_arena_alloc(all->arena, sizeof(*track));

    *track = (struct rt_track){change->path,  change->path,  all->steps, *commit,
                               change->after, change->after, true};
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

/* End the tracks of deleted files; ended[i] is the one that change i ended, or NULL. */
static void apply_deletions(struct rt_arrivals *all, const struct rt_changes *changes,
                            struct rt_track **ended)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (!is_deletion(&changes->items[i]))
            continue;
        ended[i] = find_track(all, changes->items[i].path);
        if (ended[i])
            ended[i]->live = false;
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

/* A dead track that had the path stays dead: nothing finds it any more. */
static void move_track(struct rt_arrivals *all, struct rt_track *track, const char *path)
{
    tdelete(track, &all->by_path, compare_paths);
    track->path = path;
    track->live = true;
    enter_track(all, track);
}

static int apply_additions(struct rt_arrivals *all, const git_oid *commit,
                           const struct rt_changes *changes, struct rt_track **ended,
                           struct rt_err *err)
{
    size_t d = 0; /* deletions before this one are used, or of a smaller content */

    for (size_t i = 0; i < changes->count; i++) {
        const struct rt_change *change = &changes->items[i];
        struct rt_track *track;
        int known;

        if (!is_addition(change))
            continue;
        known = base_has(all, change->path, err);
        if (known < 0)
            return known;
        if (known)
            continue;
        while (d < changes->count &&
               (ended[d] == NULL ||
                git_oid_cmp(content_of(&changes->items[d]), &change->after) < 0))
            d++;
        track = find_track(all, change->path);
        if (d < changes->count &&
            git_oid_equal(content_of(&changes->items[d]), &change->after)) {
            move_track(all, ended[d++], change->path);
        } else if (track) {
            track->live = true;
            track->content = change->after;
        } else {
            add_track(all, commit, change);
        }
    }
    return 0;
}

int rt_arrivals_step(struct rt_arrivals *all, const git_oid *commit,
                     struct rt_changes *changes, struct rt_err *err)
{
    struct rt_track **ended;
    int rc;

    if (changes->count == 0) {
        all->steps++;
        return 0;
    }
    ended = rt_alloc(changes->count * sizeof(struct rt_track *));
    qsort(changes->items, changes->count, sizeof(*changes->items), compare_changes);
    apply_deletions(all, changes, ended);
    apply_edits(all, changes);
    rc = apply_additions(all, commit, changes, ended, err);
    all->steps++;
    free(ended);
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
