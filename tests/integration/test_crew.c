/* Workers with connections to two servers: rt_crew_* on real ones. */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check.h"
#include "cluster.h"
#include "pg/query.h"
#include "twin/crew.h"
#include "twin/snapshot.h"

static struct cluster prod, twin;

/* A snapshot of production, and a crew that reads it. */
struct hall {
    struct rt_server servers[2];
    struct rt_conn *holder;
    struct rt_snapshot snapshot;
    struct rt_arena arena;
    struct rt_crew_setup setup;
    struct rt_crew *crew;
    atomic_int ticks, ran;
    char order[16];
    struct rt_err err;
};

static void set_server(struct rt_server *server, const struct cluster *cluster)
{
    char url[CLUSTER_URL_SIZE];

    *server = (struct rt_server){.role = cluster == &prod ? "production" : "the twin",
                                 .source = "--prod"};
    rt_secret_set(&server->conninfo, cluster_url(cluster, "postgres", url));
}

static void tick(void *context)
{
    ((struct hall *)context)->ticks++;
}

static void open_hall(struct hall *h, unsigned size)
{
    *h = (struct hall){0};
    set_server(&h->servers[0], &prod);
    set_server(&h->servers[1], &twin);
    if (rt_conn_open(&h->holder, &h->servers[0], RT_READ_WRITE, &h->err) < 0 ||
        rt_snapshot_open(&h->snapshot, &h->arena, h->holder, &h->err) < 0)
        check_fail("%s", h->err.message);
    h->setup = (struct rt_crew_setup){.size = size,
                                      .prod = &h->servers[0],
                                      .snapshot = h->snapshot.id,
                                      .twin = &h->servers[1],
                                      .access = RT_READ_WRITE,
                                      .twin_settings = "SET work_mem = '77MB'",
                                      .tick = tick,
                                      .context = h};
}

static void start_crew(struct hall *h)
{
    if (rt_crew_open(&h->crew, &h->setup, &h->err) < 0)
        check_fail("%s", h->err.message);
}

static void close_hall(struct hall *h)
{
    rt_crew_close(h->crew);
    rt_snapshot_close(&h->snapshot);
    rt_conn_close(h->holder);
    rt_arena_clear(&h->arena);
    rt_secret_clear(&h->servers[0].conninfo);
    rt_secret_clear(&h->servers[1].conninfo);
    rt_err_clear(&h->err);
}

typedef int run_fn(struct rt_worker *worker, void *context, struct rt_err *err);

static void add(struct rt_crew *crew, run_fn *run, void *context, double weight)
{
    struct rt_job job = {.run = run, .context = context, .weight = weight};

    rt_crew_add(crew, &job);
}

static int find(struct rt_conn *conn, const char *sql, const char *want,
                struct rt_err *err)
{
    struct rt_result *row;
    int rc = rt_query(&row, conn, sql, 0, NULL, err);

    if (rc == 0 && strcmp(rt_result_get(row, 0, 0), want) != 0)
        rc = rt_err_set(err, RT_EINTERNAL, "%s: %s", sql, rt_result_get(row, 0, 0));
    rt_result_free(row);
    return rc;
}

/* ------------------------------------------------------------------ good ones */

static int look_around(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;
    int rc = find(worker->prod, "SELECT count(*) FROM public.seen", "3", err);

    if (rc == 0)
        rc = find(worker->prod, "SHOW transaction_read_only", "on", err);
    if (rc == 0)
        rc = find(worker->twin, "SHOW work_mem", "77MB", err);
    if (rc == 0 && (!rt_conn_in_transaction(worker->prod) || !rt_conn_idle(worker->twin)))
        rc = rt_err_set(err, RT_EINTERNAL, "in the wrong transaction");
    h->ran++;
    return rc;
}

