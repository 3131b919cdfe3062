/* What a resync says of production beyond "done": what it leaves out, keys that
 * production's own rows violate, a copy that is not equal; and what it is not misled by.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "relay.h"
#include "report/markdown.h"
#include "run.h"
#include "world.h"

static struct run ran;   /* the last program */
static const char *more; /* an environment variable for those to come, or NULL */

static void prod(const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
}

static void twin(const char *sql)
{
    cluster_exec(&twin_server, "dev", sql);
}

/* revtwin with these arguments, as a user would. */
static void revtwin(int status, const char *command, const char *option,
                    const char *value)
{
    char url[CLUSTER_URL_SIZE];
    char *env[] = {
        check_printf("PROD_DATABASE_URL=%s", cluster_url(&prod_server, "shop", url)),
        check_printf("DEV_DATABASE_URL=%s", cluster_url(&twin_server, "dev", url))};

    run_clear(&ran);
    run_revtwin(&ran, "/", (const char *const[]){env[0], env[1], more, NULL}, command,
                option, value, NULL);
    run_expect(&ran, status);
    free(env[0]);
    free(env[1]);
}

/* What the last one has put into the document of --json, for the caller to free. */
static json_t *document(void)
{
    json_t *doc = json_loads(ran.out, 0, NULL);

    assert_non_null(doc);
    return doc;
}

static const char *text_at(const json_t *list, size_t i)
{
    return json_string_value(json_array_get(list, i));
}

/* ------------------------------------------------------------------ left out */

static void foreign_tables_and_large_objects(void **state)
{
    json_t *doc, *found;
    struct rt_str summary = {0};

    prod("create foreign data wrapper nowhere; create server far foreign data wrapper"
         "    nowhere; create foreign table \"Far \x1b[1m\" (a int) server far;"
         "create table near (a int, picture oid); select lo_from_bytea(77, 'x');"
         "insert into near values (1, 77)");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out, "not copied: 1 large object\n");
    assert_contains(ran.out, "not copied: foreign table public.\"Far \\x1b[1m\"\n");
    assert_query(&twin_server, "dev",
                 "select (select count(*) from pg_largeobject_metadata) || ' ' ||"
                 "    picture from near",
                 "0 77");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_foreign_table where ftrelid = "
                 "'\"Far \x1b[1m\"'::regclass",
                 "1");
    prod("select lo_create(78)");
    revtwin(0, "resync", "--json", NULL);
    doc = document();
    found = json_object_get(json_object_get(doc, "twin"), "left_out");
    assert_int_equal(json_array_size(found), 2);
    assert_string_equal(text_at(found, 0), "2 large objects");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(doc, "twin"), "method")),
        "delta");
    rt_markdown_summary(&summary, doc);
    assert_contains(summary.data, "Not copied: <code>2 large objects</code>");
    rt_str_clear(&summary);
    json_decref(doc);
    (void)state;
}

/* Where on its disks production keeps what is no matter of the twin's. */
static void tablespaces(void **state)
{
    char *make =
             check_printf("create tablespace fast location '%s/fast'", prod_server.dir),
         *folder =
             check_printf("copy (select) to program 'mkdir %s/fast'", prod_server.dir);

    prod(folder);
    prod(make);
    prod("create table t (a int primary key using index tablespace fast) tablespace fast;"
         "create table here (a int); create index on here (a) tablespace fast;"
         "create table parts (a int) partition by list (a) tablespace fast;"
         "insert into t values (1); insert into here values (2)");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out,
                    "not copied: tablespace fast: its tables and indexes (4) are in "
                    "the twin's own\n");
    assert_query(&twin_server, "dev", "select t.a || ' ' || here.a from t, here", "1 2");
    assert_query(&twin_server, "dev",
                 "select count(*) from pg_class where reltablespace > 1664", "0");
    revtwin(0, "diff", NULL, NULL);
    revtwin(0, "resync", "--method=rebuild", "--in-place");
    prod("drop table t, here, parts");
    prod("drop tablespace fast");
    revtwin(0, "resync", NULL, NULL);
    assert_lacks(ran.out, "tablespace");
    free(make);
    free(folder);
    (void)state;
}

