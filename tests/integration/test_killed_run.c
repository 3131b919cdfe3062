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

/* Kill a run in its second file; the next one has to wait until the server has noticed.
 */
static void kill_in(struct scene *s, const char *second, const char *waiting_for)
{
    three_files(s, second);
    scene_start(s, "apply", "--lock-timeout", "1min");
    wait_for(s, waiting_for);
    kill(s->run.pid, SIGKILL);
    run_finish(&s->run);
    run_expect(&s->run, -SIGKILL);
}

static void the_server_sleeps(void **state)
{
    struct scene *s = *state;

    kill_in(s, "INSERT INTO log (name) VALUES ('half');\n" SLEEP, "%pg_sleep%");
    cluster_exec(&scene_server, s->db, "DELETE FROM hold");
    scene_run(s, 0, "apply", "--ledger", "--wait", "20");
    assert_log(s, "V1 half V3");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

static void the_server_sleeps_in_a_file_with_copy(void **state)
{
    struct scene *s = *state;

    kill_in(s, COPY SLEEP, "%pg_sleep%");
    cluster_exec(&scene_server, s->db, "DELETE FROM hold");
    scene_run(s, 0, "apply", "--ledger", "--wait", "20");
    assert_log(s, "V1 copied V3");
    scene_run(s, 0, "verify");
}

/* The dead one stands in the queue for the lock until the server notices. */
static void the_server_waits_for_a_lock(void **state)
{
    struct scene *s = *state;
    PGconn *other = cluster_connect(&scene_server, s->db);
    char *dead, *sql;

    PQclear(PQexec(other, "CREATE TABLE busy ()"));
    PQclear(PQexec(other, "BEGIN; SELECT * FROM busy"));
    kill_in(s, "CREATE TABLE half ();\nALTER TABLE busy ADD COLUMN a int;\n",
            "ALTER TABLE busy%");
    dead =
        cluster_query(&scene_server, s->db, "SELECT pid FROM pg_locks WHERE NOT granted");
    scene_start(s, "apply", "--ledger", "--wait", "20", "--lock-timeout", "1min");
    sql = check_printf("SELECT count(*) = 1 AND min(pid) <> %s FROM pg_locks WHERE NOT "
                       "granted",
                       *dead ? dead : "0");
    cluster_wait(&scene_server, s->db, sql);
    PQfinish(other);
    scene_finish(s, 0);
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
    free(dead);
    free(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_every_message),
        cmocka_unit_test(kill_at_every_message_of_the_first_use),
        scene_test(sigkill_in_a_long_pipeline),
        scene_test(the_server_sleeps),
        scene_test(the_server_sleeps_in_a_file_with_copy),
        scene_test(the_server_waits_for_a_lock),
    };

    return cmocka_run_group_tests(tests, points_start, points_stop);
}
