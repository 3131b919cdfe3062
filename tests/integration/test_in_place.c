/* A rebuild in place: where databases cannot be created, one transaction on the twin. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "relay.h"
#include "twin/mark.h"
#include "world.h"

static int open_in_place(void **state)
{
    struct world *w;

    world_open(state);
    w = *state;
    w->options.in_place = true;
    return 0;
}

#define in_place_test(test) \
    cmocka_unit_test_setup_teardown(test, open_in_place, world_close)

/* A role as a cloud gives it: it owns the twin's database, and may do nothing else. */
static void use_keeper(struct world *w)
{
    char *twin = check_printf("host=%s port=%d user=keeper dbname=dev", twin_server.dir,
                              twin_server.port);

    cluster_exec(&twin_server, "postgres",
                 "create role keeper login; alter database dev owner to keeper;"
                 "revoke connect on database postgres, template1 from public");
    world_point(&w->twin, twin);
    free(twin);
}

static void drop_keeper(void)
{
    cluster_exec(&twin_server, "postgres", "drop database dev with (force)");
    cluster_exec(&twin_server, "postgres",
                 "drop role keeper;"
                 "grant connect on database postgres, template1 to public");
}

static void exec_as_keeper(const char *sql)
{
    char *text = check_printf("set role keeper; %s", sql);

    cluster_exec(&twin_server, "dev", text);
    free(text);
}

static void expect_copied(struct world *w)
{
    world_expect(w, 0);
    assert_true(w->result.in_place);
    assert_string_equal(w->result.method, "rebuild");
    world_expect_equal();
}

/* Fail with this status; the twin must be as it was, byte for byte. */
static void expect_untouched(struct world *w, int wanted)
{
    char *before = cluster_dump(&twin_server, "dev", NULL), *after;

    world_expect(w, wanted);
    after = cluster_dump(&twin_server, "dev", NULL);
    assert_text_equal(after, before);
    free(before);
    free(after);
}

/* ------------------------------------------------------------------ the copy */

static void test_role_without_createdb(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", world_schema);
    use_keeper(w);
    exec_as_keeper("create schema mine; create type public.users as enum ('x');"
                   "create table public.orders (u public.users)");
    w->options.adopt = true;
    expect_copied(w);
    w->options.adopt = false;
    assert_int_equal(w->result.tables, 6);
    assert_true(w->result.size > 50000);
    assert_query(&twin_server, "dev",
                 "select nextval('public.tickets') || ' ' || nextval('orders_id_seq')",
                 "11 501");
    /* What developers have made goes, and so do views over what production lacks. */
    exec_as_keeper(
        "create table only_here (a int); insert into only_here values (1);"
        "create view over as select u.*, a from users u, only_here;"
        "create materialized view deep as select * from over;"
        "create function reads(only_here) returns int language sql as 'select 1';"
        "create schema scratch; create table scratch.t as select * from orders;"
        "create view scratch.v as select * from public.over;"
        "drop table events cascade; alter table users add mine int;"
        "delete from orders; comment on schema public is 'ours'");
    cluster_exec(&prod_server, "shop",
                 "alter table users add flag text default 'x';"
                 "insert into orders (user_id) values (1);");
    expect_copied(w);
    assert_query(
        &twin_server, "dev",
        "select string_agg(nspname, ' ' order by nspname) from pg_namespace where "
        "nspname !~ '^pg_'",
        "Odd \"Name information_schema public revtwin");
    assert_query(&twin_server, "dev",
                 "select string_agg(distinct tableowner, ' ') from pg_tables where "
                 "schemaname <> 'information_schema' and schemaname !~ '^pg_'",
                 "keeper");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_class where relname in ('users', 'orders',"
                 "    'events_1', 'spent_m', 'events') and (reltuples > 0 or relkind = "
                 "'p')",
                 "5");
    drop_keeper();
}

