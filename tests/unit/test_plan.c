#include <ctype.h>

#include "base/str.h"
#include "migrate/baseline.h"

#include "unit.h"

/* A case is written as words: files in natural order "path=content", ledger rows
 * "path=content", arrivals "path=content" with a trailing '-' (deleted), '~' (edited) or
 * "<path" (renamed from); content in capitals is the same with other line ends. After a
 * '|' come the arrivals of the history. Expected: the actions as "a:path" or "b:path",
 * and the findings as levels with a word of each. */
struct scene {
    const char *name;
    const char *files, *base, *ledger, *arrivals;
    bool no_ledger;
    const char *actions;
    const char *findings;
};

static const struct scene scenes[] = {
    {"a new file is applied", "1=a 2=b", "", "1=a", "2=b", false, "a:2", ""},
    {"nothing new", "1=a", "", "1=a", "", false, "", ""},
    {"an applied arrival is not applied again", "1=a", "", "1=a", "1=a", false, "", ""},
    {"order is that of the arrivals", "1=a 2=b 3=c", "", "1=a", "3=c 2=b", false,
     "a:3 a:2", ""},
    {"an empty ledger takes the base as baseline", "1=a 2=b", "1=a", "", "2=b", false,
     "b:1 a:2", "note:baseline"},
    {"the base's down files are no baseline", "1.down.sql=b 1.sql=a",
     "1.down.sql=b 1.sql=a", "", "", false, "b:1.sql", "note:baseline"},
    {"a file of the base that was edited since", "1=x", "1=a", "", "", false, "b:1",
     "note:baseline refused:changed"},
    {"a gap", "1=a 2=b", "", "1=a", "", false, "", "refused:neither"},
    {"changed after it was applied", "1=x", "", "1=a", "", false, "", "refused:changed"},
    {"renamed with the same content", "2=a", "", "1=a", "2=a<1", false, "", "note:same"},
    {"renamed with other line ends", "2=A", "", "1=a", "2=A<1", false, "", "note:ends"},
    {"renamed with other content", "2=x", "", "1=a", "2=x<1~", false, "",
     "refused:changed"},
    {"two renames of equal content", "3=a 4=a", "", "1=a 2=a", "3=a<1 4=a<2", false, "",
     "note:renamed note:renamed"},
    {"renamed in the first run", "2=a", "1=a", "", "2=a<1", false, "b:1",
     "note:baseline note:renamed"},
    {"renamed before the range", "2=a 3=b", "", "1=a", "3=b|2=a<1", false, "a:3",
     "note:renamed"},
    {"another one with the text of a deleted one", "2=a", "", "1=a", "2=a", false, "a:2",
     "warning:own warning:longer"},
    {"the same, long after the deletion", "2=a", "", "1=a", "2=a|2=a", false, "a:2",
     "warning:own warning:longer"},
    {"the same, missed by the range", "2=a 3=b", "", "1=a", "3=b|2=a", false, "a:3",
     "refused:neither warning:longer"},
    {"a rename and a copy at once", "2=a 3=a", "", "1=a", "2=a<1 3=a", false, "a:3",
     "note:renamed"},
    {"a copy is a migration of its own", "1=a 2=a", "", "1=a", "2=a", false, "a:2", ""},
    {"deleted after it was applied", "1=a", "", "1=a 2=b", "", false, "",
     "warning:longer"},
    {"deleted before it was applied", "1=a", "", "1=a", "2=b-", false, "",
     "warning:deleted"},
    {"a rename takes a deleted path", "1=c 2=b", "", "0=z", "1=a- 2=b 1=c", false,
     "a:2 a:1", "warning:deleted warning:longer"},
    {"the same, without a ledger", "1=c 2=b", "", "", "1=a- 2=b 1=c", true, "a:2 a:1",
     "warning:deleted"},
    {"the same, applied already", "1=c 2=b", "", "1=c 2=b", "1=a- 2=b 1=c", false, "",
     ""},
    {"a rename takes a path that was applied", "1=c 2=b", "", "1=a 2=b 3=c",
     "1=a- 2=b 1=c", false, "", "refused:changed warning:longer"},
    {"edited before it was applied", "1=a 2=x", "", "1=a", "2=b~", false, "a:2",
     "warning:edited"},
    {"down files are never applied", "1=a 2.down.sql=b", "", "1=a", "2.down.sql=b", false,
     "", "note:down"},
    {"without a ledger arrivals are all there is", "1=a 2=b", "", "", "2=b", true, "a:2",
     ""},
};

