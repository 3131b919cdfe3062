/* Prisma's layout in the tree of a commit. */
#include "base/str.h"
#include "fixture.h"
#include "git/layout.h"

#define LOCK FOLDER "/" RT_LAYOUT_LOCK

static struct rt_layout read_layout(struct fixture *f, const char *folder)
{
    struct rt_oid head = repo_commit(&f->repo, "a step");
    struct rt_listing listing;
    struct rt_layout layout;

    expect_ok(f,
              rt_tree_list(&listing, &f->arena, f->git, &head, folder, false, &f->err));
    expect_ok(
        f, rt_layout_read(&layout, &f->arena, f->git, &head, folder, &listing, &f->err));
    return layout;
}

static void expect_bare(const struct rt_layout *layout, const char *wanted)
{
    struct rt_str got = {0};

    for (size_t i = 0; i < layout->bare_count; i++)
        rt_str_addf(&got, "%s%s", i ? " " : "", layout->bare[i]);
    assert_text_equal(rt_str_text(&got), wanted);
    rt_str_clear(&got);
}

static void folders(void **state)
{
    struct fixture *f = *state;
    struct rt_layout layout;

    layout = read_layout(f, FOLDER);
    assert_false(layout.has_lock);
    assert_int_equal(layout.migrations, 0);

    repo_write(&f->repo, LOCK, "provider = \"postgresql\"\n");
    repo_write(&f->repo, FOLDER "/0_init/migration.sql", "SELECT 1;");
    repo_write(&f->repo, FOLDER "/2024 with spaces/migration.sql", "SELECT 2;");
    repo_write(&f->repo, FOLDER "/2024_no_script/down.sql", "SELECT 3;");
    repo_write(&f->repo, FOLDER "/2024_deeper/x/migration.sql", "SELECT 4;");
    repo_write(&f->repo, FOLDER "/2024_upper/Migration.SQL", "SELECT 5;");
    repo_write(&f->repo, FOLDER "/V1.sql", "SELECT 6;");
    layout = read_layout(f, "./db//migrations/");
    assert_string_equal(layout.folder, FOLDER);
    assert_true(layout.has_lock);
    assert_string_equal(layout.provider, "postgresql");
    assert_int_equal(layout.migrations, 2);
    expect_bare(&layout,
                FOLDER "/2024_deeper " FOLDER "/2024_no_script " FOLDER "/2024_upper");

    assert_true(rt_layout_has(&layout, FOLDER "/0_init/migration.sql"));
    assert_true(rt_layout_has(&layout, FOLDER "/2024 with spaces/migration.sql"));
    assert_false(rt_layout_has(&layout, FOLDER "/migration.sql"));
    assert_false(rt_layout_has(&layout, FOLDER "/V1.sql"));
    assert_false(rt_layout_has(&layout, FOLDER "/2024_no_script/down.sql"));
    assert_false(rt_layout_has(&layout, FOLDER "/2024_deeper/x/migration.sql"));
    assert_false(rt_layout_has(&layout, "db/migrations2/x/migration.sql"));
}

static void at_the_root(void **state)
{
    struct fixture *f = *state;
    struct rt_layout layout;

    repo_write(&f->repo, RT_LAYOUT_LOCK, "provider = \"postgresql\"\n");
    repo_write(&f->repo, "0_init/migration.sql", "SELECT 1;");
    layout = read_layout(f, ".");
    assert_true(layout.has_lock);
    assert_int_equal(layout.migrations, 1);
    assert_int_equal(layout.bare_count, 0);
    assert_true(rt_layout_has(&layout, "0_init/migration.sql"));
    assert_false(rt_layout_has(&layout, "migration.sql"));
}

static void providers(void **state)
{
    static const struct {
        const char *text, *provider;
    } locks[] = {
        {"provider = \"postgresql\"", "postgresql"},
        {"# Please do not edit\r\nprovider = \"mysql\"\r\n", "mysql"},
        {"provider=\"sqlite\"  \n", "sqlite"},
        {"provider = \"cockroachdb\"\nprovider = \"postgresql\"\n", "cockroachdb"},
        {"# provider = \"postgresql\"\n", ""},
        {"provider", ""},
        {"provider = \"", ""},
        {"", ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < RT_COUNT(locks); i++) {
        struct rt_layout layout;

        repo_write(&f->repo, LOCK, locks[i].text);
        layout = read_layout(f, FOLDER);
        assert_true(layout.has_lock);
        assert_string_equal(layout.provider, locks[i].provider);
    }
}

/* A link could point anywhere, and a folder is none. */
static void no_file(void **state)
{
    struct fixture *f = *state;

    repo_write(&f->repo, FOLDER "/lock", "provider = \"postgresql\"\n");
    repo_symlink(&f->repo, LOCK, "lock");
    assert_false(read_layout(f, FOLDER).has_lock);
    repo_delete(&f->repo, LOCK);
    repo_write(&f->repo, LOCK "/file", "provider = \"postgresql\"\n");
    assert_false(read_layout(f, FOLDER).has_lock);
    assert_false(read_layout(f, "nowhere").has_lock);
    assert_false(read_layout(f, FOLDER "/lock").has_lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(folders),
        fixture_test(at_the_root),
        fixture_test(providers),
        fixture_test(no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