/* Of each kind that a database may have; neither side has anything of the other's. */
static const char *const every_kind =
    "create schema s; create schema \"S 'b\";"
    "create type mood as enum ('a', 'b'); create domain dd as mood check (value <> 'b');"
    "create type comp as (a mood, b int); create type rg as range (subtype = float8);"
    "create table s.t (id int generated always as identity primary key, m dd, c comp[]);"
    "create table public.p (id serial primary key, n text, g int generated always as "
    "    (1 + 1) stored, parent int references p deferrable initially deferred);"
    "create table kid (extra int) inherits (p);"
    "create table pt (a int, b text) partition by range (a);"
    "create table pt1 partition of pt for values from (1) to (9) partition by list (b);"
    "create table pt1x partition of pt1 for values in ('x');"
    "create index on pt (b); alter table pt add primary key (a, b);"
    "create table child (a int, b text, foreign key (a, b) references pt);"
    "create unlogged table u (a int); create table nothing ();"
    "create view v as select p.n, pt.b from p join pt on p.id = pt.a;"
    "create materialized view m as select v.* from v join p on p.n = v.n;"
    "create materialized view never as select v.* from v join p on p.n = v.n "
    "    with no data;"
    "create view \"S 'b\".vv as select m.* from m join p on p.n = m.n;"
    "create function f(mood) returns int language sql immutable as 'select 1';"
    "create function atomic() returns int language sql begin atomic select 1; select 2;"
    "    end;"
    "create procedure pp() language sql as 'select 1; -- it''s; $$';"
    "create aggregate agg(*) (sfunc = int8inc, stype = int8, initcond = '0');"
    "create function fo(mood, mood) returns bool language sql immutable as"
    "    'select true';"
    "create operator === (leftarg = mood, rightarg = mood, function = fo);"
    "create function fneg(mood) returns bool language sql immutable as 'select true';"
    "create operator !!! (rightarg = mood, function = fneg);"
    "create operator family ofam using btree;"
    "create function cmp(comp, comp) returns int language sql immutable as 'select 0';"
    "create function lt(comp, comp) returns bool language sql immutable as"
    "    'select false';"
    "create operator <<< (leftarg = comp, rightarg = comp, function = lt);"
    "create operator class opc for type comp using btree as operator 1 <<<,"
    "    function 1 cmp(comp, comp);"
    "create cast (mood as int) with function f(mood);"
    "create collation coll (locale = 'C');"
    "create text search dictionary tsd (template = simple);"
    "create text search configuration tsc (copy = simple);"
    "create conversion conv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;"
    "create statistics st on id, n from p;"
    "create foreign data wrapper fdw; create server srv foreign data wrapper fdw;"
    "create user mapping for public server srv; create foreign table ft (a int) server "
    "srv;"
    "create function loud() returns trigger language plpgsql as"
    "    'begin raise ''a trigger has fired''; end';"
    "insert into p (n) select 'n' || n from generate_series(1, 50) n;"
    "insert into kid (n, extra) values ('k', 1); insert into s.t (m, c) values ('a',"
    "    array[('a', 1)::comp]); insert into pt values (3, 'x'); insert into u values "
    "(1);"
    "insert into child values (3, 'x'); insert into nothing default values;"
    "set constraints all immediate; refresh materialized view m;"
    "create trigger loud before insert or delete or truncate on s.t execute function "
    "    loud();"
    "create trigger row after insert or delete on p for each row execute function "
    "loud();"
    "alter table p enable always trigger row;"
    "create rule r as on insert to u do instead nothing;"
    "alter table p enable row level security; alter table p force row level security;"
    "create policy pol on p using (false);"
    "create sequence sq start 7; select nextval('sq'); create sequence untouched;"
    "comment on type mood is 'm'; comment on schema s is 'c';"
    "comment on column p.n is 'col';"
    "create function et() returns event_trigger language plpgsql as"
    "    'begin raise ''no DDL here''; end';"
    "create event trigger ett on ddl_command_start execute function et();";

