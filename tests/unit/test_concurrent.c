#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/str.h"
#include "sql/concurrent.h"

#define LONG "a123456789b123456789c123456789d123456789e123456789f123456789g12"

static const struct {
    const char *input;
    struct rt_concurrent want;
} statements[] = {
    {"create index concurrently i on t (a);",
     {RT_CONCURRENT_CREATE_INDEX, NULL, "i", NULL, "t", NULL, NULL, false, false}},
    {"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS Big ON Only s.T USING btree (a)",
     {RT_CONCURRENT_CREATE_INDEX, "s", "big", "s", "t", NULL, NULL, true, true}},
    {"create /* x */ index concurrently \"I \"\"1\" on \"S.x\".\"T\" (lower(a)) where a "
     "> 0;",
     {RT_CONCURRENT_CREATE_INDEX, "S.x", "I \"1", "S.x", "T", NULL, NULL, false, false}},
    {"create index concurrently U&\"d\\0061ta\" on t (a);",
     {RT_CONCURRENT_CREATE_INDEX, NULL, "data", NULL, "t", NULL, NULL, false, false}},
    {"create index concurrently on t (a);",
     {RT_CONCURRENT_CREATE_INDEX, NULL, NULL, NULL, "t", NULL, NULL, false, false}},
    {"create index concurrently " LONG "345 on t (a);",
     {RT_CONCURRENT_CREATE_INDEX, NULL, LONG, NULL, "t", NULL, NULL, false, false}},
    {"create index i on t (a);", {.kind = RT_CONCURRENT_NONE}},

    {"drop index concurrently i;",
     {RT_CONCURRENT_DROP_INDEX, NULL, "i", NULL, NULL, NULL, NULL, false, false}},
    {"drop index concurrently if exists \"S\".I cascade;",
     {RT_CONCURRENT_DROP_INDEX, "S", "i", NULL, NULL, NULL, NULL, false, false}},
    {"drop index concurrently i, j;", {.kind = RT_CONCURRENT_NONE}},
    {"drop index i;", {.kind = RT_CONCURRENT_NONE}},
    {"drop function f(int);", {.kind = RT_CONCURRENT_NONE}},

    {"reindex index concurrently s.i;",
     {RT_CONCURRENT_REINDEX, "s", "i", NULL, NULL, NULL, NULL, false, false}},
    {"reindex (verbose, concurrently) table T;",
     {RT_CONCURRENT_REINDEX, NULL, NULL, NULL, "t", NULL, NULL, false, false}},
    {"reindex schema concurrently s;", {.kind = RT_CONCURRENT_REINDEX}},
    {"reindex database concurrently d;", {.kind = RT_CONCURRENT_REINDEX}},
    {"reindex (concurrently off) table t;", {.kind = RT_CONCURRENT_NONE}},
    {"reindex table t;", {.kind = RT_CONCURRENT_NONE}},

    {"alter table s.t detach partition \"P\" concurrently;",
     {RT_CONCURRENT_DETACH, NULL, NULL, "s", "t", NULL, "P", false, false}},
    {"alter table if exists t detach partition s.p concurrently;",
     {RT_CONCURRENT_DETACH, NULL, NULL, NULL, "t", "s", "p", false, false}},
    {"alter table t detach partition p;", {.kind = RT_CONCURRENT_NONE}},
    {"alter table t detach partition p finalize;", {.kind = RT_CONCURRENT_NONE}},

    {"do $$ begin commit; end $$;", {.kind = RT_CONCURRENT_CODE}},
    {"call p(1);", {.kind = RT_CONCURRENT_CODE}},
    {"refresh materialized view concurrently v;", {.kind = RT_CONCURRENT_NONE}},
    {"vacuum t;", {.kind = RT_CONCURRENT_NONE}},
    {"create index concurrently i on;", {.kind = RT_CONCURRENT_NONE}},
    {"", {.kind = RT_CONCURRENT_NONE}},
};

static void check_name(const char *input, const char *what, const char *got,
                       const char *want)
{
    if ((got == NULL) != (want == NULL) || (got && strcmp(got, want) != 0))
        fail_msg("%s: %s is %s", input, what, got ? got : "NULL");
}

static void test_statements(void **state)
{
    struct rt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(statements); i++) {
        const char *input = statements[i].input;
        const struct rt_concurrent *want = &statements[i].want;
        struct rt_concurrent got;

        rt_stmt_concurrent(&got, &arena, input, strlen(input));
        if (got.kind != want->kind || got.if_not_exists != want->if_not_exists)
            fail_msg("%s: %d, %d", input, got.kind, got.if_not_exists);
        assert_int_equal(got.unique, want->unique);
        check_name(input, "schema", got.schema, want->schema);
        check_name(input, "index", got.index, want->index);
        check_name(input, "table_schema", got.table_schema, want->table_schema);
        check_name(input, "table", got.table, want->table);
        check_name(input, "partition_schema", got.partition_schema,
                   want->partition_schema);
        check_name(input, "partition", got.partition, want->partition);
    }
    rt_arena_clear(&arena);
}

/* The statement is a part of a file: what follows it does not count. */
static void test_ends_at_its_length(void **state)
{
    static const char text[] = "create index concurrently i on t (a); drop table t;";
    struct rt_arena arena = {0};
    struct rt_concurrent got;

    (void)state;
    rt_stmt_concurrent(&got, &arena, text, strcspn(text, ";") + 1);
    assert_int_equal(got.kind, RT_CONCURRENT_CREATE_INDEX);
    assert_string_equal(got.index, "i");
    rt_stmt_concurrent(&got, &arena, text, strlen(text));
    assert_int_equal(got.kind, RT_CONCURRENT_NONE);
    assert_null(got.index);
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_ends_at_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
