/* Files and settings come from the commit: never from the checkout. */
#include "scene.h"

static void expect_b2sum_of_blob(const struct scene *s, const char *path)
{
    const char *script = "git cat-file blob \"HEAD:$0\" | b2sum -l 256 | cut -c 1-64";
    const char *argv[] = {"sh", "-c", script, path, NULL};
    struct run r = {0};

    run_program(&r, s->repo.dir, NULL, argv);
    run_expect(&r, 0);
    r.out[strcspn(r.out, "\n")] = '\0';
    assert_production(s, "SELECT checksum FROM revtwin.ledger ORDER BY seq DESC LIMIT 1",
                      r.out);
    run_clear(&r);
}

static void dirty_file_plays_no_part(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_write(&s->repo, "migrations/V1.sql", "INSERT INTO log (name) VALUES ('dirty');");
    repo_git(&s->repo, "add", "-A", NULL); /* staged is not committed either */
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
    scene_step(s, "V2");
    repo_git(&s->repo, "reset", "-q", "--hard", "HEAD~1", NULL);
    repo_git(&s->repo, "checkout", "-q", "HEAD~0", NULL);
    repo_delete(&s->repo, "migrations");
    scene_run(s, 0, "verify");
}

static void deleted_checkout_plays_no_part(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_delete(&s->repo, "migrations");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
}

static void line_end_conversion_plays_no_part(void **state)
{
    struct scene *s = *state;

    repo_git(&s->repo, "config", "core.autocrlf", "true", NULL);
    repo_write(&s->repo, ".gitattributes", "*.sql text eol=crlf\n");
    repo_write(&s->repo, "migrations/V1.sql",
               "INSERT INTO log (name) VALUES ('a\nb');\n");
    repo_commit(&s->repo, "V1");
    repo_delete(&s->repo, "migrations/V1.sql");
    repo_git(&s->repo, "checkout", "-q", "--", "migrations", NULL); /* CRLF on disk */
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT name FROM log", "a\nb");
    expect_b2sum_of_blob(s, "migrations/V1.sql");
}

static void bare_repository_works(void **state)
{
    struct scene *s = *state;
    struct repo work = s->repo;

    scene_step(s, "V1");
    scene_step(s, "V2");
    repo_clone(&s->repo, &work, "--bare", NULL);
    scene_untouched(s, 0, "plan");
    assert_said(s, "migrations/V2.sql");
    scene_run(s, 0, "apply", "--base", "HEAD~1");
    scene_run(s, 0, "verify");
    assert_ledger(s, "baseline V1, applied V2");
    repo_clear(&work);
}

static void repository_is_found_from_below(void **state)
{
    struct scene *s = *state;
    char *worktree = check_printf("%s/linked", s->repo.dir);
    char *below = check_printf("%s/migrations", s->repo.dir);

    scene_step(s, "V1");
    repo_git(&s->repo, "worktree", "add", "-q", worktree, NULL);
    scene_step(s, "V2");
    scene_run(s, 0, "apply", "-C", worktree);
    assert_log(s, "V1");
    scene_run(s, 0, "apply", "-C", below);
    assert_log(s, "V1 V2");
    free(worktree);
    free(below);
}

static void settings_come_from_the_commit(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "revtwin.conf", "[migrations]\n\tpath = db\n");
    repo_write(&s->repo, "db/V1.sql", "INSERT INTO log (name) VALUES ('db/V1');");
    repo_commit(&s->repo, "db");
    repo_write(&s->repo, "revtwin.conf", "[migrations]\n\tpath = sql\n");
    repo_rename(&s->repo, "db", "sql");
    repo_write(&s->repo, "sql/V2.sql", "INSERT INTO log (name) VALUES ('sql/V2');");
    repo_commit(&s->repo, "sql");
    repo_write(&s->repo, "revtwin.conf", "this is [ no configuration");
    scene_run(s, 0, "apply", "HEAD~1");
    assert_log(s, "db/V1");
    scene_run(s, 0, "apply");
    assert_log(s, "db/V1 sql/V2");
    assert_warned(s, "sql/V1.sql was applied as db/V1.sql");
}

static void uncommitted_settings_play_no_part(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_write(&s->repo, "revtwin.conf", "[migrations]\npath = nowhere\n");
    scene_run(s, 0, "apply");
    assert_log(s, "V1");
}

