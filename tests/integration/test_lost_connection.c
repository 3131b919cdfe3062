/* Promises 1 and 2: a lost connection is settled, never guessed. */
#include "points.h"

/* What went in is told; nothing is unknown as long as the server can be reached. */
static void lost_or_done(struct lane *lane)
{
    points_expect_truth(lane, 1);
    if (lane->scene->run.status == 1 && points_began(lane)) {
        assert_warned(lane->scene, "connection to production was lost");
        assert_warned(lane->scene, "rolled back");
    }
}

static void cut_at_every_message(void **state)
{
    (void)state;
    points_try(&(struct points){.act = RELAY_CUT, .check = lost_or_done});
}

static void cut_at_every_message_of_the_first_use(void **state)
{
    (void)state;
    points_try(&(struct points){.first_use = true,
                                .limit = POINTS_FIRST_USE,
                                .act = RELAY_CUT,
                                .check = lost_or_done});
}

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
    points_try(&(struct points){
        .act = RELAY_HOLD, .step = 3, .fault = terminate_backend, .check = lost_or_done});
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
                                .check = lost_or_done});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_message),
        cmocka_unit_test(cut_at_every_message_of_the_first_use),
        cmocka_unit_test(backend_terminated),
        cmocka_unit_test(server_restarted),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
