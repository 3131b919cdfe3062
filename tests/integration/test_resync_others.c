/* A rebuild, and others who are about: on production, and on the twin's server. */
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "world.h"

/* ------------------------------------------------------------------ on production */

static void begin(PGconn *session, const char *sql)
{
    PGresult *done = PQexec(session, sql);

    if (PQresultStatus(done) != PGRES_COMMAND_OK)
        check_fail("%s: %s", sql, PQerrorMessage(session));
    PQclear(done);
}

/* Whoever changes a table would wait for the snapshot, and production for them. */
static void test_makes_way_on_production(void **state)
{
    struct world *w = *state;
    PGconn *session;

    cluster_exec(&prod_server, "shop", "create table p (a int) partition by range (a)");
    session = cluster_connect(&prod_server, "shop");
    begin(session, "begin; lock table only p in access exclusive mode");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "the twin is as it was: cannot read production: ");
    assert_contains(w->err.detail, "LOCK TABLE public.p");
    assert_contains(w->err.hint, "Try again when that is done.");
    PQfinish(session);
    world_expect(w, 0);
}

/* To print a view its server looks at those that it reads. */
static void test_makes_way_for_a_view(void **state)
{
    struct world *w = *state;
    PGconn *session;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int primary key); create view v as select a from t;"
                 "create view w as select v.a, t.a as b from v, t");
    world_expect(w, 0);
    session = cluster_connect(&prod_server, "shop");
    begin(session, "begin; create or replace view v as select a + 1 as a from t");
    w->options.method = RT_METHOD_DELTA;
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message,
                    "the twin is as it was: the schema of production cannot "
                    "be read: canceling statement due to lock timeout");
    assert_contains(w->err.hint, "Somebody in production changes a table or view");
    PQfinish(session);
    world_expect(w, 0);
}

/* ------------------------------------------------------------------ foreign servers */

/* ANALYZE of a table reads the foreign ones below it; this wrapper can read nothing. */
static void test_foreign_tables_are_not_read(void **state)
{
    struct world *w = *state;

    cluster_exec(
        &prod_server, "shop",
        "create foreign data wrapper mute; create server far foreign data "
        "wrapper mute;"
        "create table p (a int, b int) partition by list (a);"
        "create table p_1 partition of p for values in (1) partition by list (b);"
        "create table p_1_1 partition of p_1 for values in (1);"
        "create foreign table p_2 partition of p for values in (2) server far;"
        "create table p_3 partition of p for values in (3);"
        "insert into p values (1, 1), (3, 1);"
        "create table i (a int); insert into i values (1);"
        "create foreign table i_1 () inherits (i) server far;"
        "create table was (a int); insert into was values (1);"
        "create table was_1 () inherits (was); drop table was_1");
    world_expect(w, 0);
    world_expect_equal();
    assert_query(&twin_server, "dev",
                 "select string_agg(relname, ' ' order by relname) from pg_class "
                 "where reltuples >= 0 and relkind in ('r', 'p') and "
                 "relnamespace = 'public'::regnamespace",
                 "p_1 p_1_1 p_3 was");
}

/* The file that it reads is there on one server only, or not any more. */
static void test_materialized_views_of_foreign_tables(void **state)
{
    struct world *w = *state;
    char *file = check_printf("%s/far.csv", prod_server.dir);
    char *copy = check_printf("copy (select 7) to '%s'", file);
    char *far = check_printf("create foreign table far (a int) server files options "
                             "(filename '%s')",
                             file);

    cluster_exec(&prod_server, "shop", copy);
    cluster_exec(&prod_server, "shop",
                 "create extension file_fdw;"
                 "create server files foreign data wrapper file_fdw;"
                 "create table t (a int primary key); insert into t values (1);"
                 "create table over (a int)");
    cluster_exec(&prod_server, "shop", far);
    cluster_exec(&prod_server, "shop",
                 "alter foreign table far inherit over;"
                 "create view through as select over.a, t.a as b from over, t;"
                 "create materialized view m as select * from through;"
                 "create materialized view deep as select m.a from m, t;"
                 "create materialized view near as select t.a, 1 as one from t, t as u;"
                 "create rule ignored as on delete to t do also delete from over where "
                 "false");
    remove(file);
    for (int in_place = 0; in_place < 2; in_place++) {
        w->options.in_place = in_place;
        w->options.method = RT_METHOD_REBUILD;
        world_expect(w, 0);
        assert_int_equal(w->result.left_out_count, 3);
        assert_string_equal(w->result.left_out[0], "foreign table public.far");
        assert_string_equal(w->result.left_out[1], "materialized view public.deep, which "
                                                   "reads a foreign table");
        assert_string_equal(w->result.left_out[2], "materialized view public.m, which "
                                                   "reads a foreign table");
        w->options.method = RT_METHOD_DELTA;
        cluster_exec(&prod_server, "shop",
                     "insert into t select max(a) + 1 from t;"
                     "refresh materialized view near");
        world_expect(w, 0);
        assert_int_equal(w->result.left_out_count, 3);
        assert_query(&twin_server, "dev",
                     "select string_agg(relname, ' ') from pg_class where relkind = 'm' "
                     "and relispopulated",
                     "near");
        assert_query(&twin_server, "dev", "select count(*) from near",
                     in_place ? "9" : "4");
    }
    free(file);
    free(copy);
    free(far);
}

