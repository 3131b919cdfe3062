/*
 * Bringing a twin back in line with production: revtwin's three methods beside what one
 * would run otherwise. See dataset.h for the database, pair.h for the servers, copiers/
 * for the other ways. Everything takes turns in one run; medians. After each run both
 * sides are compared by sums of a hash that revtwin does not use.
 *
 * copies    The whole twin anew, in place of the last one: revtwin's rebuild, what the
 *           guides say, the fastest with PostgreSQL's own tools, pgcopydb, and a floor:
 *           see copiers/. Only revtwin's proves that it is equal, and has statistics.
 * changes   Some of the rows changed, the newest or scattered ones. For nothing, the
 * floor is count(*) over all tables on both servers at once; else the same changed rows
 * as plain statements from temporary tables on the twin's server. "full copy" is the
 *           fastest of the copies but the floor.
 * narrow    Memory: ten million narrow rows, of which a tenth changed.
 *
 * Each through the server's socket, and where production is 20 ms and 200 Mbit/s away.
 *
 * usage: resync [--size MEGABYTES] [--runs N] [--only copies|changes|narrow]
 *               [--changed 0|1|10|100 (permille)] [--no-slow]
 */
#include <string.h>

#include "dataset.h"
#include "pair.h"

enum { MAX_RUNS = 9, NARROW_ROWS = 10000000 };

struct bench {
    struct pair pair;
    struct dataset set;
    int megabytes, runs;
    const char *only;
    int permille; /* of rows changed: only these changes; negative: all */
    bool no_slow;
    double copy[2]; /* seconds of the fastest full copy; by pair.slow */
    double copy_read;
    double peak; /* bytes, of all runs of revtwin */
};

static const double megabyte = 1e6;

/* revtwin resync --method; and with one more option, or NULL. */
static void resync(struct bench *b, struct pair_cost *cost, const char *method,
                   const char *option)
{
    const char *args[] = {"--method", method, option, NULL};
    char taken[16];

    check_context("--method %s", method);
    pair_resync(&b->pair, cost, taken, args);
    /* Incremental is the form of delta that trusts the last receipt. */
    if (strcmp(method, "auto") != 0 &&
        (strcmp(method, "rebuild") == 0) != (strcmp(taken, "rebuild") == 0))
        check_fail("asked for %s, and got %s", method, taken);
    b->peak = cost->peak > b->peak ? cost->peak : b->peak;
    dataset_expect_equal(&b->set, &b->pair.twin, PAIR_TWIN);
    check_context(NULL);
}

/* ------------------------------------------------------------------ copies */

static const struct {
    const char *name, *script, *database;
} copiers[] = {
    {"revtwin resync --method rebuild", NULL, NULL},
    {"pg_dump -Fc, pg_restore --clean", "guides", "copy_guides"},
    {"pg_dump -Fd -j2 -Z0, pg_restore -j2", "parallel", "copy_parallel"},
    {"pgcopydb clone, two jobs", "pgcopydb", "copy_pgcopydb"},
    {"floor: COPY, then indexes", "floor", "copy_floor"},
};
enum { COPIERS = sizeof copiers / sizeof *copiers, GUIDES = 1, FLOOR = COPIERS - 1 };

static void run_copier(struct bench *b, size_t which, struct pair_cost *cost)
{
    if (copiers[which].script) {
        char *script = check_printf(COPIERS_DIR "/%s", copiers[which].script);

        check_context("%s", copiers[which].name);
        pair_copy(&b->pair, cost, script, copiers[which].database);
        dataset_expect_equal(&b->set, &b->pair.twin, copiers[which].database);
        check_context(NULL);
        free(script);
        return;
    }
    resync(b, cost, "rebuild", NULL);
}

static void report_copies(struct bench *b, int runs)
{
    struct pair_cost costs[COPIERS][MAX_RUNS], median[COPIERS];
    double *fastest = &b->copy[b->pair.slow];

    for (int i = 0; i < runs; i++) {
        for (size_t which = 0; which < COPIERS; which++)
            run_copier(b, which, &costs[which][i]);
    }
    *fastest = 0;
    printf("\n%-38s %8s %8s %9s %9s %8s\n", b->pair.slow ? "over the line" : "socket",
           "seconds", "revtwin", "read MB", "WAL MB", "peak MB");
    for (size_t which = 0; which < COPIERS; which++) {
        struct pair_cost *m = &median[which];

        pair_median(m, costs[which], (size_t)runs);
        if (which != FLOOR && (*fastest == 0 || m->seconds < *fastest)) {
            *fastest = m->seconds;
            b->copy_read = m->read;
        }
        printf("%-38s %8.2f %7.2fx %9.1f %9.1f %8.1f\n", copiers[which].name, m->seconds,
               m->seconds / median[0].seconds, m->read / megabyte, m->written / megabyte,
               m->peak / megabyte);
    }
    fflush(stdout);
}

