/*
 * Whatever users have named like something built in, and search before it, is never what
 * our own statements mean: here it raises an error.
 */
#include "repo.h"
#include "run.h"
#include "twin/rebuild/undo.h"
#include "twin/verify.h"
#include "world.h"

/* In the schema "evil": functions, aggregates, operators, relations and types. */
static const char evil[] =
    "create schema evil;"
    "do $$ declare r record; declare f text := 'language plpgsql as"
    "    ''begin raise exception using message = ''''evil %s''''; end''';"
    "begin"
    "  for r in select proname, oidvectortypes(proargtypes) args, proretset,"
    "                  format_type(prorettype, null) result"
    "           from pg_proc where pronamespace = 'pg_catalog'::regnamespace"
    "            and prokind = 'f' and not exists (select from pg_type"
    "                where oid = any (proargtypes || prorettype) and typtype = 'p')"
    "  loop"
    "    execute format('create function evil.%I(%s) returns %s %s ' || f, r.proname,"
    "        r.args, case when r.proretset then 'setof' end, r.result, r.proname);"
    "  end loop;"
    "  for r in select oid, oprname, oprleft::regtype, oprright::regtype,"
    "                  oprresult::regtype"
    "           from pg_operator where oprnamespace = 'pg_catalog'::regnamespace"
    "            and oprleft <> 0 and oprcode <> 0 and not exists (select from pg_type"
    "                where oid in (oprleft, oprright, oprresult) and typtype = 'p')"
    "  loop"
    "    execute format('create function evil.op%s(%s, %s) returns %s ' || f, r.oid,"
    "        r.oprleft, r.oprright, r.oprresult, r.oprname);"
    "    execute format('create operator evil.%s (leftarg = %s, rightarg = %s,"
    "        procedure = evil.op%s)', r.oprname, r.oprleft, r.oprright, r.oid);"
    "  end loop;"
    "  for r in select oid::regtype::text as type from pg_type where typname in"
    "           ('text', 'oid', 'name', 'int4', 'int8', 'numeric', 'bool', 'int2')"
    "  loop"
    "    execute format('create function evil.unnest(%s[]) returns setof %1$s ' || f,"
    "        r.type, 'unnest');"
    "    execute format('create function evil.step(%s, %1$s) returns %1$s ' || f, r.type,"
    "        'aggregate');"
    "    execute format('create aggregate evil.sum(%s) (sfunc = evil.step,"
    "        stype = %1$s);"
    "        create aggregate evil.max(%1$s) (sfunc = evil.step, stype = %1$s);"
    "        create aggregate evil.min(%1$s) (sfunc = evil.step, stype = %1$s);"
    "        create aggregate evil.array_agg(%1$s) (sfunc = evil.step, stype = %1$s);"
    "        create aggregate evil.count(%1$s) (sfunc = evil.step, stype = %1$s)',"
    "        r.type);"
    "  end loop;"
    "  execute format('create function evil.step(bigint) returns bigint ' || f, 'count');"
    "  create aggregate evil.count(*) (sfunc = evil.step, stype = bigint);"
    "  execute format('create function evil.step(text, text, text) returns text ' || f,"
    "      'string_agg');"
    "  create aggregate evil.string_agg(text, text) (sfunc = evil.step, stype = text);"
    "  execute format('create function evil.format(text, variadic text[]) returns text '"
    "      || f, 'format');"
    "  for r in select relname from pg_class"
    "           where relnamespace = 'pg_catalog'::regnamespace"
    "             and relkind in ('r', 'v')"
    "  loop"
    "    execute format('create view evil.%I as select 1 as one', r.relname);"
    "  end loop;"
    "  for r in select typname from pg_type where typnamespace ="
    "           'pg_catalog'::regnamespace and typtype = 'b' and typelem = 0"
    "  loop"
    "    execute format('create domain evil.%I as int check (value = 0)', r.typname);"
    "  end loop;"
    "end $$;";

static int open_evil(void **state)
{
    char *url;
    struct world *w;

    world_open(state);
    w = *state;
    w->options.method = RT_METHOD_AUTO;
    cluster_exec(&prod_server, "shop", evil);
    cluster_exec(&twin_server, "postgres", evil);
    url = check_printf("host=%s port=%d user=mallory dbname=shop", prod_server.dir,
                       prod_server.port);
    world_point(&w->prod, url);
    free(url);
    url = check_printf("host=%s port=%d user=mallory dbname=dev", twin_server.dir,
                       twin_server.port);
    world_point(&w->twin, url);
    free(url);
    return 0;
}