static void workers_see_one_snapshot(void **state)
{
    struct hall h;

    (void)state;
    cluster_exec(&prod, "postgres", "CREATE TABLE seen AS SELECT generate_series(1, 3)");
    open_hall(&h, 4);
    cluster_exec(&prod, "postgres", "INSERT INTO seen VALUES (4)");
    start_crew(&h);
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < 50; i++)
            add(h.crew, look_around, &h, i);
        if (rt_crew_finish(h.crew, &h.err) < 0)
            check_fail("%s", h.err.message);
        assert_int_equal(h.ran, 50 * round);
    }
    assert_int_equal(rt_crew_finish(h.crew, &h.err), 0); /* with nothing to do */
    close_hall(&h);
    cluster_exec(&prod, "postgres", "DROP TABLE seen");
}

static int read_seen(struct rt_worker *worker, void *context, struct rt_err *err)
{
    (void)context;
    return rt_exec(NULL, worker->prod, "SELECT FROM public.seen", err);
}

/* Somebody waits for the snapshot's lock, so a worker would wait for somebody. */
static void workers_make_way(void **state)
{
    PGconn *changer;
    struct hall h;

    (void)state;
    cluster_exec(&prod, "postgres", "CREATE TABLE seen (a int)");
    open_hall(&h, 1);
    start_crew(&h);
    changer = cluster_connect(&prod, "postgres");
    assert_true(PQsendQuery(changer, "ALTER TABLE seen ADD b int"));
    cluster_wait(&prod, "postgres",
                 "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = "
                 "'Lock' AND query LIKE 'ALTER TABLE seen%')");
    add(h.crew, read_seen, NULL, 1);
    assert_int_equal(rt_crew_finish(h.crew, &h.err), -RT_EINTERNAL);
    assert_contains(h.err.message, "lock timeout");
    assert_string_equal(h.err.hint, RT_CREW_MADE_WAY);
    close_hall(&h);
    PQclear(PQgetResult(changer));
    assert_query(&prod, "postgres", "SELECT count(b) FROM seen", "0");
    PQfinish(changer);
    cluster_exec(&prod, "postgres", "DROP TABLE seen");
}

struct named {
    struct hall *hall;
    char name[2];
};

static int note(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct named *named = context;

    (void)worker;
    (void)err;
    named->hall->order[strlen(named->hall->order)] = named->name[0];
    return 0;
}

/* Adds three jobs, which find one worker busy. */
static int add_more(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct named *named = context;

    add(worker->crew, note, &named[0], 1);
    add(worker->crew, note, &named[1], 3);
    add(worker->crew, note, &named[2], 2);
    add(worker->crew, note, &named[3], 3);
    return rt_exec(NULL, worker->twin, "SELECT pg_sleep(0.3)", err);
}

static void the_heaviest_job_comes_first(void **state)
{
    struct hall h;
    struct named named[] = {{&h, "a"}, {&h, "b"}, {&h, "c"}, {&h, "d"}};

    (void)state;
    open_hall(&h, 1);
    h.setup.prod = NULL;
    start_crew(&h);
    add(h.crew, add_more, named, 1);
    assert_int_equal(rt_crew_finish(h.crew, &h.err), 0);
    assert_string_equal(h.order, "bdca");
    assert_true(h.ticks > 0);
    close_hall(&h);
}

static int only_read(struct rt_worker *worker, void *context, struct rt_err *err)
{
    (void)context;
    if (worker->prod != NULL ||
        rt_exec(NULL, worker->twin, "CREATE TABLE x ()", err) == 0)
        return rt_err_set(err, RT_EINTERNAL, "it may write");
    return rt_err_is(err, "25006") ? 0 : -RT_EINTERNAL;
}

static void a_twin_may_be_only_read(void **state)
{
    struct hall h;

    (void)state;
    open_hall(&h, 1);
    h.setup.prod = NULL;
    h.setup.access = RT_READ_ONLY;
    h.setup.database = "template1";
    start_crew(&h);
    add(h.crew, only_read, &h, 1);
    if (rt_crew_finish(h.crew, &h.err) < 0)
        check_fail("%s", h.err.message);
    close_hall(&h);
}

/* How many transactions of workers are open on production. */
#define AT_WORK                                                  \
    "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS " \
    "NOT NULL AND application_name = 'revtwin' AND backend_xmin IS NOT NULL"