/* ------------------------------------------------------------------ totals */

static json_int_t total(const char *key)
{
    json_t *doc = document();
    json_int_t value =
        json_integer_value(json_object_get(json_object_get(doc, "twin"), key));

    json_decref(doc);
    return value;
}

static void totals(void **state)
{
    prod("create table t (id int primary key, v text);"
         "insert into t select n, repeat('x', 100) from generate_series(1, 1000) n;"
         "create table u (id int primary key); insert into u values (1)");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out, "(rebuild, 2 tables, ");
    revtwin(0, "resync", "--method", "rebuild");
    revtwin(0, "resync", "--json", NULL);
    assert_int_equal(total("tables"), 2);
    assert_int_equal(total("tables_changed"), 0);
    assert_int_equal(total("tables_compared"), 0);
    assert_int_equal(total("rows_read"), 1001);
    assert_int_equal(total("rows_written"), 0);
    assert_int_equal(total("bytes_read"), 0);
    prod("update t set v = repeat('y', 100) where id <= 10; delete from t where id = 20;"
         "insert into t values (2000, repeat('z', 100))");
    revtwin(0, "resync", "--full-compare", "--json");
    assert_int_equal(total("tables_changed"), 1);
    assert_int_equal(total("tables_compared"), 2);
    assert_in_range(total("rows_read"), 1001, 3000);
    assert_int_equal(total("rows_written"), 12);
    assert_in_range(total("bytes_read"), 1100, 3000);
    assert_in_range(total("bytes_written"), 1100, 3000);
    prod("update t set v = 'w' where id <= 10");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out,
                    "(delta, 1 of 2 tables changed, 1001 rows read, 10 written, in ");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out, "(delta, none of 2 tables had changed, 1001 rows read, in ");
    prod("vacuum analyze t");
    prod("delete from t where id = 30");
    revtwin(0, "resync", "--json", NULL);
    assert_in_range(total("rows_read"), 1000, 1100);
    assert_int_equal(total("keys_read"), 999);
    prod("delete from t where id = 31");
    revtwin(0, "resync", NULL, NULL);
    assert_contains(ran.out, " rows and 998 keys read, 1 written, in ");
    (void)state;
}

/* ------------------------------------------------------------------ violated keys */

#define OFF(sql)                                      \
    "set session_replication_role = replica;" sql ";" \
    "set session_replication_role = origin;"

static const char shop[] =
    "create table p (id int primary key); insert into p values (1), (2);"
    "create table \"C c\" (id int primary key, p int constraint \"k K\" references p"
    "    on delete cascade, q int constraint good references p);"
    "comment on constraint \"k K\" on \"C c\" is 'of a table';"
    "create table parts (id int primary key, up int, p int constraint \"in parts\""
    "    references p on delete cascade) partition by range (id);"
    "create table parts_1 partition of parts for values from (0) to (100)"
    "    partition by list (id);"
    "create table parts_11 partition of parts_1 default;"
    "create table parts_2 partition of parts default;"
    "alter table parts add constraint self foreign key (up) references parts;"
    "comment on constraint \"in parts\" on parts is 'of a partitioned one';"
    "create table of_parts (a int constraint to_parts references parts);"
    "comment on constraint to_parts on of_parts is 'stays';"
    "insert into \"C c\" values (1, 1, 1); insert into parts values (1, null, 1),"
    "    (200, 1, 2); insert into of_parts values (1);";

static const char *const not_valid =
    "select string_agg(format('%s %s', conrelid::regclass, conname), ', '"
    "    order by conrelid::regclass::text, conname) from pg_constraint"
    "    where contype = 'f' and conparentid = 0 and not convalidated";

