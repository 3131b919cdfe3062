/*
 * Which files a range of steps brings, and in which order.
 *
 * A step is one first-parent commit: a merge, a squash, or one commit of a rebase merge.
 * Its arrivals are the .sql files that its tree has and its first parent's tree has not.
 * Only the trees below the migrations folder are compared.
 *
 * In a range, the first introduction of a path counts. A file deleted and another added
 * in one step with the same content, or the same but for line ends, are a rename (equal
 * ones pair in natural order). Then an arrival goes on under its new path; a file of the
 * base arrives under its new path; an arrival that takes the path of a file of the base
 * ends as deleted.
 */
#ifndef RT_GIT_RANGE_H
#define RT_GIT_RANGE_H

#include "git/tree.h"

/* A file's earlier names, newest first. */
struct rt_name {
    const char *path;
    const struct rt_name *before; /* NULL: none */
};

struct rt_arrival {
    const char *path;   /* its name at the end of the range (or when it was deleted) */
    const char *origin; /* the name that it arrived under: differs after a rename inside
                           the range, which keeps its place */
    const struct rt_name *before; /* what it was renamed from: for a file of the base,
                                     the last one is its name there; NULL: nothing */
    struct rt_oid step;           /* the commit of the step that it arrived with */
    struct rt_oid oid;            /* its content when it arrived */
    bool edited;                  /* the content at the end of the range is another one */
    bool deleted; /* it is gone at the end of the range: another arrival may have
                     taken its path by a rename */
};

struct rt_range {
    struct rt_oid tip;  /* the last step */
    struct rt_oid base; /* the commit before the first step; empty before a root commit */
    size_t steps;       /* number of steps; 0 when base is tip */
    struct rt_arrival *arrivals; /* steps oldest first, inside a step by origin in natural
                                    order; in the arena. A file that the base has (under
                                    the same path) is never an arrival. */
    size_t count;
};

/* The one step commit. */
int rt_range_step(struct rt_range *out, struct rt_arena *arena, struct rt_repo *repo,
                  const struct rt_oid *commit, const char *folder,
                  struct rt_err *err) RT_CHECKED;

/*
 * Every step after base up to tip: the first-parent commits of tip that base does not
 * reach. base may be empty: then up to the root. -RT_EREFUSED when base is not an
 * ancestor of tip, or a needed commit is missing from a shallow clone.
 */
int rt_range_since(struct rt_range *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *base, const struct rt_oid *tip,
                   const char *folder, struct rt_err *err) RT_CHECKED;

/*
 * The feature branch that HEAD is on: *out is the merge base of HEAD and the default
 * branch (of the local one and origin's, the nearer), and *branch the default branch's
 * name (in the arena). out->hex is empty when HEAD is detached or unborn, on the default
 * branch itself, or shares no history with it, and when no default branch can be found.
 * The default branch is the one given (-RT_EUSAGE when it does not exist), or what
 * origin/HEAD points to, or main, or master. -RT_EREFUSED in a shallow clone that lacks
 * the merge base.
 */
int rt_range_fork_point(struct rt_oid *out, const char **branch, struct rt_arena *arena,
                        struct rt_repo *repo, const char *default_branch,
                        struct rt_err *err) RT_CHECKED;

/*
 * 1 when the default branch (here or at origin) has the commit, or no default branch can
 * be found; 0 when not, and then *branch is its name, in the arena; or an error. The
 * branch is the one given, as above; else the likely one (NULL: none), if there is one
 * of that name, before the others.
 */
int rt_repo_is_merged(const char **branch, struct rt_arena *arena, struct rt_repo *repo,
                      const struct rt_oid *commit, const char *default_branch,
                      const char *likely, struct rt_err *err) RT_CHECKED;

#endif
