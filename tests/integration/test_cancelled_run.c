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

static enum relay_act interrupt(struct lane *lane)
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
        .act = RELAY_HOLD, .fault = interrupt, .check = cancelled_or_done});
    print_message("           at most %.2f s from the signal to the end\n", longest);
}

static void signal_at_every_message_of_the_first_use(void **state)
{
    (void)state;
    points_try(&(struct points){.first_use = true,
                                .limit = POINTS_FIRST_USE,
                                .act = RELAY_HOLD,
                                .fault = interrupt,
                                .check = cancelled_or_done});
    print_message("           at most %.2f s from the signal to the end\n", longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_at_every_message),
        cmocka_unit_test(signal_at_every_message_of_the_first_use),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
