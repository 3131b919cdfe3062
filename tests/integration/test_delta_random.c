/*
 * The delta method on random schemas, data and changes on both sides. pg_dump is the
 * oracle: the same schema (with triggers and foreign keys as before), the same rows and
 * sequences; and no trigger fires. SEED gives the first seed, RUNS how many.
 */
#include <time.h>

#include "deltas.h"
#include "random_schema.h"

/* COPY writes a row a line: in whatever order they are in the heap. */
static char *rows_of(const struct cluster *c, const char *db)
{
    char *text = cluster_dump(c, db, "--data-only", "--no-owner",
                              "--exclude-schema=revtwin", NULL);

    check_sort_lines(text, text + strlen(text));
    return text;
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
    expect_same(rows_of(&twin_server, "dev"), rows_of(&prod_server, "shop"));
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

/* The foreign keys of the twin, and how many rows each refers to. */
static char *keys_of_twin(void)
{
    char *sql = cluster_query(
        &twin_server, "dev",
        "SELECT coalesce(string_agg(format('SELECT %s || ''='' || count(*) FROM %s', oid,"
        "    confrelid::regclass), ' UNION ALL ' ORDER BY oid), 'SELECT 1 WHERE false')"
        "    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0");
    char *keys = cluster_query(&twin_server, "dev", sql);

    free(sql);
    return keys;
}

/* How many are the same as before, though rows that they refer to have gone. */
static unsigned count_kept(char *before, const char *after)
{
    unsigned kept = 0;
    char *line, *rest = before;

    while ((line = strsep(&rest, "\n")) && *line) {
        size_t len = strcspn(line, "=") + 1;
        char *key = check_printf("%.*s", (int)len, line);
        const char *now = strstr(after, key);

        kept += now && strtoul(now + len, NULL, 10) < strtoul(line + len, NULL, 10);
        free(key);
    }
    return kept;
}

/* How many foreign keys have stayed. */
static unsigned run_delta(struct deltas *f)
{
    const struct rt_err *err = &f->world->err;
    char *before = keys_of_twin(), *after;
    unsigned kept;

    if (delta_run(f) < 0)
        check_fail("rt_delta: %s\n%s\n%s", err->message, err->detail ? err->detail : "",
                   err->context ? err->context : "");
    if (f->job.unfit)
        check_fail("rt_delta: unfit: %s", f->job.unfit);
    after = keys_of_twin();
    kept = count_kept(before, after);
    free(before);
    free(after);
    return kept;
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

/* How many foreign keys have stayed. */
static unsigned try_seed(struct deltas *f, unsigned seed)
{
    struct random_schema schema;
    struct rt_str sql = {0};
    unsigned long changed = 0;
    unsigned kept = 0;

    random_schema_make(&schema, seed);
    random_schema_create(&sql, &schema);
    delta_both(rt_str_text(&sql));
    for (int round = 0; round < 3; round++) {
        check_context("SEED=%u, round %d", seed, round);
        change(&prod_server, "shop", &schema);
        change(&twin_server, "dev", &schema);
        f->full_compare = random_below(&schema, 3) == 0;
        kept += run_delta(f);
        changed += f->job.tables_changed;
        expect_equal(&schema);
    }
    print_message("SEED=%u: %lu changed tables, %u foreign keys stayed\n", seed, changed,
                  kept);
    check_context(NULL);
    rt_str_clear(&sql);
    return kept;
}

/* From empty databases. */
static unsigned try(unsigned seed)
{
    unsigned kept;
    void *f;

    delta_open(&f);
    check_context("SEED=%u", seed);
    kept = try_seed(f, seed);
    delta_close(&f);
    return kept;
}

static void test_random_histories(void **state)
{
    const char *seed_text = getenv("SEED"), *runs_text = getenv("RUNS");
    unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10)
                              : (unsigned)time(NULL) % 100000;
    unsigned runs = runs_text ? (unsigned)strtoul(runs_text, NULL, 10) : 2;

    (void)state;
    print_message("SEED=%u\n", seed);
    for (unsigned i = 0; i < runs; i++)
        try(seed + i);
}

/* Few schemas are such that they may stay; this is one. */
static void test_history_in_which_keys_stay(void **state)
{
    (void)state;
    assert_true(try(100) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_histories),
                                       cmocka_unit_test(test_history_in_which_keys_stay)};

    return cmocka_run_group_tests_name("delta: random", tests, world_start_servers,
                                       world_stop_servers);
}
