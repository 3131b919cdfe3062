/* The promises of the harness itself: without these the other tests prove less. */
#include "check.h"
#include "cluster.h"
#include "relay.h"
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

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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

static PGconn *connect_through(const struct relay *relay)
{
    char *conninfo =
        check_printf("host=127.0.0.1 port=%d user=" CLUSTER_USER
                     " dbname=postgres password='p@ss\\'word' sslmode=disable",
                     relay->port);
    PGconn *conn = PQconnectdb(conninfo);

    free(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        check_fail("%s", PQerrorMessage(conn));
    return conn;
}

static double time_query(PGconn *conn, const char *sql, int times)
{
    double start = seconds_now();

    for (int i = 0; i < times; i++) {
        PGresult *result = PQexec(conn, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            check_fail("%s", PQerrorMessage(conn));
        PQclear(result);
    }
    return seconds_now() - start;
}

static void relay_delays_round_trips(void **state)
{
    struct relay relay;
    PGconn *conn;
    uint64_t turns;
    double seconds;

    (void)state;
    relay_start(&relay, server.dir, server.port, 10);
    conn = connect_through(&relay);
    turns = relay.counts->turns;
    seconds = time_query(conn, "select 1", 20);
    assert_int_equal(relay.counts->turns - turns, 20);
    assert_int_equal(relay.counts->connections, 1);
    assert_true(seconds >= 20 * 0.020);
    assert_true(seconds < 20 * 0.100);
    PQfinish(conn);
    relay_stop(&relay);
}

static void relay_keeps_the_throughput(void **state)
{
    const char *sql = "select repeat(md5('x'), 1000000)"; /* 32 MB */
    struct relay relay;
    PGconn *conn;

    (void)state;
    relay_start(&relay, "127.0.0.1", server.port, 100);
    conn = connect_through(&relay);
    /* If a window were limited to 64 kB a round trip, this would take 100 s. */
    assert_true(time_query(conn, sql, 1) < 5);
    assert_true(relay.counts->to_client > 32000000);
    assert_true(relay.counts->to_server < 2000);
    PQfinish(conn);
    relay_stop(&relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(database_with_an_odd_name),
        cmocka_unit_test(password_on_tcp),
        cmocka_unit_test(server_dies_with_its_program),
        cmocka_unit_test(repositories_die_with_their_program),
        cmocka_unit_test(program_sees_a_clean_environment),
        cmocka_unit_test(relay_delays_round_trips),
        cmocka_unit_test(relay_keeps_the_throughput),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
