/* Promise 4: whenever a resync dies, the twin is the old one or the new one. And 8, 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/log.h"
#include "base/mem.h"
#include "check.h"
#include "cluster.h"
#include "relay.h"
#include "run.h"
#include "twin/guard.h"
#include "twin/mark.h"
#include "twin/resync.h"

#define PASSWORD "p@ss:w/o?r#d%\"\\ $x"
#define PASSWORD_ESCAPED "p%40ss%3Aw%2Fo%3Fr%23d%25%22%5C%20%24x"

static struct cluster prod_server = {.tcp = true, .password = PASSWORD};
static struct cluster twin_server = {.tcp = true, .password = PASSWORD};

/* ------------------------------------------------------------------ helpers */

/* What a resync needs and gives; every test has one. */
struct world {
    struct rt_server prod, twin;
    struct rt_resync_options options;
    struct rt_resync_result result;
    struct rt_arena arena;
    struct rt_err err;
};

static void point(struct rt_server *server, const char *conninfo)
{
    rt_secret_set(&server->conninfo, conninfo);
}

static int make_world(void **state)
{
    struct world *w = rt_alloc(sizeof(*w));
    char url[CLUSTER_URL_SIZE];

    w->prod = (struct rt_server){.role = "production", .source = "PROD_DATABASE_URL"};
    w->twin = (struct rt_server){.role = "the twin", .source = "DEV_DATABASE_URL"};
    w->options.swap_wait_seconds = 10;
    cluster_createdb(&prod_server, "shop");
    cluster_createdb(&twin_server, "dev");
    cluster_exec(&prod_server, "shop", "create schema revtwin");
    point(&w->prod, cluster_url(&prod_server, "shop", url));
    point(&w->twin, cluster_url(&twin_server, "dev", url));
    *state = w;
    return 0;
}

static int drop_world(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "postgres", "drop database shop with (force)");
    cluster_exec(&twin_server, "postgres", "drop database if exists dev with (force)");
    rt_secret_clear(&w->prod.conninfo);
    rt_secret_clear(&w->twin.conninfo);
    rt_arena_clear(&w->arena);
    rt_err_clear(&w->err);
    free(w);
    return 0;
}

static int run(struct world *w)
{
    rt_err_clear(&w->err);
    return rt_resync(&w->result, &w->arena, &w->prod, &w->twin, &w->options, &w->err);
}

static void expect(struct world *w, int wanted)
{
    int rc = run(w);

    if (rc != wanted)
        check_fail("rt_resync: %d, expected %d: %s\n%s\n%s", rc, wanted,
                   w->err.message ? w->err.message : "",
                   w->err.detail ? w->err.detail : "", w->err.hint ? w->err.hint : "");
}

static void adopt(struct world *w)
{
    w->options.adopt = true;
    expect(w, 0);
    w->options.adopt = false;
}

/* What the twin's server knows about its databases: a twin that is as it was has the same
 * OID, and nothing is left beside it. */
static char *databases(void)
{
    return cluster_query(&twin_server, "postgres",
                         "select datname || ' ' || oid from pg_database order by 1");
}

static char *dump(const struct cluster *c, const char *db)
{
    return cluster_dump(c, db, "--no-owner", "--no-acl", "--no-publications",
                        "--exclude-table=revtwin.twin", NULL);
}

static void expect_equal(void)
{
    char *prod = dump(&prod_server, "shop"), *twin = dump(&twin_server, "dev");

    assert_text_equal(twin, prod);
    free(prod);
    free(twin);
}

/* ------------------------------------------------------------------ the copy */

