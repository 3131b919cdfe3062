/* What others write to production while it is read is not in the twin; and meanwhile it
 * is shown how far the work is, in lines or on a terminal. */
#include "relay.h"
#include "run.h"
#include "world.h"

/* A command, and the server's end of its first COPY of production, at which it is held.
 */
struct work {
    const char *twin; /* database */
    const char *args; /* of revtwin */
    const char *text; /* of the message where it stops */
    bool on_terminal;
    struct relay relay;
    struct run run;
};

/* What each account has moves from one table to the other; the sum stays. */
static const char *const schema =
    "create table one (id int primary key, has int);"
    "create table two (id int primary key, has int);"
    "create table big (id int primary key, v text unique);"
    "create table small (id int primary key, v text); create index on small (v);"
    "insert into one select n, 5 from generate_series(1, 1000) n;"
    "insert into two select n, 5 from generate_series(1, 1000) n;"
    "insert into big select n, 'v' || n from generate_series(1, 20000) n;"
    "insert into small select n, n from generate_series(1, 10) n;";

static const char *const facts =
    "select concat_ws(' ', sum(one.has), sum(two.has), sum(one.has * one.id),"
    "    (select count(*) || ' ' || max(v) from big), (select count(*) from small))"
    "    from one join two using (id)";

static void start(struct work *w)
{
    char url[CLUSTER_URL_SIZE];
    struct relay_trap trap = {.act = RELAY_HOLD,
                              .side = RELAY_TO_SERVER,
                              .before = true,
                              .connection = RELAY_ANY};
    const char *env[] = {NULL, NULL, "TERM=xterm", NULL};
    char *prod, *twin;
    char *command = check_printf("%s %s", REVTWIN_BINARY, w->args);
    const char *const argv[] = {"sh", "-c", command, NULL};
    const char *const shown[] = {"script", "-qefc", command, "/dev/null", NULL};

    relay_start(&w->relay, prod_server.dir, prod_server.port, 0);
    snprintf(trap.text, sizeof(trap.text), "%s", w->text);
    relay_arm(&w->relay, &trap);
    env[0] = prod =
        check_printf("PROD_DATABASE_URL=host=127.0.0.1 port=%d user=postgres "
                     "dbname=shop sslmode=disable password='p@ss:w/o?r#d%%\"\\\\ "
                     "$x'",
                     w->relay.port);
    env[1] = twin =
        check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin_server, w->twin, url));
    run_start(&w->run, "/", env, w->on_terminal ? shown : argv);
    if (!relay_holds(&w->relay, 30000))
        check_fail("revtwin %s does not come to %s", w->args, w->text);
    free(prod);
    free(twin);
    free(command);
}

static void finish(struct work *w)
{
    relay_release(&w->relay, RELAY_PASS);
    run_finish(&w->run);
    run_expect(&w->run, 0);
    relay_stop(&w->relay);
}

/* A table that is drawn again and again, and gone at the end. */
static void expect_shown(const struct work *w, const char *phase, double seconds)
{
    const char *text = w->on_terminal ? w->run.out : w->run.err;
    char *part = check_printf(w->on_terminal ? "\r\n%-11s" : "revtwin: %s for 0:", phase);

    check_context("revtwin %s", w->args);
    assert_contains(text, part);
    if (w->on_terminal) {
        assert_contains(text,
                        "tables                read         rate     time     left");
        assert_contains(text, "A\033[J");
        assert_contains(text, "     0:03  ");
    } else {
        int lines = 0;

        assert_contains(text, " of 4 tables");
        while ((text = strstr(text, part)) != NULL) {
            text++;
            lines++;
        }
        assert_in_range(lines, 1, (uintmax_t)seconds / 10);
    }
    check_context(NULL);
    free(part);
}

/* It is in every copy as it was when the snapshot was taken, and no verification sees it.
 */
static void as_of_one_moment(void **state)
{
    struct work works[] = {
        {"dev", "resync --method rebuild --jobs 2", "COPY public.big", .on_terminal = 0},
        {"dev2", "resync --method delta --full-compare", "COPY (", .on_terminal = 1},
        {"dev3", "verify --twin", "COPY (", .on_terminal = 0},
        {"dev3", "verify --twin", "COPY (", .on_terminal = 1},
    };
    static const char *const phases[] = {"copying", "comparing", "comparing",
                                         "comparing"};
    struct world *w = *state;
    double since;
    char *before, *log;

    cluster_exec(&prod_server, "shop", schema);
    world_expect(w, 0);
    cluster_exec(&twin_server, "postgres", "create database dev2 template dev");
    cluster_exec(&twin_server, "postgres", "create database dev3 template dev");
    cluster_exec(&twin_server, "dev", "update big set v = v || 'x'; delete from one");
    cluster_exec(&twin_server, "dev2", "update big set v = v || 'x'; delete from two");
    before = cluster_query(&prod_server, "shop", facts);
    since = run_clock();
    for (size_t i = 0; i < RT_COUNT(works); i++)
        start(&works[i]);

    cluster_exec(&prod_server, "shop",
                 "begin; update one set has = has - 1; update two set has = has + 1;"
                 "delete from small where id < 5; insert into big values (0, 'zzz');"
                 "commit");
    /* A table has its indexes while another is still being copied. */
    cluster_wait(&twin_server, "dev_revtwin_next",
                 "select count(*) = 2 from pg_index where indrelid = 'small'::regclass");
    assert_query(&twin_server, "dev_revtwin_next",
                 "select count(*) from pg_index where indrelid = 'big'::regclass", "0");
    for (size_t i = 0; i < RT_COUNT(works); i++) {
        if (!works[i].on_terminal)
            run_wait_said(&works[i].run, " for 0:");
    }
    assert_true(run_clock() - since > 10);
    for (size_t i = 0; i < RT_COUNT(works); i++) {
        finish(&works[i]);
        expect_shown(&works[i], phases[i], run_clock() - since);
        assert_query(&twin_server, works[i].twin, facts, before);
        run_clear(&works[i].run);
    }

    /* A unique index is made once. */
    log = cluster_log(&twin_server);
    assert_contains(log, "big_pkey PRIMARY KEY USING INDEX");
    assert_contains(log, "big_v_key UNIQUE USING INDEX");
    cluster_dropdb(&twin_server, "dev2");
    cluster_dropdb(&twin_server, "dev3");
    free(before);
    free(log);
}

static int start_servers(void **state)
{
    world_start_servers(state);
    cluster_exec(&twin_server, "postgres", "alter system set log_statement = 'ddl'");
    cluster_exec(&twin_server, "postgres", "select pg_reload_conf()");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(as_of_one_moment)};

    return cmocka_run_group_tests_name("resync: meanwhile", tests, start_servers,
                                       world_stop_servers);
}
