/* Promises 9 and 8: what is the wrong way round, unsafe or not to be had is refused
 * before anything is written; and secrets stay secret. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay.h"
#include "run.h"
#include "world.h"

/* ------------------------------------------------------------------ guards */

static void test_same_database_is_refused(void **state)
{
    struct world *w = *state;
    char *other = check_printf("host=%s port=%d user=postgres dbname=shop",
                               prod_server.dir, prod_server.port);

    world_point(&w->twin, other);
    w->options.adopt = true;
    world_expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "the same database");
    assert_contains(w->err.message, "PROD_DATABASE_URL");
    assert_contains(w->err.message, "DEV_DATABASE_URL");
    cluster_wait(&prod_server, "postgres", /* sessions end after we have left them */
                 "select count(*) = 0 from pg_locks where locktype = 'advisory'");
    free(other);
}

static void test_two_databases_of_one_server_are_fine(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    cluster_createdb(&prod_server, "dev");
    world_point(&w->twin, cluster_url(&prod_server, "dev", url));
    world_expect(w, 0);
    assert_query(&prod_server, "dev", "select a from t", "1");
    cluster_dropdb(&prod_server, "dev");
}

static void test_swapped_servers_are_refused(void **state)
{
    struct world *w = *state;
    struct rt_server prod = w->prod;

    cluster_exec(&prod_server, "shop", world_schema);
    cluster_exec(&twin_server, "dev",
                 "create schema revtwin; create table revtwin.ledger (seq bigint);"
                 "insert into revtwin.ledger values (1), (2), (3)");
    w->options.adopt = true;
    world_expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "seem to be swapped");
    assert_contains(w->err.detail, "DEV_DATABASE_URL has 3 migrations");
    cluster_exec(&twin_server, "dev", "delete from revtwin.ledger where seq = 3");
    world_expect(w, 0);

    w->prod.conninfo = w->twin.conninfo;
    w->twin.conninfo = prod.conninfo;
    world_expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "production (PROD_DATABASE_URL)");
    assert_contains(w->err.message, "the twin (DEV_DATABASE_URL)");
    assert_contains(w->err.message, "seem to be swapped");
    assert_query(&prod_server, "shop", "select count(*) from users", "90");
}

static void test_contents_need_adoption(void **state)
{
    static const char *const contents[][2] = {
        {"create table t ()", "table public.t"},
        {"create view v as select 1", "view public.v"},
        {"create function f() returns int language sql as 'select 1'",
         "function public.f"},
        {"create type e as enum ('a')", "type public.e"},
        {"create type c as (a int)", "type public.c"},
        {"create sequence s", "sequence public.s"},
        {"create schema \"S\"", "schema \"S\""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < RT_COUNT(contents); i++) {
        char *before;

        cluster_exec(&twin_server, "dev", contents[i][0]);
        before = world_databases();
        world_expect(w, -RT_EREFUSED);
        assert_contains(w->err.message, "not empty");
        assert_contains(w->err.detail, contents[i][1]);
        assert_contains(w->err.detail, "1 object:");
        assert_contains(w->err.hint, "revtwin resync --adopt");
        assert_query(&twin_server, "postgres",
                     "select string_agg(datname || ' ' || oid, E'\\n' order by datname) "
                     "from pg_database",
                     before);
        free(before);
        cluster_dropdb(&twin_server, "dev");
        cluster_createdb(&twin_server, "dev");
    }
    cluster_exec(&twin_server, "dev", "create extension hstore");
    world_expect(w, 0);
}

static void test_foreign_database_in_the_way_is_refused(void **state)
{
    static const char *const names[] = {"dev_revtwin_next", "dev_revtwin_previous",
                                        "dev_revtwin_old"};
    struct world *w = *state;

    for (size_t i = 0; i < RT_COUNT(names); i++) {
        cluster_createdb(&twin_server, names[i]);
        cluster_exec(&twin_server, names[i], "create table precious ()");
        world_expect(w, -RT_EREFUSED);
        assert_contains(w->err.message, names[i]);
        assert_query(&twin_server, names[i], "select to_regclass('precious')",
                     "precious");
        cluster_dropdb(&twin_server, names[i]);
    }
}

static void test_pooled_host_is_refused(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];
    char *pooled =
        check_printf("host=ep-a-1-pooler.eu.example hostaddr=127.0.0.1 port=%d "
                     "user=postgres dbname=dev password='p@ss:w/o?r#d%%\"\\\\ "
                     "$x'",
                     twin_server.port);

    world_point(&w->twin, pooled);
    world_expect(w, -RT_EUSAGE);
    assert_contains(w->err.message, "ep-a-1-pooler.eu.example");
    assert_contains(w->err.message, "DEV_DATABASE_URL");
    assert_contains(w->err.hint, "ep-a-1.eu.example");
    world_point(&w->prod, pooled);
    world_point(&w->twin, cluster_url(&twin_server, "dev", url));
    world_expect(w, -RT_EUSAGE);
    assert_contains(w->err.message, "PROD_DATABASE_URL");
    free(pooled);
}

