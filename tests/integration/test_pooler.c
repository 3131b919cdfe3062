/* Promise 1 behind PgBouncer in transaction mode: what a lost connection left is found
 * out without a session lock or a process to look for. */
#include "pgbouncer.h"
#include "points.h"
#include "sleeper.h"

#include <signal.h>

static struct pgbouncer pooler;

/* Settling takes a second more than without a pooler, so this is a sample: every 17th
 * point, which has no common divisor with the messages of a statement. */
enum { STEP = 17 };

static void connection_is_lost(void **state)
{
    (void)state;
    points_try(
        &(struct points){.act = RELAY_CUT, .step = STEP, .check = points_lost_or_done});
}

static enum relay_act interrupt(struct lane *lane)
{
    kill(lane->scene->run.pid, SIGINT);
    return RELAY_PASS;
}

static void cancelled_or_done(struct lane *lane)
{
    if (lane->sprung)
        points_expect_truth(lane, 130);
}

static void run_is_cancelled(void **state)
{
    (void)state;
    points_try(&(struct points){
        .act = RELAY_HOLD, .step = STEP, .fault = interrupt, .check = cancelled_or_done});
}

static void statement_is_cancelled(void **state)
{
    struct scene *s = *state;
    char url[CLUSTER_URL_SIZE];

    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    three_files(s, "INSERT INTO log (name) VALUES ('half');\n" SLEEP);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    kill(s->run.pid, SIGINT);
    scene_finish(s, 130);
    assert_warned(s, "1 of 3 migrations are in");
    assert_log(s, "V1");
    cluster_exec(&scene_server, s->db, "TRUNCATE hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 half V3");
    scene_run(s, 0, "verify");
}

/* The next run meets the dead one's transaction until the server has noticed. */
static void run_is_killed(void **state)
{
    struct scene *s = *state;
    char url[CLUSTER_URL_SIZE];

    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    three_files(s, "INSERT INTO log (name) VALUES ('half');\n" SLEEP);
    scene_start(s, "apply");
    wait_for(s, "%pg_sleep%");
    kill(s->run.pid, SIGKILL);
    run_finish(&s->run);
    run_expect(&s->run, -SIGKILL);
    cluster_exec(&scene_server, s->db, "DELETE FROM hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_log(s, "V1 half V3");
    scene_run(s, 0, "verify");
}

static int start(void **state)
{
    points_port = PGBOUNCER_PORT;
    points_start(state);
    pgbouncer_start(&pooler, &scene_server);
    return 0;
}

static int stop(void **state)
{
    pgbouncer_stop(&pooler);
    return points_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_is_lost),
        cmocka_unit_test(run_is_cancelled),
        scene_test(statement_is_cancelled),
        scene_test(run_is_killed),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
