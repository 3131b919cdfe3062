/* Running on a twin what production's ledger has and the twin's has not, by itself:
 * without the resync that comes after it. */
#include "scene.h"

#include "base/arena.h"
#include "migrate/replay.h"

static struct cluster twin_server;

/* A twin that was resynced after V1, and a ledger that goes on. */
static int open_pair(void **state)
{
    char url[CLUSTER_URL_SIZE];
    struct scene *s;

    scene_open(state);
    s = *state;
    cluster_createdb(&twin_server, s->db);
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&twin_server, s->db, url));
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_set(s, "REVTWIN_RESYNC", "false");
    return 0;
}

static int close_pair(void **state)
{
    struct scene *s = *state;

    cluster_dropdb(&twin_server, s->db);
    return scene_close(state);
}

#define pair_test(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

/* ------------------------------------------------------------------ what is asked */

static void open_server(struct rt_server *server, struct rt_conn **conn,
                        const struct cluster *c, const char *db, const char *role)
{
    char url[CLUSTER_URL_SIZE];
    struct rt_err err = {0};

    *server = (struct rt_server){.role = role, .source = "a test"};
    rt_secret_set(&server->conninfo, cluster_url(c, db, url));
    if (rt_conn_open(conn, server, RT_READ_ONLY, &err) < 0)
        check_fail("%s", err.message);
}

/* What is expected of a replay; problem: a part of it, NULL: none. */
struct want {
    size_t missing, done, files;
    const char *problem;
};

/* From the repository in this folder, NULL: from none. */
static void replay_from(struct scene *s, const char *dir, struct want want)
{
    struct rt_server servers[2];
    struct rt_conn *prod, *twin;
    struct rt_arena arena = {0};
    struct rt_err err = {0};
    struct rt_replay job = {.lock_seconds = 1};
    char *xid = scene_next_xid();

    open_server(&servers[0], &prod, &scene_server, s->db, "production");
    open_server(&servers[1], &twin, &twin_server, s->db, "the twin");
    if (dir && (rt_repo_open(&job.repo, dir, &err) < 0 ||
                rt_repo_resolve(&job.tip, job.repo, "HEAD", &err) < 0))
        check_fail("%s", err.message);
    if (rt_replay(&job, &arena, prod, twin, &err) < 0)
        check_fail("%s", err.message);
    if (want.problem && job.problem == NULL)
        check_fail("no problem, instead of %s", want.problem);
    if (want.problem)
        assert_contains(job.problem, want.problem);
    else if (job.problem)
        check_fail("%s", job.problem);
    assert_int_equal(job.missing, want.missing);
    assert_int_equal(job.done, want.done);
    assert_int_equal(job.files, want.files);
    rt_repo_close(job.repo);
    rt_conn_close(prod);
    rt_conn_close(twin);
    rt_secret_clear(&servers[0].conninfo);
    rt_secret_clear(&servers[1].conninfo);
    rt_arena_clear(&arena);
    scene_expect_xid(xid, __FILE__, __LINE__);
}

static void replay(struct scene *s, struct want want)
{
    replay_from(s, s->repo.dir, want);
}

/* What must be the same in the two ledgers: all but what the server tells. */
#define LEDGER                                                                          \
    "SELECT string_agg(concat_ws(' ', format, seq, kind, path, algorithm, checksum, "   \
    "statements, commit_oid, applied_at, applied_by, client, revtwin_version, reason, " \
    "prev_hash, entry_hash, signature), E'\\n' ORDER BY seq) FROM revtwin.ledger"

static void expect_same_ledger(const struct scene *s)
{
    char *prod = cluster_query(&scene_server, s->db, LEDGER);

    assert_query(&twin_server, s->db, LEDGER, prod);
    free(prod);
}

static void expect_same_schema(const struct scene *s)
{
    char *prod = cluster_dump(&scene_server, s->db, "--schema-only", "--no-owner",
                              "--no-acl", NULL);
    char *twin = cluster_dump(&twin_server, s->db, "--schema-only", "--no-owner",
                              "--no-acl", "--exclude-table=revtwin.twin",
                              "--exclude-table=revtwin.receipt", NULL);

    assert_text_equal(twin, prod);
    free(prod);
    free(twin);
}