static void expect_violated(void)
{
    static const char *const want[] = {
        "\"in parts\" on public.parts", "\"k K\" on public.\"C c\"",
        "self on public.parts", "to_parts on public.of_parts"};
    json_t *doc = document(), *twin_part = json_object_get(doc, "twin");
    json_t *found = json_object_get(twin_part, "violated");

    assert_int_equal(json_array_size(found), RT_COUNT(want));
    for (size_t i = 0; i < RT_COUNT(want); i++) {
        bool listed = false;

        for (size_t k = 0; k < json_array_size(found); k++)
            listed |= strcmp(text_at(found, k), want[i]) == 0;
        check_context("%s", want[i]);
        assert_true(listed);
    }
    check_context(NULL);
    found = json_object_get(doc, "findings");
    assert_int_equal(json_array_size(found), RT_COUNT(want));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(found, 0), "level")), "warning");
    json_decref(doc);
}

static void expect_refused_on_the_twin(const char *sql)
{
    PGconn *conn = cluster_connect(&twin_server, "dev");
    PGresult *result = PQexec(conn, sql);

    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23503");
    PQclear(result);
    PQfinish(conn);
}

/* A key that cannot be NOT VALID on a partitioned table is on each of its partitions. */
static void keys_that_production_violates(void **state)
{
    prod(shop);
    prod(OFF("insert into \"C c\" values (2, 99, 1);"
             "insert into parts values (2, 98, 2), (300, null, 97);"
             "insert into of_parts values (96)"));
    revtwin(0, "resync", "--json", NULL);
    expect_violated();
    assert_query(&twin_server, "dev", not_valid,
                 "\"C c\" k K, of_parts to_parts, parts_11 in parts, parts_11 self, "
                 "parts_2 in parts, parts_2 self");
    assert_query(&twin_server, "dev",
                 "select string_agg(description, ', ' order by 1) from pg_description "
                 "where classoid = 'pg_constraint'::regclass and objoid > 16383",
                 "of a table, stays");
    expect_refused_on_the_twin("insert into parts values (3, null, 95)");
    expect_refused_on_the_twin("insert into parts values (301, 94, 1)");
    expect_refused_on_the_twin("insert into \"C c\" values (3, 93, 1)");

    /* That is no reason to copy everything again, nor a difference to be mended. */
    prod(OFF("insert into parts values (4, null, 92); delete from parts where id = 2;"
             "insert into p values (3)"));
    revtwin(0, "resync", "--method", "delta");
    assert_contains(ran.err, "warning: rows of production violate foreign key \"k K\" on "
                             "public.\"C c\"\n");
    assert_contains(ran.err, "violate foreign key \"in parts\" on public.parts\n");
    assert_contains(ran.err, "revtwin resync --method rebuild");
    revtwin(0, "resync", "--json", NULL);
    expect_violated();
    revtwin(0, "verify", "--twin", NULL);
    revtwin(7, "diff", NULL, NULL);
    assert_contains(ran.err, "No resync would change it either");

    /* In a workflow run each is an annotation. */
    more = "GITHUB_ACTIONS=true";
    revtwin(0, "resync", NULL, NULL);
    assert_contains(
        ran.err, "\n::warning title=revtwin resync::rows of production violate foreign "
                 "key \"k K\" on public.\"C c\"%0ASo it is NOT VALID on the twin");
    assert_contains(ran.err,
                    "\n::warning title=revtwin resync::rows of production violate "
                    "foreign key self on public.parts%0A");
    more = NULL;

    /* Production mends its rows. */
    prod(OFF("delete from \"C c\" where id > 1; delete from parts where id in (4, 300);"
             "delete from of_parts where a > 9"));
    revtwin(0, "resync", "--method", "rebuild");
    assert_lacks(ran.err, "violate");
    assert_lacks(ran.err, "::warning");
    assert_query(&twin_server, "dev", not_valid, "");
    revtwin(0, "diff", NULL, NULL);
    world_expect_equal();
    (void)state;
}