static const char *const schema =
    "create schema if not exists revtwin;"
    "create table revtwin.ledger (seq bigint primary key);"
    "insert into revtwin.ledger values (1), (2);"
    "create schema \"Odd \"\"Name\";"
    "create type public.mood as enum ('sad', 'ok');"
    "create domain public.email as text check (value like '%@%');"
    "create function public.twice(n int) returns int language sql immutable"
    "    as 'select n * 2';"
    "create table public.users (id int generated always as identity primary key,"
    "    name text not null unique, mail public.email, mood public.mood default 'ok',"
    "    double int generated always as (public.twice(3)) stored);"
    "comment on table public.users is 'who buys';"
    "comment on column public.users.mail is 'it''s \"where\" to';"
    "create table public.orders (id serial primary key,"
    "    user_id int not null references public.users on delete cascade,"
    "    at timestamptz, note text) ;"
    "create index on public.orders (user_id) where note is null;"
    "create table \"Odd \"\"Name\".\"T t\" (\"a b\" bytea, j jsonb, n numeric, a text[]);"
    "create table public.events (at date not null, what text) partition by range (at);"
    "create table public.events_1 partition of public.events"
    "    for values from ('2025-01-01') to ('2025-07-01');"
    "create table public.events_rest partition of public.events default;"
    "create sequence public.tickets start 5 increment 3;"
    "create function public.stamp() returns trigger language plpgsql as"
    "    'begin new.at := coalesce(new.at, ''2025-03-03''); return new; end';"
    "create trigger stamp before insert on public.orders"
    "    for each row execute function public.stamp();"
    "insert into public.users (name, mail) select 'u' || n, n || '@x' from"
    "    generate_series(1, 100) n;"
    "delete from public.users where id > 90;"
    "insert into public.orders (user_id, note) select 1 + n % 80, case when n % 3 = 0"
    "    then E'tab\\t\\\\ \\n' end from generate_series(1, 500) n;"
    "insert into \"Odd \"\"Name\".\"T t\" values ('\\x00ff', '{\"a\": 1.10}', 'NaN',"
    "    '{x,NULL,\"y \\\"\"}');"
    "insert into public.events values ('2025-02-02', 'a'), ('2026-01-01', 'b');"
    "select nextval('public.tickets'), nextval('public.tickets');"
    "create view public.spent as select user_id, count(*) from public.orders group by 1;"
    "create materialized view public.spent_m as select * from public.spent;"
    "create unique index on public.spent_m (user_id);"
    "alter table public.users enable row level security;"
    "create policy own on public.users using (name = current_user);"
    "grant select on public.users to public;"
    "create publication p for table public.users;"
    "select lo_from_bytea(4711, '\\x616263'); comment on large object 4711 is 'big';";

static void test_twin_becomes_equal_to_production(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", schema);
    cluster_exec(&twin_server, "dev",
                 "create table users (mine int); create view v as select * from users");
    adopt(w);
    expect_equal();
    assert_string_equal(w->result.method, "rebuild");
    assert_int_equal(w->result.tables, 6);
    assert_true(w->result.size > 1000000);
    assert_true(w->result.seconds > 0);
    assert_query(&twin_server, "dev", "select to_regclass('v') is null", "t");
    assert_query(
        &twin_server, "dev",
        "select nextval('public.tickets') || ' ' || nextval('public.orders_id_seq')",
        "11 501");
    assert_query(
        &twin_server, "dev",
        "select count(*) from pg_stat_user_tables where last_analyze is not null "
        "and relname in ('users', 'orders', 'events_1')",
        "3");
    assert_query(&twin_server, "dev", "select count(*) from pg_publication", "0");
    /* ANALYZE holds no table longer than it reads it. */
    assert_query(&twin_server, "dev",
                 "select count(distinct xmin::text) from pg_statistic "
                 "where starelid in ('users'::regclass, 'orders'::regclass)",
                 "2");
}

static void test_names_that_look_like_comments(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table \"a COMMENT b\" ();"
                 "create table \"a COMMENT - EXTENSION b\" ();"
                 "comment on table \"a COMMENT - EXTENSION b\" is 'kept'");
    expect(w, 0);
    expect_equal();
}

static void test_next_resync_needs_no_adoption(void **state)
{
    struct world *w = *state;
    char *adopted, *sql;

    cluster_exec(&prod_server, "shop", schema);
    adopt(w);
    adopted = cluster_query(&twin_server, "dev", "select adopted_at from revtwin.twin");
    cluster_exec(
        &prod_server, "shop",
        "drop view spent cascade; alter table users add flag text;"
        "update orders set note = 'x' where id < 10; delete from events;"
        "insert into revtwin.ledger values (3); drop schema \"Odd \"\"Name\" cascade");
    cluster_exec(&twin_server, "dev",
                 "delete from users; drop table orders cascade; create table mine ();"
                 "insert into revtwin.ledger values (3), (4), (5)");
    expect(w, 0);
    expect_equal();
    sql = check_printf("select adopted_at = date_trunc('second', timestamptz '%s') and "
                       "resynced_at > adopted_at "
                       "from revtwin.twin",
                       adopted);
    assert_query(&twin_server, "dev", sql, "t");
    free(sql);
    free(adopted);
}

static void test_empty_production_and_names_that_need_quotes(void **state)
{
    static const char *const name = "d'e\"v \\ \xc3\xa4 =x";
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];

    cluster_createdb(&twin_server, name);
    point(&w->twin, cluster_url(&twin_server, name, url));
    expect(w, 0);
    expect(w, 0);
    assert_query(&twin_server, name, "select count(*) from revtwin.twin", "1");
    cluster_dropdb(&twin_server, name);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like '%revtwin%'", "0");
}