static int stay_on_twin(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;

    if (worker->prod)
        return rt_err_set(err, RT_EINTERNAL, "production was not asked for");
    h->ran++;
    while (h->ran < 3)
        usleep(1000);
    return 0;
}

static int read_last(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;
    int rc;

    while (h->ran < 2)
        usleep(1000);
    rc = find(worker->prod, "SELECT 1", "1", err);
    rt_crew_release(worker->crew);
    h->ran = 3;
    return rc;
}

static void production_is_released_early(void **state)
{
    struct hall h;

    (void)state;
    open_hall(&h, 3);
    start_crew(&h);
    rt_snapshot_close(&h.snapshot);
    assert_query(&prod, "postgres", AT_WORK, "3");
    rt_crew_add(h.crew, &(struct rt_job){stay_on_twin, &h, 2, .twin_only = true});
    rt_crew_add(h.crew, &(struct rt_job){stay_on_twin, &h, 2, .twin_only = true});
    add(h.crew, read_last, &h, 1);
    if (rt_crew_finish(h.crew, &h.err) < 0)
        check_fail("%s", h.err.message);
    cluster_wait(&prod, "postgres", "SELECT (" AT_WORK ") = 0");
    rt_crew_add(h.crew, &(struct rt_job){stay_on_twin, &h, 2, .twin_only = true});
    assert_int_equal(rt_crew_finish(h.crew, &h.err), 0);
    close_hall(&h);
}

/* ------------------------------------------------------------------ errors */

static int sleep_on_prod(struct rt_worker *worker, void *context, struct rt_err *err)
{
    ((struct hall *)context)->ran++;
    return rt_exec(NULL, worker->prod, "SELECT pg_sleep(100)", err);
}

static int sleep_on_twin(struct rt_worker *worker, void *context, struct rt_err *err)
{
    ((struct hall *)context)->ran++;
    return rt_exec(NULL, worker->twin, "SELECT pg_sleep(100)", err);
}

static int fail_late(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;

    while (h->ran < 2)
        usleep(1000);
    usleep(200000); /* the others are within their statements */
    return rt_exec(NULL, worker->twin, "SELECT 1 / 0", err);
}

static int help(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;

    if (worker->prod || worker->number == 0)
        return rt_err_set(err, RT_EINTERNAL, "it is not a helper");
    h->ran++;
    return rt_exec(NULL, worker->twin, "SELECT 1", err);
}

/* While all helpers have been at work once. */
static int read_meanwhile(struct rt_worker *worker, void *context, struct rt_err *err)
{
    struct hall *h = context;

    for (int i = 0; i < 5; i++) {
        struct rt_job job = {.run = help, .context = h, .twin_only = true};

        rt_crew_add(worker->crew, &job);
    }
    while (h->ran < 5)
        usleep(1000);
    if (worker->number > 0)
        return rt_err_set(err, RT_EINTERNAL, "it is a helper");
    return find(worker->prod, "SELECT 1", "1", err);
}

static void helpers_do_what_needs_no_production(void **state)
{
    struct hall h;

    (void)state;
    open_hall(&h, 1);
    h.setup.helpers = 2;
    start_crew(&h);
    add(h.crew, read_meanwhile, &h, 1);
    if (rt_crew_finish(h.crew, &h.err) < 0)
        check_fail("%s", h.err.message);
    assert_int_equal(h.ran, 5);
    close_hall(&h);
}

static void the_first_error_stops_all(void **state)
{
    struct hall h;
    int64_t start;

    (void)state;
    open_hall(&h, 3);
    start_crew(&h);
    start = rt_clock_ms();
    add(h.crew, sleep_on_prod, &h, 3);
    add(h.crew, sleep_on_twin, &h, 3);
    add(h.crew, fail_late, &h, 3);
    for (int i = 0; i < 10; i++)
        add(h.crew, sleep_on_prod, &h, 1);
    assert_int_equal(rt_crew_finish(h.crew, &h.err), -RT_EINTERNAL);
    assert_string_equal(h.err.sqlstate, "22012");
    assert_true(rt_clock_ms() - start < 10000);
    assert_int_equal(h.ran, 2);
    /* And it stays so. */
    assert_int_equal(rt_crew_finish(h.crew, &h.err), -RT_EINTERNAL);
    close_hall(&h);
}

