#include "twin/foreign.h"

#include "base/str.h"
#include "pg/query.h"

#define VIOLATED "23503" /* foreign_key_violation */

/* The keys of one table, one after another: two at once would only wait for each other.
 */
struct group {
    struct rt_foreign_key *const *keys;
    size_t count;
    bool *violated; /* as keys */
};

static int add_unchecked(const struct rt_foreign_key *key, struct rt_conn *next,
                         struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_addf(&sql, "%s%s", key->add, key->valid ? " NOT VALID" : "");
    rc = rt_exec(NULL, next, sql.data, err);
    rt_str_clear(&sql);
    return rc;
}

/* One with a partitioned end is added and checked at once; when it is violated it cannot
 * be there at all. */
static int check_group(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct group *group = context;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < group->count; i++) {
        const struct rt_foreign_key *key = group->keys[i];

        rc =
            rt_exec(NULL, worker->twin, key->partitioned ? key->add : key->validate, err);
        if (rc < 0 && rt_err_is(err, VIOLATED)) {
            group->violated[i] = true;
            rt_err_clear(err);
            rc = 0;
        }
    }
    return rc;
}

/* Partitioned ones lock their partitions, too, and so form one group, the first. */
static size_t in_order(struct rt_foreign_key **out, const struct rt_indexes *indexes)
{
    size_t count = 0;

    for (int partitioned = 1; partitioned >= 0; partitioned--) {
        for (size_t i = 0; i < indexes->key_count; i++) {
            struct rt_foreign_key *key = &indexes->key[i];

            if (key->partitioned == (partitioned == 1) &&
                (key->partitioned || key->valid))
                out[count++] = key;
        }
    }
    return count;
}

static bool belong_together(const struct rt_foreign_key *a,
                            const struct rt_foreign_key *b)
{
    if (a->partitioned || b->partitioned)
        return a->partitioned && b->partitioned;
    return strcmp(a->table, b->table) == 0;
}

static int check_all(struct rt_crew *crew, struct rt_foreign_key *const *keys,
                     size_t count, bool *violated, struct rt_arena *arena,
                     struct rt_err *err)
{
    for (size_t i = 0, end; i < count; i = end) {
        struct group *group = rt_arena_alloc(arena, sizeof(*group));

        for (end = i + 1; end < count && belong_together(keys[i], keys[end]);)
            end++;
        *group = (struct group){&keys[i], end - i, &violated[i]};
        rt_crew_add(crew, &(struct rt_job){.run = check_group,
                                           .context = group,
                                           .weight = keys[i]->bytes,
                                           .twin_only = true});
    }
    return rt_crew_finish(crew, err);
}

static void note(struct rt_foreign *job, const struct rt_foreign_key *key,
                 struct rt_arena *arena)
{
    job->violated[job->violated_count++] =
        rt_arena_format(arena, "%s, which production's rows violate%s", key->name,
                        key->partitioned ? "" : " (NOT VALID)");
}

int rt_foreign_add(struct rt_foreign *job, struct rt_arena *arena, struct rt_conn *next,
                   struct rt_err *err)
{
    size_t all = job->indexes->key_count, count;
    struct rt_foreign_key **keys = rt_arena_alloc(arena, (all + 1) * sizeof(keys[0]));
    bool *violated = rt_arena_alloc(arena, all + 1);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < all; i++) {
        if (!job->indexes->key[i].partitioned)
            rc = add_unchecked(&job->indexes->key[i], next, err);
    }
    if (rc < 0)
        return rc;
    count = in_order(keys, job->indexes);
    rc = check_all(job->crew, keys, count, violated, arena, err);
    job->violated = rt_arena_alloc(arena, (all + 1) * sizeof(*job->violated));
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (violated[i])
            note(job, keys[i], arena);
    }
    return rc;
}

/* *violated: it is not there. */
static int try_key(bool *violated, const struct rt_foreign_key *key, struct rt_conn *next,
                   struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_addf(&sql, "SAVEPOINT revtwin; %s; RELEASE revtwin", key->add);
    rc = rt_exec(NULL, next, sql.data, err);
    rt_str_clear(&sql);
    *violated = rc < 0 && rt_err_is(err, VIOLATED);
    if (!*violated)
        return rc;
    rt_err_clear(err);
    return rt_exec(NULL, next, "ROLLBACK TO revtwin; RELEASE revtwin", err);
}

int rt_foreign_add_alone(struct rt_foreign *job, struct rt_arena *arena,
                         struct rt_conn *next, struct rt_err *err)
{
    const struct rt_indexes *indexes = job->indexes;
    int rc = 0;

    job->violated =
        rt_arena_alloc(arena, (indexes->key_count + 1) * sizeof(*job->violated));
    for (size_t i = 0; rc == 0 && i < indexes->key_count; i++) {
        const struct rt_foreign_key *key = &indexes->key[i];
        bool violated;

        rc = try_key(&violated, key, next, err);
        if (rc < 0 || !violated)
            continue;
        note(job, key, arena);
        if (!key->partitioned)
            rc = add_unchecked(key, next, err);
    }
    return rc;
}