static void test_every_kind_of_object(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", every_kind);
    w->options.adopt = true;
    expect_copied(w);
    assert_query(&twin_server, "dev", "select count(*) from p", "51");
    /* Everything is there to be dropped, and under event triggers. */
    expect_copied(w);
    cluster_exec(&prod_server, "shop",
                 "drop event trigger ett; drop schema s, \"S 'b\" cascade;"
                 "drop foreign data wrapper fdw cascade;"
                 "do $$ declare owner regrole := (select nspowner from pg_namespace"
                 "    where nspname = 'public'); begin drop schema public cascade;"
                 "  create schema public; execute 'alter schema public owner to '"
                 "    || owner; comment on schema public is 'standard public schema';"
                 "end $$;"
                 "create table lonely (a int)");
    cluster_exec(&twin_server, "dev",
                 "alter event trigger ett disable; create publication p for all tables");
    expect_copied(w);
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_event_trigger, pg_publication", "0");
}

static void test_rows_that_violate_keys(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create table a (id int primary key); insert into a values (1);"
                 "create table b (a int references a); insert into b values (1);"
                 "create table pa (id int primary key) partition by range (id);"
                 "create table pa1 partition of pa for values from (0) to (9);"
                 "create table pb (a int references pa);"
                 "set session_replication_role = replica;"
                 "insert into b values (7); insert into pb values (7)");
    world_expect(w, 0);
    assert_query(&twin_server, "dev",
                 "select string_agg(conname || ' ' || convalidated, ' ' order by oid) "
                 "from pg_constraint where contype = 'f' and conparentid = 0",
                 "b_a_fkey false pb_a_fkey false");
    assert_query(&twin_server, "dev", "select string_agg(a::text, ' ') from b", "1 7");
    assert_query(&twin_server, "dev", "select count(*) from pb", "1");
}

static void test_ledger_and_receipts(void **state)
{
    struct world *w = *state;
    char *adopted;

    cluster_exec(&prod_server, "shop",
                 "create table revtwin.ledger (seq int); insert into revtwin.ledger "
                 "values (1), (2); create table t as select n from generate_series(1, "
                 "100) n");
    world_expect(w, 0);
    adopted = cluster_query(&twin_server, "dev",
                            "select date_trunc('second', adopted_at) from "
                            "revtwin.twin");
    cluster_exec(&twin_server, "dev", "insert into revtwin.ledger values (3)");
    expect_copied(w);
    assert_query(&twin_server, "dev", "select adopted_at from revtwin.twin", adopted);
    assert_query(&twin_server, "dev", "select count(*) from revtwin.twin", "1");
    assert_query(&twin_server, "dev",
                 "select string_agg(method || ' ' || verified || ' ' || rows_written, "
                 "', ') from revtwin.receipt",
                 "rebuild true 102, rebuild true 102");
    /* What the receipt says is enough to go on from, and to be told what to mend. */
    cluster_exec(&prod_server, "shop", "update t set n = n + 1000 where n < 4");
    cluster_exec(&twin_server, "dev", "delete from t where n = 50");
    w->options.method = RT_METHOD_AUTO;
    world_expect(w, 0);
    assert_false(w->result.in_place);
    assert_string_equal(w->result.method, "delta");
    assert_int_equal(w->result.tables_compared, 1);
    world_expect_equal();
    free(adopted);
}

/* ------------------------------------------------------------------ extensions */

static void test_extensions(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create extension citext; create schema ext;"
                 "create extension pg_trgm schema ext;"
                 "create table n (n citext primary key, t text);"
                 "create index on n using gin (t ext.gin_trgm_ops);"
                 "create table ext.more (c citext[]);"
                 "insert into n values ('Ann', 'a'), ('BOB', 'b');");
    cluster_exec(&twin_server, "dev",
                 "create extension citext; create table mine (c citext);"
                 "create schema ext; create extension hstore schema ext;"
                 "create table ext.h (h ext.hstore); comment on schema ext is 'x'");
    w->options.adopt = true;
    expect_copied(w);
    assert_query(&twin_server, "dev",
                 "select string_agg(extname, ' ' order by extname) from pg_extension",
                 "citext pg_trgm plpgsql");
    expect_copied(w);
    cluster_exec(&prod_server, "shop",
                 "drop table n, ext.more; drop schema ext cascade;"
                 "drop extension citext");
    expect_copied(w);
}