static struct rt_digest digest_of(const char *content)
{
    return rt_hash_of(content, strlen(content));
}

/* Call back for each "path=content" word. */
static size_t split_words(const char *words, char paths[8][32], char contents[8][32])
{
    size_t count = 0;

    while (sscanf(words, " %31[^= ]=%31[^ ]", paths[count], contents[count]) == 2) {
        words = strchr(words, '=') + strlen(contents[count]) + 1;
        count++;
        assert_true(count < 8);
    }
    return count;
}

static struct rt_set make_set(struct rt_arena *arena, const char *words)
{
    char paths[8][32], contents[8][32];
    struct rt_set set = {.count = split_words(words, paths, contents)};

    set.migrations = rt_arena_alloc(arena, set.count * sizeof(*set.migrations));
    for (size_t i = 0; i < set.count; i++) {
        set.migrations[i].path = rt_arena_strdup(arena, paths[i]);
        set.migrations[i].checksum = digest_of(contents[i]);
        contents[i][0] = (char)tolower((unsigned char)contents[i][0]);
        set.migrations[i].with_lf = digest_of(contents[i]);
        set.migrations[i].down = rt_is_down(paths[i]);
    }
    return set;
}

static struct rt_ledger make_ledger(struct rt_arena *arena, const char *words)
{
    char paths[8][32], contents[8][32];
    struct rt_ledger ledger = {.count = split_words(words, paths, contents)};

    ledger.rows = rt_arena_alloc(arena, ledger.count * sizeof(*ledger.rows));
    for (size_t i = 0; i < ledger.count; i++) {
        ledger.rows[i].column[RT_COL_KIND] = "applied";
        ledger.rows[i].column[RT_COL_PATH] = rt_arena_strdup(arena, paths[i]);
        ledger.rows[i].column[RT_COL_CHECKSUM] =
            rt_arena_strdup(arena, digest_of(contents[i]).hex);
    }
    rt_ledger_index(&ledger, arena);
    return ledger;
}

static const struct rt_name *renamed_from(struct rt_arena *arena, const char *content)
{
    const char *from = strchr(content, '<');
    struct rt_name *name = rt_arena_alloc(arena, sizeof(*name));

    if (from == NULL)
        return NULL;
    name->path = rt_arena_strdup(arena, from + 1);
    ((char *)name->path)[strcspn(name->path, "~-")] = '\0';
    return name;
}

static struct rt_range make_range(struct rt_arena *arena, const char *words)
{
    char paths[8][32], contents[8][32];
    struct rt_range range = {.base = {"ba5e"},
                             .count = split_words(words, paths, contents)};

    range.arrivals = rt_arena_alloc(arena, range.count * sizeof(*range.arrivals));
    for (size_t i = 0; i < range.count; i++) {
        range.arrivals[i].path = rt_arena_strdup(arena, paths[i]);
        range.arrivals[i].step = (struct rt_oid){"57e9"};
        range.arrivals[i].deleted = strchr(contents[i], '-') != NULL;
        range.arrivals[i].edited = strchr(contents[i], '~') != NULL;
        range.arrivals[i].before = renamed_from(arena, contents[i]);
    }
    return range;
}

static void check_actions(const struct scene *scene, const struct rt_plan *plan)
{
    struct rt_str got = {0};

    for (size_t i = 0; i < plan->count; i++)
        rt_str_addf(&got, "%s%c:%s", i ? " " : "",
                    plan->actions[i].kind == RT_ACTION_RECORD ? 'b' : 'a',
                    plan->actions[i].path);
    if (strcmp(rt_str_text(&got), scene->actions) != 0)
        fail_msg("%s: actions are \"%s\", expected \"%s\"", scene->name,
                 rt_str_text(&got), scene->actions);
    rt_str_clear(&got);
}

