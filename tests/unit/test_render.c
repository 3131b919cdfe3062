/* Views as servers before and from version 16 write them. */
#include "schema/render.h"

#include "unit.h"

static const struct {
    const char *name, *before_16, *from_16;
    bool same;
} cases[] = {
    {"equal", "SELECT 1;", "SELECT 1;", true},
    {"one relation", " SELECT t.a,\n    t.b\n   FROM s.t\n  WHERE (t.a > 1);",
     " SELECT a,\n    b\n   FROM s.t\n  WHERE (a > 1);", true},
    {"quoted", "SELECT \"T \"\".x\".\"a.b\" FROM s.\"T \"\".x\";",
     "SELECT \"a.b\" FROM s.\"T \"\".x\";", true},
    {"a function of the relation", "SELECT count(t.a) FROM t;", "SELECT count(a) FROM t;",
     true},
    {"nested ones are told in both",
     "SELECT t.a FROM t WHERE EXISTS (SELECT u.b FROM u WHERE u.b = t.a);",
     "SELECT a FROM t WHERE EXISTS (SELECT u.b FROM u WHERE u.b = t.a);", true},
    {"another column", "SELECT t.a FROM t;", "SELECT b FROM t;", false},
    {"another relation", "SELECT t.a FROM t;", "SELECT a FROM u;", false},
    {"two relations", "SELECT t.a, u.b FROM t, u;", "SELECT a, b FROM t, u;", false},
    {"more", "SELECT t.a FROM t;", "SELECT a FROM t LIMIT 1;", false},
    {"less", "SELECT t.a FROM t LIMIT 1;", "SELECT a FROM t;", false},
    {"blanks in quotes", "SELECT 'a  b';", "SELECT 'a b';", false},
    {"a qualifier in quotes", "SELECT 't.a' FROM t;", "SELECT 'a' FROM t;", false},
    {"a string that does not end", "SELECT 'a", "SELECT 'a", true},
    {"only the earlier one tells it", "SELECT a FROM t;", "SELECT t.a FROM t;", false},
    {"nothing", "", "", true},
};

static void test_render(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (rt_render_same(cases[i].before_16, cases[i].from_16) != cases[i].same)
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_render)};

    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