/* The other way round goes: ci has newer twins. */
static void test_older_twin_is_refused(void **state)
{
    static const char *const commands[][2] = {
        {"resync", NULL}, {"verify", "--twin"}, {"diff", NULL}};
    char prod[CLUSTER_URL_SIZE];
    struct relay relay;
    char *env[3] = {0};

    (void)state;
    relay_start(&relay, twin_server.dir, twin_server.port, 0);
    relay_pretend(&relay, 13);
    env[0] =
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", prod));
    env[1] = check_printf("DEV_DATABASE_URL=host=127.0.0.1 port=%d user=postgres "
                          "dbname=dev sslmode=disable",
                          relay.port);
    for (size_t i = 0; i < RT_COUNT(commands); i++) {
        struct run r = {0};

        run_revtwin(&r, "/", (const char *const *)env, commands[i][0], commands[i][1],
                    NULL);
        run_expect(&r, 3);
        assert_contains(r.err, "the twin's server (PostgreSQL 13) is older than "
                               "production's (1");
        assert_contains(r.err, "Let DEV_DATABASE_URL name a server of version 1");
        run_clear(&r);
    }
    relay_stop(&relay);
    free(env[0]);
    free(env[1]);
}

static void write_program(const char *dir, const char *name, const char *version)
{
    char *path = check_printf("%s/%s", dir, name);
    FILE *file = fopen(path, "we");

    fprintf(file, "#!/bin/sh\necho '%s (PostgreSQL) %s'\n", name, version);
    fclose(file);
    chmod(path, 0755);
    free(path);
}

static void remove_program(const char *dir, const char *name)
{
    char *path = check_printf("%s/%s", dir, name);

    unlink(path);
    free(path);
}

static void test_programs_of_the_wrong_version(void **state)
{
    struct world *w = *state;
    char dir[] = "/tmp/revtwin-test.XXXXXX";

    assert_non_null(mkdtemp(dir));
    w->options.bindir = dir;
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "are not in /tmp/revtwin-test");
    write_program(dir, "pg_dump", "9.6.1");
    write_program(dir, "pg_restore", "9.6.1");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "pg_dump 9 is older than production (1");
    assert_contains(w->err.hint, "postgresql-client-1");
    remove_program(dir, "pg_dump");
    remove_program(dir, "pg_restore");
    rmdir(dir);
}

static void write_wrapper(const char *dir, const char *name, const char *first)
{
    char *path = check_printf("%s/%s", dir, name);
    FILE *file = fopen(path, "we");

    fprintf(file, "#!/bin/sh\n%s\nexec %s/%s \"$@\"\n", first, run_pg_bindir(), name);
    fclose(file);
    chmod(path, 0755);
    free(path);
}

