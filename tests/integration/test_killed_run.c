/* SIGKILL at every point: nothing is half-applied, and the next run just works, even
 * while the server is still busy with what the dead one asked for. */
#include "points.h"
#include "sleeper.h"

#include <signal.h>
#include <unistd.h>

/* What the dead one had sent further does not arrive. */
static enum relay_act kill_it(struct lane *lane)
{
    kill(lane->scene->run.pid, SIGKILL);
    while (!run_has_ended(&lane->scene->run))
        usleep(1000);
    return RELAY_CUT;
}

static void kill_at_every_message(void **state)
{
    (void)state;
    points_try(&(struct points){.act = RELAY_HOLD, .fault = kill_it});
}

static void kill_at_every_message_of_the_first_use(void **state)
{
    (void)state;
    points_try(&(struct points){.first_use = true,
                                .limit = POINTS_FIRST_USE,
                                .act = RELAY_HOLD,
                                .fault = kill_it});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_every_message),
        cmocka_unit_test(kill_at_every_message_of_the_first_use),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