/* Made by the cloud, for a role that could not have made it, nor may drop it. */
static void test_extensions_of_others(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop",
                 "create extension citext; create table n (n citext primary key);"
                 "insert into n values ('Ann'), ('BOB')");
    cluster_exec(&twin_server, "dev",
                 "create extension citext; create schema cloud;"
                 "create extension pageinspect schema cloud");
    use_keeper(w);
    exec_as_keeper("create table mine (n citext)");
    w->options.adopt = true;
    world_expect(w, 0);
    assert_query(&twin_server, "dev", "select count(*) from n where n = 'bob'", "1");
    assert_query(&twin_server, "dev", "select to_regclass('mine') is null", "t");
    assert_query(&twin_server, "dev",
                 "select string_agg(extname, ' ' order by extname) from pg_extension",
                 "citext pageinspect plpgsql");
    drop_keeper();
}

static void test_rows_of_extensions(void **state)
{
    static const char *const tables =
        "create table conf (id int primary key, v text, own boolean);"
        "create table part (conf int references conf, n int);"
        "insert into conf values (1, 'of the extension', false);"
        "alter extension plpgsql add table conf; alter extension plpgsql add table part;"
        "update pg_extension set extconfig = array['conf'::regclass::oid,"
        "    'part'::regclass::oid], extcondition = array['where own', '']"
        "    where extname = 'plpgsql'";
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", tables);
    cluster_exec(&twin_server, "dev", tables);
    cluster_exec(&prod_server, "shop",
                 "insert into conf values (2, 'x', true); insert into part values (2, 9);"
                 "update conf set v = 'production' where not own");
    cluster_exec(&twin_server, "dev",
                 "insert into conf values (2, 'y', true), (3, 'z', true);"
                 "insert into part values (2, 1), (3, 2)");
    w->options.adopt = true;
    expect_copied(w);
    assert_query(&twin_server, "dev", "select string_agg(v, ', ' order by id) from conf",
                 "of the extension, x");
    assert_query(&twin_server, "dev", "select n from part", "9");
}

/* ------------------------------------------------------------------ failures */

static void test_failed_statement_leaves_the_twin(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", world_schema);
    world_adopt(w);
    cluster_exec(&twin_server, "dev",
                 "create table mine (a int); insert into mine values (1)");
    cluster_exec(&prod_server, "shop",
                 "create materialized view m as "
                 "select 1 / (current_database() = 'shop')::int");
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "the twin is as it was: cannot fill the twin: ");
    assert_contains(w->err.message, "division by zero");
    assert_contains(w->err.detail, "Command was: REFRESH MATERIALIZED VIEW public.m");
    cluster_exec(&prod_server, "shop",
                 "drop materialized view m; create role auditor;"
                 "create policy audit on users to auditor using (true)");
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.hint, "CREATE ROLE auditor;");
    cluster_exec(&prod_server, "shop", "drop owned by auditor; drop role auditor");
    expect_copied(w);
}

static void test_what_others_own(void **state)
{
    struct world *w = *state;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    cluster_exec(&twin_server, "dev", "create role alice");
    use_keeper(w);
    cluster_exec(&twin_server, "dev",
                 "grant create on database dev to alice; grant create on schema public "
                 "to alice; set role alice; create schema hers; create table hers.x ();"
                 "create table public.theirs (); create publication news");
    w->options.adopt = true;
    expect_untouched(w, -RT_EREFUSED);
    assert_contains(w->err.message, "the twin is as it was");
    assert_contains(w->err.message, "not everything on the twin is this role's to drop");
    assert_contains(w->err.detail, "schema hers of role alice");
    assert_contains(w->err.detail, "publication news of role alice");
    assert_lacks(w->err.detail, "theirs"); /* who owns the schema may */
    cluster_exec(&twin_server, "dev", "grant alice to keeper");
    expect_copied(w);
    cluster_exec(&twin_server, "dev", "drop owned by alice; drop role alice");
    drop_keeper();
}

/* ------------------------------------------------------------------ sessions */