/* The same when they come to be violated while the twin follows by deltas. */
static void keys_that_get_violated(void **state)
{
    prod(shop);
    revtwin(0, "resync", NULL, NULL);
    prod(OFF("insert into \"C c\" values (2, 99, 1);"
             "insert into parts values (2, 98, 2), (300, null, 97);"
             "insert into of_parts values (96)"));
    revtwin(0, "resync", "--method", "delta");
    assert_query(&twin_server, "dev", not_valid,
                 "\"C c\" k K, of_parts to_parts, parts_11 in parts, parts_11 self, "
                 "parts_2 in parts, parts_2 self");
    revtwin(0, "resync", "--json", NULL);
    expect_violated();
    revtwin(0, "verify", "--twin", NULL);
    /* A key that is nowhere on the twin is another matter. */
    twin("alter table parts_11 drop constraint \"in parts\"");
    revtwin(0, "resync", "--method", "delta");
    twin("alter table parts_2 drop constraint \"in parts\"");
    revtwin(3, "resync", "--method", "delta");
    assert_contains(ran.err, "only production has comment on constraint \"in parts\" on "
                             "public.parts");
    (void)state;
}

/* ------------------------------------------------------------------ not equal */

/* Somebody has changed the type of a column in the catalogs, so as not to rewrite the
 * table. The values that are there do not fit it, and nobody can store them again. */
#define SCALE_IN_CATALOG                                                     \
    "update pg_attribute set atttypmod = (5 << 16) + 1 + 4 where attrelid =" \
    "    'price'::regclass and attname = 'amount';"

static void copy_that_is_not_equal(void **state)
{
    static const struct {
        const char *method, *option, *said;
    } ways[] = {
        {"--method=delta", NULL, "table public.price of the twin would not be equal"},
        {"--method=rebuild", NULL,
         "rows of table public.price are not what they are in production"},
        {"--method=rebuild", "--in-place",
         "rows of table public.price are not what they are in production"},
    };
    char *databases, *dump, *after;

    prod("create table price (id int primary key, amount numeric(5,1));"
         "insert into price values (1, 2.5)");
    revtwin(0, "resync", NULL, NULL);
    twin("insert into price values (7, 7)");
    databases = world_databases();
    dump = cluster_dump(&twin_server, "dev", NULL);

    prod("update pg_attribute set atttypmod = -1 where attrelid = 'price'::regclass;"
         "update price set amount = 3.14159;" SCALE_IN_CATALOG);
    for (size_t i = 0; i < RT_COUNT(ways); i++) {
        revtwin(7, "resync", ways[i].method, ways[i].option);
        assert_contains(ran.err, ways[i].said);
        assert_contains(ran.err, "the twin is as it was");
        after = world_databases();
        assert_text_equal(after, databases);
        free(after);
        after = cluster_dump(&twin_server, "dev", NULL);
        assert_text_equal(after, dump);
        free(after);
    }
    free(databases);
    free(dump);
    (void)state;
}

/* ------------------------------------------------------------------ refused */

static void rows_that_are_hidden(void **state)
{
    struct world *w = *state;
    char *url = check_printf("host=%s port=%d user=reader dbname=shop", prod_server.dir,
                             prod_server.port);

    prod("create role reader login; create table own (a int, who text);"
         "insert into own values (1, 'reader'), (2, 'other');"
         "alter table own enable row level security;"
         "create policy mine on own using (who = current_user);"
         "grant usage on schema revtwin to reader; grant select on own to reader");
    world_point(&w->prod, url);
    w->options.method = RT_METHOD_AUTO;
    world_expect(w, -RT_EREFUSED);
    assert_contains(w->err.message, "row-level security would hide rows of table "
                                    "public.own of production from role reader");
    assert_contains(w->err.message, "the twin is as it was");
    assert_contains(w->err.hint, "ALTER ROLE reader BYPASSRLS");
    prod("alter role reader bypassrls");
    world_expect(w, 0);
    world_expect_equal();
    /* And when the twin is one already. */
    prod("alter role reader nobypassrls");
    world_expect(w, -RT_EREFUSED);
    prod("drop owned by reader; drop role reader");
    free(url);
}

/* ------------------------------------------------------------------ meanwhile */

