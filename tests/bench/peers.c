/*
 * The same migrations with every migration tool that is installed: a first run on a fresh
 * database, and a second one that has nothing to do. Each tool is a script in peers/ that
 * knows its version, how it wants the files laid out, and how it applies them. What they
 * do besides differs: locks, checksums, how much is one transaction.
 *
 * Seconds from start to end of the process, on this machine and over a network of 20 ms,
 * without TLS and password; and there the round trips (lab_trips), connecting included.
 * "x" is how much longer than revtwin it took. Medians of up to three; what takes long is
 * run once, and what would take longer than LIMIT_SECONDS is not, and said.
 *
 * usage: peers [FILES...]   100 and 1,000 by default
 */
#include "lab.h"

#include <glob.h>
#include <string.h>

enum { RUNS = 3, LONG_SECONDS = 20, LIMIT_SECONDS = 300, MAX_PEERS = 32 };

struct pass {
    double seconds[RUNS];
    uint64_t trips; /* of the last */
    bool failed;
};

struct peer {
    const char *script, *name;
    char version[24];          /* empty: not installed */
    double per_file[LAB_WAYS]; /* seconds, as far as it was run */

    /* Of the present comparison. */
    struct repo folder;
    struct pass first, second;
    double spent;
    int runs;
};

struct bench {
    struct lab lab;
    struct peer peers[MAX_PEERS];
    size_t count;
    double first, second; /* revtwin's seconds */
};

/* Used by many, and without a package from which the script of each could be tried. */
static const struct {
    const char *name, *program;
} others[] = {
    {"atlas", "atlas"}, {"flyway", "flyway"},       {"golang-migrate", "migrate"},
    {"goose", "goose"}, {"liquibase", "liquibase"}, {"sqlx", "sqlx"},
    {"tern", "tern"},
};

/* ------------------------------------------------------------------ the tools */

static void ask_version(struct peer *peer)
{
    const char *argv[] = {peer->script, "version", NULL}, *digits;
    struct run run = {0};

    run_program(&run, NULL, NULL, argv);
    digits = run.status == 0 ? strpbrk(run.out, "0123456789") : NULL;
    if (digits)
        snprintf(peer->version, sizeof peer->version, "%.*s", (int)strcspn(digits, " \n"),
                 digits);
    run_clear(&run);
}

/* revtwin first: the others are compared with it. */
static void find_peers(struct bench *b)
{
    static glob_t found;

    if (glob(PEERS_DIR "/*", 0, NULL, &found) != 0 || found.gl_pathc > MAX_PEERS)
        check_fail("the scripts of %s", PEERS_DIR);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *script = found.gl_pathv[i];
        struct peer *peer = &b->peers[b->count++];

        *peer = (struct peer){.script = script, .name = strrchr(script, '/') + 1};
        ask_version(peer);
        if (strcmp(peer->name, "revtwin") == 0) {
            struct peer first = b->peers[0];

            b->peers[0] = *peer;
            *peer = first;
        }
    }
    if (b->peers[0].version[0] == '\0')
        check_fail("no revtwin in PATH; see tests/bench/run");
}

static void lay_out(struct repo *folder, const struct peer *peer, int files)
{
    const char *argv[] = {peer->script, "lay-out", NULL};
    struct run run = {.seconds = 300};

    repo_init(folder);
    repo_delete(folder, ".git");
    for (int i = 1; i <= files; i++) {
        char *path = check_printf("sql/%04d.sql", i), *sql = lab_migration(i);

        repo_write(folder, path, sql);
        free(path);
        free(sql);
    }
    run_program(&run, folder->dir, NULL, argv);
    run_expect(&run, 0);
    run_clear(&run);
}

/* ------------------------------------------------------------------ measuring */

static void run_pass(struct bench *b, const struct peer *peer, const char *dir,
                     struct pass *pass, int i)
{
    const char *argv[] = {peer->script, "apply", NULL};
    struct run run = {0};
    uint64_t trips = lab_trips(&b->lab);

