/*
 * Release day equals merge-by-merge: whatever the history, one run over all of it leaves
 * the same schema, data and ledger as a run for each step, and so does any mixture.
 *
 * Histories are generated: pull requests of one to three commits, up to three of them
 * open at a time, merged in random order and in the three ways. They add migrations,
 * whose names have nothing to do with their order, and rename some of those that there
 * are.
 */
#include "scene.h"

enum { SEEDS = 8, PULL_REQUESTS = 8, MAX_OPEN = 3, MAX_FILES = 100, BASE_FILES = 2 };

struct history {
    struct scene *s;
    uint32_t state; /* of the random numbers */
    struct {
        char *name, *first; /* without folder and .sql: its present and its first one */
        unsigned batch;     /* in which it was last touched */
    } files[MAX_FILES];
    unsigned file_count, batch;
    struct rt_oid base, steps[MAX_FILES];
    unsigned step_count;
};

static unsigned below(struct history *h, unsigned limit)
{
    h->state ^= h->state << 13;
    h->state ^= h->state >> 17;
    h->state ^= h->state << 5;
    return h->state % limit;
}

/* ------------------------------------------------------------------ histories */

static char *new_name(struct history *h)
{
    static const char *const prefixes[] = {"V", "v00", "team/", ""};
    const char *prefix = prefixes[below(h, 4)];

    return check_printf("%s%u-%u", prefix, below(h, 30), h->file_count);
}

static char *path_of(const char *name)
{
    return check_printf("migrations/%s.sql", name);
}

/* What it leaves in production tells the order in which everything ran. */
static void add_file(struct history *h)
{
    unsigned number = h->file_count;
    char *name = new_name(h), *path = path_of(name);
    char *sql = check_printf("INSERT INTO log (name) VALUES ('%u');\n"
                             "ALTER TABLE wide ADD COLUMN c%u int DEFAULT %u;\n"
                             "UPDATE fold SET value = md5(value || '%u');\n",
                             number, number, number, number);

    if (number == MAX_FILES)
        check_fail("more than %d files", MAX_FILES);
    h->files[number].name = name;
    h->files[number].first = check_printf("%s", name);
    h->files[number].batch = h->batch;
    h->file_count++;
    repo_write(&h->s->repo, path, sql);
    free(path);
    free(sql);
}

/* Two pull requests that are open at a time would be in conflict over the same file. */
static void rename_some_file(struct history *h, unsigned first_own)
{
    unsigned i = below(h, h->file_count);
    char *from, *to, *name;

    if (i < first_own && h->files[i].batch == h->batch)
        return;
    name = check_printf("%s_renamed", h->files[i].name);
    from = path_of(h->files[i].name);
    to = path_of(name);
    repo_rename(&h->s->repo, from, to);
    free(h->files[i].name);
    h->files[i].name = name;
    h->files[i].batch = h->batch;
    free(from);
    free(to);
}

static void make_branch(struct history *h, const char *name)
{
    unsigned commits = 1 + below(h, 3), own = h->file_count;

    repo_branch(&h->s->repo, name);
    for (unsigned i = 0; i < commits; i++) {
        for (unsigned files = below(h, 3); files > 0; files--)
            add_file(h);
        if (below(h, 4) == 0)
            rename_some_file(h, own);
        repo_write(&h->s->repo, name, i % 2 ? "code" : "other code"); /* never empty */
        repo_commit(&h->s->repo, name);
    }
    repo_switch(&h->s->repo, "main");
}

/* Open some pull requests at the same commit, and merge them in some order. */
static void make_batch(struct history *h, unsigned count)
{
    static const enum repo_merge ways[] = {REPO_MERGE, REPO_SQUASH, REPO_REBASE};
    char name[MAX_OPEN][32];

    h->batch++;
    for (unsigned i = 0; i < count; i++) {
        snprintf(name[i], sizeof(name[i]), "pull-%u-%u", h->batch, i);
        make_branch(h, name[i]);
    }
    for (unsigned left = count; left > 0; left--) {
        unsigned i = below(h, left);

        repo_merge(&h->s->repo, ways[below(h, 3)], name[i]);
        memmove(name[i], name[i + 1], (left - i - 1) * sizeof(name[0]));
    }
}

static void list_steps(struct history *h)
{
    char *range = check_printf("%s..HEAD", h->base.hex);
    char *list = repo_git_output(&h->s->repo, "rev-list", "--first-parent", "--reverse",
                                 range, NULL);

    for (char *at = list; *at; at += strcspn(at, "\n") + 1) {
        struct rt_oid *step = &h->steps[h->step_count++];

        if (h->step_count == MAX_FILES)
            check_fail("too many steps");
        snprintf(step->hex, sizeof(step->hex), "%.40s", at);
    }
    free(list);
    free(range);
}

static void make_history(struct history *h, struct scene *s, unsigned seed)
{
    *h = (struct history){.s = s, .state = seed * 2654435761U};
    print_message("release day: seed %u\n", seed);
    for (unsigned i = 0; i < BASE_FILES; i++)
        add_file(h);
    h->base = repo_commit(&s->repo, "base");
    for (unsigned made = 0; made < PULL_REQUESTS;) {
        unsigned count = 1 + below(h, MAX_OPEN);

        make_batch(h, count);
        made += count;
    }
    list_steps(h);
}

static void clear_history(struct history *h)
{
    for (unsigned i = 0; i < h->file_count; i++) {
        free(h->files[i].name);
        free(h->files[i].first);
    }
}

/* ------------------------------------------------------------------ outcomes */

/* What production is afterwards: schema and data, and the ledger. */
struct outcome {
    char *dump, *ledger;
};

