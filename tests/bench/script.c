/*
 * Reading a migration file.
 * - 20,000 statements: milliseconds for each part of understanding them, and for all of
 *   revtwin plan.
 * - A file of 200 MB in three shapes (COPY data, many INSERTs, one INSERT): time and
 *   largest memory of revtwin plan, revtwin apply and psql -1 -f. The server does not
 *   wait for its disk here.
 *
 * usage: script [MEGABYTES]
 */
#include "bench.h"
#include "cluster.h"
#include "run.h"

#include "sql/inspect.h"
#include "sql/mode.h"

#include <string.h>

enum { RUNS = 5, STATEMENTS = 20000 };

/* One commit without and one with the file, which write prints. Returns its size. */
static size_t make_history(struct repo *repo, void (*write)(FILE *, size_t), size_t size)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len), *import;

    if (!file)
        check_fail("open_memstream failed");
    write(file, size);
    fclose(file);
    repo_init(repo);
    import = bench_import(repo);
    bench_commit(import, 0);
    bench_commit(import, 1);
    fprintf(import, "M 644 inline migrations/V1__big.sql\ndata %zu\n", len);
    fwrite(text, 1, len, import);
    bench_imported(import);
    free(text);
    repo_git(repo, "reset", "-q", "--hard", NULL);
    return len;
}

/* ------------------------------------------------------------------ many statements */

static void write_alters(FILE *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(to,
                "ALTER TABLE table_%05zu ADD COLUMN column_%05zu varchar(255) NULL;\n", i,
                i);
}

static void time_parts(const char *text, size_t len, double seconds[3])
{
    struct rt_script script = {0};
    struct rt_mode mode;
    struct rt_err err = {0};
    double start = bench_seconds();

    if (rt_script_split(&script, text, len, &err) != 0)
        check_fail("%s", err.message);
    seconds[0] = bench_seconds() - start;
    rt_script_inspect(&script);
    seconds[1] = bench_seconds() - start - seconds[0];
    if (rt_script_mode(&mode, &script, &err) != 0)
        check_fail("%s", err.message);
    seconds[2] = bench_seconds() - start - seconds[0] - seconds[1];
    if (mode.count != STATEMENTS || mode.unparsed != 0)
        check_fail("%zu statements, %zu unparsed", mode.count, mode.unparsed);
    rt_script_clear(&script);
}

static void time_plan(const struct repo *repo, struct run *run)
{
    run_revtwin(run, repo->dir, NULL, "plan", "--quiet", "HEAD", NULL);
    run_expect(run, 0);
}

static void bench_statements(void)
{
    double split[RUNS], inspect[RUNS], mode[RUNS], plan[RUNS];
    struct repo repo = {0};
    size_t len = make_history(&repo, write_alters, STATEMENTS);
    char *text = repo_git_output(&repo, "show", "HEAD:migrations/V1__big.sql", NULL);

    for (int i = 0; i < RUNS; i++) {
        struct run run = {0};
        double seconds[3];

        time_parts(text, len, seconds);
        split[i] = seconds[0];
        inspect[i] = seconds[1];
        mode[i] = seconds[2];
        plan[i] = bench_seconds();
        time_plan(&repo, &run);
        plan[i] = bench_seconds() - plan[i];
        run_clear(&run);
    }
    printf("%d statements, %.1f MB: split %.1f ms, inspect %.1f ms, decide %.1f ms; "
           "revtwin plan %.0f ms\n\n",
           STATEMENTS, (double)len / 1e6, 1e3 * bench_median(split, RUNS),
           1e3 * bench_median(inspect, RUNS), 1e3 * bench_median(mode, RUNS),
           1e3 * bench_median(plan, RUNS));
    free(text);
    repo_clear(&repo);
}

/* ------------------------------------------------------------------ a large file */

static const char create_big[] = "CREATE UNLOGGED TABLE big (id bigint, name text);\n";

/* About len bytes that no compression makes vanish. */
static void write_name(FILE *to, size_t number, size_t len)
{
    uint64_t state = number;

    for (size_t done = 0; done < len; done += 16) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        fprintf(to, "%016jx", (uintmax_t)state);
    }
}

static void write_copy(FILE *to, size_t size)
{
    fprintf(to, "%sCOPY big FROM stdin;\n", create_big);
    for (size_t i = 0; (size_t)ftell(to) < size; i++) {
        fprintf(to, "%zu\t", i);
        write_name(to, i, 80);
        fputc('\n', to);
    }
    fprintf(to, "\\.\n");
}

static void write_inserts(FILE *to, size_t size)
{
    fputs(create_big, to);
    for (size_t i = 0; (size_t)ftell(to) < size; i++) {
        fprintf(to, "INSERT INTO big (id, name) VALUES (%zu, '", i);
        write_name(to, i, 160);
        fprintf(to, "');\n");
    }
}

static void write_insert(FILE *to, size_t size)
{
    fprintf(to, "%sINSERT INTO big (id, name) VALUES\n(0, 'first')", create_big);
    for (size_t i = 1; (size_t)ftell(to) < size; i++) {
        fprintf(to, ",\n(%zu, '", i);
        write_name(to, i, 1600);
        fprintf(to, "')");
    }
    fprintf(to, ";\n");
}

static void report(const char *shape, const char *what, const struct run *run,
                   double seconds, size_t len)
{
    run_expect(run, 0);
    printf("%-12s %-8s %8.2f %8.1f %12.2f\n", shape, what, seconds,
           (double)run->peak_kb / 1e3, (double)run->peak_kb * 1024 / (double)len);
    fflush(stdout);
}

static void bench_large(const struct cluster *prod, const char *shape,
                        void (*write)(FILE *, size_t), size_t size)
{
    char url[CLUSTER_URL_SIZE];
    char *variable = check_printf("PROD_DATABASE_URL=%s", cluster_url(prod, "big", url));
    const char *env[] = {variable, NULL};
    const char *psql[] = {
        "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", "migrations/V1__big.sql",
        url,    NULL};
    struct repo repo = {0};
    struct run run = {.seconds = 600};
    size_t len = make_history(&repo, write, size);
    double start;

    start = bench_seconds();
    time_plan(&repo, &run);
    report(shape, "plan", &run, bench_seconds() - start, len);
    run_clear(&run);

    cluster_createdb(prod, "big");
    start = bench_seconds();
    run_revtwin(&run, repo.dir, env, "apply", "--no-resync", "--quiet", NULL);
    report(shape, "apply", &run, bench_seconds() - start, len);
    run_clear(&run);
    cluster_dropdb(prod, "big");

    cluster_createdb(prod, "big");
    start = bench_seconds();
    run_program(&run, repo.dir, NULL, psql);
    report(shape, "psql", &run, bench_seconds() - start, len);
    run_clear(&run);
    cluster_dropdb(prod, "big");

    free(variable);
    repo_clear(&repo);
}

int main(int argc, char **argv)
{
    const char *const settings[] = {"shared_buffers=128MB", NULL};
    size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 200) * 1000000;
    struct cluster prod = {0};

    bench_statements();
    cluster_start(&prod, settings);
    printf("%zu MB         program   seconds  peak MB  peak / file\n", size / 1000000);
    bench_large(&prod, "COPY data", write_copy, size);
    bench_large(&prod, "many INSERTs", write_inserts, size);
    bench_large(&prod, "one INSERT", write_insert, size);
    cluster_stop(&prod);
    return 0;
}
