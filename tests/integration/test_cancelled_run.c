/* SIGINT and SIGTERM at every point, and while revtwin waits for something: it ends at
 * once, says which signal it was and what is in, and leaves nothing half-done. */
#include "points.h"
#include "sleeper.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* The promise is two seconds; more is allowed to a machine that has much else to do. */
enum { SECONDS_ALLOWED = 5 };

static double longest;

static void expect_quick(double seconds)
{
    if (seconds > longest)
        longest = seconds;
    if (seconds > SECONDS_ALLOWED)
        check_fail("it took %.1f s to end after the signal", seconds);
}

/* ------------------------------------------------------------------ every point */

/* Three of each in turn, so that each of the 4 messages of a statement in the pipeline,
 * and of the 5 of one by itself, has to do with both. */
static int signal_at(const struct lane *lane)
{
    return lane->trap.message / 3 % 2 == 0 ? SIGINT : SIGTERM;
}

static enum relay_act send_signal(struct lane *lane)
{
    kill(lane->scene->run.pid, signal_at(lane));
    return RELAY_PASS;
}

static void cancelled_or_done(struct lane *lane)
{
    int sig = signal_at(lane);

    if (!lane->sprung) {
        run_expect(&lane->scene->run, 0);
        return;
    }
    expect_quick(lane->seconds);
    points_expect_truth(lane, sig == SIGINT ? 130 : 143);
    if (lane->scene->run.status != 0)
        assert_warned(lane->scene,
                      sig == SIGINT ? "cancelled by SIGINT" : "cancelled by SIGTERM");
    if (points_began(lane))
        assert_warned(lane->scene, "rolled back");
}

static void signal_at_every_message(void **state)
{
    (void)state;
    points_try(&(struct points){
        .act = RELAY_HOLD, .fault = send_signal, .check = cancelled_or_done});
    print_message("           at most %.2f s from the signal to the end\n", longest);
}

static void signal_at_every_message_of_the_first_use(void **state)
{
    (void)state;
    points_try(&(struct points){.first_use = true,
                                .limit = POINTS_FIRST_USE,
                                .act = RELAY_HOLD,
                                .fault = send_signal,
                                .check = cancelled_or_done});
    print_message("           at most %.2f s from the signal to the end\n", longest);
}

/* ------------------------------------------------------------------ at work */

static void interrupt(struct scene *s, const char *second, const char *waiting_for,
                      int sig)
{
    double start;

    three_files(s, second);
    scene_start(s, "apply", "--lock-timeout", "1min");
    wait_for(s, waiting_for);
    start = run_clock();
    kill(s->run.pid, sig);
    scene_finish(s, sig == SIGINT ? 130 : 143);
    expect_quick(run_clock() - start);
    assert_warned(s, "cancelled by SIG");
    assert_warned(s, "rolled back");
    assert_warned(s, "1 of 3 migrations");
    assert_warned(s, "revtwin apply --ledger");
}

static void sigint_in_a_statement(void **state)
{
    interrupt(*state, "INSERT INTO log (name) VALUES ('half');\n" SLEEP, "%pg_sleep%",
              SIGINT);
    expect_only_the_first(*state);
}

static void sigterm_in_a_statement(void **state)
{
    interrupt(*state, SLEEP, "%pg_sleep%", SIGTERM);
    expect_only_the_first(*state);
}

static void sigint_in_a_file_with_copy(void **state)
{
    interrupt(*state, COPY SLEEP, "%pg_sleep%", SIGINT);
    expect_only_the_first(*state);
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
    interrupt(s, sql, "COPY slow%", SIGTERM);
    expect_only_the_first(s);
    free(rows);
    free(sql);
}

static void while_a_statement_waits_for_a_lock(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);

    PQclear(PQexec(other, "CREATE TABLE busy ()"));
    PQclear(PQexec(other, "BEGIN; SELECT * FROM busy"));
    interrupt(s, "CREATE TABLE half ();\nALTER TABLE busy ADD COLUMN a int;\n",
              "ALTER TABLE busy%", SIGINT);
    PQfinish(other);
    expect_only_the_first(s);
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