static void closing_stops_them_too(void **state)
{
    struct hall h;
    int64_t start;

    (void)state;
    open_hall(&h, 2);
    start_crew(&h);
    add(h.crew, sleep_on_prod, &h, 3);
    add(h.crew, sleep_on_twin, &h, 3);
    while (h.ran < 2)
        usleep(1000);
    start = rt_clock_ms();
    close_hall(&h);
    assert_true(rt_clock_ms() - start < 10000);
}

/* One connection of the others' jobs goes away. */
static void a_lost_connection_stops_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct cluster *server = i == 0 ? &prod : &twin;
        struct hall h;
        int64_t start;

        open_hall(&h, 2);
        start_crew(&h);
        start = rt_clock_ms();
        add(h.crew, sleep_on_prod, &h, 3);
        add(h.crew, sleep_on_twin, &h, 3);
        cluster_wait(server, "postgres",
                     "SELECT count(pg_terminate_backend(pid)) = 1 FROM pg_stat_activity "
                     "WHERE query LIKE 'SELECT pg_sleep(1%'");
        assert_int_equal(rt_crew_finish(h.crew, &h.err), -RT_EINTERNAL);
        assert_contains(h.err.message, "connection");
        assert_true(rt_clock_ms() - start < 10000);
        close_hall(&h);
    }
}

static void a_server_that_is_not_there(void **state)
{
    struct hall h;
    struct rt_server nowhere = {.role = "the twin", .source = "--twin"};

    (void)state;
    open_hall(&h, 3);
    rt_secret_set(&nowhere.conninfo, "host=/nowhere");
    h.setup.twin = &nowhere;
    assert_int_equal(rt_crew_open(&h.crew, &h.setup, &h.err), -RT_EINTERNAL);
    assert_null(h.crew);
    assert_contains(h.err.message, "cannot connect to the twin");
    close_hall(&h);
    rt_secret_clear(&nowhere.conninfo);
}

static void a_snapshot_that_has_gone(void **state)
{
    struct hall h;

    (void)state;
    open_hall(&h, 2);
    rt_snapshot_close(&h.snapshot);
    assert_int_equal(rt_crew_open(&h.crew, &h.setup, &h.err), -RT_EINTERNAL);
    assert_contains(h.err.message, "snapshot");
    close_hall(&h);
}

static bool ends_by_signal(void)
{
    struct hall h;
    int64_t start;
    pid_t self = getpid();
    int rc;

    open_hall(&h, 3);
    rt_cancel_install();
    start_crew(&h);
    start = rt_clock_ms();
    add(h.crew, sleep_on_prod, &h, 3);
    add(h.crew, sleep_on_twin, &h, 3);
    if (fork() == 0) {
        usleep(500000);
        kill(self, SIGTERM);
        _exit(0);
    }
    rc = rt_crew_finish(h.crew, &h.err);
    if (rc != -RT_ETERM || rt_clock_ms() - start > 10000)
        return false;
    rt_crew_close(h.crew);
    return true;
}

/* In a child: a signal stays noted for the life of a process. */
static void a_signal_stops_all(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(!ends_by_signal());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ------------------------------------------------------------------ main */

static int start_servers(void **state)
{
    (void)state;
    cluster_start(&prod, NULL);
    cluster_start(&twin, NULL);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    cluster_stop(&prod);
    cluster_stop(&twin);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_see_one_snapshot),
        cmocka_unit_test(workers_make_way),
        cmocka_unit_test(the_heaviest_job_comes_first),
        cmocka_unit_test(a_twin_may_be_only_read),
        cmocka_unit_test(production_is_released_early),
        cmocka_unit_test(helpers_do_what_needs_no_production),
        cmocka_unit_test(the_first_error_stops_all),
        cmocka_unit_test(closing_stops_them_too),
        cmocka_unit_test(a_lost_connection_stops_all),
        cmocka_unit_test(a_server_that_is_not_there),
        cmocka_unit_test(a_snapshot_that_has_gone),
        cmocka_unit_test(a_signal_stops_all),
    };

    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