/* The guards' transaction on production has ended before anything takes its time. */
static void test_production_may_end_idle_transactions(void **state)
{
    char dir[] = "/tmp/revtwin-test.XXXXXX";
    struct world *w = *state;
    const char *const show[] = {"cat", "env", NULL};
    struct run r = {0};
    char *slow_version;

    assert_non_null(mkdtemp(dir));
    slow_version = check_printf("[ $1 != --version ] || { sleep 2; env >%s/env; }", dir);
    write_wrapper(dir, "pg_dump", slow_version);
    write_wrapper(dir, "pg_restore", "");
    w->options.bindir = dir;
    cluster_exec(&prod_server, "shop",
                 "create table t ();"
                 "alter role postgres set idle_in_transaction_session_timeout = '1s'");
    setenv("PROD_DATABASE_URL", "postgresql://me:do-not-tell@nowhere/x", 1);
    setenv("REVTWIN_SIGNING_KEY", "revtwin-secret-key-1:do-not-tell", 1);
    world_expect(w, 0);
    unsetenv("PROD_DATABASE_URL");
    unsetenv("REVTWIN_SIGNING_KEY");
    cluster_exec(&prod_server, "shop",
                 "alter role postgres reset idle_in_transaction_session_timeout");
    world_expect_equal();
    run_program(&r, dir, NULL, show);
    assert_contains(r.out, "PGHOST");
    assert_lacks(r.out, "do-not-tell");
    run_clear(&r);
    remove_program(dir, "env");
    remove_program(dir, "pg_dump");
    remove_program(dir, "pg_restore");
    rmdir(dir);
    free(slow_version);
}

/* ------------------------------------------------------------------ secrets */

/* Append the arguments of every process to the text in shared memory, again and again. */
static pid_t watch_processes(char *text, size_t size)
{
    pid_t pid = fork();
    size_t used = 0;

    if (pid != 0)
        return pid;
    for (;;) { /* until it is killed */
        DIR *proc = opendir("/proc");
        struct dirent *entry;

        while ((entry = readdir(proc)) != NULL && used + 4096 < size) {
            char path[300];
            ssize_t got;
            int fd;

            snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
            fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                continue;
            got = read(fd, text + used, 4000);
            for (ssize_t i = 0; i < got; i++)
                if (text[used + (size_t)i] == '\0')
                    text[used + (size_t)i] = ' ';
            if (got > 4 &&
                (strstr(text + used, "pg_dump") || strstr(text + used, "pg_rest")))
                used += (size_t)got;
            else
                memset(text + used, 0, 4000);
            close(fd);
        }
        closedir(proc);
    }
}

static void test_passwords_are_seen_nowhere(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    char *seen =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *prod = check_printf("postgresql://postgres:%s@127.0.0.1:%d/shop",
                              PASSWORD_ESCAPED, prod_server.port);
    char *twin = check_printf("postgresql://postgres:%s@127.0.0.1:%d/dev",
                              PASSWORD_ESCAPED, twin_server.port);
    struct world *w = *state;
    pid_t watcher;

    cluster_exec(&prod_server, "shop", world_schema);
    world_point(&w->prod, prod);
    world_point(&w->twin, twin);
    watcher = watch_processes(seen, SIZE);
    world_adopt(w);
    kill(watcher, SIGKILL);
    waitpid(watcher, NULL, 0);
    world_expect_equal();
    assert_contains(seen, "pg_dump");
    assert_contains(seen, "pg_restore");
    assert_lacks(seen, "p@ss");
    assert_lacks(seen, "p%40ss");

    cluster_exec(&prod_server, "shop",
                 "create materialized view m as select case when current_database() = "
                 "'shop' then 1 else concat($s$" PASSWORD "$s$, now())::int end");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "****");
    assert_lacks(w->err.detail, PASSWORD);
    munmap(seen, SIZE);
    free(prod);
    free(twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_same_database_is_refused),
        world_test(test_two_databases_of_one_server_are_fine),
        world_test(test_swapped_servers_are_refused),
        world_test(test_contents_need_adoption),
        world_test(test_foreign_database_in_the_way_is_refused),
        world_test(test_pooled_host_is_refused),
        world_test(test_older_twin_is_refused),
        world_test(test_programs_of_the_wrong_version),
        world_test(test_production_may_end_idle_transactions),
        world_test(test_passwords_are_seen_nowhere),
    };

    return cmocka_run_group_tests_name("resync: guards", tests, world_start_servers,
                                       world_stop_servers);
}
