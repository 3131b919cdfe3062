#include "git/range.h"

#include "base/mem.h"
#include "git/arrivals.h"

struct link {
    git_oid commit, tree;
};

/* First-parent commits, newest first. The first ones are the steps of the range; the one
 * after them, if there is one, is the commit before the range. */
struct chain {
    struct link *links;
    size_t count, cap;
    size_t steps;
};

/* Append a commit; *parent is its first parent. */
static int add_link(struct chain *chain, git_oid *parent, struct rt_repo *repo,
                    const git_oid *oid, struct rt_err *err)
{
    struct rt_commit commit;
    int rc = rt_commit_read(&commit, repo, oid, err);

    if (rc != 0)
        return rc;
    chain->links =
        rt_grow(chain->links, chain->count, &chain->cap, sizeof(*chain->links));
    chain->links[chain->count++] = (struct link){*oid, commit.tree};
    *parent = commit.parent;
    return 0;
}

/* From tip down to base, or down to the root when base is not met. */
static int read_chain(struct chain *chain, struct rt_repo *repo, const git_oid *base,
                      const git_oid *tip, struct rt_err *err)
{
    git_oid at = *tip;

    for (bool met = false; !met && !git_oid_is_zero(&at);) {
        git_oid parent;
        int rc = add_link(chain, &parent, repo, &at, err);

        if (rc != 0)
            return rc;
        met = git_oid_equal(&at, base);
        chain->steps += !met;
        at = parent;
    }
    return 0;
}

static int base_reaches(const struct chain *chain, size_t i, struct rt_repo *repo,
                        const struct rt_oid *base, struct rt_err *err)
{
    struct rt_oid commit = rt_oid_make(&chain->links[i].commit);

    return rt_repo_is_ancestor(repo, &commit, base, err);
}

/*
 * Find the steps of a chain on which base is not: a feature branch that base was merged
 * into. They end before the newest commit that base reaches. Whatever base reaches has
 * parents that base reaches, so a search by halves finds it; it is near the tip, hence
 * the doubling first. Base, an ancestor of the tip, does not reach the tip.
 */
static int cut_chain(struct chain *chain, struct rt_repo *repo, const struct rt_oid *base,
                     struct rt_err *err)
{
    size_t below = 0, above = 1; /* base reaches above, and not below */
    int rc = 0;

    while (above < chain->count &&
           (rc = base_reaches(chain, above, repo, base, err)) == 0) {
        below = above;
        above *= 2;
    }
    if (above > chain->count)
        above = chain->count;
    while (rc >= 0 && above - below > 1) {
        size_t middle = below + (above - below) / 2;

        rc = base_reaches(chain, middle, repo, base, err);
        if (rc == 1)
            above = middle;
        else
            below = middle;
    }
    chain->steps = above;
    return rc < 0 ? rc : 0;
}

/* The trees on the way from a root to the migrations folder; zero where there is none. */
struct way {
    const char *path;
    git_oid *trees; /* depth + 1, the last one is the folder's */
    size_t depth;
};

static void start_way(struct way *way, const char *folder)
{
    *way = (struct way){.path = folder, .depth = *folder != '\0'};
    for (const char *at = folder; *at; at++)
        way->depth += *at == '/';
    way->trees = rt_alloc((way->depth + 1) * sizeof(*way->trees));
}

/* Go the way from another root, as far as it is another way. */
static int follow_way(struct way *way, struct rt_repo *repo, const git_oid *root,
                      struct rt_err *err)
{
    const char *name = way->path;
    git_oid tree = *root;

    for (size_t i = 0; i < way->depth; i++) {
        size_t len = strcspn(name, "/");
        struct rt_node node;
        int rc;

        if (git_oid_equal(&tree, &way->trees[i]))
            return 0;
        way->trees[i] = tree;
        rc = rt_tree_find(&node, repo, &tree, name, len, err);
        if (rc != 0)
            return rc;
        tree = rt_node_is_folder(&node) ? node.oid : (git_oid){0};
        name += len + 1;
    }
    way->trees[way->depth] = tree;
    return 0;
}