static void copies(struct bench *b)
{
    struct pair_cost ignored;

    /* The guides' way runs over the copy of last time. */
    cluster_createdb(&b->pair.twin, copiers[GUIDES].database);
    run_copier(b, GUIDES, &ignored);
    report_copies(b, b->runs);
    b->pair.slow = true;
    if (!b->no_slow)
        report_copies(b, 1);
    b->pair.slow = false;
    for (size_t which = GUIDES; which < COPIERS; which++)
        cluster_dropdb(&b->pair.twin, copiers[which].database);
}

/* ------------------------------------------------------------------ changes */

/* The floors are measured in a copy of the twin, which goes through the same. */
#define PLAIN "plain"

static const struct {
    const char *name, *method, *option;
} ways[] = {
    {"incremental", "incremental", NULL},
    {"delta", "delta", "--full-compare"},
    {"auto", "auto", NULL},
    {"auto, in full", "auto", "--full-compare"},
    {"rebuild", "rebuild", NULL},
};
enum { WAYS = sizeof ways / sizeof *ways, DELTAS = 2 };

static double count_both(struct bench *b)
{
    static const char sql[] =
        "SELECT string_agg(format('SELECT count(*) FROM %s', oid::regclass), "
        "' UNION ALL ') FROM pg_class WHERE relkind = 'r' AND relnamespace = "
        "'public'::regnamespace";
    char *count = cluster_query(&b->pair.prod, PAIR_PROD, sql);
    PGconn *conns[2] = {cluster_connect(&b->pair.prod, PAIR_PROD),
                        cluster_connect(&b->pair.twin, PAIR_TWIN)};
    double seconds = bench_seconds();

    for (int i = 0; i < 2; i++) {
        if (!PQsendQuery(conns[i], count))
            check_fail("%s", PQerrorMessage(conns[i]));
    }
    for (int i = 0; i < 2; i++) {
        PGresult *result;

        while ((result = PQgetResult(conns[i]))) {
            if (PQresultStatus(result) != PGRES_TUPLES_OK)
                check_fail("%s", PQerrorMessage(conns[i]));
            PQclear(result);
        }
    }
    seconds = bench_seconds() - seconds;
    PQfinish(conns[0]);
    PQfinish(conns[1]);
    free(count);
    return seconds;
}

/* One round: production changes, and what that costs plainly; then revtwin. */
static void run_round(struct bench *b, const struct dataset_change *change, size_t way,
                      struct pair_cost *cost, double *floor)
{
    *floor = dataset_change_both(&b->set, change, &b->pair.twin, PLAIN);
    dataset_expect_equal(&b->set, &b->pair.twin, PLAIN);
    if (change->permille == 0)
        *floor = count_both(b);
    resync(b, cost, ways[way].method, ways[way].option);
    dataset_settle(&b->pair.prod, PAIR_PROD);
    dataset_settle(&b->pair.twin, PAIR_TWIN);
    dataset_settle(&b->pair.twin, PLAIN);
}

static void report_change(struct bench *b, const struct dataset_change *change, int runs)
{
    struct pair_cost costs[WAYS][MAX_RUNS], m;
    double floors[WAYS][MAX_RUNS], floor;
    /* Which of them auto takes shows at the most changes. */
    size_t count = change->permille >= 100 ? WAYS : DELTAS;

    for (int i = 0; i < runs; i++) {
        for (size_t way = 0; way < count; way++)
            run_round(b, change, way, &costs[way][i], &floors[way][i]);
    }
    for (size_t way = 0; way < count; way++) {
        pair_median(&m, costs[way], (size_t)runs);
        floor = bench_median(floors[way], (size_t)runs);
        printf("%5.1f %% %-9s %-13s %8.2f %8.1fx %8.2f %6.2fx %8.2f %9.1f %6.2f %% %9.1f "
               "%8.1f\n",
               change->permille / 10.0,
               change->permille == 0 ? ""
               : change->scattered   ? "scattered"
                                     : "recent",
               ways[way].name, m.seconds, b->copy[b->pair.slow] / m.seconds, floor,
               m.seconds / floor, m.rows / 1e6, m.read / megabyte,
               b->copy_read > 0 ? m.read * 100 / b->copy_read : 0, m.written / megabyte,
               m.peak / megabyte);
        fflush(stdout);
    }
}