static void check_findings(const struct scene *scene, const struct rt_plan *plan)
{
    static const char *const levels[] = {"note", "warning", "refused"};
    const char *at = scene->findings;
    size_t refusals = 0;

    for (size_t i = 0; i < plan->findings_count; i++) {
        const struct rt_finding *finding = &plan->findings[i];
        char level[16], word[16];

        refusals += finding->level == RT_REFUSAL;
        if (sscanf(at, " %15[^:]:%15s", level, word) != 2)
            fail_msg("%s: unexpected: %s", scene->name, finding->what.message);
        at = strchr(at, ':') + 1 + strlen(word);
        if (strcmp(level, levels[finding->level]) != 0 ||
            strstr(finding->what.message, word) == NULL)
            fail_msg("%s: %s: %s, expected %s about %s", scene->name,
                     levels[finding->level], finding->what.message, level, word);
    }
    if (*at)
        fail_msg("%s: missing finding%s", scene->name, at);
    assert_int_equal(plan->refusals, refusals);
}

/* applied: what another tool's table says of the files; NULL: there is none. */
static void check_scene(const struct scene *scene, const bool *applied)
{
    struct rt_arena arena = {0};
    struct rt_set set = make_set(&arena, scene->files);
    struct rt_set base = make_set(&arena, scene->base);
    struct rt_ledger ledger = make_ledger(&arena, scene->ledger);
    const struct rt_elsewhere elsewhere = {"Other", "a table", applied};
    char *words = rt_arena_strdup(&arena, scene->arrivals);
    char *before = strchr(words, '|');
    struct rt_range range, history = {0};
    struct rt_plan_input input = {.set = &set,
                                  .range = &range,
                                  .history = before ? &history : NULL,
                                  .ledger = scene->no_ledger ? NULL : &ledger,
                                  .base_set = &base,
                                  .elsewhere = applied ? &elsewhere : NULL};
    struct rt_plan plan = {0};
    struct rt_err err = {0};

    if (before) {
        *before = '\0';
        history = make_range(&arena, before + 1);
    }
    range = make_range(&arena, words);
    rt_plan_decide(&plan, &arena, &input);
    check_actions(scene, &plan);
    check_findings(scene, &plan);
    for (size_t i = 0; applied && i < plan.count; i++) {
        const char *reason = plan.actions[i].reason;

        if (plan.actions[i].kind == RT_ACTION_RECORD)
            assert_string_equal(reason, "applied by Other, as a table says");
        else
            assert_null(reason);
    }
    assert_int_equal(rt_plan_check(&plan, &err), plan.refusals ? -RT_EREFUSED : 0);
    rt_err_clear(&err);
    rt_plan_clear(&plan);
    rt_arena_clear(&arena);
}

static void test_scenes(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(scenes); i++)
        check_scene(&scenes[i], NULL);
}