    pass->seconds[i] = bench_seconds();
    lab_run(&run, &b->lab, dir, argv);
    pass->seconds[i] = bench_seconds() - pass->seconds[i];
    pass->trips = lab_trips(&b->lab) - trips;
    pass->failed = run.status != 0;
    run_clear(&run);
}

static void print_pass(const struct bench *b, struct pass *pass, int runs, double *ours)
{
    double median = bench_median(pass->seconds, (size_t)runs);

    if (*ours == 0)
        *ours = median;
    if (pass->failed)
        printf(" %8s %7s", "fails", "");
    else
        printf(" %8.2f %6.1fx", median, median / *ours);
    if (b->lab.way == LAB_FAR)
        printf(" %6llu", (unsigned long long)pass->trips);
}

static void measure(struct bench *b, struct peer *peer, int files)
{
    lab_fresh(&b->lab);
    run_pass(b, peer, peer->folder.dir, &peer->first, peer->runs);
    if (!peer->first.failed)
        lab_expect(&b->lab, files);
    run_pass(b, peer, peer->folder.dir, &peer->second, peer->runs);
    peer->spent += peer->first.seconds[peer->runs++];
}

static bool takes_too_long(const struct bench *b, const struct peer *peer, int files)
{
    return peer->per_file[b->lab.way] * files > LIMIT_SECONDS;
}

static void print_peer(struct bench *b, struct peer *peer, int files)
{
    printf("%-16s %-14s", peer->name, peer->version);
    if (peer->runs == 0) {
        printf(" not run: about %.0f s\n", peer->per_file[b->lab.way] * files);
        return;
    }
    peer->per_file[b->lab.way] = peer->spent / peer->runs / files;
    print_pass(b, &peer->first, peer->runs, &b->first);
    print_pass(b, &peer->second, peer->runs, &b->second);
    printf("\n");
}

/* They take turns: a busy moment of the machine should not hit only one. */
static void compare(struct bench *b, int files)
{
    const char *trips = b->lab.way == LAB_FAR ? "  trips" : "";

    for (size_t i = 0; i < b->count; i++) {
        b->peers[i].spent = 0;
        b->peers[i].runs = 0;
        if (b->peers[i].version[0])
            lay_out(&b->peers[i].folder, &b->peers[i], files);
    }
    for (int run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < b->count; i++) {
            struct peer *peer = &b->peers[i];

            if (peer->version[0] && !takes_too_long(b, peer, files) &&
                peer->spent < LONG_SECONDS)
                measure(b, peer, files);
        }
    }
    printf("\n%d files%s\n%-16s %-14s %8s %7s%s %8s %7s%s\n", files,
           *trips ? " over 20 ms" : "", "", "", "first s", "x", trips, "again s", "x",
           trips);
    b->first = b->second = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->peers[i].version[0] == '\0')
            continue;
        print_peer(b, &b->peers[i], files);
        repo_clear(&b->peers[i].folder);
    }
    fflush(stdout);
}

static void list_missing(const struct bench *b)
{
    printf("\n");
    for (size_t i = 0; i < b->count; i++) {
        if (b->peers[i].version[0] == '\0')
            printf("%-16s not installed\n", b->peers[i].name);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *argv[] = {"sh", "-c", "command -v \"$0\"", others[i].program, NULL};
        struct run run = {0};

        run_program(&run, NULL, NULL, argv);
        printf("%-16s %s\n", others[i].name,
               run.status == 0 ? "not compared: no script in " PEERS_DIR
                               : "not installed");
        run_clear(&run);
    }
}

int main(int argc, char **argv)
{
    const int usual[] = {100, 1000};
    int count = argc > 1 ? argc - 1 : 2;
    struct bench b = {0};

    find_peers(&b);
    lab_start(&b.lab);
    for (int i = 0; i < count; i++) {
        int files = argc > 1 ? (int)strtol(argv[i + 1], NULL, 10) : usual[i];

        b.lab.way = LAB_NEAR;
        compare(&b, files);
        b.lab.way = LAB_FAR;
        compare(&b, files);
    }
    list_missing(&b);
    lab_stop(&b.lab);
    return 0;
}
