#include "sql/reach.h"

#include "unit.h"

static void test_reach(void **state)
{
    static const struct {
        enum rt_reach want;
        const char *sql;
    } cases[] = {
        {RT_REACH_COPY, "CREATE TABLE t ()"},
        {RT_REACH_COPY, "ALTER TABLE t ADD a int, OWNER TO r"},
        {RT_REACH_COPY, "SET search_path = a"},
        {RT_REACH_COPY, "COPY t FROM STDIN"},
        {RT_REACH_COPY, "CREATE EXTENSION hstore"},
        {RT_REACH_COPY, "DROP TABLE t"},
        {RT_REACH_COPY, "not understood at all"},
        {RT_REACH_COPY, "DO $$ BEGIN NULL; END $$"},
        {RT_REACH_AROUND, "GRANT SELECT ON t TO r"},
        {RT_REACH_AROUND, "REVOKE ALL ON SCHEMA s FROM PUBLIC"},
        {RT_REACH_AROUND, "GRANT a TO b"},
        {RT_REACH_AROUND, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r"},
        {RT_REACH_AROUND, "ALTER TABLE t OWNER TO r"},
        {RT_REACH_AROUND, "ALTER VIEW v OWNER TO r"},
        {RT_REACH_AROUND, "ALTER SCHEMA s OWNER TO r"},
        {RT_REACH_AROUND, "REASSIGN OWNED BY a TO b"},
        {RT_REACH_AROUND, "SET ROLE r"},
        {RT_REACH_AROUND, "SET LOCAL ROLE r"},
        {RT_REACH_AROUND, "SET SESSION AUTHORIZATION r"},
        {RT_REACH_AROUND, "RESET ROLE"},
        {RT_REACH_AROUND, "CREATE USER u PASSWORD 'p'"},
        {RT_REACH_AROUND, "ALTER ROLE r SET a = 1"},
        {RT_REACH_AROUND, "DROP ROLE r"},
        {RT_REACH_AROUND, "SECURITY LABEL ON TABLE t IS 'l'"},
        {RT_REACH_AROUND, "CREATE PUBLICATION p FOR ALL TABLES"},
        {RT_REACH_AROUND, "DROP PUBLICATION p"},
        {RT_REACH_AROUND, "CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p"},
        {RT_REACH_AROUND, "ALTER DATABASE d SET a = 1"},
        {RT_REACH_AROUND, "ALTER SYSTEM SET a = 1"},
        {RT_REACH_OUTSIDE, "COPY t FROM PROGRAM 'curl'"},
        {RT_REACH_OUTSIDE, "COPY t TO '/tmp/t'"},
        {RT_REACH_OUTSIDE, "CREATE EXTENSION IF NOT EXISTS dblink"},
        {RT_REACH_OUTSIDE, "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw"},
        {RT_REACH_OUTSIDE, "DROP SERVER s"},
        {RT_REACH_OUTSIDE, "CREATE USER MAPPING FOR CURRENT_USER SERVER s"},
        {RT_REACH_OUTSIDE, "CREATE FOREIGN TABLE t () SERVER s"},
        {RT_REACH_OUTSIDE, "IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b"},
        {RT_REACH_OUTSIDE, "DROP OWNED BY r"},
        {RT_REACH_OUTSIDE, "LOAD 'library'"},
    };

    (void)state;
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        enum rt_reach got = rt_stmt_reach(cases[i].sql, strlen(cases[i].sql));

        if (got != cases[i].want)
            fail_msg("%s: %d instead of %d", cases[i].sql, got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reach)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
