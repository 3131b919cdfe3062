/*
 * src/schema: an object of every kind is the same after a rebuild, each change is named,
 * and pg_dump finds a difference wherever rt_schema_compare does, and only there. Objects
 * and changes are in tests/corpus/schema. SEED chooses the changes that pg_dump sees,
 * EVERY=1 takes them all.
 */
#include <time.h>

#include "base/str.h"
#include "pg/query.h"
#include "schema/schema.h"
#include "world.h"

/* ------------------------------------------------------------------ the corpus */

struct change {
    char *objects; /* a line each, sorted */
    char *sql;
    bool undumped;
};

static struct change changes[200];
static size_t change_count;
static char *objects_sql;

static char *read_corpus(const char *name)
{
    char *path = check_printf(CORPUS_DIR "/schema/%s", name), *text = NULL;
    FILE *file = fopen(path, "re");
    size_t cap = 0;

    if (file == NULL || getdelim(&text, &cap, '\0', file) < 0)
        check_fail("%s cannot be read", path);
    fclose(file);
    free(path);
    return text;
}

static void read_changes(void)
{
    char *text = read_corpus("changes.sql"), *rest = text, *line;
    struct rt_str objects = {0}, sql = {0};

    while ((line = strsep(&rest, "\n")) || sql.len > 0) {
        if (line && line[0] != '\0') {
            if (strncmp(line, "--! ", 4) == 0)
                changes[change_count].undumped = true;
            else if (strncmp(line, "--: ", 4) == 0)
                rt_str_addf(&objects, "%s\n", line + 4);
            else if (strncmp(line, "-- ", 3) != 0)
                rt_str_addf(&sql, "%s\n", line);
        } else if (sql.len > 0) {
            assert_true(change_count < RT_COUNT(changes));
            check_sort_lines(objects.data, objects.data + objects.len);
            changes[change_count].objects = rt_str_take(&objects);
            changes[change_count++].sql = rt_str_take(&sql);
        }
    }
    rt_str_clear(&objects);
    rt_str_clear(&sql);
    free(text);
}

/* ------------------------------------------------------------------ both sides */

struct sides {
    struct rt_conn *prod, *twin;
    struct rt_arena arena;
    struct rt_schema left, right;
};

static void open_sides(struct sides *s, struct world *w)
{
    *s = (struct sides){0};
    if (rt_conn_open(&s->prod, &w->prod, RT_READ_WRITE, &w->err) < 0 ||
        rt_conn_open(&s->twin, &w->twin, RT_READ_WRITE, &w->err) < 0)
        check_fail("%s", w->err.message);
}

static void close_sides(struct sides *s)
{
    rt_conn_close(s->prod);
    rt_conn_close(s->twin);
    rt_arena_clear(&s->arena);
}

/* The differing objects, a line each, for the caller to free. */
static char *differences(struct sides *s, struct world *w)
{
    struct rt_schema_change *list;
    struct rt_str text = {0};
    size_t count;

    if (rt_schema_read_both(&s->left, &s->right, &s->arena, s->prod, s->twin, &w->err) <
        0)
        check_fail("%s", w->err.message);
    count = rt_schema_compare(&list, &s->arena, &s->left, &s->right);
    if (s->left.version / 10000 == s->right.version / 10000)
        assert_int_equal(strcmp(s->left.fingerprint, s->right.fingerprint) == 0,
                         count == 0);
    for (size_t i = 0; i < count; i++) {
        const struct rt_object *object = list[i].prod ? list[i].prod : list[i].twin;

        rt_str_addf(&text, "%s %s\n", object->kind, object->name);
    }
    check_sort_lines(text.data, text.data + text.len);
    return rt_str_take(&text);
}

static void expect_differences(struct sides *s, struct world *w, const char *wanted)
{
    char *got = differences(s, w);

    assert_text_equal(got, wanted);
    free(got);
}

static void make_equal(struct world *w)
{
    cluster_exec(&prod_server, "shop", objects_sql);
    world_adopt(w);
}

/* ------------------------------------------------------------------ tests */

