/* The connection breaks, or the run is killed, at points all over an apply of a file
 * without a transaction: the next run goes on, and every statement has run exactly once.
 */
#include "relay.h"
#include "steps.h"

#include <signal.h>

static const char file[] = DIRECTIVE "INSERT INTO log (name) VALUES ('one');\n"
                                     "CREATE INDEX CONCURRENTLY i ON t (a);\n"
                                     "COPY log (name) FROM stdin;\nthree\n\\.\n"
                                     "SET application_name = 'four';\n"
                                     "DROP INDEX CONCURRENTLY old;\n"
                                     "INSERT INTO log (name) VALUES ('six');\n";

static void reset(PGconn *direct)
{
    static const char sql[] =
        "ALTER TABLE revtwin.ledger DISABLE TRIGGER append_only;"
        "DELETE FROM revtwin.ledger WHERE seq > 1;"
        "ALTER TABLE revtwin.ledger ENABLE ALWAYS TRIGGER append_only;"
        "TRUNCATE log, revtwin.step;"
        "DROP INDEX IF EXISTS i, old;"
        "CREATE INDEX old ON t (a)";
    PGresult *result = PQexec(direct, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        check_fail("%s", PQerrorMessage(direct));
    PQclear(result);
}

static void expect_completion(struct scene *s)
{
    scene_run(s, 0, "apply", "--ledger");
    assert_production(s,
                      "SELECT string_agg(name, ' ' ORDER BY id) || ', ' || (SELECT "
                      "string_agg(c.relname || ' ' || i.indisvalid, ' ') FROM pg_index i "
                      "JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = "
                      "'t'::regclass) || ', ' || (SELECT string_agg(kind, ' ' ORDER BY "
                      "seq) FROM revtwin.ledger) || ', ' || (SELECT count(*) FROM "
                      "revtwin.step) FROM log",
                      "one three six, i true, applied applied, 0");
}

/* Cut the connection at the point, or kill the run there; whether it was reached. */
static bool strike(struct scene *s, struct relay *relay, struct relay_trap trap)
{
    bool sprung;

    trap.before = true;
    relay_arm(relay, &trap);
    scene_start(s, "apply");
    if (trap.act == RELAY_HOLD) {
        while (!relay_holds(relay, 5) && !run_has_ended(&s->run))
            continue;
        kill(s->run.pid, SIGKILL);
    }
    run_finish(&s->run);
    if (trap.act == RELAY_HOLD && relay_sprung(relay, NULL))
        relay_release(relay, RELAY_CUT);
    sprung = relay_sprung(relay, NULL);
    check_context("at message %d to the %s: status %d\n%s", (int)trap.message,
                  trap.side == RELAY_TO_SERVER ? "server" : "client", s->run.status,
                  s->run.err);
    /* As long as production can be asked, nothing is unknown. */
    if (s->run.status != 0 && s->run.status != -SIGKILL)
        run_expect(&s->run, 1);
    relay_arm(relay, NULL);
    expect_completion(s);
    check_context(NULL);
    return sprung;
}

/* A production that is reached through a relay, with a first step. */
static void through_a_relay(struct scene *s, struct relay *relay)
{
    char *url;

    first_step(s);
    relay_start(relay, scene_server.dir, scene_server.port, 0);
    url = check_printf("postgresql://" CLUSTER_USER "@127.0.0.1:%d/%s?sslmode=disable"
                       "&gssencmode=disable",
                       relay->port, s->db);
    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
}

static void strike_all_over(struct scene *s, enum relay_act act, unsigned every)
{
    struct relay relay;
    PGconn *direct;

    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    through_a_relay(s, &relay);
    scene_file(s, "V2", file);
    repo_commit(&s->repo, "file");
    direct = cluster_connect(&scene_server, s->db);
    PQclear(PQexec(direct, "SET client_min_messages = warning"));
    for (int side = RELAY_TO_SERVER; side <= RELAY_TO_CLIENT; side++) {
        struct relay_trap trap = {.act = act, .side = (enum relay_side)side};

        do {
            reset(direct);
            trap.message += every;
        } while (strike(s, &relay, trap));
        print_message("           %d messages to the %s\n", (int)(trap.message - every),
                      side == RELAY_TO_SERVER ? "server" : "client");
    }
    scene_run(s, 0, "verify");
    PQfinish(direct);
    relay_stop(&relay);
}

/* Of every message each kind has its turn: a statement has four in a pipeline, and five
 * by itself. */
static void connection_cut(void **state)
{
    strike_all_over(*state, RELAY_CUT, 31);
}

static void run_killed(void **state)
{
    strike_all_over(*state, RELAY_HOLD, 47);
}

/* The round trips of an apply of a file with so many statements. */
static uint64_t turns(struct scene *s, struct relay *relay, const char *name, int count)
{
    char *text = check_alloc(4096);
    size_t length = (size_t)snprintf(text, 4096, DIRECTIVE);
    uint64_t before = relay->counts->turns;

    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, 4096 - length, "VACUUM log;\n");
    scene_file(s, name, text);
    repo_commit(&s->repo, name);
    scene_run(s, 0, "apply");
    free(text);
    return relay->counts->turns - before;
}

static void statement_is_one_round_trip(void **state)
{
    struct scene *s = *state;
    struct relay relay;
    uint64_t few, many;

    through_a_relay(s, &relay);
    turns(s, &relay, "V2", 1); /* from here on revtwin.step may have rows */
    few = turns(s, &relay, "V3", 2);
    many = turns(s, &relay, "V4", 12);
    print_message("           %d round trips for 2 statements\n", (int)few);
    assert_int_equal(many - few, 10);
    assert_in_range(few, 1, 12);
    relay_stop(&relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(connection_cut),
        scene_test(run_killed),
        scene_test(statement_is_one_round_trip),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
