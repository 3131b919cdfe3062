/* The promises of the harness itself: without these the other tests prove less. */
#include "check.h"
#include "cluster.h"
#include "pgbouncer.h"
#include "repo.h"
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_DIR 512

static struct cluster server = {.tcp = true, .password = "p@ss'word"};

static int start_server(void **state)
{
    (void)state;
    cluster_start(&server, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    cluster_stop(&server);
    return access(server.dir, F_OK) == 0;
}

static void database_with_an_odd_name(void **state)
{
    const char *db = "a b/\"%ü";
    char *dump;

    (void)state;
    cluster_createdb(&server, db);
    cluster_exec(&server, db, "create table t (a int); insert into t values (1), (null)");
    assert_query(&server, db, "select a from t", "1\n");
    dump = cluster_dump(&server, db, "--schema-only", NULL);
    assert_contains(dump, "CREATE TABLE public.t");
    assert_lacks(dump, "\n\\restrict");
    assert_lacks(dump, "COPY");
    free(dump);
    cluster_dropdb(&server, db);
}

static void password_on_tcp(void **state)
{
    struct run r = {0};
    char *port = check_printf("%d", server.port);
    const char *argv[] = {"psql", "-Atwc", "select 'in'", "-h", "127.0.0.1",       "-p",
                          port,   "-U",    CLUSTER_USER,  "-d", "dbname=postgres", NULL};

    (void)state;
    run_program(&r, NULL, (const char *[]){"PGPASSWORD=p@ss'word", NULL}, argv);
    run_expect(&r, 0);
    assert_text_equal(r.out, "in\n");
    run_clear(&r);
    run_program(&r, NULL, (const char *[]){"PGPASSWORD=wrong", NULL}, argv);
    run_expect(&r, 2);
    assert_contains(r.err, "password authentication failed");
    run_clear(&r);
    free(port);
}

/* A program that was killed after make leaves nothing of the folder that make told. */
static void expect_gone_with_program(void (*make)(char dir[MAX_DIR]))
{
    char dir[MAX_DIR] = "";
    int fds[2], status;
    time_t end;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        make(dir);
        if (write(fds[1], dir, sizeof dir) > 0)
            pause();
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], dir, sizeof dir), sizeof dir);
    close(fds[0]);
    assert_int_equal(access(dir, F_OK), 0);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    for (end = time(NULL) + 10; access(dir, F_OK) == 0 && time(NULL) < end;)
        usleep(10000);
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void make_server(char dir[MAX_DIR])
{
    struct cluster doomed = {0};

    cluster_start(&doomed, NULL);
    snprintf(dir, MAX_DIR, "%s", doomed.dir);
}

/* The folder of all repositories is told. */
static void make_repository(char dir[MAX_DIR])
{
    struct repo doomed;

    repo_init(&doomed);
    repo_write(&doomed, "migrations/1.sql", "SELECT 1;");
    repo_commit(&doomed, "one");
    snprintf(dir, MAX_DIR, "%.*s", (int)(strrchr(doomed.dir, '/') - doomed.dir),
             doomed.dir);
}

static void server_dies_with_its_program(void **state)
{
    (void)state;
    expect_gone_with_program(make_server);
}

static void repositories_die_with_their_program(void **state)
{
    (void)state;
    expect_gone_with_program(make_repository);
}

static void program_sees_a_clean_environment(void **state)
{
    struct run r = {0};

    (void)state;
    setenv("PGDATABASE", "leaked", 1);
    setenv("GITHUB_EVENT_PATH", "leaked", 1);
    run_program(&r, "/", (const char *[]){"GIVEN=1", "HOME=/x", NULL},
                (const char *[]){"env", NULL});
    unsetenv("PGDATABASE");
    unsetenv("GITHUB_EVENT_PATH");
    run_expect(&r, 0);
    assert_contains(r.out, "GIVEN=1\n");
    assert_contains(r.out, "HOME=/x\n");
    assert_lacks(r.out, "leaked");
    run_clear(&r);
    run_program(&r, NULL, NULL, (const char *[]){"sh", "-c", "kill -TERM $$", NULL});
    run_expect(&r, -SIGTERM);
    run_clear(&r);
}

static void server_restarts_in_place(void **state)
{
    PGconn *conn = cluster_connect(&server, "postgres");
    char url[CLUSTER_URL_SIZE];
    PGresult *result;

    (void)state;
    PQclear(PQexec(conn, "create table restarted ()"));
    PQclear(PQexec(conn, "begin; create table undone ()"));
    cluster_halt(&server, CLUSTER_IMMEDIATE);
    cluster_resume(&server);
    assert_query(&server, "postgres",
                 "select to_regclass('restarted')::text || coalesce(to_regclass('undone')"
                 "::text, '')",
                 "restarted");
    result = PQexec(conn, "select 1");
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    PQfinish(conn);
    cluster_halt(&server, CLUSTER_FAST);
    assert_int_equal(PQping(cluster_url(&server, "postgres", url)), PQPING_NO_RESPONSE);
    cluster_resume(&server);
    assert_query(&server, "postgres", "select count(*) from restarted", "0");
}

static char *answer(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    char *text;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        check_fail("%s: %s", sql, PQerrorMessage(conn));
    text = check_printf("%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

/* What makes a session lock worthless: it stays with the server's session. */
static void pooler_mixes_sessions(void **state)
{
    struct pgbouncer pooler;
    char url[CLUSTER_URL_SIZE], *first, *second;
    PGconn *a, *b;

    (void)state;
    pgbouncer_start(&pooler, &server);
    a = PQconnectdb(pgbouncer_url(&pooler, "postgres", url));
    b = PQconnectdb(url);
    first = answer(a, "select pg_try_advisory_lock(1) || ' ' || pg_backend_pid()");
    second = answer(b, "select pg_try_advisory_lock(1) || ' ' || pg_backend_pid()");
    assert_string_equal(first, second);
    free(first);
    free(second);
    PQfinish(a);
    PQfinish(b);
    assert_query(&server, "postgres",
                 "select count(*) from pg_locks where locktype = 'advisory'", "1");
    pgbouncer_stop(&pooler);
    cluster_wait(&server, "postgres",
                 "select count(*) = 0 from pg_locks where locktype = 'advisory'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(database_with_an_odd_name),
        cmocka_unit_test(password_on_tcp),
        cmocka_unit_test(server_dies_with_its_program),
        cmocka_unit_test(repositories_die_with_their_program),
        cmocka_unit_test(program_sees_a_clean_environment),
        cmocka_unit_test(server_restarts_in_place),
        cmocka_unit_test(pooler_mixes_sessions),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
