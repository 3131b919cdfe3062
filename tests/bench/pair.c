#include "pair.h"

#include <string.h>

#include "dataset.h"

enum { SECONDS = 3600, MAX_ARGS = 24 };

/* Durable as by default. Nothing that the server does by itself falls into one
 * measurement and not into another: dataset_settle does it between them. */
static const char *const settings[] = {
    "fsync=on",       "full_page_writes=on",   "shared_buffers=128MB",
    "autovacuum=off", "checkpoint_timeout=1h", NULL};

void pair_start(struct pair *p)
{
    p->twin.twin = true;
    cluster_start(&p->prod, settings);
    cluster_start(&p->twin, settings);
    cluster_createdb(&p->prod, PAIR_PROD);
    cluster_createdb(&p->twin, PAIR_TWIN);
    relay_start(&p->line, p->prod.dir, p->prod.port, PAIR_RTT_MS / 2);
    relay_limit(&p->line, PAIR_MEGABITS);
    repo_init(&p->folder);
}

void pair_stop(struct pair *p)
{
    repo_clear(&p->folder);
    relay_stop(&p->line);
    cluster_stop(&p->twin);
    cluster_stop(&p->prod);
}

static char *source_url(const struct pair *p)
{
    char url[CLUSTER_URL_SIZE];

    if (p->slow)
        return check_printf("postgresql://" CLUSTER_USER "@127.0.0.1:%d/" PAIR_PROD
                            "?sslmode=disable",
                            p->line.port);
    return check_printf("%s", cluster_url(&p->prod, PAIR_PROD, url));
}

static double log_position(const struct pair *p)
{
    char *text = cluster_query(&p->twin, "postgres",
                               "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
    double position = strtod(text, NULL);

    free(text);
    return position;
}

/* Run it between a settled start and the end. */
static void measure(struct pair *p, struct pair_cost *cost, struct run *run,
                    const char *const *env, const char *const *argv)
{
    uint64_t read = p->line.counts->to_client;
    double written;

    cluster_exec(&p->prod, "postgres", "CHECKPOINT");
    cluster_exec(&p->twin, "postgres", "CHECKPOINT");
    written = log_position(p);
    *cost = (struct pair_cost){.seconds = bench_seconds()};
    *run = (struct run){.seconds = SECONDS};
    if (argv[0])
        run_start(run, p->folder.dir, env, argv);
    else
        run_start_revtwin(run, p->folder.dir, env, argv + 1);
    run_finish(run);
    cost->seconds = bench_seconds() - cost->seconds;
    run_expect(run, 0);
    cost->written = log_position(p) - written;
    cost->read = p->slow ? (double)(p->line.counts->to_client - read) : 0;
    cost->peak = (double)run->peak_kb * 1024;
}

/* What follows "name": in the document. */
static const char *member(const char *document, const char *name)
{
    char *quoted = check_printf("\"%s\":", name);
    const char *found = strstr(document, quoted);

    if (!found)
        check_fail("no %s in\n%s", quoted, document);
    found += strlen(quoted);
    free(quoted);
    return found + strspn(found, " \"");
}

void pair_resync(struct pair *p, struct pair_cost *cost, char method[static 16],
                 const char *const *args)
{
    char twin_url[CLUSTER_URL_SIZE],
        *source = source_url(p), *prod = check_printf("PROD_DATABASE_URL=%s", source),
        *twin = check_printf("DEV_DATABASE_URL=%s",
                             cluster_url(&p->twin, PAIR_TWIN, twin_url));
    const char *env[] = {prod, twin, NULL}, *argv[MAX_ARGS] = {NULL, "resync", "--json"};
    struct run run;
    size_t n = 3;

    while (*args && n < MAX_ARGS - 1)
        argv[n++] = *args++;
    argv[n] = NULL;
    measure(p, cost, &run, env, argv);
    snprintf(method, 16, "%.*s", (int)strcspn(member(run.out, "method"), "\""),
             member(run.out, "method"));
    cost->rows = strtod(member(run.out, "rows_read"), NULL);
    run_clear(&run);
    free(source);
    free(prod);
    free(twin);
}

void pair_copy(struct pair *p, struct pair_cost *cost, const char *script,
               const char *name)
{
    const char *prepare[] = {script, "prepare", NULL}, *copy[] = {script, "copy", NULL};
    char url[CLUSTER_URL_SIZE],
        *source = source_url(p), *env_source = check_printf("SOURCE=%s", source),
        *env_target = check_printf("TARGET=%s", cluster_url(&p->twin, name, url)),
        *env_server = check_printf("SERVER=%s", cluster_url(&p->twin, "postgres", url)),
        *env_name = check_printf("NAME=%s", name);
    const char *env[] = {env_source, env_target, env_server, env_name, NULL};
    struct run run = {.seconds = SECONDS};

    run_program(&run, p->folder.dir, env, prepare);
    run_expect(&run, 0);
    run_clear(&run);
    measure(p, cost, &run, env, copy);
    run_clear(&run);
    free(source);
    free(env_source);
    free(env_target);
    free(env_server);
    free(env_name);
}

/* ------------------------------------------------------------------ numbers */

/* Of the number that is so many bytes into each. */
static double median_of(const struct pair_cost *costs, size_t count, size_t offset)
{
    double *values = check_alloc(count * sizeof *values), median;

    for (size_t i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&costs[i] + offset, sizeof *values);
    median = bench_median(values, count);
    free(values);
    return median;
}

void pair_median(struct pair_cost *out, const struct pair_cost *costs, size_t count)
{
    *out = (struct pair_cost){
        .seconds = median_of(costs, count, offsetof(struct pair_cost, seconds)),
        .read = median_of(costs, count, offsetof(struct pair_cost, read)),
        .written = median_of(costs, count, offsetof(struct pair_cost, written)),
        .rows = median_of(costs, count, offsetof(struct pair_cost, rows))};
    for (size_t i = 0; i < count; i++)
        out->peak = costs[i].peak > out->peak ? costs[i].peak : out->peak;
}