#define assert_twin(s, sql, want) assert_query(&twin_server, (s)->db, sql, want)
#define assert_twin_log(s, want) \
    assert_twin(s, "SELECT string_agg(name, ' ' ORDER BY id) FROM log", want)

static void apply_file(struct scene *s, const char *name, const char *sql)
{
    scene_file(s, name, sql);
    repo_commit(&s->repo, name);
    scene_run(s, 0, "apply", "--ledger");
}

/* ------------------------------------------------------------------ the way it goes */

static void what_is_missing_is_run(void **state)
{
    struct scene *s = *state;

    replay(s, (struct want){0});
    repo_branch(&s->repo, "feature");
    scene_file(s, "V2__orders", "BEGIN;\nCREATE TABLE orders (id int);\nCOMMIT;\n");
    repo_commit(&s->repo, "orders");
    scene_file(s, "V3__items",
               "COPY orders FROM stdin;\n1\n2\n\\.\n"
               "ALTER TABLE orders ADD CHECK (id < 3);\n");
    repo_commit(&s->repo, "items");
    repo_switch(&s->repo, "main");
    repo_merge(&s->repo, REPO_SQUASH, "feature");
    repo_git(&s->repo, "commit", "-q", "--allow-empty", "-m", "nothing", NULL);
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--ledger");
    replay(s, (struct want){.missing = 3, .done = 3, .files = 3});
    expect_same_ledger(s);
    expect_same_schema(s);
    assert_twin(s, "SELECT string_agg(id::text, ' ') FROM orders", "1 2");
    assert_twin_log(s, "V1 V4");
    replay(s, (struct want){0});
}

static void files_without_a_transaction(void **state)
{
    struct scene *s = *state;

    apply_file(s, "V2",
               "CREATE INDEX CONCURRENTLY log_name ON log (name);\n"
               "SET work_mem = '1MB';\nVACUUM log;\n");
    apply_file(s, "V3", "-- revtwin: no-transaction\nCREATE TABLE t ();\n");
    replay(s, (struct want){.missing = 2, .done = 2, .files = 2});
    expect_same_ledger(s);
    expect_same_schema(s);
    assert_twin(s, "SELECT count(*) FROM revtwin.step", "0");
}

/* What is no migration that ran is only recorded. */
static void rows_of_other_kinds(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V2");
    scene_run(s, 0, "baseline", "HEAD");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    scene_file(s, "V3", "-- a better comment\n");
    repo_commit(&s->repo, "amend");
    scene_run(s, 0, "amend", "migrations/V3.sql", "--reason", "a comment");
    replay(s, (struct want){.missing = 3, .done = 3, .files = 1});
    expect_same_ledger(s);
    assert_twin_log(s, "V1 V3");
}

/* Signatures are the rows', and go with them; no key is needed for that. */
static void signed_rows(void **state)
{
    struct scene *s = *state;

    scene_run(s, 0, "keygen", ".git/key");
    scene_set(s, "REVTWIN_SIGNING_KEY", ".git/key");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    expect_same_ledger(s);
    assert_twin(s, "SELECT count(signature) FROM revtwin.ledger", "1");
}

/* The first ledger of all comes with a replay, too. */
static void twin_from_before_the_first_apply(void **state)
{
    struct scene *s = *state;
    char url[CLUSTER_URL_SIZE];

    scene_new_production(s);
    cluster_createdb(&twin_server, s->db);
    scene_run(s, 0, "resync", "--twin", cluster_url(&twin_server, s->db, url));
    assert_twin(s, "SELECT to_regclass('revtwin.ledger') IS NULL", "t");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    replay(s, (struct want){.missing = 2, .done = 2, .files = 1});
    expect_same_ledger(s);
    expect_same_schema(s);
    assert_twin_log(s, "V2");
}

/* ------------------------------------------------------------------ what a twin lacks */

