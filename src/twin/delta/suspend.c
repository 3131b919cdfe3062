#include "twin/delta/suspend.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"
#include "twin/delta/order.h"
#include "twin/delta/stage.h"

#define VIOLATED "23503" /* foreign_key_violation */

/* Run the statements of the rows' first column, and keep those of the second. */
static int put_to_sleep(char **wake, const struct rt_result *rows, struct rt_str *sleep,
                        struct rt_conn *twin, struct rt_err *err)
{
    struct rt_str later = {0};
    int rc = 0;

    for (size_t i = 0; i < rt_result_rows(rows); i++) {
        rt_str_addf(sleep, "%s;", rt_result_get(rows, i, 0));
        rt_str_addf(&later, "%s;", rt_result_get(rows, i, 1));
    }
    if (sleep->len > 0)
        rc = rt_exec(NULL, twin, sleep->data, err);
    *wake = later.len > 0 ? rt_str_take(&later) : NULL;
    return rc;
}

int rt_suspend_events(struct rt_suspended *out, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_result *rows = NULL;
    struct rt_str sleep = {0};
    int rc = rt_query(&rows, twin, rt_sql_event_triggers, 0, NULL, err);

    if (rc == 0)
        rc = put_to_sleep(&out->wake_events, rows, &sleep, twin, err);
    rt_str_clear(&sleep);
    rt_result_free(rows);
    return rc;
}

int rt_resume_events(struct rt_suspended *suspended, struct rt_conn *twin,
                     struct rt_err *err)
{
    return suspended->wake_events ? rt_exec(NULL, twin, suspended->wake_events, err) : 0;
}

/* ------------------------------------------------------------------ what goes */

enum {
    DROP,
    ADD,
    UNCHECKED,
    NAME,
    MUST_GO,
    ORDERS,
    CHILD_ROOT,
    PARENT_ROOT,
    CONDITION,
    CHILD,
    CHILD_NAME,
    PARENT,
    PARENT_NAME
};

/* The tables as parameters of suspend_keys.sql. */
static void list_tables(struct rt_str lists[4], const struct rt_write_load *tables,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rt_write_load *t = &tables[i];
        const char *comma = i ? "," : "{";

        rt_str_addf(&lists[0], "%s%s", comma, t->oid);
        rt_str_addf(&lists[1], "%s%llu", comma, t->deletes);
        rt_str_addf(&lists[2], "%s%llu", comma, t->updates + t->inserts);
        rt_str_addf(&lists[3], "%s%s", comma, t->inserts > 0 ? "t" : "f");
    }
    for (size_t i = 0; i < 4; i++)
        rt_str_add(&lists[i], count ? "}" : "{}");
}

/* The first table of a partitioned one stands for all of them; count: none. */
static size_t find_root(const struct rt_result *roots, const char *oid)
{
    size_t count = rt_result_rows(roots), i = 0;

    while (i < count && strcmp(rt_result_get(roots, i, 0), oid) != 0)
        i++;
    return i;
}

static size_t find_table(const struct rt_write_load *tables, size_t count,
                         const char *oid)
{
    size_t i = 0;

    while (i < count && strcmp(tables[i].oid, oid) != 0)
        i++;
    return i;
}

/* Whether a row that stays refers to one that goes away. */
static void add_look_up(struct rt_str *sql, const struct rt_write_load *tables,
                        size_t count, const struct rt_result *keys, size_t key)
{
    size_t parent = find_table(tables, count, rt_result_get(keys, key, PARENT));
    size_t child = find_table(tables, count, rt_result_get(keys, key, CHILD));

    rt_str_addf(sql,
                "SELECT EXISTS (SELECT FROM " RT_STAGE_GONE " g JOIN ONLY %s p"
                " ON p.ctid = g." RT_STAGE_CTID " JOIN ONLY %s c ON %s",
                parent, rt_result_get(keys, key, PARENT_NAME),
                rt_result_get(keys, key, CHILD_NAME),
                rt_result_get(keys, key, CONDITION));
    if (child < count && tables[child].deletes > 0)
        rt_str_addf(sql,
                    " WHERE NOT EXISTS (SELECT FROM " RT_STAGE_GONE " g"
                    " WHERE g." RT_STAGE_CTID " = c.ctid)",
                    child);
    rt_str_add(sql, ")");
}