/* Take in the steps of the chain, oldest first. */
static int collect_arrivals(struct rt_arrivals *all, const struct chain *chain,
                            struct rt_err *err)
{
    struct rt_changes changes = {0};
    size_t i = chain->steps;
    struct way way;
    git_oid *folder;
    int rc = 0;

    start_way(&way, all->folder);
    folder = &way.trees[way.depth];
    if (i < chain->count)
        rc = follow_way(&way, all->repo, &chain->links[i].tree, err);
    while (rc == 0 && i-- > 0) {
        git_oid before = *folder;

        changes.count = 0;
        rc = follow_way(&way, all->repo, &chain->links[i].tree, err);
        if (rc == 0)
            rc = rt_tree_diff(&changes, all->arena, all->repo, &before, folder,
                              all->folder, err);
        if (rc == 0)
            rc = rt_arrivals_step(all, &chain->links[i].commit, &changes, err);
    }
    free(way.trees);
    free(changes.items);
    return rc;
}

/* Fill out, whose tip and base are set, from the chain. */
static int fill_range(struct rt_range *out, struct rt_arena *arena, struct rt_repo *repo,
                      const struct chain *chain, const char *folder, struct rt_err *err)
{
    struct rt_arrivals all = {.arena = arena, .repo = repo, .base = out->base};
    git_oid base = rt_oid_parse(&out->base), start = {0};
    int rc = rt_folder_normalize(&all.folder, arena, folder, err);

    if (chain->steps < chain->count)
        start = chain->links[chain->steps].commit;
    all.may_be_base = !git_oid_equal(&start, &base);
    if (rc == 0)
        rc = collect_arrivals(&all, chain, err);
    if (rc == 0)
        rt_arrivals_result(out, &all);
    out->steps = chain->steps;
    rt_arrivals_clear(&all);
    return rc;
}

int rt_range_step(struct rt_range *out, struct rt_arena *arena, struct rt_repo *repo,
                  const struct rt_oid *commit, const char *folder, struct rt_err *err)
{
    git_oid tip = rt_oid_parse(commit), parent = {0}, grandparent;
    struct chain chain = {.steps = 1};
    int rc = add_link(&chain, &parent, repo, &tip, err);

    if (rc == 0 && !git_oid_is_zero(&parent))
        rc = add_link(&chain, &grandparent, repo, &parent, err);
    *out = (struct rt_range){.tip = *commit, .base = rt_oid_make(&parent)};
    if (rc == 0)
        rc = fill_range(out, arena, repo, &chain, folder, err);
    free(chain.links);
    return rc;
}

/* The steps of a chain that did not meet base, if base is an ancestor at all. */
static int find_steps(struct chain *chain, struct rt_repo *repo,
                      const struct rt_oid *base, const struct rt_oid *tip,
                      struct rt_err *err)
{
    int rc = rt_repo_is_ancestor(repo, base, tip, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return rt_err_set(err, RT_EREFUSED, "the base %.12s is not an ancestor of %.12s",
                          base->hex, tip->hex);
    return cut_chain(chain, repo, base, err);
}

int rt_range_since(struct rt_range *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *base, const struct rt_oid *tip,
                   const char *folder, struct rt_err *err)
{
    git_oid from = rt_oid_parse(base), to = rt_oid_parse(tip);
    struct chain chain = {0};
    int rc = read_chain(&chain, repo, &from, &to, err);

    *out = (struct rt_range){.tip = *tip, .base = *base};
    if (rc == 0 && !git_oid_is_zero(&from) && chain.steps == chain.count)
        rc = find_steps(&chain, repo, base, tip, err);
    if (rc == 0)
        rc = fill_range(out, arena, repo, &chain, folder, err);
    free(chain.links);
    return rc;
}