static PGconn *hold(const char *sql)
{
    PGconn *session = cluster_connect(&twin_server, "dev");

    PQclear(PQexec(session, "set application_name = 'a psql'; begin"));
    PQclear(PQexec(session, sql));
    return session;
}

static void expect_answer(PGconn *session, const char *sql, ExecStatusType wanted)
{
    PGresult *answer = PQexec(session, sql);

    assert_int_equal(PQresultStatus(answer), wanted);
    PQclear(answer);
}

static void test_open_transaction_on_the_twin(void **state)
{
    struct world *w = *state;
    PGconn *session, *idle;
    char *pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); create table u (a int);"
                 "insert into t values (1)");
    world_adopt(w);
    cluster_exec(&twin_server, "dev", "insert into t values (2)");
    idle = cluster_connect(&twin_server, "dev");
    session = hold("select * from t");
    w->options.swap_wait_seconds = 0;
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.message, "tables of the twin are in use");
    pid = check_printf("table public.t: pid %d, user postgres, application a psql, idle "
                       "in transaction since 2",
                       PQbackendPID(session));
    assert_contains(w->err.detail, pid);
    assert_contains(w->err.hint, "--force");
    free(pid);
    /* It goes on, and who only is connected is not in the way. */
    PQclear(PQexec(session, "rollback"));
    expect_copied(w);
    PQclear(PQexec(session, "begin; select * from t"));
    w->options.force = true;
    expect_copied(w);
    expect_answer(session, "select 1", PGRES_FATAL_ERROR);
    expect_answer(idle, "select * from t", PGRES_TUPLES_OK);
    PQfinish(session);
    PQfinish(idle);
}

static void test_session_that_may_not_be_ended(void **state)
{
    struct world *w = *state;
    PGconn *session;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    use_keeper(w);
    world_expect(w, 0);
    session = hold("select * from t");
    w->options.swap_wait_seconds = 0;
    w->options.force = true;
    expect_untouched(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "application a psql");
    assert_contains(w->err.hint, "GRANT pg_signal_backend TO keeper");
    PQfinish(session);
    drop_keeper();
}

/* Locks in an order of their own: one of the two has to give way, and both are content.
 */
static void test_session_that_waits_for_us(void **state)
{
    struct world *w = *state;
    PGconn *session;
    pid_t pid;
    int status;

    cluster_exec(&prod_server, "shop",
                 "create table a (id int); create table b (id int);"
                 "insert into a values (1)");
    world_expect(w, 0);
    session = hold("select * from b");
    pid = fork();
    if (pid == 0)
        _exit(-world_run(w));
    cluster_wait(&twin_server, "postgres",
                 "select exists (select from pg_stat_activity where wait_event_type = "
                 "'Lock' and application_name = 'revtwin')");
    assert_int_equal(PQsendQuery(session, "select * from a; commit"), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    PQfinish(session);
    world_expect_equal();
}

/* ------------------------------------------------------------------ meanwhile */

/* Start a resync through a relay that holds its first message with this text. */
static pid_t start_held(struct world *w, struct relay *relay, const char *text,
                        bool before)
{
    struct relay_trap trap = {.act = RELAY_HOLD,
                              .side = RELAY_TO_SERVER,
                              .before = before,
                              .connection = RELAY_ANY};
    char *url;
    pid_t pid;

    relay_start(relay, twin_server.dir, twin_server.port, 0);
    snprintf(trap.text, sizeof(trap.text), "%s", text);
    relay_arm(relay, &trap);
    url = check_printf(
        "host=127.0.0.1,%s port=%d,%d user=postgres dbname=dev sslmode=disable",
        twin_server.dir, relay->port, twin_server.port);
    world_point(&w->twin, url);
    free(url);
    pid = fork();
    if (pid == 0) {
        rt_cancel_install();
        _exit(-world_run(w));
    }
    if (!relay_holds(relay, 30000))
        check_fail("it did not come to %s", text);
    return pid;
}

static int finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_readers_see_the_old_one_or_the_new_one(void **state)
{
    struct world *w = *state;
    struct relay relay;
    PGconn *reader;
    PGresult *rows;
    pid_t pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1);"
                 "create table gone (a int)");
    world_expect(w, 0);
    cluster_exec(&prod_server, "shop", "drop table gone; insert into t values (2)");
    pid = start_held(w, &relay, "ANALYZE", true);
    assert_query(&twin_server, "dev", "select to_regclass('gone') is not null", "t");
    reader = cluster_connect(&twin_server, "dev");
    PQclear(PQexec(reader, "set lock_timeout = '100ms'"));
    rows = PQexec(reader, "select count(*) from t");
    assert_string_equal(PQresultErrorField(rows, PG_DIAG_SQLSTATE), "55P03");
    PQclear(rows);
    PQclear(PQexec(reader, "set lock_timeout = 0"));
    assert_int_equal(PQsendQuery(reader, "select count(*) from t"), 1);
    relay_release(&relay, RELAY_PASS);
    assert_int_equal(finish(pid), RT_DONE);
    rows = PQgetResult(reader);
    assert_string_equal(PQgetvalue(rows, 0, 0), "2");
    PQclear(rows);
    PQfinish(reader);
    relay_stop(&relay);
    world_expect_equal();
}