static void owners_and_privileges_are_left_out(void **state)
{
    struct scene *s = *state;

    apply_file(s, "V2",
               "CREATE ROLE replay_owner;\n"
               "SET ROLE postgres;\n"
               "CREATE TABLE t (a int);\n"
               "COPY t FROM stdin;\n7\n\\.\n"
               "ALTER TABLE t OWNER TO replay_owner;\n"
               "GRANT SELECT ON log TO replay_owner;\n"
               "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
               "ALTER FUNCTION f() OWNER TO replay_owner;\n"
               "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO replay_owner;\n"
               "CREATE PUBLICATION p FOR TABLE t;\n"
               "INSERT INTO t VALUES (8);\n");
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    expect_same_ledger(s);
    assert_twin(s, "SELECT string_agg(a::text, ' ') FROM t", "7 8");
    assert_twin(s, "SELECT count(*) FROM pg_roles WHERE rolname = 'replay_owner'", "0");
    assert_twin(s, "SELECT count(*) FROM pg_publication", "0");
    cluster_exec(&scene_server, s->db,
                 "DROP OWNED BY replay_owner CASCADE;"
                 "DROP ROLE replay_owner");
}

static void what_reaches_elsewhere_is_not_run(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V2");
    scene_file(s, "V3", "SELECT 1;\nCOPY log (name) FROM PROGRAM 'echo outside';\n");
    repo_commit(&s->repo, "outside");
    scene_run(s, 0, "apply", "--ledger");
    replay(s, (struct want){.missing = 2,
                            .problem = "migrations/V3.sql:2: COPY is not for a twin"});
    assert_twin_log(s, "V1");
}

static void twin_with_a_way_to_other_servers(void **state)
{
    struct scene *s = *state;

    cluster_exec(&twin_server, s->db,
                 "CREATE EXTENSION postgres_fdw;"
                 "CREATE SERVER \"Prod\" FOREIGN DATA WRAPPER "
                 "postgres_fdw");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    replay(s, (struct want){.missing = 1, .problem = "foreign server \"Prod\""});
    assert_twin_log(s, "V1");
    cluster_exec(&twin_server, s->db, "DROP SERVER \"Prod\"; CREATE EXTENSION dblink");
    replay(s, (struct want){.missing = 1, .problem = "extension dblink"});
    assert_twin_log(s, "V1");
}

/* ------------------------------------------------------------------ what goes wrong */

static void what_developers_did_is_in_the_way(void **state)
{
    struct scene *s = *state;

    cluster_exec(&twin_server, s->db, "CREATE TABLE orders ()");
    scene_step(s, "V2");
    scene_file(s, "V3__orders",
               "INSERT INTO log (name) VALUES ('half');\n"
               "CREATE TABLE orders ();\n");
    repo_commit(&s->repo, "orders");
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--ledger");
    replay(s, (struct want){.missing = 3,
                            .done = 1,
                            .files = 1,
                            .problem = "V3__orders.sql:2: relation \"orders\" already "
                                       "exists"});
    assert_twin_log(s, "V1 V2");
    /* Out of the way, it goes on. */
    cluster_exec(&twin_server, s->db, "DROP TABLE orders");
    replay(s, (struct want){.missing = 2, .done = 2, .files = 2});
    expect_same_ledger(s);
    expect_same_schema(s);
    assert_twin_log(s, "V1 V2 half V4");
}

