/* More differences than are kept at once, and what memory they take. */
#include <stdlib.h>

#include "check.h"
#include "cluster.h"
#include "run.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum {
    SLACK_MB = 512
}; /* of the sanitizer: its shadow, and memory that it keeps freed */
#else
enum { SLACK_MB = 0 };
#endif
enum { MOST_MB = 48 }; /* 64 are promised */

static struct cluster prod = {0}, twin = {.twin = true};

static int start(void **state)
{
    (void)state;
    cluster_start(&prod, NULL);
    cluster_start(&twin, NULL);
    cluster_createdb(&prod, "shop");
    cluster_createdb(&twin, "dev");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cluster_stop(&twin);
    cluster_stop(&prod);
    return 0;
}

/* By the method that is wanted, and without much memory. */
static void resync(const char *method, const char *first, const char *second)
{
    char url[CLUSTER_URL_SIZE],
        *source = check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod, "shop", url)),
        *target = check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin, "dev", url));
    const char *env[] = {source, target, NULL};
    struct run run = {.seconds = 120};

    run_revtwin(&run, prod.dir, env, "resync", "--jobs", "2", "--method", method, first,
                second, NULL);
    run_expect(&run, 0);
    if (run.peak_kb / 1024 > MOST_MB + SLACK_MB)
        check_fail("%s: %ld MB of memory", method, run.peak_kb / 1024);
    run_clear(&run);
    free(source);
    free(target);
}

static void expect_equal(const char *table)
{
    char *sql = check_printf(
             "select count(*) || ' ' || md5(string_agg(r, ',' order by r collate \"C\"))"
             " from (select md5(t::text) as r from %s t) _",
             table),
         *want = cluster_query(&prod, "shop", sql);

    assert_query(&twin, "dev", sql, want);
    free(want);
    free(sql);
}

static void test_many_differences(void **state)
{
    (void)state;
    cluster_exec(&prod, "shop",
                 "create table t (id int primary key, v int);"
                 "create table u (id uuid primary key, v int);"
                 "create table k (a int, b text);"
                 "insert into t select n, n from generate_series(1, 200000) n;"
                 "insert into u select md5(n::text)::uuid, n"
                 "    from generate_series(1, 40000) n;"
                 "insert into k select n, 'row ' || n from generate_series(1, 40000) n");
    resync("rebuild", "--adopt", NULL);
    cluster_exec(&prod, "shop",
                 "truncate t; insert into t select n, -n from generate_series(1, 500000)"
                 "    n; update u set v = -v; delete from u where v % 9 = 0;"
                 "update k set a = -a where a % 50 > 0");
    cluster_exec(&twin, "dev", "delete from t where id % 5 = 0");
    resync("delta", "--full-compare", NULL);
    assert_query(&twin, "dev", "select method from revtwin.twin", "delta");
    expect_equal("t");
    expect_equal("u");
    expect_equal("k");
    cluster_exec(&prod, "shop",
                 "update t set v = 0 where id % 4 = 0; delete from t where id % 9 = 1");
    resync("incremental", NULL, NULL);
    expect_equal("t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_differences)};

    return cmocka_run_group_tests(tests, start, stop);
}
