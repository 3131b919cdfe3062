/* Promise 5: the twin is equal to production, whatever that has, and says what it is. */
#include "twin/mark.h"
#include "world.h"

/* ------------------------------------------------------------------ the copy */

static void test_twin_becomes_equal_to_production(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", world_schema);
    cluster_exec(&twin_server, "dev",
                 "create table users (mine int); create view v as select * from users");
    world_adopt(w);
    world_expect_equal();
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
    world_expect(w, 0);
    world_expect_equal();
}

static void test_next_resync_needs_no_adoption(void **state)
{
    struct world *w = *state;
    char *adopted, *sql;

    cluster_exec(&prod_server, "shop", world_schema);
    world_adopt(w);
    adopted = cluster_query(&twin_server, "dev", "select adopted_at from revtwin.twin");
    cluster_exec(
        &prod_server, "shop",
        "drop view spent cascade; alter table users add flag text;"
        "update orders set note = 'x' where id < 10; delete from events;"
        "insert into revtwin.ledger values (3); drop schema \"Odd \"\"Name\" cascade");
    cluster_exec(&twin_server, "dev",
                 "delete from users; drop table orders cascade; create table mine ();"
                 "insert into revtwin.ledger values (3), (4), (5)");
    world_expect(w, 0);
    world_expect_equal();
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
    world_point(&w->twin, cluster_url(&twin_server, name, url));
    world_expect(w, 0);
    world_expect(w, 0);
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
    world_point(&w->twin, cluster_url(&twin_server, cut, url));
    world_expect(w, 0);
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
    world_adopt(w);
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
    world_adopt(w);
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

    cluster_exec(&prod_server, "shop", world_schema);
    cluster_exec(&prod_server, "shop",
                 "drop extension plpgsql cascade; create extension plpgsql;"
                 "comment on extension plpgsql is 'ours';"
                 "create publication everything for all tables;"
                 "create table later (); comment on table later is 'kept'");
    cluster_exec(&twin_server, "postgres",
                 "create role cloud login; alter database dev owner to cloud");
    url = check_printf("host=%s port=%d user=cloud dbname=dev", twin_server.dir,
                       twin_server.port);
    world_point(&w->twin, url);
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.hint, "ALTER ROLE cloud CREATEDB;");
    assert_contains(w->err.hint, "revtwin resync --in-place");
    cluster_exec(&twin_server, "postgres",
                 "alter role cloud createdb; alter database dev owner to postgres");
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.hint, "GRANT postgres TO cloud;");
    /* What the role may not carry over is no reason to fail. */
    cluster_exec(&twin_server, "postgres",
                 "alter database dev set log_statement = 'none';"
                 "alter database dev set work_mem = '9MB';"
                 "alter database dev owner to cloud");
    world_expect(w, 0);
    assert_query(&twin_server, "postgres",
                 "select setconfig from pg_db_role_setting join pg_database d "
                 "on d.oid = setdatabase where datname = 'dev'",
                 "{work_mem=9MB}");
    assert_query(&twin_server, "dev", "select obj_description('later'::regclass)",
                 "kept");
    assert_query(&twin_server, "dev", "select count(*) from users", "90");
    cluster_exec(&twin_server, "postgres",
                 "revoke connect on database postgres from public");
    world_expect(w, 0);
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
    world_point(&w->twin, url);
    w->options.swap_wait_seconds = 0;
    session = PQconnectdb(other);
    assert_int_equal(PQstatus(session), CONNECTION_OK);
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "user other");
    PQfinish(session);
    cluster_dropdb(&twin_server, "dev");
    cluster_exec(&twin_server, "postgres", "drop role cloud; drop role other");
    free(other);
    free(url);
}

static void test_extension(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create extension citext; create table n (n citext primary key);"
                 "insert into n values ('Ann'), ('BOB')");
    world_expect(w, 0);
    world_expect_equal();
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
    world_expect(w, 0);
    world_expect_equal();
    assert_query(&twin_server, "dev", "select what from ddl_log", "CREATE TABLE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_twin_becomes_equal_to_production),
        world_test(test_names_that_look_like_comments),
        world_test(test_next_resync_needs_no_adoption),
        world_test(test_empty_production_and_names_that_need_quotes),
        world_test(test_longest_database_name),
        world_test(test_mark_says_what_the_twin_is),
        world_test(test_database_settings_stay_those_of_the_twin),
        world_test(test_role_without_superuser_rights),
        world_test(test_session_of_another_plain_role),
        world_test(test_extension),
        world_test(test_event_triggers_do_not_see_the_resync),
    };

    return cmocka_run_group_tests_name("resync: equal", tests, world_start_servers,
                                       world_stop_servers);
}