static int close_evil(void **state)
{
    cluster_exec(&twin_server, "postgres",
                 "set client_min_messages = error;"
                 "drop schema evil cascade");
    return world_close(state);
}

#define evil_test(test) cmocka_unit_test_setup_teardown(test, open_evil, close_evil)

static int start_servers(void **state)
{
    static const char role[] = "create role mallory superuser login;"
                               "alter role mallory set search_path = evil, pg_catalog, "
                               "public";

    world_start_servers(state);
    cluster_exec(&prod_server, "postgres", role);
    cluster_exec(&twin_server, "postgres", role);
    return 0;
}

static void expect_followed(struct world *w, const char *method)
{
    world_expect(w, 0);
    assert_string_equal(w->result.method, method);
    world_expect_equal();
}

static void test_resync(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", world_schema);
    expect_followed(w, "rebuild");
    cluster_exec(
        &prod_server, "shop",
        "insert into users (name) values ('more'); select nextval('tickets');"
        "update orders set note = 'x' where id % 70 = 1; delete from users where "
        "id = 7");
    expect_followed(w, "delta");
    assert_int_equal(w->result.tables_compared, 0);
    cluster_exec(&prod_server, "shop", "update users set name = name || '!'");
    w->options.full_compare = true;
    expect_followed(w, "delta");
    w->options.full_compare = false;
    w->options.method = RT_METHOD_REBUILD;
    w->options.in_place = true;
    expect_followed(w, "rebuild");
}

/* A command with this production, and the twin. */
static void command(struct run *run, int status, const struct world *w, const char *prod,
                    const char *dir, const char *name)
{
    char *prod_env = check_printf("PROD_DATABASE_URL=%s", prod);
    char *twin_env = check_printf("DEV_DATABASE_URL=%s", w->twin.conninfo.text);
    const char *const env[] = {prod_env, twin_env, NULL};

    run_clear(run);
    run_revtwin(run, dir, env, name, NULL);
    run_expect(run, status);
    free(prod_env);
    free(twin_env);
}

/* Of the twin; production is asked with the path that migrations run with. */
static void expect_status(const struct world *w)
{
    char url[CLUSTER_URL_SIZE];
    struct run run = {0};
    struct repo repo;

    repo_init(&repo);
    repo_write(&repo, "migrations/V1.sql", "create table u ();");
    repo_commit(&repo, "V1");
    command(&run, 0, w, cluster_url(&prod_server, "shop", url), repo.dir, "status");
    assert_contains(run.out, "is production as of ");
    run_clear(&run);
    repo_clear(&repo);
}

static void test_undo_and_status(void **state)
{
    struct world *w = *state;
    const struct rt_swap how = {.wait_seconds = 10};
    struct rt_undo undone;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    expect_followed(w, "rebuild");
    w->options.keep_previous = true;
    expect_followed(w, "rebuild");
    assert_int_equal(rt_undo(&undone, &w->arena, &w->twin, &how, &w->err), 0);
    expect_status(w);
    cluster_exec(&twin_server, "postgres", "drop database dev_revtwin_previous");
}

/* Who holds a lock is asked outside of the transaction that waited for it. */
static void test_holders_are_named(void **state)
{
    struct world *w = *state;
    PGconn *other;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    expect_followed(w, "rebuild");
    other = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(other, "begin; insert into t values (1)"));
    w->options.swap_wait_seconds = 0;
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "user postgres");
    w->options.force = true;
    expect_followed(w, "delta");
    PQfinish(other);
}

static void test_verify_and_diff(void **state)
{
    struct world *w = *state;
    struct rt_progress progress = {.phase = NULL};
    struct rt_verify job = {
        .prod = &w->prod, .twin = &w->twin, .workers = 2, .progress = &progress};
    struct run run = {0};

    cluster_exec(&prod_server, "shop", world_schema);
    expect_followed(w, "rebuild");
    assert_int_equal(rt_verify(&job, &w->arena, &w->err), 0);
    assert_int_equal(job.differing, 0);
    cluster_exec(&prod_server, "shop", "alter table orders add more text");
    command(&run, 7, w, w->prod.conninfo.text, "/", "diff");
    assert_contains(run.out, "more text");
    run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        evil_test(test_resync),
        evil_test(test_undo_and_status),
        evil_test(test_holders_are_named),
        evil_test(test_verify_and_diff),
    };

    return cmocka_run_group_tests_name("search path", tests, start_servers,
                                       world_stop_servers);
}