static void test_equal_after_a_rebuild(void **state)
{
    struct world *w = *state;
    struct sides s;

    make_equal(w);
    open_sides(&s, w);
    expect_differences(&s, w, "");
    assert_true(s.left.count > 100);
    for (size_t i = 0; i < s.left.count; i++) {
        assert_true(strlen(s.left.objects[i].definition) > 1);
        assert_lacks(s.left.objects[i].definition, "hidden");
        if (i > 0 && strcmp(s.left.objects[i - 1].kind, s.left.objects[i].kind) == 0)
            assert_string_not_equal(s.left.objects[i - 1].name, s.left.objects[i].name);
    }
    close_sides(&s);
}

static void test_each_change_is_named(void **state)
{
    struct world *w = *state;
    struct sides s;

    make_equal(w);
    open_sides(&s, w);
    for (size_t i = 0; i < change_count; i++) {
        check_context("%s", changes[i].sql);
        if (rt_exec(NULL, s.prod, "BEGIN", &w->err) < 0 ||
            rt_exec(NULL, s.prod, changes[i].sql, &w->err) < 0)
            check_fail("%s", w->err.message);
        expect_differences(&s, w, changes[i].objects);
        assert_int_equal(rt_exec(NULL, s.prod, "ROLLBACK", &w->err), 0);
        rt_arena_clear(&s.arena);
    }
    check_context(NULL);
    close_sides(&s);
}

/* Whether there is just one difference, and no resync is said to mend it. */
static bool only_one_that_stays(struct sides *s, struct world *w)
{
    struct rt_schema_change *list;
    size_t count;

    if (rt_schema_read_both(&s->left, &s->right, &s->arena, s->prod, s->twin, &w->err) <
        0)
        check_fail("%s", w->err.message);
    count = rt_schema_compare(&list, &s->arena, &s->left, &s->right);
    assert_int_equal(count, 1);
    return list[0].stays;
}

static void on_both(struct sides *s, struct world *w, const char *sql)
{
    if (rt_exec(NULL, s->prod, sql, &w->err) < 0 ||
        rt_exec(NULL, s->twin, sql, &w->err) < 0)
        check_fail("%s", w->err.message);
}

static void test_what_no_resync_mends(void **state)
{
    static const struct {
        const char *both, *twin;
        bool stays;
    } cases[] = {
        {"CREATE EXTENSION citext",
         "UPDATE pg_extension SET extversion = '0' WHERE extname = 'citext'", true},
        {"CREATE SCHEMA s; CREATE EXTENSION citext",
         "ALTER EXTENSION citext SET SCHEMA s", false},
        {"CREATE EXTENSION citext", "DROP EXTENSION citext", false},
        {"CREATE TABLE t (a int PRIMARY KEY, b int)",
         "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES t NOT VALID", false},
        {"CREATE TABLE t (a int PRIMARY KEY, b int CONSTRAINT k REFERENCES t)",
         "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES t "
         "NOT VALID",
         true},
        {"CREATE TABLE t (a int PRIMARY KEY, b int CONSTRAINT k REFERENCES t)",
         "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES t "
         "NOT VALID",
         false},
        {"CREATE TABLE t (a int CONSTRAINT k CHECK (a > 0))",
         "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
         false},
    };
    struct world *w = *state;
    struct sides s;

    open_sides(&s, w);
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        check_context("%s", cases[i].twin);
        on_both(&s, w, "BEGIN");
        on_both(&s, w, cases[i].both);
        if (rt_exec(NULL, s.twin, cases[i].twin, &w->err) < 0)
            check_fail("%s", w->err.message);
        assert_int_equal(only_one_that_stays(&s, w), cases[i].stays);
        on_both(&s, w, "ROLLBACK");
    }
    check_context(NULL);
    close_sides(&s);
}

