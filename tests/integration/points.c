#include "points.h"

#include <unistd.h>

enum { LANES = 4, FILES = 3, HOLD_MS = 5, WAIT_SECONDS = 30, VERIFY_EVERY = 16 };

int points_port;

static struct lane lanes[LANES];

/* Beside the log of every scene: what is in, by the schema and by the ledger. */
static const char making_state[] =
    "CREATE FUNCTION state(OUT tables text, OUT files text, OUT rows bigint,"
    "                      OUT chain bool) LANGUAGE plpgsql AS $$"
    "DECLARE n bigint;"
    "BEGIN"
    "  tables := ''; files := ''; rows := 0; chain := true;"
    "  FOR i IN 1..3 LOOP"
    "    CONTINUE WHEN to_regclass('v' || i) IS NULL;"
    "    EXECUTE format('SELECT count(*) FROM v%s', i) INTO n;"
    "    tables := tables || format('V%s(%s) ', i, n);"
    "  END LOOP;"
    "  IF to_regclass('revtwin.ledger') IS NULL THEN RETURN; END IF;"
    "  SELECT coalesce(string_agg(CASE kind WHEN 'applied' THEN substring(path, "
    "         'migrations/(V[123]).sql') || '(2) ' END, '' ORDER BY seq), ''), count(*),"
    "         coalesce(bool_and(prev_hash = expected), true)"
    "  FROM (SELECT *, coalesce(lag(entry_hash) OVER (ORDER BY seq), repeat('0', 64)) AS "
    "        expected FROM revtwin.ledger) l INTO files, rows, chain;"
    "END $$";

/* ------------------------------------------------------------------ lanes */

static void exec(const struct lane *lane, const char *sql)
{
    PGresult *result = PQexec(lane->direct, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_TUPLES_OK)
        check_fail("%s: %s", sql, PQerrorMessage(lane->direct));
    PQclear(result);
}

static long ask(const struct lane *lane, const char *sql)
{
    PGresult *result = PQexec(lane->direct, sql);
    long answer;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        check_fail("%s: %s", sql, PQerrorMessage(lane->direct));
    answer = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return answer;
}

static void connect_directly(struct lane *lane)
{
    PQfinish(lane->direct);
    lane->direct = cluster_connect(&scene_server, lane->scene->db);
    exec(lane, "SET client_min_messages = warning");
}

static void write_files(const struct scene *s)
{
    scene_step(s, "V0");
    scene_file(s, "V1", "CREATE TABLE v1 (a int);\nCOPY v1 FROM stdin;\n1\n2\n\\.\n");
    scene_file(s, "V2", "CREATE TABLE v2 (a int);\nINSERT INTO v2 VALUES (1), (2);\n");
    scene_file(s, "V3", "CREATE TABLE v3 (a int);\nINSERT INTO v3 VALUES (1), (2);\n");
    repo_commit(&s->repo, "three files");
}

static void open_lane(struct lane *lane)
{
    scene_open((void **)&lane->scene);
    relay_start(&lane->relay, scene_server.dir,
                points_port ? points_port : scene_server.port, 0);
    write_files(lane->scene);
    scene_run(lane->scene, 0, "apply", "HEAD~1");
    scene_set_port(lane->scene, lane->relay.port);
    connect_directly(lane);
    exec(lane, making_state);
}

int points_start(void **state)
{
    scene_start_server(state);
    for (size_t i = 0; i < LANES; i++)
        open_lane(&lanes[i]);
    return 0;
}

int points_stop(void **state)
{
    for (size_t i = 0; i < LANES; i++) {
        void *scene = lanes[i].scene;

        PQfinish(lanes[i].direct);
        relay_stop(&lanes[i].relay);
        scene_close(&scene);
    }
    return scene_stop_server(state);
}

/* Production as it is before the run. */
static void reset(struct lane *lane, bool first_use)
{
    exec(lane, first_use
                   ? "DROP SCHEMA revtwin CASCADE"
                   : "ALTER TABLE revtwin.ledger DISABLE TRIGGER append_only;"
                     "DELETE FROM revtwin.ledger WHERE seq > 1;"
                     "DELETE FROM revtwin.attempt;"
                     "ALTER TABLE revtwin.ledger ENABLE ALWAYS TRIGGER append_only");
    exec(lane, "DROP TABLE IF EXISTS v1, v2, v3");
    lane->rows = first_use ? 0 : 1;
}

/* ------------------------------------------------------------------ the truth */

long points_added(struct lane *lane)
{
    PGresult *result;
    long added;

    result = PQexec(lane->direct, "SELECT * FROM state()");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        check_fail("%s", PQerrorMessage(lane->direct));
    if (strcmp(PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1)) != 0 ||
        strcmp(PQgetvalue(result, 0, 3), "t") != 0)
        check_fail("tables %s, but the ledger has %s(%s rows, %s)",
                   PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
                   PQgetvalue(result, 0, 2),
                   *PQgetvalue(result, 0, 3) == 't' ? "chained" : "not chained");
    added = strtol(PQgetvalue(result, 0, 2), NULL, 10) - lane->rows;
    PQclear(result);
    return added;
}

long points_total(const struct lane *lane)
{
    return lane->rows == 0 ? FILES + 1 : FILES;
}

