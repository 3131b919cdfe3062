#include "twin/rebuild/foreign.h"

#include "base/str.h"
#include "pg/query.h"

#define VIOLATED "23503" /* foreign_key_violation */

/* The keys of one table, one after another: two at once would only wait for each other.
 */
struct group {
    struct rt_foreign_key *const *keys;
    size_t count;
};

/* 1 when rows violate it. */
static int check(const struct rt_foreign_key *key, struct rt_conn *next,
                 struct rt_err *err)
{
    int rc = rt_exec(NULL, next, key->partitioned ? key->add : key->validate, err);

    if (rc == 0 || !rt_err_is(err, VIOLATED))
        return rc;
    rt_err_clear(err);
    rc = key->partitioned ? rt_exec(NULL, next, key->unchecked, err) : 0;
    return rc < 0 ? rc : 1;
}

static int check_group(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct group *group = context;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < group->count; i++) {
        rc = check(group->keys[i], worker->twin, err);
        group->keys[i]->violated = rc > 0;
        rc = rc < 0 ? rc : 0;
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
                     size_t count, struct rt_arena *arena, struct rt_err *err)
{
    for (size_t i = 0, end; i < count; i = end) {
        struct group *group = rt_arena_alloc(arena, sizeof(*group));

        for (end = i + 1; end < count && belong_together(keys[i], keys[end]);)
            end++;
        *group = (struct group){&keys[i], end - i};
        rt_crew_add(crew, &(struct rt_job){.run = check_group,
                                           .context = group,
                                           .weight = keys[i]->bytes,
                                           .twin_only = true});
    }
    return rt_crew_finish(crew, err);
}

int rt_foreign_add(struct rt_foreign *job, struct rt_arena *arena, struct rt_conn *next,
                   struct rt_err *err)
{
    size_t all = job->indexes->key_count, count;
    struct rt_foreign_key **keys = rt_arena_alloc(arena, (all + 1) * sizeof(keys[0]));
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < all; i++) {
        if (!job->indexes->key[i].partitioned)
            rc = rt_exec(NULL, next, job->indexes->key[i].unchecked, err);
    }
    if (rc < 0)
        return rc;
    count = in_order(keys, job->indexes);
    rc = check_all(job->crew, keys, count, arena, err);
    job->violated = rt_arena_alloc(arena, (all + 1) * sizeof(*job->violated));
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (keys[i]->violated)
            job->violated[job->violated_count++] = keys[i]->name;
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
        struct rt_foreign_key *key = &indexes->key[i];

        rc = try_key(&key->violated, key, next, err);
        if (rc < 0 || !key->violated)
            continue;
        job->violated[job->violated_count++] = key->name;
        rc = rt_exec(NULL, next, key->unchecked, err);
    }
    return rc;
}