static void report_changes(struct bench *b, int runs)
{
    static const int permilles[] = {0, 1, 10, 100};

    printf("\n%-17s %-13s %8s %9s %8s %7s %8s %9s %8s %9s %8s\n",
           b->pair.slow ? "over the line" : "socket", "", "seconds", "full copy", "floor",
           "floor", "M rows", "read MB", "of copy", "WAL MB", "peak MB");
    for (size_t i = 0; i < sizeof permilles / sizeof *permilles; i++) {
        if (b->permille >= 0 && permilles[i] != b->permille)
            continue;
        for (int scattered = 0; scattered <= (permilles[i] > 0); scattered++)
            report_change(b, &(struct dataset_change){permilles[i], scattered}, runs);
    }
}

static void changes(struct bench *b)
{
    struct pair_cost cost;

    resync(b, &cost, "rebuild", NULL);
    if (b->copy[0] == 0)
        b->copy[0] = b->copy[1] = cost.seconds;
    cluster_exec(&b->pair.twin, "postgres",
                 "CREATE DATABASE " PLAIN " TEMPLATE " PAIR_TWIN);
    report_changes(b, b->runs);
    b->pair.slow = true;
    if (!b->no_slow)
        report_changes(b, 1);
    b->pair.slow = false;
    cluster_dropdb(&b->pair.twin, PLAIN);
}

/* ------------------------------------------------------------------ memory */

static void narrow(struct bench *b)
{
    const struct dataset_change tenth = {100, true};
    struct pair_cost cost;

    cluster_dropdb(&b->pair.prod, PAIR_PROD);
    cluster_createdb(&b->pair.prod, PAIR_PROD);
    dataset_fill_narrow(&b->set, NARROW_ROWS);
    printf("\n%-38s %8s %8s\n", "10,000,000 narrow rows, a tenth changed", "seconds",
           "peak MB");
    resync(b, &cost, "rebuild", "--adopt");
    printf("%-38s %8.2f %8.1f\n", "rebuild", cost.seconds, cost.peak / megabyte);
    for (size_t way = 0; way < DELTAS; way++) {
        dataset_change(&b->set, &tenth);
        resync(b, &cost, ways[way].method, ways[way].option);
        printf("%-38s %8.2f %8.1f\n", ways[way].name, cost.seconds, cost.peak / megabyte);
        fflush(stdout);
    }
}

/* ------------------------------------------------------------------ */

static int number(const char *text, int least, int most)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;

    if (!text || *end || value < least || value > most)
        check_fail("not a number from %d to %d: %s", least, most, text ? text : "");
    return (int)value;
}

static void read_arguments(struct bench *b, char **argv)
{
    for (argv++; *argv; argv++) {
        if (strcmp(*argv, "--no-slow") == 0)
            b->no_slow = true;
        else if (strcmp(*argv, "--size") == 0)
            b->megabytes = number(*++argv, 1, 100000);
        else if (strcmp(*argv, "--runs") == 0)
            b->runs = number(*++argv, 1, MAX_RUNS);
        else if (strcmp(*argv, "--changed") == 0)
            b->permille = number(*++argv, 0, 100);
        else if (strcmp(*argv, "--only") == 0 && argv[1])
            b->only = *++argv;
        else
            check_fail("usage: resync [--size MEGABYTES] [--runs N] [--only "
                       "copies|changes|narrow] [--changed PERMILLE] [--no-slow]");
    }
}

static bool wanted(const struct bench *b, const char *part)
{
    return !b->only || strcmp(b->only, part) == 0;
}

int main(int argc, char **argv)
{
    struct bench b = {.megabytes = 200, .runs = 3, .permille = -1};
    struct pair_cost cost;

    (void)argc;
    read_arguments(&b, argv);
    pair_start(&b.pair);
    b.set = (struct dataset){.server = &b.pair.prod, .db = PAIR_PROD};
    if (wanted(&b, "copies") || wanted(&b, "changes")) {
        dataset_fill(&b.set, b.megabytes);
        resync(&b, &cost, "rebuild", "--adopt");
    }
    if (wanted(&b, "copies"))
        copies(&b);
    if (wanted(&b, "changes"))
        changes(&b);
    if (wanted(&b, "narrow"))
        narrow(&b);
    printf("\nrevtwin's memory at most: %.1f MB\n", b.peak / megabyte);
    pair_stop(&b.pair);
    return 0;
}