bool points_began(const struct lane *lane)
{
    return strstr(lane->scene->run.err, " migrations are in") != NULL;
}

void points_expect_truth(struct lane *lane, int status)
{
    const struct run *run = &lane->scene->run;
    long added = points_added(lane), total = points_total(lane);
    char *count = check_printf(" %ld of %ld migrations are in", added, total);

    if (run->status != (added == total ? 0 : status))
        check_fail("status %d with %ld of %ld in\n%s%s", run->status, added, total,
                   run->out, run->err);
    if (run->status != 0 && (points_began(lane) ? !strstr(run->err, count) : added > 0))
        check_fail("%ld of %ld are in, but it says\n%s%s", added, total, run->out,
                   run->err);
    free(count);
}

void points_lost_or_done(struct lane *lane)
{
    points_expect_truth(lane, 1);
    if (points_began(lane)) {
        assert_warned(lane->scene, "connection to production was lost");
        assert_warned(lane->scene, "rolled back");
    }
}

/* ------------------------------------------------------------------ one run */

static void start(struct lane *lane, const struct points *points, enum relay_side side,
                  unsigned point)
{
    reset(lane, points->first_use);
    lane->trap = (struct relay_trap){.act = points->act, .side = side, .message = point};
    if (side == RELAY_TO_CLIENT || point == 0) {
        lane->trap.before = true;
        lane->trap.message++;
    }
    relay_arm(&lane->relay, &lane->trap);
    scene_start(lane->scene, "apply");
}

/* Wait until all runs are at their point; then let it happen to all at once. */
static void strike(const struct points *points)
{
    bool held[LANES] = {false};

    for (size_t i = 0; i < LANES; i++) {
        while (!held[i] && !run_has_ended(&lanes[i].scene->run))
            held[i] = relay_holds(&lanes[i].relay, HOLD_MS);
    }
    if (points->disaster) {
        points->disaster();
        for (size_t i = 0; i < LANES; i++)
            connect_directly(&lanes[i]);
    }
    for (size_t i = 0; i < LANES; i++) {
        enum relay_act act = RELAY_PASS;

        lanes[i].seconds = run_clock();
        if (held[i] && points->fault)
            act = points->fault(&lanes[i]);
        if (held[i])
            relay_release(&lanes[i].relay, act);
    }
}

/* Nothing that the run left behind on the server may still change anything. */
static void expect_settled(struct lane *lane)
{
    double end = run_clock() + WAIT_SECONDS;
    long added = points_added(lane);

    while (ask(lane,
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
               "'revtwin' AND datname = current_database() AND state <> 'idle'") > 0) {
        if (run_clock() > end)
            check_fail("the run has left a session at work");
        usleep(2000);
    }
    if (points_added(lane) != added)
        check_fail("%ld were in when the run ended, and %ld later\n%s", added,
                   points_added(lane), lane->scene->run.err);
}

static void expect_completion(struct lane *lane, bool verify)
{
    if (points_added(lane) > 0 || lane->rows > 0)
        scene_run(lane->scene, 0, "apply", "--ledger");
    else
        scene_run(lane->scene, 0, "apply");
    assert_int_equal(points_added(lane), points_total(lane));
    if (verify)
        scene_run(lane->scene, 0, "verify");
}

static void finish(struct lane *lane)
{
    run_finish(&lane->scene->run);
    lane->seconds = run_clock() - lane->seconds;
    lane->sprung = relay_sprung(&lane->relay, &lane->type);
}

static void judge(struct lane *lane, const struct points *points)
{
    check_context("at message %d '%c' to the %s%s", (int)lane->trap.message,
                  lane->type ? lane->type : '0',
                  lane->trap.side == RELAY_TO_SERVER ? "server" : "client",
                  points->first_use ? ", first use" : "");
    if (points->check) {
        points->check(lane);
        expect_settled(lane);
    }
    relay_arm(&lane->relay, NULL);
    expect_completion(lane, lane->trap.message % VERIFY_EVERY == 1);
    check_context(NULL);
}

/* The next points, one a lane. Returns how many of them the runs came to. */
static unsigned try_some(const struct points *points, enum relay_side side,
                         unsigned first)
{
    unsigned step = points->step ? points->step : 1, reached = 0;

    for (unsigned i = 0; i < LANES; i++)
        start(&lanes[i], points, side, first + i * step);
    if (points->act == RELAY_HOLD)
        strike(points);
    for (size_t i = 0; i < LANES; i++)
        finish(&lanes[i]);
    for (size_t i = 0; i < LANES; i++) {
        judge(&lanes[i], points);
        reached += lanes[i].sprung;
    }
    return reached;
}

void points_try(const struct points *points)
{
    unsigned all = LANES * (points->step ? points->step : 1);

    for (int side = RELAY_TO_SERVER; side <= RELAY_TO_CLIENT; side++) {
        unsigned reached, tried = 0, point = 0;

        do {
            reached = try_some(points, (enum relay_side)side, point);
            tried += reached;
            point += all;
        } while (reached == LANES && (points->limit == 0 || point < points->limit));
        print_message("           %u points, to the %s\n", tried,
                      side == RELAY_TO_SERVER ? "server" : "client");
        assert_true(tried >= LANES);
    }
}