static void test_longest_database_name(void **state)
{
    static const char *const name =
        "a23456789b23456789c23456789d23456789e23456789f23456789g2345678\xc3\xa4";
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];
    char *cut = rt_strndup(name, 62);

    cluster_createdb(&twin_server, cut);
    point(&w->twin, cluster_url(&twin_server, cut, url));
    expect(w, 0);
    assert_query(&twin_server, cut, "select count(*) from revtwin.twin", "1");
    cluster_dropdb(&twin_server, cut);
    free(cut);
}

static void test_mark_says_what_the_twin_is(void **state)
{
    struct world *w = *state;
    struct rt_twin_mark mark;
    struct rt_conn *conn;
    char *lsn_is_before;

    cluster_exec(&prod_server, "shop", "create table t ()");
    assert_int_equal(rt_conn_open(&conn, &w->twin, RT_READ_ONLY, &w->err), 0);
    assert_int_equal(rt_mark_read(&mark, &w->arena, conn, &w->err), 0);
    assert_false(mark.present);
    rt_conn_close(conn);
    adopt(w);
    assert_int_equal(rt_conn_open(&conn, &w->twin, RT_READ_ONLY, &w->err), 0);
    assert_int_equal(rt_mark_read(&mark, &w->arena, conn, &w->err), 0);
    rt_conn_close(conn);
    assert_true(mark.present);
    assert_string_equal(mark.method, "rebuild");
    assert_string_equal(mark.version, RT_VERSION);
    assert_string_equal(mark.source, w->result.source);
    assert_contains(mark.source, "shop on ");
    assert_string_equal(mark.snapshot_at, w->result.snapshot_at);
    assert_int_equal(strlen(mark.snapshot_at), strlen("2025-01-31T12:00:00Z"));
    assert_in_range(mark.age, 0, 60);
    lsn_is_before = check_printf("select '%s'::pg_lsn <= pg_current_wal_lsn()", mark.lsn);
    assert_query(&prod_server, "shop", lsn_is_before, "t");
    free(lsn_is_before);
}

static void test_database_settings_stay_those_of_the_twin(void **state)
{
    static const char *const facts =
        "select string_agg(x, E'\\n' order by x) from ("
        "  select coalesce(setrole::regrole::text, '') || ' ' || unnest(setconfig) as x"
        "  from pg_db_role_setting s join pg_database d on d.oid = setdatabase"
        "  where datname = 'dev' union all"
        "  select concat_ws(' ', r.rolname, datconnlimit, encoding, datcollate, datctype,"
        "     datlocprovider, to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> "
        "'datlocale',"
        "     datacl::text, shobj_description(d.oid,"
        "     'pg_database')) from pg_database d join pg_roles r on r.oid = datdba"
        "  where datname = 'dev') _";
    struct world *w = *state;
    char *before, *after;

    cluster_exec(&twin_server, "postgres",
                 "create role \"Dev Team\"; create role reader");
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres",
                 "create database dev template template0 encoding 'UTF8'"
                 " locale_provider icu icu_locale 'de' lc_collate 'C' lc_ctype 'C.UTF-8'"
                 " owner \"Dev Team\"");
    cluster_exec(&twin_server, "postgres",
                 "alter database dev set search_path to \"$user\", public, \"Odd \"\"x\";"
                 "alter database dev set work_mem = '9MB';"
                 "alter database dev set app.tenant = E'it''s \\\\ =a';"
                 "alter role reader in database dev set search_path to '';"
                 "alter role reader in database dev set statement_timeout = '5s';"
                 "alter database dev connection limit 7;"
                 "revoke all on database dev from public;"
                 "grant connect on database dev to reader with grant option;"
                 "grant temp on database dev to public;"
                 "comment on database dev is 'the team''s';");
    cluster_exec(&prod_server, "shop", "create table t ()");
    before = cluster_query(&twin_server, "postgres", facts);
    assert_contains(before, "Odd \"\"x");
    adopt(w);
    after = cluster_query(&twin_server, "postgres", facts);
    assert_text_equal(after, before);
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role \"Dev Team\"; drop role reader");
    free(before);
    free(after);
}