/* The settings of the caller's transaction are as before, and nothing was written. */
static void test_settings_are_put_back(void **state)
{
    struct world *w = *state;
    struct sides s;
    struct rt_result *got;

    open_sides(&s, w);
    on_both(&s, w,
            "BEGIN; SET LOCAL search_path = 'a b', public; SET LOCAL TimeZone = "
            "'Asia/Tokyo'");
    expect_differences(&s, w, "");
    assert_int_equal(rt_exec(&got, s.prod,
                             "SELECT current_setting('search_path'), "
                             "current_setting('TimeZone'), "
                             "pg_current_xact_id_if_assigned() IS NULL",
                             &w->err),
                     0);
    assert_string_equal(rt_result_get(got, 0, 0), "\"a b\", public");
    assert_string_equal(rt_result_get(got, 0, 1), "Asia/Tokyo");
    assert_true(rt_result_true(got, 0, 2));
    rt_result_free(got);
    close_sides(&s);
}

static void test_a_side_that_fails(void **state)
{
    struct world *w = *state;
    struct sides s;

    for (int i = 0; i < 2; i++) {
        open_sides(&s, w);
        assert_int_equal(rt_exec(NULL, i ? s.prod : s.twin, "BEGIN; SELECT 1/0", &w->err),
                         -RT_EINTERNAL);
        assert_int_equal(
            rt_schema_read_both(&s.left, &s.right, &s.arena, s.prod, s.twin, &w->err),
            -RT_EINTERNAL);
        assert_contains(w->err.message, i ? "the schema of production cannot be read"
                                          : "the schema of the twin cannot be read");
        close_sides(&s);
        rt_err_clear(&w->err);
    }
}

/* pg_dump of what counts. */
static char *dump(const struct cluster *c, const char *db)
{
    return cluster_dump(c, db, "--schema-only", "--no-owner", "--no-acl",
                        "--no-publications", NULL);
}

/* Whether both ways of telling see the change; of a copy, which is then dropped. */
static void expect_same_verdict(struct world *w, const struct change *change,
                                const char *before)
{
    struct sides s;
    struct rt_secret original = w->twin.conninfo;
    char url[CLUSTER_URL_SIZE], *after, *found;

    cluster_exec(&prod_server, "postgres", "CREATE DATABASE copy TEMPLATE shop");
    cluster_exec(&prod_server, "copy", change->sql);
    after = dump(&prod_server, "copy");
    w->twin.conninfo = (struct rt_secret){0};
    rt_secret_set(&w->twin.conninfo, cluster_url(&prod_server, "copy", url));
    open_sides(&s, w);
    found = differences(&s, w);
    assert_string_equal(found, change->objects);
    assert_int_equal(strcmp(after, before) == 0, change->undumped);
    close_sides(&s);
    rt_secret_clear(&w->twin.conninfo);
    w->twin.conninfo = original;
    cluster_dropdb(&prod_server, "copy");
    free(found);
    free(after);
}

static void test_pg_dump_sees_what_compare_sees(void **state)
{
    const char *seed_text = getenv("SEED"), *every_text = getenv("EVERY");
    unsigned seed =
        seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)time(NULL);
    size_t every = every_text ? strtoul(every_text, NULL, 10) : 16;
    struct world *w = *state;
    char *before;

    cluster_exec(&prod_server, "shop", objects_sql);
    before = dump(&prod_server, "shop");
    for (size_t i = seed % every; i < change_count; i += every) {
        check_context("SEED=%u: %s", seed, changes[i].sql);
        expect_same_verdict(w, &changes[i], before);
    }
    check_context(NULL);
    free(before);
}

static int start(void **state)
{
    objects_sql = read_corpus("objects.sql");
    read_changes();
    return world_start_servers(state);
}

static int stop(void **state)
{
    for (size_t i = 0; i < change_count; i++) {
        free(changes[i].objects);
        free(changes[i].sql);
    }
    free(objects_sql);
    return world_stop_servers(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_equal_after_a_rebuild),
        world_test(test_each_change_is_named),
        world_test(test_what_no_resync_mends),
        world_test(test_settings_are_put_back),
        world_test(test_a_side_that_fails),
        world_test(test_pg_dump_sees_what_compare_sees),
    };

    return cmocka_run_group_tests_name("schema", tests, start, stop);
}
