/*
 * Many small migrations in one git history, one a step, applied to a fresh database by
 * - the guides' loop: psql -v ON_ERROR_STOP=1 -f, once for each file,
 * - one bare pipeline: a libpq program that sends BEGIN, the statements, an insert into a
 *   plain table and COMMIT for each file, and checks nothing,
 * - revtwin apply.
 * Each time includes connecting; the server writes durably (fsync is on). Medians.
 *
 * "trips" are the round trips of revtwin (lab_trips).
 *
 * usage: apply [--no-slow-loop]   (the loop of 1,000 files over 20 ms takes two minutes)
 */
#include "lab.h"

#include <string.h>

enum { RUNS = 5, LOOPS = 3 };

struct bench {
    struct lab lab;
    struct repo repo;
    int files;
};

/* ------------------------------------------------------------------ the three ways */

static void run_loop(const struct bench *b)
{
    const char *argv[] = {
        "sh", "-ec",
        "for file in migrations/*.sql; do "
        "psql -X -q -v ON_ERROR_STOP=1 -f \"$file\" \"$DATABASE_URL\"; done",
        NULL};
    struct run run = {0};

    lab_run(&run, &b->lab, b->repo.dir, argv);
    run_expect(&run, 0);
    run_clear(&run);
}

static void run_apply(const struct bench *b)
{
    char *base = check_printf("HEAD~%d", b->files);

    lab_apply(&b->lab, &b->repo, base);
    free(base);
}

static void send_statement(PGconn *conn, const char *sql)
{
    if (!PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        check_fail("%s", PQerrorMessage(conn));
}

/* In blocking mode libpq reads while it cannot write, so it is safe to send it all. */
static void send_migration(PGconn *conn, int number)
{
    char *sql = lab_migration(number), *second = strstr(sql, "ALTER TABLE"),
         *done = check_printf("INSERT INTO done VALUES (%d)", number);

    second[-1] = '\0';
    send_statement(conn, "BEGIN");
    send_statement(conn, sql);
    send_statement(conn, second);
    send_statement(conn, done);
    send_statement(conn, "COMMIT");
    free(sql);
    free(done);
}

static void run_bare(const struct bench *b)
{
    char *url = lab_url(&b->lab);
    PGconn *conn = PQconnectdb(url);
    PGresult *result;
    ExecStatusType status = PGRES_COMMAND_OK;

    if (!PQenterPipelineMode(conn))
        check_fail("%s", PQerrorMessage(conn));
    for (int i = 1; i <= b->files; i++)
        send_migration(conn, i);
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

/* Seconds on a fresh database, in which every table has to be there at the end. */
static double measure(struct bench *b, void (*way)(const struct bench *))
{
    double seconds;

    lab_fresh(&b->lab);
    cluster_exec(&b->lab.prod, b->lab.database, "CREATE TABLE done (n int)");
    seconds = bench_seconds();
    way(b);
    seconds = bench_seconds() - seconds;
    lab_expect(&b->lab, b->files);
    return seconds;
}

/*
 * The ways take turns, and revtwin is compared with the bare pipeline just before it: a
 * busy moment of the machine should not hit only one.
 */
static void compare(struct bench *b, int loops)
{
    double loop[LOOPS] = {0}, bare[RUNS], ours[RUNS], ratio[RUNS];
    uint64_t trips = 0;

    for (int i = 0; i < RUNS; i++) {
        if (i < loops)
            loop[i] = measure(b, run_loop);
        bare[i] = measure(b, run_bare);
        trips -= lab_trips(&b->lab);
        ours[i] = measure(b, run_apply);
        trips += lab_trips(&b->lab);
        ratio[i] = ours[i] / bare[i];
    }
    printf("%5d %5d %8.2f %8.3f %8.3f %13.1f %12.2f %11.1f\n", b->files,
           b->lab.way == LAB_FAR ? LAB_RTT_MS : 0,
           loops ? bench_median(loop, (size_t)loops) : 0, bench_median(bare, RUNS),
           bench_median(ours, RUNS), loop[loops / 2] / ours[RUNS / 2],
           bench_median(ratio, RUNS), (double)trips / RUNS);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    bool skip = argc > 1 && strcmp(argv[1], "--no-slow-loop") == 0;
    const int files[] = {100, 1000};
    struct bench b = {0};

    lab_start(&b.lab);
    printf(
        "files   RTT     loop     bare  revtwin  loop/revtwin revtwin/bare       trips\n"
        "         ms        s        s        s\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        b.files = files[i];
        lab_history(&b.repo, files[i]);
        b.lab.way = LAB_SOCKET;
        compare(&b, LOOPS);
        b.lab.way = LAB_FAR;
        compare(&b, files[i] <= 100 ? LOOPS : !skip);
        repo_clear(&b.repo);
    }
    lab_stop(&b.lab);
    return 0;
}