static void stopped_on_the_twin(void **state)
{
    struct scene *s = *state;

    cluster_exec(&twin_server, s->db,
                 "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
    cluster_exec(&scene_server, s->db, "CREATE TABLE t (a int)");
    apply_file(s, "V2",
               "CREATE INDEX CONCURRENTLY fine ON t (a);\n"
               "CREATE UNIQUE INDEX CONCURRENTLY once ON t (a);\n");
    replay(s, (struct want){.missing = 1, .problem = "migrations/V2.sql:2"});
    cluster_exec(&twin_server, s->db, "TRUNCATE t");
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    expect_same_ledger(s);
    expect_same_schema(s);
}

static void locked_by_a_developer(void **state)
{
    struct scene *s = *state;
    PGconn *developer = cluster_connect(&twin_server, s->db);

    PQclear(PQexec(developer, "BEGIN; LOCK TABLE log"));
    apply_file(s, "V2", "ALTER TABLE log ADD note text;\n");
    replay(s, (struct want){.missing = 1, .problem = "lock timeout"});
    PQclear(PQexec(developer, "ROLLBACK; "
                              "SELECT pg_advisory_lock(8243124935563243008)"));
    replay(s, (struct want){.missing = 1,
                            .problem = "another revtwin holds the twin's lock"});
    PQfinish(developer);
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    expect_same_schema(s);
}

/* On production it would wait for as long as it takes; nobody would wait behind it. */
static void waiting_for_a_developer(void **state)
{
    struct scene *s = *state;
    PGconn *developer = cluster_connect(&twin_server, s->db);

    PQclear(PQexec(developer, "BEGIN; INSERT INTO log (name) VALUES ('mine')"));
    apply_file(s, "V2", "CREATE INDEX CONCURRENTLY log_name ON log (name);\n");
    replay(s, (struct want){.missing = 1, .problem = "lock timeout"});
    PQfinish(developer);
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    expect_same_schema(s);
}

static void texts_that_are_not_there(void **state)
{
    struct scene *s = *state;
    struct repo shallow;

    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    replay_from(s, NULL,
                (struct want){.missing = 1, .problem = "there is no repository"});

    /* The commit is not in a shallow clone, but the file is. */
    repo_clone(&shallow, &s->repo, "--depth=1", NULL);
    replay_from(s, shallow.dir, (struct want){.missing = 1, .done = 1, .files = 1});
    repo_clear(&shallow);
    scene_run(s, 0, "apply");
    repo_delete(&s->repo, "migrations/V3.sql");
    repo_commit(&s->repo, "delete");
    repo_clone(&shallow, &s->repo, "--depth=1", NULL);
    replay_from(s, shallow.dir,
                (struct want){.missing = 1,
                              .problem = "migrations/V3.sql is not in this repository "
                                         "as it was applied"});
    repo_clear(&shallow);
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    assert_twin_log(s, "V1 V2 V3");
}

/* Not what the commit has is run, but what was applied. */
static void texts_that_are_others(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_tamper(s, "UPDATE revtwin.ledger SET checksum = repeat('0', 64) WHERE seq = 2");
    replay(s, (struct want){.missing = 1, .problem = "migrations/V2.sql is not in this"});
    assert_twin_log(s, "V1");
}

/* Within a range the text at its end counts, not that of the file's own commit. */
static void changed_before_it_was_applied(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V2", "SELECT nope;\n");
    repo_commit(&s->repo, "a mistake");
    scene_migration(s, "V2");
    repo_commit(&s->repo, "mended");
    scene_run(s, 0, "apply", "--ledger");
    replay(s, (struct want){.missing = 1, .done = 1, .files = 1});
    assert_twin_log(s, "V1 V2");
}

static void ledgers_that_parted(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_tamper(s,
                 "UPDATE revtwin.ledger SET entry_hash = repeat('1', 64) WHERE seq = 1");
    replay(s, (struct want){.problem = "not a beginning of production's"});
    assert_twin_log(s, "V1");
}

static void database_that_is_no_twin(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    cluster_exec(&twin_server, s->db, "DROP TABLE revtwin.twin");
    replay(s, (struct want){.missing = 1, .problem = "revtwin.twin"});
    assert_twin_log(s, "V1");
}

static int start_servers(void **state)
{
    cluster_start(&twin_server, NULL);
    return scene_start_server(state);
}

static int stop_servers(void **state)
{
    cluster_stop(&twin_server);
    return scene_stop_server(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pair_test(what_is_missing_is_run),
        pair_test(files_without_a_transaction),
        pair_test(rows_of_other_kinds),
        pair_test(signed_rows),
        pair_test(twin_from_before_the_first_apply),
        pair_test(owners_and_privileges_are_left_out),
        pair_test(what_reaches_elsewhere_is_not_run),
        pair_test(twin_with_a_way_to_other_servers),
        pair_test(what_developers_did_is_in_the_way),
        pair_test(stopped_on_the_twin),
        pair_test(locked_by_a_developer),
        pair_test(waiting_for_a_developer),
        pair_test(texts_that_are_not_there),
        pair_test(texts_that_are_others),
        pair_test(changed_before_it_was_applied),
        pair_test(ledgers_that_parted),
        pair_test(database_that_is_no_twin),
    };

    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
