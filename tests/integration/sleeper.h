/* A run that is in the middle of its second file for as long as the test wants, or in the
 * middle of a long pipeline. */
#ifndef TEST_SLEEPER_H
#define TEST_SLEEPER_H

#include "scene.h"

/* Sleeps as long as production has the table "hold". */
#define SLEEP "SELECT pg_sleep(60) FROM hold;\n"
#define COPY "COPY log (name) FROM stdin;\ncopied\n\\.\n"

/* Three files, of which the second does something, then sleeps. */
static inline void three_files(struct scene *s, const char *second)
{
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE hold (); INSERT INTO hold DEFAULT VALUES");
    scene_migration(s, "V1");
    scene_file(s, "V2", second);
    scene_migration(s, "V3");
    repo_commit(&s->repo, "three files");
}

/* Wait until a session of this test's database runs a statement like this one. */
static inline void wait_for(struct scene *s, const char *like)
{
    char *sql = check_printf(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND "
        "pid <> pg_backend_pid() AND datname = '%s' AND query LIKE '%s'",
        s->db, like);

    cluster_wait(&scene_server, "postgres", sql);
    free(sql);
}

static inline void expect_nobody(struct scene *s)
{
    char *sql = check_printf(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '%s'", s->db);

    cluster_wait(&scene_server, "postgres", sql);
    free(sql);
}

/* Only V1 went in; and with the sleep over, the rest goes in too. */
static inline void expect_only_the_first(struct scene *s)
{
    expect_nobody(s);
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
    cluster_exec(&scene_server, s->db, "TRUNCATE hold");
    scene_run(s, 0, "apply", "--ledger");
    assert_ledger(s, "applied V1, applied V2, applied V3");
    scene_run(s, 0, "verify");
}

/* Many files that take about a second together. */
static inline void start_many(struct scene *s)
{
    for (int i = 1; i <= 200; i++) {
        char *name = check_printf("V%d", i);
        char *sql = check_printf(
            "INSERT INTO log (name) VALUES ('%d');\nSELECT pg_sleep(0.005);\n", i);

        scene_file(s, name, sql);
        free(name);
        free(sql);
    }
    repo_commit(&s->repo, "many files");
    scene_start(s, "apply");
    cluster_wait(&scene_server, s->db, "SELECT count(*) > 20 FROM log");
}

/* Whatever happened, a file is in exactly when its row is; returns how many are. */
static inline long expect_no_half(struct scene *s)
{
    char *count;
    long files;

    expect_nobody(s);
    assert_production(
        s,
        "SELECT count(*) FROM log FULL JOIN revtwin.ledger ON path = "
        "'migrations/V' || name || '.sql' WHERE path IS NULL OR name IS NULL",
        "0");
    count = cluster_query(&scene_server, s->db, "SELECT count(*) FROM log");
    files = strtol(count, NULL, 10);
    free(count);
    assert_in_range(files, 20, 199);
    return files;
}

static inline void expect_the_rest(struct scene *s)
{
    scene_run(s, 0, "apply", "--ledger");
    assert_production(s, "SELECT count(*) || ' ' || count(DISTINCT name) FROM log",
                      "200 200");
    scene_run(s, 0, "verify");
}

#endif
