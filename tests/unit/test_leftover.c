#include "migrate/leftover.h"

#include "unit.h"

#define CREATE RT_CONCURRENT_CREATE_INDEX
#define DROP RT_CONCURRENT_DROP_INDEX
#define DETACH RT_CONCURRENT_DETACH

enum row { NONE, STARTED, FAILED };

/* The statement's row says: in this state, the object was found at the start; the object
 * as production answers ("there, valid, on the table, unique" or "attached, pending"). */
static const struct {
    const char *name, *answer;
    enum rt_concurrent_kind kind;
    enum row row;
    enum rt_verdict verdict;
    bool if_not_exists, found, other_text;
} cases[] = {
    {"first", "ffff s.i", CREATE, NONE, RT_VERDICT_RUN, false, false, false},
    {"there", "tttf s.i", CREATE, NONE, RT_VERDICT_RUN, false, false, false},
    {"invalid", "tftf s.i", CREATE, NONE, RT_VERDICT_RUN, false, false, false},
    {"INE, there", "tttf s.i", CREATE, NONE, RT_VERDICT_RUN, true, false, false},
    {"INE, invalid", "tftf s.i", CREATE, NONE, RT_VERDICT_REFUSE, true, false, false},
    {"failed", "tftf s.i", CREATE, FAILED, RT_VERDICT_CLEAN, false, false, false},
    {"failed, INE", "tftf s.i", CREATE, FAILED, RT_VERDICT_CLEAN, true, false, false},
    {"failed, dropped", "ffff s.i", CREATE, FAILED, RT_VERDICT_RUN, false, false, false},
    {"failed, valid", "tttf s.i", CREATE, FAILED, RT_VERDICT_DONE, false, false, false},
    {"failed, unique", "tttt s.i", CREATE, FAILED, RT_VERDICT_RUN, false, false, false},
    {"failed, other text", "tttf s.i", CREATE, FAILED, RT_VERDICT_RUN, false, false,
     true},
    {"failed, not ours", "tftf s.i", CREATE, FAILED, RT_VERDICT_RUN, false, true, false},
    {"failed, not ours, INE", "tftf s.i", CREATE, FAILED, RT_VERDICT_REFUSE, true, true,
     false},
    {"other table", "tfff s.i", CREATE, FAILED, RT_VERDICT_RUN, false, false, false},
    {"other name", "tftf s.j", CREATE, FAILED, RT_VERDICT_RUN, false, false, true},
    {"other text", "tftf s.i", CREATE, FAILED, RT_VERDICT_CLEAN, false, false, true},
    {"started, invalid", "tftf s.i", CREATE, STARTED, RT_VERDICT_CLEAN, false, false,
     false},
    {"started, valid", "tttf s.i", CREATE, STARTED, RT_VERDICT_DONE, false, false, false},
    {"started, valid before", "tttf s.i", CREATE, STARTED, RT_VERDICT_RUN, false, true,
     false},
    {"started, other text", "tttf s.i", CREATE, STARTED, RT_VERDICT_RUN, false, false,
     true},
    {"unnamed", NULL, CREATE, NONE, RT_VERDICT_RUN, false, false, false},
    {"unnamed, failed", NULL, CREATE, FAILED, RT_VERDICT_RUN, false, false, false},
    {"unnamed, started", NULL, CREATE, STARTED, RT_VERDICT_UNTOLD, false, false, false},

    {"drop", "ttff s.i", DROP, NONE, RT_VERDICT_RUN, false, false, false},
    {"drop nothing", "ffff i", DROP, NONE, RT_VERDICT_RUN, false, false, false},
    {"drop again", "tfff s.i", DROP, FAILED, RT_VERDICT_RUN, false, true, false},
    {"dropped", "ffff i", DROP, STARTED, RT_VERDICT_DONE, false, true, false},
    {"dropped by hand", "ffff i", DROP, FAILED, RT_VERDICT_DONE, false, true, false},
    {"never there", "ffff i", DROP, FAILED, RT_VERDICT_RUN, false, false, false},
    {"dropped, other text", "ffff i", DROP, STARTED, RT_VERDICT_RUN, false, true, true},

    {"detach", "tf s.p", DETACH, NONE, RT_VERDICT_RUN, false, false, false},
    {"somebody's half", "tt s.p", DETACH, NONE, RT_VERDICT_RUN, false, false, false},
    {"detach again", "tf s.p", DETACH, FAILED, RT_VERDICT_RUN, false, true, false},
    {"half-way", "tt s.p", DETACH, STARTED, RT_VERDICT_FINISH, false, true, false},
    {"detached", "ff s.p", DETACH, STARTED, RT_VERDICT_DONE, false, true, false},
    {"never attached", "ff s.p", DETACH, FAILED, RT_VERDICT_RUN, false, false, false},

    {"reindex", NULL, RT_CONCURRENT_REINDEX, STARTED, RT_VERDICT_RUN, false, false,
     false},
    {"code", NULL, RT_CONCURRENT_CODE, NONE, RT_VERDICT_RUN, false, false, false},
    {"code, failed", NULL, RT_CONCURRENT_CODE, FAILED, RT_VERDICT_RUN, false, false,
     false},
    {"code, started", NULL, RT_CONCURRENT_CODE, STARTED, RT_VERDICT_UNTOLD, false, false,
     false},
    {"code, other text", NULL, RT_CONCURRENT_CODE, STARTED, RT_VERDICT_RUN, false, false,
     true},
    {"anything else", NULL, RT_CONCURRENT_NONE, STARTED, RT_VERDICT_RUN, false, false,
     false},
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