/* ------------------------------------------------------------------ the catalogs */

/* An OID is one only within its catalog: here a trigger and a rule have those of an index
 * and of a constraint. */
static void test_same_oids_in_other_catalogs(void **state)
{
    struct world *w = *state;

    cluster_exec(
        &prod_server, "shop",
        "create table t (a int constraint k primary key, b int constraint f references "
        "t);"
        "create index i on t (b);"
        "create function g() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger one before insert on t for each row execute function g();"
        "create trigger two before insert on t for each row execute function g();"
        "create rule three as on delete to t do instead nothing;"
        "create temporary table other (catalog, old, new) as values "
        "('pg_trigger'::regclass, (select oid from pg_trigger where tgname = 'one'),"
        " 'i'::regclass::oid),"
        "('pg_trigger', (select oid from pg_trigger where tgname = 'two'),"
        " (select oid from pg_constraint where conname = 'k')),"
        "('pg_rewrite', (select oid from pg_rewrite where rulename = 'three'),"
        " (select oid from pg_constraint where conname = 'f'));"
        "update pg_trigger set oid = new from other where oid = old;"
        "update pg_rewrite set oid = new from other where oid = old;"
        "update pg_depend set objid = new from other "
        "where classid = catalog and objid = old");
    world_expect(w, 0);
    world_expect_equal();
}

/* pg_dump tells of them by names that no copy has. */
static void test_disabled_triggers_of_a_partitions_key(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table k (a int primary key); insert into k values (1);"
                 "create table p (a int references k) partition by list (a);"
                 "create table p_1 partition of p for values in (1);"
                 "insert into p values (1); alter table p_1 disable trigger all");
    world_expect(w, 0);
    cluster_exec(&prod_server, "shop", "alter table p_1 enable trigger all");
    world_expect_equal();
    w->options.method = RT_METHOD_DELTA;
    cluster_exec(&prod_server, "shop", "alter table p_1 disable trigger all");
    world_expect(w, 0);
}

/* ------------------------------------------------------------------ roles */

static void test_roles_that_the_twin_lacks(void **state)
{
    struct world *w = *state;
    char *before = world_databases(), *after;

    cluster_exec(&prod_server, "shop",
                 "create role auditor; create role \"An other\"; create table t (a int);"
                 "create policy p on t to auditor, postgres using (true);"
                 "create foreign data wrapper mute; create server far foreign data "
                 "wrapper mute; create user mapping for \"An other\" server far");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "are for: role \"An other\", auditor");
    assert_string_equal(w->err.hint, "Let an administrator run there: CREATE ROLE \"An "
                                     "other\"; CREATE ROLE auditor;");
    after = world_databases();
    assert_text_equal(after, before);
    cluster_exec(&twin_server, "postgres",
                 strstr(w->err.hint, "CREATE ROLE")); /* as it says */
    world_expect(w, 0);
    world_expect_equal();
    cluster_exec(&prod_server, "shop",
                 "drop owned by auditor, \"An other\"; drop role auditor, \"An other\"");
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role auditor, \"An other\"");
    free(before);
    free(after);
}

