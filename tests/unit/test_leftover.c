#include "migrate/leftover.h"

#include "unit.h"

#define CREATE RT_CONCURRENT_CREATE_INDEX
#define DROP RT_CONCURRENT_DROP_INDEX
#define DETACH RT_CONCURRENT_DETACH

enum row { NONE, STARTED, FAILED };

/* The statement's row says: in this state, the object was found at the start; the object
 * as production answers ("there, valid, on the table" or "attached, pending"). */
static const struct {
    const char *name;
    enum rt_concurrent_kind kind;
    bool if_not_exists;
    enum row row;
    bool found, other_text;
    const char *answer;
    enum rt_verdict verdict;
} cases[] = {
    {"first", CREATE, false, NONE, false, false, "fff s.i", RT_VERDICT_RUN},
    {"there", CREATE, false, NONE, false, false, "ttt s.i", RT_VERDICT_RUN},
    {"invalid", CREATE, false, NONE, false, false, "tft s.i", RT_VERDICT_RUN},
    {"INE, there", CREATE, true, NONE, false, false, "ttt s.i", RT_VERDICT_RUN},
    {"INE, invalid", CREATE, true, NONE, false, false, "tft s.i", RT_VERDICT_REFUSE},
    {"failed", CREATE, false, FAILED, false, false, "tft s.i", RT_VERDICT_CLEAN},
    {"failed, INE", CREATE, true, FAILED, false, false, "tft s.i", RT_VERDICT_CLEAN},
    {"failed, dropped", CREATE, false, FAILED, false, false, "fff s.i", RT_VERDICT_RUN},
    {"failed, valid", CREATE, false, FAILED, false, false, "ttt s.i", RT_VERDICT_RUN},
    {"failed, not ours", CREATE, false, FAILED, true, false, "tft s.i", RT_VERDICT_RUN},
    {"failed, not ours, INE", CREATE, true, FAILED, true, false, "tft s.i",
     RT_VERDICT_REFUSE},
    {"other table", CREATE, false, FAILED, false, false, "tff s.i", RT_VERDICT_RUN},
    {"other name", CREATE, false, FAILED, false, true, "tft s.j", RT_VERDICT_RUN},
    {"other text", CREATE, false, FAILED, false, true, "tft s.i", RT_VERDICT_CLEAN},
    {"started, invalid", CREATE, false, STARTED, false, false, "tft s.i",
     RT_VERDICT_CLEAN},
    {"started, valid", CREATE, false, STARTED, false, false, "ttt s.i", RT_VERDICT_DONE},
    {"started, valid before", CREATE, false, STARTED, true, false, "ttt s.i",
     RT_VERDICT_RUN},
    {"started, other text", CREATE, false, STARTED, false, true, "ttt s.i",
     RT_VERDICT_RUN},
    {"unnamed", CREATE, false, NONE, false, false, NULL, RT_VERDICT_RUN},
    {"unnamed, failed", CREATE, false, FAILED, false, false, NULL, RT_VERDICT_RUN},
    {"unnamed, started", CREATE, false, STARTED, false, false, NULL, RT_VERDICT_UNTOLD},

    {"drop", DROP, false, NONE, false, false, "ttf s.i", RT_VERDICT_RUN},
    {"drop nothing", DROP, false, NONE, false, false, "fff i", RT_VERDICT_RUN},
    {"drop again", DROP, false, FAILED, true, false, "tff s.i", RT_VERDICT_RUN},
    {"dropped", DROP, false, STARTED, true, false, "fff i", RT_VERDICT_DONE},
    {"dropped by hand", DROP, false, FAILED, true, false, "fff i", RT_VERDICT_DONE},
    {"never there", DROP, false, FAILED, false, false, "fff i", RT_VERDICT_RUN},
    {"dropped, other text", DROP, false, STARTED, true, true, "fff i", RT_VERDICT_RUN},

    {"detach", DETACH, false, NONE, false, false, "tf s.p", RT_VERDICT_RUN},
    {"somebody's half", DETACH, false, NONE, false, false, "tt s.p", RT_VERDICT_RUN},
    {"detach again", DETACH, false, FAILED, true, false, "tf s.p", RT_VERDICT_RUN},
    {"half-way", DETACH, false, STARTED, true, false, "tt s.p", RT_VERDICT_FINISH},
    {"detached", DETACH, false, STARTED, true, false, "ff s.p", RT_VERDICT_DONE},
    {"never attached", DETACH, false, FAILED, false, false, "ff s.p", RT_VERDICT_RUN},

    {"reindex", RT_CONCURRENT_REINDEX, false, STARTED, false, false, NULL,
     RT_VERDICT_RUN},
    {"anything else", RT_CONCURRENT_NONE, false, STARTED, false, false, NULL,
     RT_VERDICT_RUN},
};

static void test_verdicts(void **state)
{
    struct rt_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_concurrent what = {.kind = cases[i].kind,
                                     .index = cases[i].answer ? "i" : NULL,
                                     .if_not_exists = cases[i].if_not_exists};
        struct rt_step step = {.state = cases[i].row == FAILED ? RT_STEP_FAILED
                                                               : RT_STEP_STARTED,
                               .object = cases[i].answer ? "s.i" : NULL,
                               .found = cases[i].found};
        struct rt_object object = {0};
        enum rt_verdict verdict;

        if (cases[i].answer)
            object = rt_leftover_answer(&arena, &what, cases[i].answer);
        verdict = rt_leftover_decide(&what, &object, cases[i].row == NONE ? NULL : &step,
                                     cases[i].row != NONE && !cases[i].other_text);
        if (verdict != cases[i].verdict)
            fail_msg("%s: verdict %d, expected %d", cases[i].name, verdict,
                     cases[i].verdict);
    }
    rt_arena_clear(&arena);
}

static void test_names(void **state)
{
    struct rt_arena arena = {0};

    (void)state;
    assert_string_equal(rt_quote_name(&arena, NULL, "a\"b"), "\"a\"\"b\"");
    assert_string_equal(rt_quote_name(&arena, "S", "t"), "\"S\".\"t\"");
    rt_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