/* *go: of each key whether it may not stay. */
static int look_up(bool *go, struct rt_conn *twin, const struct rt_write_load *tables,
                   size_t count, const struct rt_result *keys, struct rt_err *err)
{
    size_t all = rt_result_rows(keys), n = 0;
    struct rt_str *sql = rt_alloc((all + 1) * sizeof(*sql));
    struct rt_read *reads = rt_alloc((all + 1) * sizeof(*reads));
    size_t *key = rt_alloc((all + 1) * sizeof(*key));
    int rc = 0;

    for (size_t i = 0; i < all; i++) {
        go[i] = rt_result_true(keys, i, MUST_GO);
        if (go[i] || rt_result_get(keys, i, CONDITION) == NULL)
            continue;
        add_look_up(&sql[n], tables, count, keys, i);
        reads[n].sql = sql[n].data;
        key[n++] = i;
    }
    if (n > 0)
        rc = rt_query_many(reads, n, twin, err);
    for (size_t i = 0; i < n; i++) {
        go[key[i]] = rc == 0 && rt_result_true(reads[i].rows, 0, 0);
        rt_result_free(reads[i].rows);
        rt_str_clear(&sql[i]);
    }
    free(sql);
    free(reads);
    free(key);
    return rc;
}

/* Rank the tables by the keys that may stay, from which some more are taken. */
static void decide(bool *go, struct rt_write_load *tables, size_t count,
                   const struct rt_result *keys, const struct rt_result *roots)
{
    size_t all = rt_result_rows(keys), n = 0;
    struct rt_edge *edges = rt_alloc((all + 1) * sizeof(*edges));
    size_t *key = rt_alloc((all + 1) * sizeof(*key));
    unsigned *rank = rt_alloc((count + 1) * sizeof(*rank));

    for (size_t i = 0; i < all; i++) {
        if (go[i] || !rt_result_true(keys, i, ORDERS))
            continue;
        edges[n].child = find_root(roots, rt_result_get(keys, i, CHILD_ROOT));
        edges[n].parent = find_root(roots, rt_result_get(keys, i, PARENT_ROOT));
        key[n++] = i;
    }
    rt_order(rank, count, edges, n);
    for (size_t i = 0; i < n; i++)
        go[key[i]] = edges[i].cut;
    for (size_t i = 0; i < count; i++)
        tables[i].rank = rank[find_root(roots, rt_result_get(roots, i, 0))];
    free(edges);
    free(key);
    free(rank);
}

static char *copy_of(const char *text)
{
    return text ? rt_strdup(text) : NULL;
}

static void take_keys(struct rt_suspended *out, struct rt_str *sleep, const bool *go,
                      const struct rt_result *keys)
{
    out->keys = rt_alloc((rt_result_rows(keys) + 1) * sizeof(*out->keys));
    for (size_t i = 0; i < rt_result_rows(keys); i++) {
        if (!go[i])
            continue;
        rt_str_addf(sleep, "%s;", rt_result_get(keys, i, DROP));
        out->keys[out->count++] = (struct rt_key){
            .add = copy_of(rt_result_get(keys, i, ADD)),
            .unchecked = copy_of(rt_result_get(keys, i, UNCHECKED)),
            .name = copy_of(rt_result_get(keys, i, NAME)),
        };
    }
}

int rt_suspend(struct rt_suspended *out, struct rt_conn *twin,
               struct rt_write_load *tables, size_t count, bool all_keys,
               struct rt_err *err)
{
    struct rt_str lists[4] = {{0}}, sleep = {0};
    bool *go = NULL;
    int rc;

