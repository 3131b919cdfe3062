/*
 * The delta method on random schemas, data and changes on both sides. pg_dump is the
 * oracle: the same schema (with triggers and foreign keys as before), the same rows and
 * sequences; and no trigger fires. SEED gives the first seed, RUNS how many.
 */
#include <time.h>

#include "pg/query.h"
#include "random_schema.h"
#include "twin/delta/delta.h"
#include "world.h"

static char *dump_lines(const struct cluster *c, const char *db)
{
    return cluster_dump(c, db, "--data-only", "--no-owner", "--exclude-schema=revtwin",
                        NULL);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* COPY writes a row a line: in whatever order they are in the heap. */
static char *sorted(char *text)
{
    size_t count = 0, cap = 0;
    char **lines = NULL, *rest = text, *line;
    struct rt_str out = {0};

    while ((line = strsep(&rest, "\n"))) {
        lines = rt_grow(lines, count, &cap, sizeof(*lines));
        lines[count++] = line;
    }
    if (lines)
        qsort(lines, count, sizeof(*lines), by_text);
    for (size_t i = 0; i < count; i++)
        rt_str_addf(&out, "%s\n", lines[i]);
    free(lines);
    free(text);
    return rt_str_take(&out);
}

static char *schema_of(const struct cluster *c, const char *db)
{
    return cluster_dump(c, db, "--schema-only", "--no-owner", "--exclude-schema=revtwin",
                        NULL);
}

static void expect_same(char *twin, char *prod)
{
    assert_text_equal(twin, prod);
    free(twin);
    free(prod);
}

static void expect_equal(const struct random_schema *schema)
{
    expect_same(schema_of(&twin_server, "dev"), schema_of(&prod_server, "shop"));
    expect_same(sorted(dump_lines(&twin_server, "dev")),
                sorted(dump_lines(&prod_server, "shop")));
    for (int t = 0; t < schema->tables; t++) {
        char *there = check_printf("SELECT to_regclass('m%d') IS NOT NULL", t);
        char *sql = check_printf("SELECT m FROM m%d m", t);
        char *answer = cluster_query(&prod_server, "shop", there);

        if (strcmp(answer, "t") == 0)
            expect_same(cluster_query(&twin_server, "dev", sql),
                        cluster_query(&prod_server, "shop", sql));
        free(answer);
        free(sql);
        free(there);
    }
}

/* How many tables it has changed. */
static unsigned long run_delta(struct world *w, bool full_compare)
{
    struct rt_progress progress = {.phase = NULL};
    struct rt_delta job = {.prod_server = &w->prod,
                           .twin_server = &w->twin,
                           .full_compare = full_compare,
                           .workers = 2,
                           .wait_seconds = 10,
                           .settle_seconds = 30,
                           .source = "shop",
                           .progress = &progress};
    int rc = rt_conn_open(&job.prod, &w->prod, RT_READ_ONLY, &w->err);

    if (rc == 0)
        rc = rt_exec(NULL, job.prod, "ROLLBACK", &w->err);
    if (rc == 0)
        rc = rt_delta(&job, &w->arena, &w->err);
    rt_conn_close(job.prod);
    if (rc < 0)
        check_fail("rt_delta: %s\n%s\n%s", w->err.message,
                   w->err.detail ? w->err.detail : "",
                   w->err.context ? w->err.context : "");
    if (job.unfit)
        check_fail("rt_delta: unfit: %s", job.unfit);
    return job.tables_changed;
}

static void change(const struct cluster *c, const char *db, struct random_schema *schema)
{
    struct rt_str sql = {0};

    for (int count = random_below(schema, 8); count > 0; count--)
        random_schema_change(&sql, schema);
    for (int t = 0; t < schema->tables; t++)
        rt_str_addf(&sql,
                    "DO 'BEGIN IF to_regclass(''m%d'') IS NOT NULL THEN "
                    "REFRESH MATERIALIZED VIEW m%d; END IF; END';\n",
                    t, t);
    cluster_exec(c, db, rt_str_text(&sql));
    rt_str_clear(&sql);
}

static void try_seed(struct world *w, unsigned seed)
{
    struct random_schema schema;
    struct rt_str sql = {0};
    unsigned long changed = 0;

    cluster_exec(&twin_server, "dev", "CREATE SCHEMA revtwin");
    random_schema_make(&schema, seed);
    random_schema_create(&sql, &schema);
    cluster_exec(&prod_server, "shop", rt_str_text(&sql));
    cluster_exec(&twin_server, "dev", rt_str_text(&sql));
    for (int round = 0; round < 3; round++) {
        check_context("SEED=%u, round %d", seed, round);
        change(&prod_server, "shop", &schema);
        change(&twin_server, "dev", &schema);
        changed += run_delta(w, random_below(&schema, 3) == 0);
        expect_equal(&schema);
    }
    print_message("SEED=%u: %lu changed tables\n", seed, changed);
    check_context(NULL);
    rt_str_clear(&sql);
}

static void test_random_histories(void **state)
{
    const char *seed_text = getenv("SEED"), *runs_text = getenv("RUNS");
    unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10)
                              : (unsigned)time(NULL) % 100000;
    unsigned runs = runs_text ? (unsigned)strtoul(runs_text, NULL, 10) : 2;

    print_message("SEED=%u\n", seed);
    for (unsigned i = 0; i < runs; i++) {
        void *world;

        (void)state;
        world_open(&world);
        check_context("SEED=%u", seed + i);
        try_seed(world, seed + i);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_histories)};

    return cmocka_run_group_tests_name("delta: random", tests, world_start_servers,
                                       world_stop_servers);
}