/* A role as a cloud gives it: not a superuser, and not the owner of its extensions. */
static void test_role_without_superuser_rights(void **state)
{
    struct world *w = *state;
    char *url;

    cluster_exec(&prod_server, "shop", schema);
    cluster_exec(&prod_server, "shop",
                 "drop extension plpgsql cascade; create extension plpgsql;"
                 "comment on extension plpgsql is 'ours';"
                 "create publication everything for all tables;"
                 "create table later (); comment on table later is 'kept'");
    cluster_exec(&twin_server, "postgres",
                 "create role cloud login; alter database dev owner to cloud");
    url = check_printf("host=%s port=%d user=cloud dbname=dev", twin_server.dir,
                       twin_server.port);
    point(&w->twin, url);
    expect(w, -RT_EINTERNAL);
    assert_contains(w->err.hint, "ALTER ROLE cloud CREATEDB;");
    cluster_exec(&twin_server, "postgres",
                 "alter role cloud createdb; alter database dev owner to postgres");
    expect(w, -RT_EINTERNAL);
    assert_contains(w->err.hint, "GRANT postgres TO cloud;");
    /* What the role may not carry over is no reason to fail. */
    cluster_exec(&twin_server, "postgres",
                 "alter database dev set log_statement = 'none';"
                 "alter database dev set work_mem = '9MB';"
                 "alter database dev owner to cloud");
    expect(w, 0);
    assert_query(&twin_server, "postgres",
                 "select setconfig from pg_db_role_setting join pg_database d "
                 "on d.oid = setdatabase where datname = 'dev'",
                 "{work_mem=9MB}");
    assert_query(&twin_server, "dev", "select obj_description('later'::regclass)",
                 "kept");
    assert_query(&twin_server, "dev", "select count(*) from users", "90");
    cluster_exec(&twin_server, "postgres",
                 "revoke connect on database postgres from public");
    expect(w, 0);
    cluster_exec(&twin_server, "postgres",
                 "grant connect on database postgres to public");
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role cloud");
    free(url);
}

/* Of other users' sessions the server shows little to a role like that. */
static void test_session_of_another_plain_role(void **state)
{
    struct world *w = *state;
    char *url = check_printf("host=%s port=%d user=cloud dbname=dev", twin_server.dir,
                             twin_server.port);
    char *other = check_printf("host=%s port=%d user=other dbname=dev", twin_server.dir,
                               twin_server.port);
    PGconn *session;

    cluster_exec(&twin_server, "postgres",
                 "create role cloud login createdb; create role other login;"
                 "alter database dev owner to cloud");
    point(&w->twin, url);
    w->options.swap_wait_seconds = 0;
    session = PQconnectdb(other);
    assert_int_equal(PQstatus(session), CONNECTION_OK);
    expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "user other");
    PQfinish(session);
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role cloud; drop role other");
    free(other);
    free(url);
}

static bool is_available(const char *extension)
{
    char *sql = check_printf("select exists (select from pg_available_extensions "
                             "where name = '%s')",
                             extension);
    char *answer = cluster_query(&prod_server, "shop", sql);
    bool available = strcmp(answer, "t") == 0;

    free(answer);
    free(sql);
    return available;
}

static void test_extension(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 is_available("citext")
                     ? "create extension citext; create table n (n citext primary key);"
                       "insert into n values ('Ann'), ('BOB')"
                     : "drop extension plpgsql; create extension plpgsql");
    expect(w, 0);
    expect_equal();
}

static void test_event_triggers_do_not_see_the_resync(void **state)
{
    struct world *w = *state;

    cluster_exec(
        &prod_server, "shop",
        "create table ddl_log (what text);"
        "create function public.log_ddl() returns event_trigger language plpgsql as"
        "  'begin insert into public.ddl_log values (tg_tag); end';"
        "create function public.refuse() returns event_trigger language plpgsql as"
        "  'begin raise ''no more DDL''; end';"
        "create table t (); comment on table t is 'kept';"
        "create event trigger log on ddl_command_end"
        "    execute function public.log_ddl();"
        "create event trigger off on ddl_command_end"
        "    execute function public.refuse();"
        "alter event trigger off disable;"
        "create table u ();"
        "create event trigger \"Refuse\" on ddl_command_start"
        "    execute function public.refuse();"
        "alter event trigger \"Refuse\" enable always;");
    expect(w, 0);
    expect_equal();
    assert_query(&twin_server, "dev", "select what from ddl_log", "CREATE TABLE");
}

/* ------------------------------------------------------------------ guards */

static void test_same_database_is_refused(void **state)
{
    struct world *w = *state;
    char *other = check_printf("host=%s port=%d user=postgres dbname=shop",
                               prod_server.dir, prod_server.port);

    point(&w->twin, other);
    w->options.adopt = true;
    expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "the same database");
    assert_contains(w->err.message, "PROD_DATABASE_URL");
    assert_contains(w->err.message, "DEV_DATABASE_URL");
    assert_query(&prod_server, "postgres",
                 "select count(*) from pg_locks where locktype = 'advisory'", "0");
    free(other);
}

