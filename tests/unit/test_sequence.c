#include "migrate/sequence.h"

#include "base/str.h"

#include "unit.h"

/* Everything that a sequence sends, one letter a statement. */
static char *walk(const struct rt_sequence *sequence)
{
    struct rt_cursor cursor = {0};
    struct rt_str out = {0};

    while (cursor.unit < sequence->count) {
        const char *sql = rt_cursor_sql(&cursor);

        assert_int_equal(sql == NULL, cursor.phase == RT_PHASE_STATEMENT ||
                                          cursor.phase == RT_PHASE_BEFORE ||
                                          cursor.phase == RT_PHASE_AFTER);
        if (cursor.phase == RT_PHASE_STATEMENT)
            rt_str_addf(&out, "s%zu", cursor.index);
        else
            rt_str_addf(&out, "%c", "BSHb-RsAaCx"[cursor.phase]);
        rt_cursor_advance(&cursor, sequence);
    }
    return rt_str_take(&out);
}

static void test_order(void **state)
{
    struct rt_stmt stmts[] = {{.kind = RT_STMT_SQL}, /* an outer BEGIN */
                              {.kind = RT_STMT_COPY},
                              {.kind = RT_STMT_COPY_DATA},
                              {.kind = RT_STMT_SQL},
                              {.kind = RT_STMT_SQL} /* COMMIT */};
    const struct rt_command command = {.sql = "SELECT"};
    struct rt_action actions[] = {
        {.kind = RT_ACTION_RECORD, .after = &command},
        {.kind = RT_ACTION_RECORD, .before = &command, .after = &command},
        {.kind = RT_ACTION_APPLY,
         .before = &command,
         .source = {.script = {.stmts = stmts, .count = 5},
                    .mode = {.first = 1, .count = 3}}},
        {.kind = RT_ACTION_RECORD},
        {.kind = RT_ACTION_APPLY}, /* no statements */
    };
    struct rt_plan plan = {.actions = actions, .count = 5};
    struct rt_arena arena = {0};
    struct rt_sequence sequence;
    char *text;

    (void)state;
    rt_sequence_init(&sequence, &arena, &plan);
    assert_int_equal(sequence.count, 4);
    assert_null(rt_unit_source(&sequence, 0));
    assert_ptr_equal(rt_unit_source(&sequence, 1), &actions[2].source);
    text = walk(&sequence);
    assert_string_equal(text, "BSHbAAaaC"             /* both records at once */
                              "BSHbs1s3RRRACxxxxxxxx" /* COPY's data go with it */
                              "BSHAC"                 /* in its place */
                              "BSHRRRACxxxxxxxx");
    free(text);

    plan.count = 0;
    rt_sequence_init(&sequence, &arena, &plan);
    assert_int_equal(sequence.count, 0);
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