/* ------------------------------------------------------------------ waiting */

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
    expect_quick(run_clock() - start);
    PQfinish(other);
    assert_log(s, "");
}

static void in_the_pause_before_another_try(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);
    double start;

    three_files(s, "ALTER TABLE hold ADD COLUMN a int;\n");
    PQclear(PQexec(other, "BEGIN; SELECT * FROM hold"));
    scene_start(s, "apply", "--lock-timeout", "50ms", "--retries", "9");
    run_wait_said(&s->run, "(4 of 9)"); /* the pauses grow; this one takes seconds */
    start = run_clock();
    kill(s->run.pid, SIGTERM);
    scene_finish(s, 143);
    expect_quick(run_clock() - start);
    assert_warned(s, "1 of 3 migrations are in");
    PQfinish(other);
    expect_only_the_first(s);
}

/* A server that takes connections and never says a word. */
static void while_connecting(void **state)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int mute = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
    socklen_t size = sizeof addr;
    struct scene *s = *state;
    double start;
    char *url;

    if (mute < 0 || bind(mute, (struct sockaddr *)&addr, size) != 0 ||
        listen(mute, 1) != 0 || getsockname(mute, (struct sockaddr *)&addr, &size) != 0)
        check_fail("cannot listen");
    url = check_printf("postgresql://me@127.0.0.1:%d/db", ntohs(addr.sin_port));
    scene_step(s, "V1");
    scene_set(s, "PROD_DATABASE_URL", url);
    for (int sig = SIGINT; sig; sig = sig == SIGINT ? SIGTERM : 0) {
        scene_start(s, "apply");
        client = accept(mute, NULL, NULL);
        assert_true(client >= 0);
        start = run_clock();
        kill(s->run.pid, sig);
        scene_finish(s, sig == SIGINT ? 130 : 143);
        expect_quick(run_clock() - start);
        close(client);
    }
    close(mute);
    free(url);
}

/* The server is gone, and the run tries to learn from it what was committed. */
static void while_settling_a_lost_connection(void **state)
{
    struct scene *s = *state;
    double start;

    three_files(s, COPY SLEEP);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    cluster_halt(&scene_server, CLUSTER_IMMEDIATE);
    run_wait_said(&s->run, "asking it what was committed");
    start = run_clock();
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    expect_quick(run_clock() - start);
    assert_warned(s, "1 of 3 migrations are in");
    cluster_resume(&scene_server);
    expect_only_the_first(s);
}

/* Nothing passes any more in either direction, and nobody says so: it is waited for, but
 * not for longer than a workflow's runner waits until it kills. */
static void while_the_network_is_silent(void **state)
{
    struct scene *s = *state;
    struct relay relay;
    double start;

    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    scene_set_port(s, relay.port);
    three_files(s, SLEEP);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    kill(relay.pid, SIGSTOP);
    start = run_clock();
    kill(s->run.pid, SIGINT);
    scene_finish(s, 6);
    print_message("           %.2f s from the signal to the end\n", run_clock() - start);
    assert_true(run_clock() - start < 10);
    assert_warned(s, "cancelled by SIGINT");
    assert_warned(s, "it could not be asked what was committed");
    assert_warned(s, "1 of 3 migrations are known to be committed");
    kill(relay.pid, SIGCONT);
    expect_only_the_first(s);
    relay_stop(&relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_at_every_message),
        cmocka_unit_test(signal_at_every_message_of_the_first_use),
        scene_test(sigint_in_a_statement),
        scene_test(sigterm_in_a_statement),
        scene_test(sigint_in_a_file_with_copy),
        scene_test(sigterm_while_copy_data_wait),
        scene_test(while_a_statement_waits_for_a_lock),
        scene_test(sigint_in_a_long_pipeline),
        scene_test(sigint_while_waiting_for_another_runner),
        scene_test(in_the_pause_before_another_try),
        scene_test(while_connecting),
        scene_test(while_settling_a_lost_connection),
        scene_test(while_the_network_is_silent),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
