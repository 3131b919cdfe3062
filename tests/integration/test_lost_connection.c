/* Promises 1 and 2: a lost connection is settled, never guessed. */
#include "points.h"
#include "sleeper.h"

static void cut_at_every_message(void **state)
{
    (void)state;
    points_try(&(struct points){.act = RELAY_CUT, .check = points_lost_or_done});
}

static void cut_at_every_message_of_the_first_use(void **state)
{
    (void)state;
    points_try(&(struct points){.first_use = true,
                                .limit = POINTS_FIRST_USE,
                                .act = RELAY_CUT,
                                .check = points_lost_or_done});
}

/* ------------------------------------------------------------------ at work */

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

/* The network breaks, and the server goes on with a long statement for a while. */
static void server_is_still_at_work(void **state)
{
    struct scene *s = *state;
    struct relay relay;

    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    scene_set_port(s, relay.port);
    three_files(s, "INSERT INTO log (name) VALUES ('half');\n" SLEEP);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    relay_break(&relay);
    scene_finish(s, 1);
    assert_warned(s, "connection to production was lost");
    assert_warned(s, "rolled back, and nothing after it was started: 1 of 3");
    expect_only_the_first(s);
    relay_stop(&relay);
}

/* It does not look whether we are still there, and takes longer than we may wait. */
static void server_is_at_work_for_too_long(void **state)
{
    struct scene *s = *state;
    struct relay relay;

    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    scene_set_port(s, relay.port);
    three_files(s, "SET LOCAL client_connection_check_interval = 0;\n" SLEEP);
    scene_start(s, "apply", "--wait", "1");
    wait_for(s, "%pg_sleep%");
    relay_break(&relay);
    scene_finish(s, 6);
    assert_warned(s, "it could not be asked what was committed");
    assert_warned(s, "the lost session is still at work");
    assert_warned(s, "1 of 3 migrations are known to be committed");
    cluster_exec(&scene_server, s->db,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                 "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    expect_only_the_first(s);
    relay_stop(&relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_message),
        cmocka_unit_test(cut_at_every_message_of_the_first_use),
        scene_test(backend_terminated_in_the_pipeline),
        scene_test(backend_terminated_in_a_file_with_copy),
        scene_test(backend_terminated_in_a_long_pipeline),
        scene_test(server_is_still_at_work),
        scene_test(server_is_at_work_for_too_long),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
