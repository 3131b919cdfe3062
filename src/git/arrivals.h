/*
 * The files that a range brings, kept up step by step from the oldest.
 *
 * A track is one arrival through the range. It is live while the tree has the file, dead
 * after a deletion, and live again when the path comes back: its first introduction
 * counts. A rename inside one step moves a live track.
 */
#ifndef RT_GIT_ARRIVALS_H
#define RT_GIT_ARRIVALS_H

#include "git/diff.h"
#include "git/range.h"

struct rt_arrivals {
    struct rt_arena *arena;
    struct rt_repo *repo;
    const char *folder;

    /* Paths of the base are never arrivals. They are only looked up when an added path
     * can be one of them: the first step does not start at the base, or a path of the
     * base was deleted on the way. */
    struct rt_oid base;
    bool may_be_base, base_listed;
    struct rt_listing base_files;

    struct rt_track **tracks; /* in order of arrival */
    size_t count, cap;
    void *by_path; /* tsearch tree: the newest track of each path */
    size_t steps;
};

/* Take in the changes of the next step; their order is changed. */
int rt_arrivals_step(struct rt_arrivals *all, const git_oid *commit,
                     struct rt_changes *changes, struct rt_err *err) RT_CHECKED;

/* Write the arrivals to out, in the arena. */
void rt_arrivals_result(struct rt_range *out, struct rt_arrivals *all);

void rt_arrivals_clear(struct rt_arrivals *all);

#endif