static void test_two_databases_of_one_server_are_fine(void **state)
{
    struct world *w = *state;
    char url[CLUSTER_URL_SIZE];

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    cluster_createdb(&prod_server, "dev");
    point(&w->twin, cluster_url(&prod_server, "dev", url));
    expect(w, 0);
    assert_query(&prod_server, "dev", "select a from t", "1");
    cluster_dropdb(&prod_server, "dev");
}

static void test_swapped_servers_are_refused(void **state)
{
    struct world *w = *state;
    struct rt_server prod = w->prod;

    cluster_exec(&prod_server, "shop", schema);
    cluster_exec(&twin_server, "dev",
                 "create schema revtwin; create table revtwin.ledger (seq bigint);"
                 "insert into revtwin.ledger values (1), (2), (3)");
    w->options.adopt = true;
    expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "seem to be swapped");
    assert_contains(w->err.detail, "DEV_DATABASE_URL has 3 migrations");
    cluster_exec(&twin_server, "dev", "delete from revtwin.ledger where seq = 3");
    expect(w, 0);

    w->prod.conninfo = w->twin.conninfo;
    w->twin.conninfo = prod.conninfo;
    expect(w, -RT_EREFUSED);
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
        before = databases();
        expect(w, -RT_EREFUSED);
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
    if (is_available("hstore"))
        cluster_exec(&twin_server, "dev", "create extension hstore");
    expect(w, 0);
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

    point(&w->twin, pooled);
    expect(w, -RT_EUSAGE);
    assert_contains(w->err.message, "ep-a-1-pooler.eu.example");
    assert_contains(w->err.message, "DEV_DATABASE_URL");
    assert_contains(w->err.hint, "ep-a-1.eu.example");
    point(&w->prod, pooled);
    point(&w->twin, cluster_url(&twin_server, "dev", url));
    expect(w, -RT_EUSAGE);
    assert_contains(w->err.message, "PROD_DATABASE_URL");
    free(pooled);
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
    expect(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "are not in /tmp/revtwin-test");
    write_program(dir, "pg_dump", "9.6.1");
    write_program(dir, "pg_restore", "9.6.1");
    expect(w, -RT_EINTERNAL);
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
    expect(w, 0);
    unsetenv("PROD_DATABASE_URL");
    unsetenv("REVTWIN_SIGNING_KEY");
    cluster_exec(&prod_server, "shop",
                 "alter role postgres reset idle_in_transaction_session_timeout");
    expect_equal();
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

/* ------------------------------------------------------------------ leftovers */

static void test_leftovers_of_a_killed_run_are_dropped(void **state)
{
    struct world *w = *state;
    PGconn *late;

    cluster_createdb(&twin_server, "dev_revtwin_next");
    cluster_exec(&twin_server, "dev_revtwin_next", "create table half ()");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_next is 'revtwin: being built'");
    cluster_createdb(&twin_server, "dev_revtwin_previous");
    cluster_exec(&twin_server, "postgres",
                 "comment on database dev_revtwin_previous is 'revtwin: replaced'");
    late =
        cluster_connect(&twin_server, "dev_revtwin_next"); /* of the killed pg_restore */
    expect(w, 0);
    PQfinish(late);
    cluster_createdb(&twin_server, "dev_revtwin_next"); /* killed before the comment */
    expect(w, 0);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

static void test_foreign_database_in_the_way_is_refused(void **state)
{
    static const char *const names[] = {"dev_revtwin_next", "dev_revtwin_previous"};
    struct world *w = *state;

    for (size_t i = 0; i < RT_COUNT(names); i++) {
        cluster_createdb(&twin_server, names[i]);
        cluster_exec(&twin_server, names[i], "create table precious ()");
        expect(w, -RT_EREFUSED);
        assert_contains(w->err.message, names[i]);
        assert_query(&twin_server, names[i], "select to_regclass('precious')",
                     "precious");
        cluster_dropdb(&twin_server, names[i]);
    }
}

/* ------------------------------------------------------------------ failures */

/* Run something that fails; the twin must be as it was, byte for byte. */
static void expect_untouched(struct world *w, int wanted)
{
    char *names = databases(), *contents = cluster_dump(&twin_server, "dev", NULL);
    char *names_after, *contents_after;

    expect(w, wanted);
    assert_contains(w->err.message, "the twin is as it was");
    names_after = databases();
    contents_after = cluster_dump(&twin_server, "dev", NULL);
    assert_text_equal(names_after, names);
    assert_text_equal(contents_after, contents);
    free(names);
    free(contents);
    free(names_after);
    free(contents_after);
}

static void test_failed_restore_leaves_the_twin(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", schema);
    adopt(w);
    cluster_exec(&twin_server, "dev",
                 "create table mine (a int); insert into mine values (1)");
    cluster_exec(
        &prod_server, "shop",
        "create role auditor; create policy audit on users to auditor using (true)");
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "role \"auditor\" does not exist");
    assert_contains(w->err.message, "pg_restore");
    assert_contains(w->err.detail, "CREATE POLICY");
    cluster_exec(&prod_server, "shop", "drop owned by auditor; drop role auditor");
}