/* The list of tables is there, and the first lock is not. */
static void table_that_vanishes_before_it_is_read(void **state)
{
    const struct relay_trap trap = {.act = RELAY_HOLD,
                                    .side = RELAY_TO_SERVER,
                                    .text = "LOCK TABLE",
                                    .before = true,
                                    .connection = RELAY_ANY};
    static const enum rt_method methods[] = {RT_METHOD_REBUILD, RT_METHOD_AUTO};
    struct world *w = *state;
    struct relay relay;
    char *url;
    int status;

    prod("create table stays (a int primary key); insert into stays values (1);"
         "create table renamed (a int); insert into renamed values (2);");
    relay_start(&relay, prod_server.dir, prod_server.port, 0);
    url = check_printf("host=127.0.0.1 port=%d user=postgres dbname=shop sslmode=disable "
                       "password='p@ss:w/o?r#d%%\"\\\\ $x'",
                       relay.port);
    world_point(&w->prod, url);
    for (size_t i = 0; i < RT_COUNT(methods); i++) {
        pid_t pid;

        prod("create table goes (a int primary key); insert into goes values (1)");
        relay_arm(&relay, &trap);
        w->options.method = methods[i];
        pid = fork();
        if (pid == 0)
            _exit(-world_run(w));
        assert_true(relay_holds(&relay, 30000));
        prod("drop table goes; truncate stays; insert into stays values (5), (6);"
             "alter table renamed rename to other; create table renamed (b text);"
             "insert into renamed values ('x')");
        relay_release(&relay, RELAY_PASS);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), RT_DONE);
        world_expect_equal();
        prod("drop table renamed; alter table other rename to renamed");
    }
    relay_stop(&relay);
    free(url);
}

/* ------------------------------------------------------------------ clocks */

/* Of one server, in seconds from the real one. */
static void set_clock(const struct cluster *c, long seconds)
{
    char *path = check_printf("%s/data/clock", c->dir);
    FILE *file = fopen(path, "we");

    fprintf(file, "%ld", seconds);
    fclose(file);
    free(path);
}

static void clocks_that_jump(void **state)
{
    enum { DAY = 86400 };
    static const struct {
        long prod, twin;
    } jumps[] = {{3 * DAY, 0}, {-3 * DAY, 5 * DAY}, {400 * DAY, -400 * DAY}, {0, 0}};

    prod("create table t (id int primary key, at timestamptz default now());"
         "insert into t select generate_series(1, 500)");
    revtwin(0, "resync", NULL, NULL);
    for (size_t i = 0; i < RT_COUNT(jumps); i++) {
        set_clock(&prod_server, jumps[i].prod);
        set_clock(&twin_server, jumps[i].twin);
        prod(
            "update t set at = now() where id % 50 = 0; delete from t where id in (select"
            "    max(id) from t)");
        twin("update t set at = null where id = 3");
        revtwin(0, "resync", "--json", NULL);
        check_context("%s", ran.out);
        assert_contains(ran.out, "\"why\": \"incremental: ");
        check_context(NULL);
        world_expect_equal();
    }
    set_clock(&prod_server, -3 * DAY);
    revtwin(0, "resync", "--method", "rebuild");
    world_expect_equal();
    set_clock(&prod_server, 0);
    set_clock(&twin_server, 0);
    (void)state;
}

static int start_servers(void **state)
{
    prod_server.preload = twin_server.preload = WRONG_CLOCK;
    return world_start_servers(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(foreign_tables_and_large_objects),
        world_test(tablespaces),
        world_test(totals),
        world_test(keys_that_production_violates),
        world_test(keys_that_get_violated),
        world_test(copy_that_is_not_equal),
        world_test(rows_that_are_hidden),
        world_test(table_that_vanishes_before_it_is_read),
        world_test(clocks_that_jump),
    };
    int failed = cmocka_run_group_tests_name("resync: told", tests, start_servers,
                                             world_stop_servers);

    run_clear(&ran);
    return failed;
}