    list_tables(lists, tables, count);
    const char *params[] = {lists[0].data, lists[1].data, lists[2].data, lists[3].data,
                            all_keys ? "t" : "f"};
    struct rt_read reads[] = {
        {.sql = rt_sql_suspend_triggers, .nparams = 1, .params = params},
        {.sql = rt_sql_suspend_keys, .nparams = RT_COUNT(params), .params = params},
        {.sql = rt_sql_partition_roots, .nparams = 1, .params = params},
    };

    rc = rt_query_many(reads, RT_COUNT(reads), twin, err);
    if (rc == 0) {
        go = rt_alloc(rt_result_rows(reads[1].rows) + 1);
        rc = look_up(go, twin, tables, count, reads[1].rows, err);
    }
    if (rc == 0) {
        decide(go, tables, count, reads[1].rows, reads[2].rows);
        take_keys(out, &sleep, go, reads[1].rows);
        rc = put_to_sleep(&out->wake, reads[0].rows, &sleep, twin, err);
    }
    for (size_t i = 0; i < RT_COUNT(reads); i++)
        rt_result_free(reads[i].rows);
    for (size_t i = 0; i < RT_COUNT(lists); i++)
        rt_str_clear(&lists[i]);
    rt_str_clear(&sleep);
    free(go);
    return rc;
}

/* ------------------------------------------------------------------ as it was */

#define BEFORE "SAVEPOINT revtwin_keys;"
#define AFTER "RELEASE SAVEPOINT revtwin_keys;"
#define BACK "ROLLBACK TO SAVEPOINT revtwin_keys;"

/* One that production violates itself cannot be valid on the twin, either. */
static int add_key(struct rt_suspended *s, struct rt_arena *arena,
                   const struct rt_key *key, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_addf(&sql, BEFORE "%s;" AFTER, key->add);
    rc = rt_exec(NULL, twin, sql.data, err);
    if (rc < 0 && rt_err_is(err, VIOLATED) && key->unchecked) {
        rt_err_clear(err);
        rt_str_reset(&sql);
        rt_str_addf(&sql, BACK AFTER "%s;", key->unchecked);
        rc = rt_exec(NULL, twin, sql.data, err);
        s->violated[s->violated_count++] = rt_arena_strdup(arena, key->name);
    }
    rt_str_clear(&sql);
    return rc < 0 ? rt_err_wrap(err, "foreign key %s", key->name) : 0;
}

static int add_keys_singly(struct rt_suspended *s, struct rt_arena *arena,
                           struct rt_conn *twin, struct rt_err *err)
{
    int rc = 0;

    s->violated = rt_arena_alloc(arena, s->count * sizeof(*s->violated));
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = add_key(s, arena, &s->keys[i], twin, err);
    return rc;
}

static int add_keys(struct rt_suspended *s, struct rt_arena *arena, struct rt_conn *twin,
                    struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_add(&sql, BEFORE);
    for (size_t i = 0; i < s->count; i++)
        rt_str_addf(&sql, "%s;", s->keys[i].add);
    rt_str_add(&sql, AFTER);
    rc = rt_exec(NULL, twin, sql.data, err);
    rt_str_clear(&sql);
    if (rc == 0 || !rt_err_is(err, VIOLATED))
        return rc;
    rt_err_clear(err);
    rc = rt_exec(NULL, twin, BACK AFTER, err);
    return rc < 0 ? rc : add_keys_singly(s, arena, twin, err);
}

int rt_resume(struct rt_suspended *suspended, struct rt_arena *arena,
              struct rt_conn *twin, struct rt_err *err)
{
    int rc = 0;

    if (suspended->count > 0)
        rc = add_keys(suspended, arena, twin, err);
    return rc == 0 && suspended->wake ? rt_exec(NULL, twin, suspended->wake, err) : rc;
}

void rt_suspended_clear(struct rt_suspended *suspended)
{
    for (size_t i = 0; i < suspended->count; i++) {
        free(suspended->keys[i].add);
        free(suspended->keys[i].unchecked);
        free(suspended->keys[i].name);
    }
    free(suspended->keys);
    free(suspended->wake);
    free(suspended->wake_events);
    *suspended = (struct rt_suspended){0};
}
