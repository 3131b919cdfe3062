/*
 * Many small migrations in one git history, one a step, applied to a fresh database by
 * - the guides' loop: psql -v ON_ERROR_STOP=1 -f, once for each file,
 * - one bare pipeline: a libpq program that sends BEGIN, the statements, an insert into a
 *   plain table and COMMIT for each file, and checks nothing,
 * - revtwin apply.
 * Each time includes connecting; the server writes durably (fsync is on). Medians.
 *
 * "turns" is how often revtwin spoke after the server had, as the relay saw it. As long
 * as all is under way at once these are its round trips (the question for SSL is one);
 * with more than that they are no waits, but a stream that goes on as replies come in.
 *
 * usage: apply [--no-slow-loop]   (the loop of 1,000 files over 20 ms takes two minutes)
 */
#include "bench.h"
#include "cluster.h"
#include "relay.h"
#include "run.h"

#include <string.h>

enum { RUNS = 5, LOOPS = 3, DELAY_MS = 10 /* each way */ };

#define CREATE "CREATE TABLE bench_%04d (id bigint PRIMARY KEY, name text)"
#define ALTER "ALTER TABLE bench_%04d ADD COLUMN flag varchar(255)"

struct bench {
    struct cluster prod;
    struct relay relay;
    bool through_relay;
    struct repo repo;
    int files;
    char database[32];
};

static void make_history(struct bench *b, int files)
{
    FILE *import;

    repo_init(&b->repo);
    b->files = files;
    import = bench_import(&b->repo);
    bench_commit(import, 0);
    for (int i = 1; i <= files; i++) {
        bench_commit(import, i);
        fprintf(import, "M 644 inline migrations/V%04d__bench.sql\ndata <<.\n", i);
        fprintf(import, CREATE ";\n" ALTER ";\n.\n", i, i);
    }
    bench_imported(import);
    repo_git(&b->repo, "reset", "-q", "--hard", NULL);
}

static char *database_url(const struct bench *b)
{
    char url[CLUSTER_URL_SIZE];

    if (b->through_relay)
        return check_printf("postgresql://" CLUSTER_USER "@127.0.0.1:%d/%s",
                            b->relay.port, b->database);
    return check_printf("%s", cluster_url(&b->prod, b->database, url));
}

/* ------------------------------------------------------------------ the three ways */

static void run_loop(const struct bench *b)
{
    char *url = database_url(b), *variable = check_printf("PROD_DATABASE_URL=%s", url);
    const char *env[] = {variable, NULL};
    const char *loop[] = {"sh", "-ec",
                          "for file in migrations/*.sql; do psql -X -q -v "
                          "ON_ERROR_STOP=1 -f \"$file\" \"$PROD_DATABASE_URL\"; done",
                          NULL};
    struct run run = {.seconds = 600};

    run_program(&run, b->repo.dir, env, loop);
    run_expect(&run, 0);
    run_clear(&run);
    free(variable);
    free(url);
}

static void run_apply(const struct bench *b)
{
    char *url = database_url(b), *base = check_printf("HEAD~%d", b->files);
    struct run run = {0};

    run_revtwin(&run, b->repo.dir, NULL, "apply", "--prod", url, "--base", base,
                "--no-resync", "--quiet", NULL);
    run_expect(&run, 0);
    run_clear(&run);
    free(base);
    free(url);
}

/* Frees the statement. */
static void send_statement(PGconn *conn, char *sql)
{
    if (!PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        check_fail("%s", PQerrorMessage(conn));
    free(sql);
}

/* In blocking mode libpq reads while it cannot write, so it is safe to send it all. */
static void run_bare(const struct bench *b)
{
    char *url = database_url(b);
    PGconn *conn = PQconnectdb(url);
    PGresult *result;
    ExecStatusType status = PGRES_COMMAND_OK;

    if (!PQenterPipelineMode(conn))
        check_fail("%s", PQerrorMessage(conn));
    for (int i = 1; i <= b->files; i++) {
        send_statement(conn, check_printf("BEGIN"));
        send_statement(conn, check_printf(CREATE, i));
        send_statement(conn, check_printf(ALTER, i));
        send_statement(conn, check_printf("INSERT INTO done VALUES (%d)", i));
        send_statement(conn, check_printf("COMMIT"));
    }
    PQpipelineSync(conn);
    while (status != PGRES_PIPELINE_SYNC) {
        result = PQgetResult(conn);
        status = result ? PQresultStatus(result) : PGRES_COMMAND_OK;
        if (status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC)
            check_fail("%s", PQerrorMessage(conn));
        PQclear(result);
    }
    PQfinish(conn);
    free(url);
}

/* ------------------------------------------------------------------ measuring */

/*
 * Seconds on a fresh database, in which every table has to be there at the end. Old ones
 * stay: ext4 is slow to make files for a while after thousands were deleted.
 */
static double measure(struct bench *b, void (*way)(const struct bench *))
{
    static int databases;
    char *tables = check_printf("%d", b->files);
    double seconds;

    snprintf(b->database, sizeof b->database, "bench%d", ++databases);
    cluster_createdb(&b->prod, b->database);
    cluster_exec(&b->prod, b->database, "CREATE TABLE done (n int)");
    cluster_exec(&b->prod, b->database, "CHECKPOINT");
    seconds = bench_seconds();
    way(b);
    seconds = bench_seconds() - seconds;
    assert_query(&b->prod, b->database,
                 "SELECT count(*) FROM information_schema.columns "
                 "WHERE table_name ~ '^bench_' AND column_name = 'flag'",
                 tables);
    free(tables);
    return seconds;
}

/*
 * The ways take turns, and revtwin is compared with the bare pipeline just before it: a
 * busy moment of the machine should not hit only one.
 */
static void compare(struct bench *b, int loops)
{
    double loop[LOOPS] = {0}, bare[RUNS], ours[RUNS], ratio[RUNS];
    uint64_t turns = 0;

    for (int i = 0; i < RUNS; i++) {
        if (i < loops)
            loop[i] = measure(b, run_loop);
        bare[i] = measure(b, run_bare);
        turns -= b->relay.counts->turns;
        ours[i] = measure(b, run_apply);
        turns += b->relay.counts->turns;
        ratio[i] = ours[i] / bare[i];
    }
    printf("%5d %5d %8.2f %8.3f %8.3f %13.1f %12.2f %11.1f\n", b->files,
           b->through_relay ? 2 * DELAY_MS : 0,
           loops ? bench_median(loop, (size_t)loops) : 0, bench_median(bare, RUNS),
           bench_median(ours, RUNS), loop[loops / 2] / ours[RUNS / 2],
           bench_median(ratio, RUNS), (double)turns / RUNS);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *const settings[] = {"fsync=on", "full_page_writes=on",
                                    "shared_buffers=128MB", NULL};
    bool skip = argc > 1 && strcmp(argv[1], "--no-slow-loop") == 0;
    const int files[] = {100, 1000};
    struct bench b = {0};

    cluster_start(&b.prod, settings);
    relay_start(&b.relay, b.prod.dir, b.prod.port, DELAY_MS);
    printf(
        "files   RTT     loop     bare  revtwin  loop/revtwin revtwin/bare       turns\n"
        "         ms        s        s        s\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        make_history(&b, files[i]);
        b.through_relay = false;
        compare(&b, LOOPS);
        b.through_relay = true;
        compare(&b, files[i] <= 100 ? LOOPS : !skip);
        repo_clear(&b.repo);
    }
    relay_stop(&b.relay);
    cluster_stop(&b.prod);
    return 0;
}
