#include "world.h"

#include "base/log.h"

struct cluster prod_server = {.tcp = true, .password = PASSWORD};
struct cluster twin_server = {.tcp = true, .twin = true, .password = PASSWORD};

const char *const world_schema =
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
    /* Views are of two tables: of one alone, version 16 prints the columns otherwise. */
    "create view public.spent as select user_id, count(*) from public.orders"
    "    join public.users on users.id = user_id group by 1;"
    "create materialized view public.spent_m as select spent.* from public.spent"
    "    join public.users on users.id = spent.user_id;"
    "create unique index on public.spent_m (user_id);"
    "alter table public.users enable row level security;"
    "create policy own on public.users using (name = current_user);"
    "grant select on public.users to public;"
    "create publication p for table public.users;"
    "select lo_from_bytea(4711, '\\x616263'); comment on large object 4711 is 'big';";

int world_start_servers(void **state)
{
    static const char *const prepared[] = {"max_prepared_transactions=5", NULL};

    (void)state;
    rt_log_level(RT_QUIET);
    cluster_start(&prod_server, NULL);
    cluster_start(&twin_server, prepared);
    return 0;
}

int world_stop_servers(void **state)
{
    (void)state;
    cluster_stop(&prod_server);
    cluster_stop(&twin_server);
    return 0;
}

void world_point(struct rt_server *server, const char *conninfo)
{
    rt_secret_set(&server->conninfo, conninfo);
}

int world_open(void **state)
{
    struct world *w = rt_alloc(sizeof(*w));
    char url[CLUSTER_URL_SIZE];

    w->prod = (struct rt_server){.role = "production", .source = "PROD_DATABASE_URL"};
    w->twin = (struct rt_server){.role = "the twin", .source = "DEV_DATABASE_URL"};
    w->options.swap_wait_seconds = 10;
    w->options.method = RT_METHOD_REBUILD; /* what the tests of resync_* are about */
    cluster_createdb(&prod_server, "shop");
    cluster_createdb(&twin_server, "dev");
    cluster_exec(&prod_server, "shop", "create schema revtwin");
    world_point(&w->prod, cluster_url(&prod_server, "shop", url));
    world_point(&w->twin, cluster_url(&twin_server, "dev", url));
    *state = w;
    return 0;
}

int world_close(void **state)
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

int world_run(struct world *w)
{
    rt_err_clear(&w->err);
    return rt_resync(&w->result, &w->arena, &w->prod, &w->twin, &w->options, &w->err);
}

void world_expect(struct world *w, int wanted)
{
    int rc = world_run(w);

    if (rc != wanted)
        check_fail("rt_resync: %d, expected %d: %s\n%s\n%s", rc, wanted,
                   w->err.message ? w->err.message : "",
                   w->err.detail ? w->err.detail : "", w->err.hint ? w->err.hint : "");
}

void world_adopt(struct world *w)
{
    w->options.adopt = true;
    world_expect(w, 0);
    w->options.adopt = false;
}

char *world_databases(void)
{
    return cluster_query(&twin_server, "postgres",
                         "select datname || ' ' || oid from pg_database order by 1");
}

static char *dump(const struct cluster *c, const char *db)
{
    char *text = cluster_dump(c, db, "--no-owner", "--no-acl", "--no-publications",
                              "--no-blobs", "--exclude-table=revtwin.twin",
                              "--exclude-table=revtwin.receipt*", NULL);

    for (char *p = text; (p = strstr(p, " FROM stdin;\n")) != NULL;) {
        char *end;

        p += strlen(" FROM stdin;\n");
        end = p[0] == '\\' && p[1] == '.' && p[2] == '\n' ? p : strstr(p, "\n\\.\n") + 1;
        check_sort_lines(p, end); /* rows have no order */
        p = end;
    }
    return text;
}

void world_expect_equal(void)
{
    world_expect_equal_to(&prod_server);
}

void world_expect_equal_to(const struct cluster *server)
{
    char *prod = dump(server, "shop"), *twin = dump(&twin_server, "dev");

    assert_text_equal(twin, prod);
    free(prod);
    free(twin);
}
