#include "pg/query.h"

#include "base/str.h"

#include "unit.h"

static void test_check(void **state)
{
    static const struct {
        const char *conninfo;
        int expected;
        const char *secret; /* must not be in the error */
    } cases[] = {
        {"postgresql://user:secret@host:5432/db", 0, NULL},
        {"postgresql://user:s%40cr%2Fet@host/db?sslmode=require", 0, NULL},
        {"host=/tmp dbname=db user=me", 0, NULL},
        {"service=prod", 0, NULL},
        {"postgresql://user@h1:1,h2:2/db", 0, NULL},
        {"postgresql://user:hun@ter2@host/db", -RT_EUSAGE, "ter2"},
        {"postgresql://user:hun/ter2@host/db", -RT_EUSAGE, "hun"},
        {"postgresql://user:hun?ter2@host/db", 0, NULL},
        {"postgresql://user:12/34@host/db", -RT_EUSAGE, "34"},
        {"postgresql://user:100%zz@host/db", -RT_EUSAGE, "100"},
        {"nothing like a string", -RT_EUSAGE, "nothing like"},
        {"postgresql://user:hunter2@host/db?unknown=1", -RT_EUSAGE, "hunter2"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_server server = {.role = "production", .source = "PROD_DATABASE_URL"};
        struct rt_err err = {0};

        rt_secret_set(&server.conninfo, cases[i].conninfo);
        assert_int_equal(rt_server_check(&server, &err), cases[i].expected);
        if (cases[i].expected < 0) {
            assert_non_null(strstr(err.message, "PROD_DATABASE_URL"));
            assert_null(strstr(err.message, cases[i].secret));
            assert_null(strstr(err.hint, cases[i].secret));
        }
        rt_err_clear(&err);
        rt_secret_clear(&server.conninfo);
    }
}

static void test_has_password(void **state)
{
    (void)state;
    assert_true(rt_conninfo_has_password("postgresql://u:p@h/d"));
    assert_true(rt_conninfo_has_password("host=h password=p"));
    assert_true(rt_conninfo_has_password("postgresql://u@h/d?password=p"));
    assert_true(rt_conninfo_has_password("host=h sslpassword=p"));
    assert_true(rt_conninfo_has_password("nonsense p"));
    assert_false(rt_conninfo_has_password("postgresql://u@h/d"));
    assert_false(rt_conninfo_has_password("service=prod"));
}

static void test_quoting(void **state)
{
    struct rt_str sql = {0};

    (void)state;
    rt_quote_ident(&sql, "a\"b");
    rt_str_add(&sql, " ");
    rt_quote_literal(&sql, "it's");
    rt_str_add(&sql, " ");
    rt_quote_literal(&sql, "back\\slash'");
    assert_string_equal(sql.data, "\"a\"\"b\" 'it''s' E'back\\\\slash'''");
    rt_str_clear(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_has_password),
        cmocka_unit_test(test_quoting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