static void flag_before_environment_before_file_before_default(void **state)
{
    static const char *const folders[] = {"migrations", "of-file", "of-env", "of-flag"};
    struct scene *s = *state;

    for (size_t i = 0; i < 4; i++) {
        char *path = check_printf("%s/V1.sql", folders[i]);
        char *sql = check_printf("INSERT INTO log (name) VALUES ('%s');", folders[i]);

        repo_write(&s->repo, path, sql);
        free(path);
        free(sql);
    }
    repo_commit(&s->repo, "default");
    scene_run(s, 0, "apply");
    assert_log(s, "migrations");

    scene_new_production(s);
    repo_write(&s->repo, "revtwin.conf", "[migrations]\npath = \"of-file/\"\n");
    repo_git(&s->repo, "add", "revtwin.conf", NULL);
    repo_git(&s->repo, "commit", "-q", "--amend", "-m", "file", NULL);
    scene_run(s, 0, "apply");
    assert_log(s, "of-file");

    scene_new_production(s);
    scene_set(s, "REVTWIN_PATH", "of-env");
    scene_run(s, 0, "apply");
    assert_log(s, "of-env");

    scene_new_production(s);
    scene_run(s, 0, "apply", "--path", "./of-flag");
    assert_log(s, "of-flag");
}

/* A submodule that needs no other repository: only its entry in the tree counts. */
static void add_submodule(const struct scene *s, const char *path)
{
    char *entry = check_printf("160000,%s,%s", repo_resolve(&s->repo, "HEAD").hex, path);

    repo_git(&s->repo, "update-index", "--add", "--cacheinfo", entry, NULL);
    repo_git(&s->repo, "commit", "-q", "-m", "submodule", NULL);
    free(entry);
}

static void symbolic_link_is_refused_with_its_path(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "secret.sql", "SELECT 1;");
    scene_step(s, "V1");
    repo_symlink(&s->repo, "migrations/V2.sql", "../secret.sql");
    repo_commit(&s->repo, "a link");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "symbolic link");
    scene_untouched(s, 3, "plan");
    scene_step(s, "V3"); /* it does not go away by itself */
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
}

static void submodule_is_refused_with_its_path(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    add_submodule(s, "migrations/V2.sql");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "submodule");
}

/* Gone by now, it was never a migration: a first run need not stumble over it. */
static void symbolic_link_of_the_base_plays_no_part(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    repo_symlink(&s->repo, "migrations/V0.sql", "V1.sql");
    repo_commit(&s->repo, "a link");
    repo_delete(&s->repo, "migrations/V0.sql");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, applied V2");
    scene_run(s, 0, "verify");
}

static void links_elsewhere_play_no_part(void **state)
{
    struct scene *s = *state;

    repo_symlink(&s->repo, "V0.sql", "migrations/V1.sql");
    repo_symlink(&s->repo, "migrations/README", "/etc/passwd");
    repo_symlink(&s->repo, "migrations/more", "/tmp");
    scene_migration(s, "V1");
    repo_commit(&s->repo, "links");
    add_submodule(s, "migrations/vendor");
    scene_run(s, 0, "apply", "HEAD~1");
    assert_log(s, "V1");
}

static void folder_that_is_a_link_is_not_followed(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    repo_symlink(&s->repo, "sql", "migrations");
    repo_commit(&s->repo, "link");
    scene_untouched(s, 2, "apply", "--path", "sql");
    assert_warned(s, "\"sql\" is not a folder");
}

static void shallow_clone_without_the_parent_is_refused(void **state)
{
    struct scene *s = *state;
    struct repo full = s->repo;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    repo_clone(&s->repo, &full, "--depth=1", NULL);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "fetch-depth: 0");
    scene_untouched(s, 3, "plan");
    assert_warned(s, "fetch-depth: 0");
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "fetch-depth: 0");
    scene_untouched(s, 2, "apply", "--base", "HEAD~2");
    assert_warned(s, "fetch-depth: 0");
    repo_git(&s->repo, "fetch", "-q", "--unshallow", NULL);
    scene_run(s, 0, "apply");
    assert_log(s, "V2 V3");
    repo_clear(&full);
}

/* One step needs its commit and the parent, and nothing before. */
static void shallow_clone_with_the_parent_is_enough(void **state)
{
    struct scene *s = *state;
    struct repo full = s->repo;

    scene_step(s, "V1");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
    scene_step(s, "V3");
    repo_clone(&s->repo, &full, "--depth=2", NULL);
    scene_run(s, 0, "apply");
    assert_log(s, "V2 V3");
    repo_clear(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(dirty_file_plays_no_part),
        scene_test(deleted_checkout_plays_no_part),
        scene_test(line_end_conversion_plays_no_part),
        scene_test(bare_repository_works),
        scene_test(repository_is_found_from_below),
        scene_test(settings_come_from_the_commit),
        scene_test(uncommitted_settings_play_no_part),
        scene_test(flag_before_environment_before_file_before_default),
        scene_test(symbolic_link_is_refused_with_its_path),
        scene_test(submodule_is_refused_with_its_path),
        scene_test(symbolic_link_of_the_base_plays_no_part),
        scene_test(links_elsewhere_play_no_part),
        scene_test(folder_that_is_a_link_is_not_followed),
        scene_test(shallow_clone_without_the_parent_is_refused),
        scene_test(shallow_clone_with_the_parent_is_enough),
    };

    return cmocka_run_group_tests_name("blobs", tests, scene_start_server,
                                       scene_stop_server);
}