static void test_unreadable_production_leaves_the_twin(void **state)
{
    struct world *w = *state;
    char *url = check_printf("host=%s port=%d user=limited dbname=shop", prod_server.dir,
                             prod_server.port);

    cluster_exec(&prod_server, "shop", schema);
    adopt(w);
    cluster_exec(&prod_server, "shop",
                 "create role limited login; grant usage on schema revtwin to limited");
    point(&w->prod, url);
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "cannot read production: pg_dump: ");
    assert_contains(w->err.message, "permission denied");
    cluster_exec(&prod_server, "shop", "drop owned by limited; drop role limited");
    free(url);
}

static void test_open_session_on_the_twin(void **state)
{
    struct world *w = *state;
    PGconn *session;
    pid_t closer;
    char *pid;
    int status;

    cluster_exec(&prod_server, "shop", schema);
    adopt(w);
    w->options.swap_wait_seconds = 0;
    session = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(session, "set application_name = 'a psql'"));
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "after 0 s");
    pid = check_printf("pid %d, user postgres, application a psql, since 2",
                       PQbackendPID(session));
    assert_contains(w->err.detail, pid);
    assert_contains(w->err.hint, "pg_terminate_backend");
    free(pid);

    /* It ends while the swap waits for it. */
    w->options.swap_wait_seconds = 20;
    closer = fork();
    if (closer == 0) {
        cluster_wait(
            &twin_server, "postgres",
            "select exists (select from pg_database where datname like '%next')");
        sleep(2);
        cluster_exec(&twin_server, "postgres",
                     "select pg_terminate_backend(pid) from pg_stat_activity "
                     "where application_name = 'a psql'");
        _exit(0);
    }
    expect(w, 0);
    waitpid(closer, &status, 0);
    PQfinish(session);
    expect_equal();
}

/* ------------------------------------------------------------------ ended runs */

/* Makes a restore wait where it is busiest: in an index over the function. */
static const char *const slow =
    "create function public.slow(n int) returns int language plpgsql immutable as $$"
    "begin if current_database() like '%revtwin_next' then perform pg_sleep(60); end if;"
    "return n; end $$; create table public.s (a int); insert into public.s values (1);"
    "create index on public.s (public.slow(a));";

/* Start a resync in a process of its own, up to the slow index. */
static pid_t start_slow(struct world *w)
{
    pid_t pid = fork();

    if (pid == 0) {
        rt_cancel_install();
        _exit(-run(w));
    }
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where datname = "
                 "'dev_revtwin_next' and wait_event = 'PgSleep')");
    return pid;
}

static int end_slow(pid_t pid, int sig)
{
    int status;

    kill(pid, sig);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_signals_leave_the_twin(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct world *w = *state;
    char *names, *contents, *names_after, *contents_after;

    cluster_exec(&twin_server, "dev", schema);
    cluster_exec(&prod_server, "shop", slow);
    cluster_exec(&prod_server, "shop",
                 "create table revtwin.ledger (seq bigint);"
                 "insert into revtwin.ledger values (1), (2)");
    w->options.adopt = true;
    names = databases();
    contents = cluster_dump(&twin_server, "dev", NULL);
    for (size_t i = 0; i < RT_COUNT(signals); i++) {
        time_t start = time(NULL);

        assert_int_equal(end_slow(start_slow(w), signals[i]),
                         signals[i] == SIGINT ? RT_EINT : RT_ETERM);
        assert_in_range(time(NULL) - start, 0, 20);
        names_after = databases();
        contents_after = cluster_dump(&twin_server, "dev", NULL);
        assert_text_equal(names_after, names);
        assert_text_equal(contents_after, contents);
        free(names_after);
        free(contents_after);
    }
    free(names);
    free(contents);
}

static void test_killed_run_is_cleaned_up_by_the_next(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", slow);
    assert_int_equal(end_slow(start_slow(w), SIGKILL), -SIGKILL);
    assert_query(&twin_server, "dev", "select to_regclass('public.s') is null", "t");
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname = 'dev_revtwin_next'",
                 "1");
    cluster_exec(&prod_server, "shop",
                 "create or replace function public.slow(n int) returns int language sql "
                 "immutable as 'select n'");
    expect(w, 0);
    expect_equal();
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

static void test_two_resyncs_at_once(void **state)
{
    struct world *w = *state;
    pid_t first;

    cluster_exec(&prod_server, "shop", slow);
    first = start_slow(w);
    expect(w, -RT_ELOCKED);
    assert_contains(w->err.message, "another resync of database dev");
    assert_contains(w->err.detail, "application revtwin, client local, since 2");
    assert_int_equal(end_slow(first, SIGTERM), RT_ETERM);
    assert_query(&twin_server, "postgres",
                 "select count(*) from pg_database where datname like 'dev%'", "1");
}

static void test_signal_while_waiting_for_a_session(void **state)
{
    struct world *w = *state;
    PGconn *session = cluster_connect(&twin_server, "dev");
    char *before = databases(), *after;
    pid_t pid = fork();

    if (pid == 0) {
        rt_cancel_install();
        w->options.swap_wait_seconds = 60;
        _exit(-run(w));
    }
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where application_name = "
                 "'revtwin' and query like '%usename%')");
    assert_int_equal(end_slow(pid, SIGTERM), RT_ETERM);
    after = databases();
    assert_text_equal(after, before);
    PQfinish(session);
    free(before);
    free(after);
}