/* The ledger keeps the name that a file had when it was applied. */
static const char *last_name(const struct history *h, const char *path)
{
    const char *name = path + strlen("migrations/");

    for (unsigned i = 0; i < h->file_count; i++) {
        size_t length = strlen(h->files[i].first);

        if (strncmp(name, h->files[i].first, length) == 0 &&
            (name[length] == '.' || name[length] == '_'))
            return h->files[i].name;
    }
    return path;
}

static char *read_ledger(const struct history *h)
{
    PGconn *conn = cluster_connect(&scene_server, h->s->db);
    PGresult *rows = PQexec(conn, "SELECT path, kind || ' ' || checksum || ' ' || "
                                  "commit_oid FROM revtwin.ledger ORDER BY seq");
    char *text = check_printf("%s", "");

    for (int i = 0; i < PQntuples(rows); i++) {
        char *longer =
            check_printf("%s%s %s\n", text, last_name(h, PQgetvalue(rows, i, 0)),
                         PQgetvalue(rows, i, 1));

        free(text);
        text = longer;
    }
    PQclear(rows);
    PQfinish(conn);
    return text;
}

static void prepare(const struct history *h)
{
    scene_new_production(h->s);
    cluster_exec(&scene_server, h->s->db,
                 "CREATE TABLE wide (id int); INSERT INTO wide VALUES (1);"
                 "CREATE TABLE fold (value text); INSERT INTO fold VALUES ('');");
    scene_run(h->s, 0, "baseline", h->base.hex);
}

static struct outcome look(const struct history *h)
{
    char *count = check_printf("%u", h->file_count - BASE_FILES);
    struct outcome outcome = {
        cluster_dump(&scene_server, h->s->db, "--exclude-schema=revtwin", NULL),
        read_ledger(h)};

    assert_production(h->s, "SELECT count(*) FROM log", count);
    scene_run(h->s, 0, "verify");
    free(count);
    return outcome;
}

static void expect_equal(struct outcome *outcome, const struct outcome *expected)
{
    assert_text_equal(outcome->ledger, expected->ledger);
    assert_text_equal(outcome->dump, expected->dump);
    free(outcome->ledger);
    free(outcome->dump);
}

/* ------------------------------------------------------------------ the three ways */

static struct outcome merge_by_merge(const struct history *h)
{
    prepare(h);
    for (unsigned i = 0; i < h->step_count; i++)
        scene_run(h->s, 0, "apply", h->steps[i].hex);
    return look(h);
}

static struct outcome release_day(const struct history *h)
{
    prepare(h);
    scene_run(h->s, 0, "apply", "--ledger");
    return look(h);
}

static struct outcome mixture(struct history *h)
{
    const char *last = h->base.hex;

    prepare(h);
    for (unsigned i = below(h, 2); i < h->step_count;) {
        const char *step = h->steps[i].hex;

        if (below(h, 2) == 0)
            scene_run(h->s, 0, "apply", "--ledger", step);
        else
            scene_run(h->s, 0, "apply", "--base", last, step);
        last = step;
        i += 1 + below(h, 4);
    }
    scene_run(h->s, 0, "apply", "--base", last);
    return look(h);
}

static void release_day_equals_merge_by_merge(void **state)
{
    struct scene *s = *state;

    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct history h;
        struct outcome expected, outcome;

        make_history(&h, s, seed);
        expected = merge_by_merge(&h);
        outcome = release_day(&h);
        expect_equal(&outcome, &expected);
        outcome = mixture(&h);
        expect_equal(&outcome, &expected);
        free(expected.ledger);
        free(expected.dump);
        clear_history(&h);
        repo_clear(&s->repo);
        repo_init(&s->repo);
    }
}

/* The histories above delete nothing. Here merge by merge cannot go on: the path was
 * applied with another content. Release day never ran that one. */
static void a_rename_takes_the_path_of_a_deleted_file(void **state)
{
    struct scene *s = *state;
    struct rt_oid base, steps[4];
    char *first;

    scene_file(s, "V0", "SELECT 1;");
    base = repo_commit(&s->repo, "base");
    scene_file(s, "V1", "CREATE TABLE one (id int);");
    steps[0] = repo_commit(&s->repo, "one");
    repo_delete(&s->repo, "migrations/V1.sql");
    scene_file(s, "V2", "CREATE TABLE two (id int);");
    steps[1] = repo_commit(&s->repo, "two instead of one");
    scene_file(s, "V3", "ALTER TABLE two ADD COLUMN name text;");
    steps[2] = repo_commit(&s->repo, "a column more");
    repo_rename(&s->repo, "migrations/V3.sql", "migrations/V1.sql");
    steps[3] = repo_commit(&s->repo, "renamed");

    scene_run(s, 0, "apply", "--base", base.hex);
    assert_ledger(s, "baseline V0, applied V2, applied V1");
    assert_production(s,
                      "SELECT commit_oid FROM revtwin.ledger ORDER BY seq DESC LIMIT 1",
                      steps[2].hex);
    first = check_printf("V1.sql arrived with commit %.12s", steps[0].hex);
    assert_warned(s, first);
    assert_warned(s, "deleted before it was applied");
    scene_run(s, 0, "verify");
    free(first);

    scene_new_production(s);
    for (unsigned i = 0; i < 3; i++)
        scene_run(s, 0, "apply", steps[i].hex);
    scene_untouched(s, 3, "apply", steps[3].hex);
    assert_warned(s, "V1.sql was changed after it was applied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(release_day_equals_merge_by_merge),
        scene_test(a_rename_takes_the_path_of_a_deleted_file),
    };

    return cmocka_run_group_tests_name("release day", tests, scene_start_server,
                                       scene_stop_server);
}
