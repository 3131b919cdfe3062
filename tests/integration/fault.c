#include "fault.h"

#include "base/attr.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cluster fault_prod, fault_twin = {.twin = true, .preload = FULL_DISK};
struct run fault_run;
struct relay fault_relays[2]; /* by enum fault_side */
static char tmp[64];
static char direct_prod[CLUSTER_URL_SIZE + 32], direct_twin[CLUSTER_URL_SIZE + 32];
static char *through_prod, *through_twin, *tmp_env;

/* Keys of every action, triggers, sequences, a partition, rows that are worth a COPY. */
static const char schema[] =
    "create table version (n int); insert into version values (0);"
    "create table users (id int generated always as identity primary key,"
    "    name text unique, v int default 0);"
    "create table orders (id bigserial primary key, user_id int not null"
    "    references users on delete cascade, note text);"
    "create index on orders (user_id);"
    "create table events (at date, what text) partition by range (at);"
    "create table events_1 partition of events for values from ('2025-01-01')"
    "    to ('2026-01-01');"
    "create function stamp() returns trigger language plpgsql as"
    "    'begin new.note := ''stamped''; return new; end';"
    "create trigger stamp before insert or update on orders for each row execute"
    "    function stamp();"
    /* of two tables, see world.c */
    "create materialized view busy as select user_id, count(*) from orders"
    "    join users on users.id = user_id group by 1;"
    "insert into users (name) select 'u' || n from generate_series(1, 2000) n;"
    "insert into orders (user_id) select 1 + n % 2000 from generate_series(1, 4000) n;"
    "insert into events select '2025-03-03', n from generate_series(1, 500) n;";

static char *through(enum fault_side side, const char *name, const char *database)
{
    return check_printf("%s=host=127.0.0.1 port=%d user=postgres dbname=%s "
                        "sslmode=disable gssencmode=disable",
                        name, fault_relays[side].port, database);
}

int fault_start(void **state)
{
    char url[CLUSTER_URL_SIZE];

    /* What a crash takes: also the numbers of transactions that did not end. */
    const char *const lazy[] = {"wal_writer_delay=10s", "autovacuum=off", NULL};

    (void)state;
    cluster_start(&fault_prod, NULL);
    cluster_start(&fault_twin, lazy);
    cluster_createdb(&fault_prod, "shop");
    cluster_createdb(&fault_twin, "dev");
    cluster_exec(&fault_prod, "shop", schema);
    relay_start(&fault_relays[FAULT_PROD], fault_prod.dir, fault_prod.port, 0);
    relay_start(&fault_relays[FAULT_TWIN], fault_twin.dir, fault_twin.port, 0);
    snprintf(direct_prod, sizeof(direct_prod), "PROD_DATABASE_URL=%s",
             cluster_url(&fault_prod, "shop", url));
    snprintf(direct_twin, sizeof(direct_twin), "DEV_DATABASE_URL=%s",
             cluster_url(&fault_twin, "dev", url));
    through_prod = through(FAULT_PROD, "PROD_DATABASE_URL", "shop");
    through_twin = through(FAULT_TWIN, "DEV_DATABASE_URL", "dev");
    snprintf(tmp, sizeof(tmp), "/tmp/rt-fault-XXXXXX");
    assert_non_null(mkdtemp(tmp));
    tmp_env = check_printf("TMPDIR=%s", tmp);
    fault_resync((const char *const[]){NULL}, 0);
    return 0;
}

int fault_stop(void **state)
{
    (void)state;
    run_clear(&fault_run);
    relay_stop(&fault_relays[FAULT_PROD]);
    relay_stop(&fault_relays[FAULT_TWIN]);
    cluster_stop(&fault_prod);
    cluster_stop(&fault_twin);
    free(through_prod);
    free(through_twin);
    free(tmp_env);
    return rmdir(tmp);
}

/* ------------------------------------------------------------------ runs */

static void start(const char *const *env, const char *const *options)
{
    const char *args[8] = {"resync"};

    for (size_t i = 0; options[i]; i++) {
        assert_true(i + 2 < RT_COUNT(args));
        args[i + 1] = options[i];
    }
    run_clear(&fault_run);
    run_start_revtwin(&fault_run, "/", env, args);
}

void fault_resync(const char *const *options, int status)
{
    const char *const env[] = {direct_prod, direct_twin, tmp_env, NULL};

    start(env, options);
    run_finish(&fault_run);
    run_expect(&fault_run, status);
}

void fault_launch(const char *const *options)
{
    const char *const env[] = {through_prod, through_twin, tmp_env, NULL};

    start(env, options);
}

void fault_change(void)
{
    cluster_exec(&fault_prod, "shop",
                 "update version set n = n + 1;"
                 "delete from users where id in (select id from users limit 5);"
                 "update users set v = v + 1, name = name || 'x' where id % 100 = 0;"
                 "insert into users (name) select 'n' || nextval('orders_id_seq') from"
                 "    generate_series(1, 20);"
                 "insert into orders (user_id) select id from users order by id desc"
                 "    limit 30;"
                 "insert into events values ('2025-04-04', now()::text)");
    cluster_exec(&fault_twin, "dev",
                 "delete from users where id in (select max(id) from users);"
                 /* without the sequence, which would jump in a crash */
                 "insert into orders (id, user_id) select max(o.id) + 1000, min(user_id)"
                 "    from orders o;"
                 "update version set n = -1");
}

/* ------------------------------------------------------------------ the truth */

char *fault_dump(enum fault_side side)
{
    char *text = cluster_dump(side == FAULT_PROD ? &fault_prod : &fault_twin,
                              side == FAULT_PROD ? "shop" : "dev", "--no-owner",
                              "--no-acl", "--exclude-schema=revtwin", NULL);

    check_sort_lines(text, text + strlen(text)); /* the order of rows is no promise */
    return text;
}

static void expect_no_files(void)
{
    DIR *dir = opendir(tmp);
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            check_fail("%s/%s is left", tmp, entry->d_name);
    }
    closedir(dir);
}

static void expect_no_sessions(const struct cluster *c)
{
    cluster_wait(c, "postgres",
                 "select not exists (select from pg_stat_activity where application_name "
                 "in ('revtwin', 'pg_dump', 'pg_restore'))");
}

void fault_expect_clean(void)
{
    expect_no_sessions(&fault_prod);
    expect_no_sessions(&fault_twin);
    assert_query(&fault_twin, "postgres",
                 "select string_agg(datname, ' ') from pg_database where datname like "
                 "'dev%'",
                 "dev");
    expect_no_files();
}