/* ------------------------------------------------------------------ meanwhile */

/* Let a restore wait at its index until the gate is opened. */
static pid_t start_gated(struct world *w, PGconn **gate)
{
    cluster_exec(&prod_server, "shop",
                 "create function public.wait(n int) returns int language plpgsql "
                 "immutable as $$ begin if current_database() like '%revtwin_next' then "
                 "while exists (select from pg_stat_activity where application_name = "
                 "'gate') loop perform pg_stat_clear_snapshot(), pg_sleep(0.1); end loop;"
                 "end if; return n; end $$;"
                 "create table public.s (a int); insert into public.s values (1);"
                 "comment on table public.s is 'kept';"
                 "create index on public.s (public.wait(a));");
    *gate = cluster_connect(&twin_server, "postgres");
    PQclear(PQexec(*gate, "set application_name = 'gate'"));
    return start_slow(w);
}

static int open_gate(pid_t pid, PGconn *gate)
{
    PQfinish(gate);
    return end_slow(pid, 0);
}

static void test_production_is_free_once_it_is_read(void **state)
{
    struct world *w = *state;
    PGconn *gate;
    pid_t pid = start_gated(w, &gate);

    cluster_wait(&prod_server, "postgres",
                 "select not exists (select from pg_stat_activity "
                 "where datname = 'shop' and xact_start is not null)");
    cluster_exec(&prod_server, "shop", "drop table s");
    assert_int_equal(open_gate(pid, gate), RT_DONE);
    assert_query(&twin_server, "dev", "select obj_description('s'::regclass)", "kept");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_index where indrelid = 's'::regclass", "1");
}

static void test_contents_that_came_meanwhile_are_kept(void **state)
{
    struct world *w = *state;
    PGconn *gate;
    pid_t pid = start_gated(w, &gate);

    cluster_exec(&twin_server, "dev", "create table precious ()");
    assert_int_equal(open_gate(pid, gate), RT_EREFUSED);
    assert_query(&twin_server, "dev", "select to_regclass('precious')", "precious");
}

static void test_database_that_came_meanwhile_is_kept(void **state)
{
    struct world *w = *state;
    char *before, *after;
    PGconn *gate;
    pid_t pid;

    w->options.adopt = true;
    pid = start_gated(w, &gate);
    cluster_dropdb(&twin_server, "dev");
    cluster_createdb(&twin_server, "dev");
    cluster_exec(&twin_server, "dev", "create table precious ()");
    before = cluster_query(&twin_server, "postgres",
                           "select oid from pg_database where datname = 'dev'");
    assert_int_equal(open_gate(pid, gate), RT_EREFUSED);
    after = cluster_query(&twin_server, "postgres",
                          "select oid from pg_database where datname like 'dev%'");
    assert_text_equal(after, before);
    assert_query(&twin_server, "dev", "select to_regclass('precious')", "precious");
    free(before);
    free(after);
}