/* The twin was empty when the guards looked at it. */
static void test_contents_that_came_meanwhile_are_kept(void **state)
{
    struct world *w = *state;
    struct relay relay;
    pid_t pid;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    pid = start_held(w, &relay, "BEGIN ISOLATION", true);
    cluster_exec(&twin_server, "dev", "create table precious ()");
    relay_release(&relay, RELAY_PASS);
    assert_int_equal(finish(pid), RT_EREFUSED);
    assert_query(&twin_server, "dev", "select to_regclass('precious')", "precious");
    relay_stop(&relay);
}

/* The reply to the COMMIT never arrives; the second host still does. (Eleven is the
 * length of a message that is nothing but this.) */
static void test_lost_reply_to_the_commit(void **state)
{
    struct world *w = *state;
    struct relay relay;
    pid_t pid;

    cluster_exec(&prod_server, "shop",
                 "create table t (a int); insert into t values (1)");
    pid = start_held(w, &relay, "\vCOMMIT", false);
    cluster_wait(&twin_server, "dev", "select to_regclass('public.t') is not null");
    relay_stop(&relay);
    assert_int_equal(finish(pid), RT_DONE);
    world_expect_equal();
}

static void test_two_at_once(void **state)
{
    struct world *w = *state;
    struct relay relay;
    char url[CLUSTER_URL_SIZE];
    pid_t pid;

    cluster_exec(&prod_server, "shop", "create table t (a int)");
    world_expect(w, 0);
    pid = start_held(w, &relay, "ANALYZE", true);
    world_point(&w->twin, cluster_url(&twin_server, "dev", url));
    w->options.swap_wait_seconds = 0;
    world_expect(w, -RT_EINTERNAL);
    assert_contains(w->err.detail, "application revtwin");
    relay_release(&relay, RELAY_PASS);
    assert_int_equal(finish(pid), RT_DONE);
    relay_stop(&relay);
    world_expect_equal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place_test(test_role_without_createdb),
        in_place_test(test_every_kind_of_object),
        in_place_test(test_rows_that_violate_keys),
        in_place_test(test_ledger_and_receipts),
        in_place_test(test_extensions),
        in_place_test(test_extensions_of_others),
        in_place_test(test_rows_of_extensions),
        in_place_test(test_failed_statement_leaves_the_twin),
        in_place_test(test_what_others_own),
        in_place_test(test_open_transaction_on_the_twin),
        in_place_test(test_session_that_may_not_be_ended),
        in_place_test(test_session_that_waits_for_us),
        in_place_test(test_readers_see_the_old_one_or_the_new_one),
        in_place_test(test_contents_that_came_meanwhile_are_kept),
        in_place_test(test_lost_reply_to_the_commit),
        in_place_test(test_two_at_once),
    };

    return cmocka_run_group_tests_name("in place", tests, world_start_servers,
                                       world_stop_servers);
}
