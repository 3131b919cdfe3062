/* A file without a transaction behind a pooler: no connection that others use next keeps
 * anything of it, whether it goes well or not. */
#include "pgbouncer.h"
#include "steps.h"

enum { CLIENTS = 12 };

#define SETTINGS                                                              \
    "SELECT concat_ws(' ', current_setting('search_path'), "                  \
    "current_setting('lock_timeout'), current_setting('statement_timeout'), " \
    "current_setting('client_connection_check_interval', true), current_user)"

static void exec(PGconn *client, const char *sql)
{
    PQclear(PQexec(client, sql));
}

/* With as many transactions at once as the pooler has connections, each has its own. */
static void expect_untouched(struct scene *s, PGconn *clients[CLIENTS])
{
    assert_production(s,
                      "SELECT count(*) <= 12 FROM pg_stat_activity WHERE datname = "
                      "current_database() AND pid <> pg_backend_pid()",
                      "t");
    for (int i = 0; i < CLIENTS; i++)
        exec(clients[i], "BEGIN");
    for (int i = 0; i < CLIENTS; i++) {
        PGresult *rows = PQexec(clients[i], SETTINGS);

        if (PQntuples(rows) != 1)
            check_fail("%s", PQerrorMessage(clients[i]));
        assert_string_equal(PQgetvalue(rows, 0, 0), "\"$user\", public 0 0 0 postgres");
        PQclear(rows);
    }
    for (int i = 0; i < CLIENTS; i++)
        exec(clients[i], "COMMIT");
}

/* Run, while applications use the same connections; then look at all of them. */
static void run_under_load(struct scene *s, PGconn *clients[CLIENTS], int status)
{
    scene_start(s, "apply", "--ledger", "--lock-timeout", "7s", "--statement-timeout",
                "77s");
    for (int i = 0; !run_has_ended(&s->run); i++)
        exec(clients[i % CLIENTS], "SELECT 1");
    scene_finish(s, status);
    expect_untouched(s, clients);
}

static void nothing_stays_with_the_connections(void **state)
{
    struct scene *s = *state;
    struct pgbouncer pooler;
    PGconn *clients[CLIENTS];
    char url[CLUSTER_URL_SIZE];

    make_duplicate(s);
    first_step(s);
    pgbouncer_start(&pooler, &scene_server);
    scene_set(s, "PROD_DATABASE_URL", pgbouncer_url(&pooler, s->db, url));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = PQconnectdb(url);
        exec(clients[i], "BEGIN");
    }
    for (int i = 0; i < CLIENTS; i++)
        exec(clients[i], "COMMIT");

    scene_file(s, "V2",
               DIRECTIVE "INSERT INTO log (name) VALUES (concat_ws('/', "
                         "current_setting('lock_timeout'), "
                         "current_setting('statement_timeout')));\n"
                         "COPY log (name) FROM stdin;\ncopied\n\\.\n"
                         "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n"
                         "INSERT INTO log (name) SELECT 'later' FROM later;\n");
    repo_commit(&s->repo, "file");
    run_under_load(s, clients, 4);
    assert_warned(s, "stopped at statement 3 of 4");
    assert_index(s, "u", "invalid");
    run_under_load(s, clients, 4);
    mend_duplicate(s);
    run_under_load(s, clients, 4);
    assert_warned(s, "stopped at statement 4 of 4: relation \"later\" does not exist");
    cluster_exec(&scene_server, s->db, "CREATE TABLE later AS SELECT 1");
    run_under_load(s, clients, 0);
    assert_index(s, "u", "valid");
    assert_log(s, "V1 7s/77s copied later");
    assert_ledger(s, "applied V1, applied V2");

    /* What would stay is refused before anything runs. */
    scene_file(s, "V3",
               "SELECT set_config('search_path', 'public', false);\nVACUUM log;\n");
    scene_file(s, "V4", "SET LOCAL work_mem = '1MB';\nSET search_path = public;\n");
    repo_commit(&s->repo, "settings");
    scene_run(s, 3, "plan");
    assert_warned(s, "refused: migrations/V3.sql:1:1: SELECT in a file that runs without "
                     "a transaction, behind a pooler");
    assert_warned(s, "Connect to production directly");
    assert_lacks(s->run.err, "V4.sql");
    run_under_load(s, clients, 3);
    for (int i = 0; i < CLIENTS; i++)
        PQfinish(clients[i]);
    pgbouncer_stop(&pooler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(nothing_stays_with_the_connections),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
