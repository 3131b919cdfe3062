/*
 * What runs on most days: an apply that finds nothing to do, and one that brings one
 * file, each with 1,000 migrations applied before; and the very first ones, which make
 * the ledger. Beside them psql -f of such a file, which knows of nothing else.
 *
 * Milliseconds through the server's socket, over a network of 20 ms without TLS and
 * password, and over the same with both; and the round trips of these two from connecting
 * to the end (lab_trips). Medians.
 */
#include "lab.h"

enum { RUNS = 9, APPLIED = 1000 };

struct bench {
    struct lab lab;
    struct repo repo;
    int number; /* of the last migration */
};

/* One more migration, as a step of its own; psql runs it under the other name. */
static void add_file(struct bench *b)
{
    char *path = check_printf("migrations/V%04d__bench.sql", ++b->number),
         *sql = lab_migration(b->number);

    repo_write(&b->repo, path, sql);
    repo_write(&b->repo, "next.sql", sql);
    repo_commit(&b->repo, "one more");
    free(path);
    free(sql);
}

/* ------------------------------------------------------------------ what is measured */

static void apply(const struct bench *b)
{
    lab_apply(&b->lab, &b->repo, NULL);
}

static void psql(const struct bench *b)
{
    const char *argv[] = {
        "sh", "-c", "exec psql -X -q -v ON_ERROR_STOP=1 -f next.sql \"$DATABASE_URL\"",
        NULL};
    struct run run = {0};

    lab_run(&run, &b->lab, b->repo.dir, argv);
    run_expect(&run, 0);
    run_clear(&run);
}

struct row {
    const char *what;
    void (*run)(const struct bench *b);
    void (*before)(struct bench *b); /* each run; or NULL */
};

static void fresh_database(struct bench *b)
{
    lab_fresh(&b->lab);
}

static void measure(struct bench *b, const struct row *row, double *ms, double *trips)
{
    double times[RUNS];
    uint64_t count = 0;

    for (int i = 0; i < RUNS; i++) {
        if (row->before)
            row->before(b);
        count -= lab_trips(&b->lab);
        times[i] = bench_seconds();
        row->run(b);
        times[i] = (bench_seconds() - times[i]) * 1000;
        count += lab_trips(&b->lab);
    }
    *ms = bench_median(times, RUNS);
    *trips = (double)count / RUNS;
}

static void report(struct bench *b, const struct row *row)
{
    const enum lab_way ways[] = {LAB_SOCKET, LAB_FAR, LAB_CLOUD};
    double ms[LAB_WAYS], trips[LAB_WAYS];

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        b->lab.way = ways[i];
        measure(b, row, &ms[ways[i]], &trips[ways[i]]);
    }
    printf("%-36s %8.1f %8.1f %8.1f %7.1f %7.1f\n", row->what, ms[LAB_SOCKET],
           ms[LAB_FAR], ms[LAB_CLOUD], trips[LAB_FAR], trips[LAB_CLOUD]);
    fflush(stdout);
}

int main(void)
{
    struct bench b = {.lab.with_password = true, .number = APPLIED};
    char base[32];

    lab_start(&b.lab);
    lab_history(&b.repo, APPLIED);
    lab_fresh(&b.lab);
    snprintf(base, sizeof base, "HEAD~%d", APPLIED);
    lab_apply(&b.lab, &b.repo, base);

    printf("%36s %8s %8s %8s %7s %7s\n"
           "%36s %8s %8s %8s %7s %7s\n",
           "", "socket", "20 ms", "TLS", "20 ms", "TLS", "", "ms", "ms", "ms", "trips",
           "trips");
    report(&b, &(struct row){"1,000 applied: nothing to do", apply, NULL});
    report(&b, &(struct row){"1,000 applied: one file", apply, add_file});
    report(&b, &(struct row){"1,000 applied: one file, psql -f", psql, add_file});
    report(&b, &(struct row){"no ledger: 1,000 as baseline, one file", apply,
                             fresh_database});
    repo_clear(&b.repo);
    repo_init(&b.repo);
    repo_commit(&b.repo, "nothing yet");
    add_file(&b);
    report(&b, &(struct row){"no ledger: one file", apply, fresh_database});
    report(&b, &(struct row){"no ledger: one file, psql -f", psql, fresh_database});
    repo_clear(&b.repo);
    lab_stop(&b.lab);
    return 0;
}