/* What only a superuser may carry over is told, but for its value. */
static void test_settings_of_other_roles(void **state)
{
    struct world *w = *state;
    char *prod = check_printf("PROD_DATABASE_URL=host=%s port=%d user=postgres "
                              "dbname=shop",
                              prod_server.dir, prod_server.port);
    char *twin = check_printf("DEV_DATABASE_URL=host=%s port=%d user=plain dbname=dev",
                              twin_server.dir, twin_server.port);
    struct run r = {0};

    (void)w;
    cluster_exec(&twin_server, "dev",
                 "create role plain createdb login; create role app;"
                 "alter database dev owner to plain;"
                 "alter role app in database dev set app.key to 'hush';"
                 "alter role app in database dev set app.other to 'hu\\sh'");
    run_revtwin(&r, "/", (const char *const[]){prod, twin, NULL}, "resync", NULL);
    run_expect(&r, 0);
    assert_contains(r.err,
                    "ALTER ROLE app IN DATABASE dev_revtwin_next SET \"app.key\"\n");
    assert_contains(r.err, "SET \"app.other\"\n");
    assert_lacks(r.err, "hu");
    run_clear(&r);
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role plain, app");
    free(prod);
    free(twin);
}

/* ------------------------------------------------------------------ databases */

/* Somebody else's database gets the next one's name just before it is made. */
static void test_database_of_the_next_ones_name(void **state)
{
    struct world *w = *state;
    PGconn *session;
    pid_t pid;
    int status;

    cluster_createdb(&twin_server, "other");
    cluster_exec(&twin_server, "other", "create table precious ()");
    session = cluster_connect(&twin_server, "postgres");
    begin(session, "begin; lock table pg_database in share row exclusive mode");
    pid = fork();
    if (pid == 0)
        _exit(-world_run(w));
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where wait_event_type = "
                 "'Lock' and query like 'CREATE DATABASE dev_revtwin_next%')");
    begin(session, "alter database other rename to dev_revtwin_next; commit");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), RT_EINTERNAL);
    assert_query(&twin_server, "dev_revtwin_next", "select to_regclass('precious')",
                 "precious");
    PQfinish(session);
    cluster_dropdb(&twin_server, "dev_revtwin_next");
}

static const char *const longest =
    "the_twin_of_the_shop_that_has_a_name_as_long_as_names_may_be___";

/* The databases beside the twin whose names are like the longest one's. */
static void expect_beside(const char *want)
{
    char *sql = check_printf("select count(*) from pg_database where datname like "
                             "left('%s', 30) || '%%' and datname <> '%s'",
                             longest, longest);

    assert_query(&twin_server, "postgres", sql, want);
    free(sql);
}

/* What a rebuild has left that was killed after its swap, also beside a name that leaves
 * no room for more. */
static void test_delta_drops_leftovers(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];
    char *not_kept;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    world_expect(w, 0);
    cluster_createdb(&twin_server, "dev_revtwin_previous");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_previous is 'revtwin: replaced'");
    w->options.method = RT_METHOD_DELTA;
    world_expect(w, 0);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");

    cluster_createdb(&twin_server, longest);
    world_point(&w->twin, cluster_url(&twin_server, longest, url));
    w->options.method = RT_METHOD_AUTO;
    w->options.keep_previous = true;
    world_expect(w, 0);
    expect_beside("1");
    not_kept = check_printf("do $$ declare n name := (select datname from pg_database "
                            "where datname like left('%s', 30) || '%%' and datname <> "
                            "'%s'); begin execute format('comment on database %%I is "
                            "%%L', n, 'revtwin: replaced'); end $$",
                            longest, longest);
    cluster_exec(&twin_server, "postgres", not_kept);
    w->options.keep_previous = false;
    w->options.method = RT_METHOD_DELTA;
    world_expect(w, 0);
    expect_beside("0");
    cluster_dropdb(&twin_server, longest);
    free(not_kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_makes_way_on_production),
        world_test(test_makes_way_for_a_view),
        world_test(test_foreign_tables_are_not_read),
        world_test(test_materialized_views_of_foreign_tables),
        world_test(test_same_oids_in_other_catalogs),
        world_test(test_disabled_triggers_of_a_partitions_key),
        world_test(test_roles_that_the_twin_lacks),
        world_test(test_settings_of_other_roles),
        world_test(test_database_of_the_next_ones_name),
        world_test(test_delta_drops_leftovers),
    };

    return cmocka_run_group_tests_name("resync_others", tests, world_start_servers,
                                       world_stop_servers);
}
