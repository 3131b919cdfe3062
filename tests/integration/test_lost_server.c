/* The same as test_lost_connection.c where it is the server that ends the connection, or
 * that is gone for a while. */
#include "points.h"
#include "sleeper.h"

#include <unistd.h>

static enum relay_act terminate_backend(struct lane *lane)
{
    cluster_exec(&scene_server, lane->scene->db,
                 "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE "
                 "application_name = 'revtwin' AND datname = current_database()");
    return RELAY_PASS;
}

/* Every third point: 3 has no common divisor with the 4 messages of a statement in the
 * pipeline, nor with the 5 of one by itself, so each kind of message has its turn. */
static void backend_terminated(void **state)
{
    (void)state;
    points_try(&(struct points){.act = RELAY_HOLD,
                                .step = 3,
                                .fault = terminate_backend,
                                .check = points_lost_or_done});
}

static void restart_at_once(void)
{
    cluster_halt(&scene_server, CLUSTER_IMMEDIATE);
    cluster_resume(&scene_server);
}

/* Every seventh, for the same reason. */
static void server_restarted(void **state)
{
    (void)state;
    points_try(&(struct points){.act = RELAY_HOLD,
                                .step = 7,
                                .disaster = restart_at_once,
                                .check = points_lost_or_done});
}

static void lose_server(struct scene *s, const char *second, const char *seconds)
{
    three_files(s, second);
    scene_start(s, "apply", "--wait", seconds);
    wait_for(s, "%pg_sleep%");
    cluster_halt(&scene_server, CLUSTER_IMMEDIATE);
    run_wait_said(&s->run, "asking it what was committed");
}

static void server_comes_back_in_time(void **state)
{
    struct scene *s = *state;

    lose_server(s, SLEEP, "60");
    sleep(1);
    cluster_resume(&scene_server);
    scene_finish(s, 1);
    assert_warned(s, "connection to production was lost");
    assert_warned(s, "rolled back, and nothing after it was started: 1 of 3");
    expect_only_the_first(s);
}

/* COMMIT was sent with the rest of the pipeline: nobody can know. */
static void server_does_not_come_back(void **state)
{
    struct scene *s = *state;

    lose_server(s, SLEEP, "1");
    scene_finish(s, 6);
    assert_warned(s, "it could not be asked what was committed");
    assert_warned(s, "1 of 3 migrations are known to be committed");
    assert_warned(s, "revtwin status");
    assert_warned(s, "revtwin apply --ledger");
    assert_lacks(s->run.err, "rolled back");
    cluster_resume(&scene_server);
    expect_only_the_first(s);
}

/* One by one COMMIT is sent last: as it was not, all is known. */
static void server_does_not_come_back_before_commit(void **state)
{
    struct scene *s = *state;

    lose_server(s, COPY SLEEP, "1");
    scene_finish(s, 1);
    assert_warned(s, "nothing after it was started: 1 of 3");
    cluster_resume(&scene_server);
    expect_only_the_first(s);
}

/* A standby may lag behind: what it does not have may be committed all the same. */
static void a_standby_answers_instead(void **state)
{
    struct scene *s = *state;
    char *sql =
        check_printf("COPY (SELECT) TO '%s/data/standby.signal'", scene_server.dir);

    cluster_exec(&scene_server, "postgres", sql);
    lose_server(s, SLEEP, "1");
    cluster_resume(&scene_server);
    scene_finish(s, 6);
    assert_warned(s, "in hot standby mode");
    assert_warned(s, "1 of 3 migrations are known to be committed");
    cluster_exec(&scene_server, "postgres", "SELECT pg_promote()");
    expect_only_the_first(s);
    free(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backend_terminated),
        cmocka_unit_test(server_restarted),
        scene_test(server_comes_back_in_time),
        scene_test(server_does_not_come_back),
        scene_test(server_does_not_come_back_before_commit),
        scene_test(a_standby_answers_instead),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