static void test_elsewhere(void **state)
{
    static const struct {
        bool applied[4];
        struct scene scene;
    } cases[] = {
        {{true, false},
         {"before the range", "1=a 2=b", "", "", "2=b", false, "b:1 a:2", "note:Other"}},
        {{false, true, true},
         {"in its place", "1=a 2=b 3=c 4=d", "", "1=a", "2=b 4=d 3=c", false,
          "b:2 a:4 b:3", "note:Other"}},
        {{true, false},
         {"before the range, and others in it", "1=a 2=b 3=c", "", "", "3=c 2=b", false,
          "b:1 a:3 a:2", "note:Other"}},
        {{false, false, true},
         {"what is nowhere is a gap", "1=a 2=b 3=c", "1=a", "", "2=b", false, "b:3 a:2",
          "note:Other refused:neither"}},
        {{false, true},
         {"renamed by the ledger", "1=a 2=b", "", "0=a 2=b", "1=a<0", false, "",
          "note:renamed"}},
        {{false},
         {"an empty table is no first run", "1=a", "1=a", "", "", false, "",
          "refused:neither"}},
        {{false, true},
         {"deleted in the range", "1=a 2=b", "", "1=a", "2=x-", false, "b:2",
          "warning:deleted note:Other"}},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        check_scene(&cases[i].scene, cases[i].applied);
}

/* How far back history has to be known: to the oldest row that a file may be. */
static void test_past(void **state)
{
    static const struct {
        const char *files, *ledger, *arrivals, *folder;
        int since; /* index of the row; -1: nowhere */
        bool elsewhere;
    } cases[] = {
        {"d/1=a d/2=b", "d/1=a", "d/2=b", "d", -1, false},
        {"d/2=a", "d/1=a", "d/2=a", "d", 0, false},
        {"d/2=A", "d/1=a", "d/2=A", "d", 0, false},
        {"d/2=a", "d/1=a", "d/2=a<d/1", "d", -1, false}, /* the range tells */
        {"d/4=b", "d/1=a d/2=b d/3=b", "", "d", 1, false},
        {"d/1=a d/2=a", "d/1=a", "d/2=a", "d", -1, false},
        {"e/1=a e/2=b", "d/1=a d/2=b", "", "e", 0, true},
        {"d/4.down.sql=a", "d/1=a", "", "d", -1, false},
        {"dd/1=a", "d/1=a", "", "d", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_arena arena = {0};
        struct rt_set set = make_set(&arena, cases[i].files);
        struct rt_ledger ledger = make_ledger(&arena, cases[i].ledger);
        struct rt_range range = make_range(&arena, cases[i].arrivals);
        struct rt_plan_input input = {.set = &set, .range = &range, .ledger = &ledger};
        struct rt_past past = rt_plan_past(&arena, &input, cases[i].folder);

        if (cases[i].since < 0)
            assert_null(past.since);
        else
            assert_ptr_equal(past.since, &ledger.rows[cases[i].since]);
        assert_int_equal(past.elsewhere, cases[i].elsewhere);
        rt_arena_clear(&arena);
    }
}

static void test_baseline(void **state)
{
    struct rt_arena arena = {0};
    struct rt_set set = make_set(&arena, "1=a 2=b 2.down.sql=c 3=x");
    struct rt_ledger ledger = make_ledger(&arena, "1=a 3=y");
    struct rt_oid commit = {"c0"};
    struct rt_baseline baseline = {.set = &set, .ledger = &ledger, .commit = &commit};
    struct rt_plan plan = {0};

    (void)state;
    rt_plan_baseline(&plan, &arena, &baseline);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.actions[0].path, "2");
    assert_string_equal(plan.actions[0].commit, "c0");
    assert_int_equal(plan.refusals, 1);
    assert_int_equal(plan.applied, 2);
    rt_plan_clear(&plan);
    rt_arena_clear(&arena);
}

static void test_down_files(void **state)
{
    static const struct {
        const char *path;
        bool down;
    } cases[] = {
        {"migrations/1_a.sql", false},
        {"migrations/1_a.down.sql", true},
        {"migrations/1_a.up.sql", false},
        {"20240101_x/down.sql", true},
        {"20240101_x/migration.sql", false},
        {"U1__undo.sql", true},
        {"db/U1.2__undo.sql", true},
        {"U1__2_undo.sql", true},
        {"U1_2__undo.sql", true},
        {"U2users__x.sql", false},
        {"U2users.sql", false},
        {"V1__do.sql", false},
        {"Users__x.sql", false},
        {"u1__lower.sql", false},
        {"U1_one_underscore.sql", false},
        {"countdown.sql", false},
        {"1_a.DOWN.SQL", true},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_int_equal(rt_is_down(cases[i].path), cases[i].down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes),     cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_past),       cmocka_unit_test(test_baseline),
        cmocka_unit_test(test_down_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
