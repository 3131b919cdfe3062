/* What comes in the way of a run: locks, limits, a lost connection, a signal. Every end
 * is told truthfully, and nothing is left half-done. */
#include "sleeper.h"

#include <signal.h>

/* ------------------------------------------------------------------ signals */

static void interrupt(struct scene *s, const char *second, const char *waiting_for,
                      int sig, int status)
{
    double start;

    three_files(s, second);
    scene_start(s, "apply");
    wait_for(s, waiting_for);
    start = run_clock();
    kill(s->run.pid, sig);
    scene_finish(s, status);
    assert_true(run_clock() - start < 2);
    assert_warned(s, "cancelled by SIG");
    assert_warned(s, "rolled back");
    assert_warned(s, "1 of 3 migrations");
    assert_warned(s, "revtwin apply --ledger");
    expect_only_the_first(s);
}

static void sigint_in_a_statement(void **state)
{
    interrupt(*state, "INSERT INTO log (name) VALUES ('half');\n" SLEEP, "%pg_sleep%",
              SIGINT, 130);
}

static void sigterm_in_a_statement(void **state)
{
    interrupt(*state, SLEEP, "%pg_sleep%", SIGTERM, 143);
}

static void sigint_in_a_file_with_copy(void **state)
{
    interrupt(*state, COPY SLEEP, "%pg_sleep%", SIGINT, 130);
}

/* The server does not read on while a trigger of the first row sleeps. */
static void sigterm_while_copy_data_wait(void **state)
{
    struct scene *s = *state;
    size_t size = 16 << 20;
    char *rows = check_alloc(size + 1), *sql;

    for (size_t i = 0; i < size; i += 64)
        snprintf(rows + i, 65, "%063zu\n", i);
    sql = check_printf(
        "CREATE TABLE slow (name text);\n"
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "PERFORM pg_sleep(60) FROM hold; RETURN NULL; END $$;\n"
        "CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION "
        "wait();\nCOPY slow FROM stdin;\n%s\\.\n",
        rows);
    interrupt(s, sql, "COPY slow%", SIGTERM, 143);
    free(rows);
    free(sql);
}

static void sigint_while_waiting_for_another_runner(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);
    double start;

    PQclear(PQexec(other, "SELECT pg_advisory_lock(8243124935563243008)"));
    scene_step(s, "V1");
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db,
                 "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = "
                 "'revtwin' AND datname = current_database() AND state = 'idle'");
    start = run_clock();
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    assert_true(run_clock() - start < 2);
    PQfinish(other);
    assert_log(s, "");
}

/* ------------------------------------------------------------------ locks and limits */

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

/* ------------------------------------------------------------------ lost connection */

static void terminate(struct scene *s, const char *second)
{
    three_files(s, second);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    cluster_exec(&scene_server, s->db,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                 "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    scene_finish(s, 1);
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "connection to production was lost");
    assert_warned(s, "rolled back, and nothing after it was started: 1 of 3");
    expect_only_the_first(s);
}

static void backend_terminated_in_the_pipeline(void **state)
{
    terminate(*state, "INSERT INTO log (name) VALUES ('half');\n" SLEEP);
}

static void backend_terminated_in_a_file_with_copy(void **state)
{
    terminate(*state, COPY SLEEP);
}

/* ------------------------------------------------------------------ anywhere */

/* Many files that take about a second together. */
static void start_many(struct scene *s)
{
    for (int i = 1; i <= 200; i++) {
        char *name = check_printf("V%d", i);
        char *sql = check_printf(
            "INSERT INTO log (name) VALUES ('%d');\nSELECT pg_sleep(0.005);\n", i);

        scene_file(s, name, sql);
        free(name);
        free(sql);
    }
    repo_commit(&s->repo, "many files");
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db, "SELECT count(*) > 20 FROM log");
}

/* Whatever happened, a file is in exactly when its row is; returns how many are. */
static long expect_no_half(struct scene *s)
{
    char *count;
    long files;

    expect_nobody(s);
    assert_production(
        s,
        "SELECT count(*) FROM log FULL JOIN revtwin.ledger ON path = "
        "'migrations/V' || name || '.sql' WHERE path IS NULL OR name IS NULL",
        "0");
    count = cluster_query(&scene_server, s->db, "SELECT count(*) FROM log");
    files = strtol(count, NULL, 10);
    free(count);
    assert_in_range(files, 20, 199);
    return files;
}

static void expect_the_rest(struct scene *s)
{
    scene_run(s, 0, "apply", "--ledger");
    assert_production(s, "SELECT count(*) || ' ' || count(DISTINCT name) FROM log",
                      "200 200");
    scene_run(s, 0, "verify");
}

static void sigint_in_a_long_pipeline(void **state)
{
    struct scene *s = *state;
    char *told;

    start_many(s);
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    told = check_printf(" %ld of 200 migrations are in", expect_no_half(s));
    assert_warned(s, told);
    free(told);
    expect_the_rest(s);
}

static void sigkill_in_a_long_pipeline(void **state)
{
    struct scene *s = *state;

    start_many(s);
    kill(s->run.pid, SIGKILL);
    run_finish(&s->run);
    run_expect(&s->run, -SIGKILL);
    expect_no_half(s);
    expect_the_rest(s);
}

static void backend_terminated_in_a_long_pipeline(void **state)
{
    struct scene *s = *state;
    const char *told;

    start_many(s);
    cluster_exec(&scene_server, s->db,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                 "application_name = 'revtwin' AND datname = current_database()");
    scene_finish(s, 1);
    told = strstr(s->run.err, " of 200 migrations are in");
    assert_non_null(told);
    while (told > s->run.err && told[-1] >= '0' && told[-1] <= '9')
        told--;
    assert_int_equal(strtol(told, NULL, 10), expect_no_half(s));
    expect_the_rest(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(sigint_in_a_statement),
        scene_test(sigterm_in_a_statement),
        scene_test(sigint_in_a_file_with_copy),
        scene_test(sigterm_while_copy_data_wait),
        scene_test(sigint_while_waiting_for_another_runner),
        scene_test(statement_timeout_is_honoured),
        scene_test(limits_come_from_the_configuration_file_too),
        scene_test(backend_terminated_in_the_pipeline),
        scene_test(backend_terminated_in_a_file_with_copy),
        scene_test(sigint_in_a_long_pipeline),
        scene_test(sigkill_in_a_long_pipeline),
        scene_test(backend_terminated_in_a_long_pipeline),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
