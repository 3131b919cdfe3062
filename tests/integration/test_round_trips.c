/* How often an apply waits for production's answer, connecting included. */
#include "relay.h"
#include "scene.h"

static struct relay relay;

static int open_through_relay(void **state)
{
    struct scene *s;
    char *url;

    scene_open(state);
    s = *state;
    url = check_printf("postgresql://" CLUSTER_USER
                       "@127.0.0.1:%d/%s?sslmode=disable&gssencmode=disable",
                       relay.port, s->db);
    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
    repo_commit(&s->repo, "nothing yet");
    return 0;
}

static int round_trips(struct scene *s)
{
    uint64_t before = relay.counts->turns;

    scene_run(s, 0, "apply");
    return (int)(relay.counts->turns - before) - 1; /* the goodbye waits for nothing */
}

static void of_a_first_file(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    assert_in_range(round_trips(s), 3, 5);
    assert_ledger(s, "applied V1");
}

static void of_one_more_file(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    assert_in_range(round_trips(s), 3, 4);
    assert_ledger(s, "applied V1, applied V2");
}

static void of_many_files(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V0");
    scene_run(s, 0, "apply");
    for (int i = 1; i <= 20; i++) {
        char *name = check_printf("V%d", i);

        scene_migration(s, name);
        free(name);
    }
    repo_commit(&s->repo, "twenty");
    /* Replies that come while it still sends look as if they had been waited for. */
    assert_in_range(round_trips(s), 3, 8);
    assert_production(s, "SELECT count(*) FROM revtwin.ledger", "21");
}

static void of_nothing_to_do(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    assert_in_range(round_trips(s), 2, 3); /* on a busy machine two may look like one */
}

/* revtwin.step is read together with the ledger. */
static void of_nothing_to_do_after_steps(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1", "VACUUM log;\n");
    repo_commit(&s->repo, "without a transaction");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT pg_relation_size('revtwin.step') > 0", "t");
    assert_in_range(round_trips(s), 2, 3); /* on a busy machine two may look like one */
}

#define trips_test(test) \
    cmocka_unit_test_setup_teardown(test, open_through_relay, scene_close)

static int start(void **state)
{
    scene_start_server(state);
    relay_start(&relay, scene_server.dir, scene_server.port, 0);
    return 0;
}

static int stop(void **state)
{
    relay_stop(&relay);
    return scene_stop_server(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        trips_test(of_a_first_file),
        trips_test(of_one_more_file),
        trips_test(of_many_files),
        trips_test(of_nothing_to_do),
        trips_test(of_nothing_to_do_after_steps),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