static void test_lost_lock_leaves_the_twin(void **state)
{
    struct world *w = *state;
    char *before = databases(), *after;
    pid_t pid;

    cluster_exec(&prod_server, "shop", slow);
    pid = start_slow(w);
    cluster_exec(
        &twin_server, "postgres",
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
    cluster_exec(&twin_server, "postgres",
                 "select pg_cancel_backend(pid) from pg_stat_activity "
                 "where wait_event = 'PgSleep'");
    assert_int_equal(end_slow(pid, 0), RT_EINTERNAL);
    after = databases();
    assert_text_equal(after, before);
    free(before);
    free(after);
}

/* The reply to the COMMIT of the swap never arrives; the second host still does. */
static void test_lost_connection_during_the_swap(void **state)
{
    struct world *w = *state;
    struct relay relay;
    char *old = cluster_query(&twin_server, "postgres",
                              "select oid from pg_database where datname = 'dev'");
    char *swapped =
        check_printf("select oid <> %s from pg_database where datname = 'dev'", old);
    char *url;
    pid_t pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    relay_start(&relay, twin_server.dir, twin_server.port, 50);
    url = check_printf(
        "host=127.0.0.1,%s port=%d,%d user=postgres dbname=dev sslmode=disable",
        twin_server.dir, relay.port, twin_server.port);
    point(&w->twin, url);
    pid = fork();
    if (pid == 0)
        _exit(-run(w));
    cluster_wait(&twin_server, "postgres", swapped);
    relay_stop(&relay);
    assert_int_equal(end_slow(pid, 0), RT_DONE);
    expect_equal();
    free(url);
    free(swapped);
    free(old);
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

    cluster_exec(&prod_server, "shop", schema);
    point(&w->prod, prod);
    point(&w->twin, twin);
    watcher = watch_processes(seen, SIZE);
    adopt(w);
    kill(watcher, SIGKILL);
    waitpid(watcher, NULL, 0);
    expect_equal();
    assert_contains(seen, "pg_dump");
    assert_contains(seen, "pg_restore");
    assert_lacks(seen, "p@ss");
    assert_lacks(seen, "p%40ss");

    cluster_exec(&prod_server, "shop",
                 "create role auditor; create policy audit on users to auditor using "
                 "(name = $s$" PASSWORD "$s$)");
    expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "****");
    assert_lacks(w->err.detail, PASSWORD);
    cluster_exec(&prod_server, "shop", "drop owned by auditor; drop role auditor");
    munmap(seen, SIZE);
    free(prod);
    free(twin);
}

/* ------------------------------------------------------------------ main */

static int start_servers(void **state)
{
    (void)state;
    rt_log_level(RT_QUIET);
    cluster_start(&prod_server, NULL);
    cluster_start(&twin_server, NULL);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    cluster_stop(&prod_server);
    cluster_stop(&twin_server);
    return 0;
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(test_twin_becomes_equal_to_production),
        WITH_WORLD(test_names_that_look_like_comments),
        WITH_WORLD(test_next_resync_needs_no_adoption),
        WITH_WORLD(test_empty_production_and_names_that_need_quotes),
        WITH_WORLD(test_longest_database_name),
        WITH_WORLD(test_mark_says_what_the_twin_is),
        WITH_WORLD(test_database_settings_stay_those_of_the_twin),
        WITH_WORLD(test_role_without_superuser_rights),
        WITH_WORLD(test_session_of_another_plain_role),
        WITH_WORLD(test_extension),
        WITH_WORLD(test_event_triggers_do_not_see_the_resync),
        WITH_WORLD(test_same_database_is_refused),
        WITH_WORLD(test_two_databases_of_one_server_are_fine),
        WITH_WORLD(test_swapped_servers_are_refused),
        WITH_WORLD(test_contents_need_adoption),
        WITH_WORLD(test_pooled_host_is_refused),
        WITH_WORLD(test_programs_of_the_wrong_version),
        WITH_WORLD(test_production_may_end_idle_transactions),
        WITH_WORLD(test_leftovers_of_a_killed_run_are_dropped),
        WITH_WORLD(test_foreign_database_in_the_way_is_refused),
        WITH_WORLD(test_failed_restore_leaves_the_twin),
        WITH_WORLD(test_unreadable_production_leaves_the_twin),
        WITH_WORLD(test_open_session_on_the_twin),
        WITH_WORLD(test_signals_leave_the_twin),
        WITH_WORLD(test_killed_run_is_cleaned_up_by_the_next),
        WITH_WORLD(test_two_resyncs_at_once),
        WITH_WORLD(test_signal_while_waiting_for_a_session),
        WITH_WORLD(test_production_is_free_once_it_is_read),
        WITH_WORLD(test_contents_that_came_meanwhile_are_kept),
        WITH_WORLD(test_database_that_came_meanwhile_is_kept),
        WITH_WORLD(test_lost_lock_leaves_the_twin),
        WITH_WORLD(test_lost_connection_during_the_swap),
        WITH_WORLD(test_passwords_are_seen_nowhere),
    };

    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
