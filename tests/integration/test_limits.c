/* The limits of a statement, from the command line and from the settings. */
#include "sleeper.h"

static void statement_timeout_is_honoured(void **state)
{
    struct scene *s = *state;

    three_files(s, SLEEP);
    scene_run(s, 4, "apply", "--statement-timeout", "300ms");
    assert_warned(s, "migrations/V2.sql:1:1: ");
    assert_warned(s, "statement timeout");
    assert_warned(s, "SQLSTATE 57014");
    expect_only_the_first(s);
}

static void limits_come_from_the_configuration_file_too(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "revtwin.conf",
               "[apply]\n\tstatement-timeout = 300ms\n\tlock-timeout = 123ms\n");
    three_files(
        s, "INSERT INTO log (name) VALUES (current_setting('lock_timeout'));\n" SLEEP);
    scene_run(s, 4, "apply");
    assert_warned(s, "SQLSTATE 57014");
    cluster_exec(&scene_server, s->db, "TRUNCATE hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 123ms V3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(statement_timeout_is_honoured),
        scene_test(limits_come_from_the_configuration_file_too),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
