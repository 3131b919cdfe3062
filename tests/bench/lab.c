#include "lab.h"

#include <string.h>

#define PASSWORD "bench"

/* A certificate that the server makes itself: it has to own the key. */
static void use_tls(const struct cluster *prod)
{
    cluster_exec(prod, "postgres",
                 "COPY (SELECT) TO PROGRAM 'openssl req -x509 -days 1 -nodes -newkey "
                 "rsa:2048 -subj /CN=localhost -out server.crt -keyout server.key 2>&1'");
    cluster_exec(prod, "postgres", "ALTER SYSTEM SET ssl = on");
    cluster_exec(prod, "postgres", "SELECT pg_reload_conf()");
    cluster_wait(prod, "postgres", "SELECT current_setting('ssl') = 'on'");
}

void lab_start(struct lab *lab)
{
    const char *const settings[] = {"fsync=on", "full_page_writes=on",
                                    "shared_buffers=128MB", NULL};
    struct cluster *prod = &lab->prod;

    prod->tcp = true;
    prod->password = lab->with_password ? PASSWORD : NULL;
    cluster_start(prod, settings);
    relay_start(&lab->far, prod->dir, prod->port, LAB_RTT_MS / 2);
    if (lab->with_password) {
        use_tls(prod);
        relay_start(&lab->cloud, "127.0.0.1", prod->port, LAB_RTT_MS / 2);
    }
}

void lab_stop(struct lab *lab)
{
    relay_stop(&lab->far);
    relay_stop(&lab->cloud);
    cluster_stop(&lab->prod);
}

void lab_fresh(struct lab *lab)
{
    static int databases;

    snprintf(lab->database, sizeof lab->database, "bench%d", ++databases);
    cluster_createdb(&lab->prod, lab->database);
    cluster_exec(&lab->prod, lab->database, "CHECKPOINT");
}

char *lab_url(const struct lab *lab)
{
    char url[CLUSTER_URL_SIZE];

    switch (lab->way) {
    case LAB_NEAR:
        return check_printf("postgresql://" CLUSTER_USER
                            "@127.0.0.1:%d/%s?sslmode=disable",
                            lab->prod.port, lab->database);
    case LAB_FAR:
        return check_printf("postgresql://" CLUSTER_USER
                            "@127.0.0.1:%d/%s?sslmode=disable",
                            lab->far.port, lab->database);
    case LAB_CLOUD:
        return check_printf("postgresql://" CLUSTER_USER ":" PASSWORD
                            "@127.0.0.1:%d/%s?sslmode=require",
                            lab->cloud.port, lab->database);
    default:
        return check_printf("%s", cluster_url(&lab->prod, lab->database, url));
    }
}

uint64_t lab_trips(const struct lab *lab)
{
    const struct relay *relay = lab->way == LAB_CLOUD ? &lab->cloud : &lab->far;
    const struct timespec moment = {.tv_nsec = 20 * 1000000};

    /* The goodbye of each connection waits for nothing; the relay may still be at it. */
    nanosleep(&moment, NULL);
    return relay->counts->turns - relay->counts->connections;
}

void lab_expect(const struct lab *lab, int files)
{
    char *tables = check_printf("%d", files);

    assert_query(&lab->prod, lab->database,
                 "SELECT count(*) FROM information_schema.columns "
                 "WHERE table_name ~ '^bench_' AND column_name = 'flag'",
                 tables);
    free(tables);
}

char *lab_migration(int number)
{
    return check_printf("CREATE TABLE bench_%04d (id bigint PRIMARY KEY, name text);\n"
                        "ALTER TABLE bench_%04d ADD COLUMN flag varchar(255);\n",
                        number, number);
}

void lab_history(struct repo *repo, int files)
{
    FILE *import;

    repo_init(repo);
    import = bench_import(repo);
    bench_commit(import, 0);
    for (int i = 1; i <= files; i++) {
        char *sql = lab_migration(i);

        bench_commit(import, i);
        fprintf(import, "M 644 inline migrations/V%04d__bench.sql\ndata <<.\n%s.\n", i,
                sql);
        free(sql);
    }
    bench_imported(import);
    repo_git(repo, "reset", "-q", "--hard", NULL);
}

void lab_run(struct run *run, const struct lab *lab, const char *dir,
             const char *const *argv)
{
    char *url = lab_url(lab), *variable = check_printf("DATABASE_URL=%s", url);
    const char *env[] = {variable, NULL};

    run->seconds = 900;
    run_program(run, dir, env, argv);
    free(variable);
    free(url);
}

void lab_apply(const struct lab *lab, const struct repo *repo, const char *base)
{
    char *url = lab_url(lab), *variable = check_printf("PROD_DATABASE_URL=%s", url);
    const char *env[] = {variable, NULL};
    struct run run = {.seconds = 600};

    run_revtwin(&run, repo->dir, env, "apply", "--no-resync", "--quiet",
                base ? "--base" : NULL, base, NULL);
    run_expect(&run, 0);
    run_clear(&run);
    free(variable);
    free(url);
}
