/* Bad input in the repository: refused with its own status, production untouched. */
#include "scene.h"

static void no_repository(void **state)
{
    struct scene *s = *state;

    scene_untouched(s, 2, "apply", "-C", "/");
    assert_warned(s, "no git repository");
    scene_untouched(s, 2, "plan", "-C", "/nonexistent");
    assert_warned(s, "/nonexistent");
}

static void unknown_revision(void **state)
{
    static const char *const commands[] = {"apply", "plan", "baseline"};
    struct scene *s = *state;

    scene_step(s, "V1");
    for (size_t i = 0; i < 3; i++) {
        scene_untouched(s, 2, commands[i], "no-such-branch");
        assert_warned(s, "unknown revision \"no-such-branch\"");
    }
    scene_untouched(s, 2, "apply", "--base", "HEAD~7");
    assert_warned(s, "HEAD~7");
    scene_untouched(s, 2, "apply", "HEAD:migrations");
    assert_warned(s, "not a commit");
    scene_untouched(s, 2, "apply", "");
    assert_log(s, "");
}

static void unborn_head(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "no commits yet");
    scene_untouched(s, 2, "plan");
    assert_warned(s, "no commits yet");
}

static void empty_range(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_untouched(s, 0, "apply", "--base", "HEAD");
    assert_said(s, "nothing to apply");
    assert_ledger(s, "applied V1");
    scene_new_production(s);
    scene_run(s, 0, "apply", "--base", "HEAD");
    assert_ledger(s, "baseline V1");
    assert_log(s, "");
}

static void missing_migrations_folder(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "README", "nothing here");
    repo_commit(&s->repo, "no migrations");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "\"migrations\"");
    assert_warned(s, "migrations.path");
    scene_untouched(s, 2, "plan", "--path", "db/sql");
    assert_warned(s, "\"db/sql\"");
    repo_write(&s->repo, "migrations", "a file");
    repo_commit(&s->repo, "a file of that name");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "not a folder");
    scene_untouched(s, 2, "apply", "--path", "../elsewhere");
    assert_warned(s, "inside the repository");
}

/* Each text of revtwin.conf, and what has to be said about it. */
static const struct {
    const char *name, *text;
    const char *said[3];
} settings[] = {
    {"unknown key", "[migrations]\npaht = db\n", {"migrations.paht", "migrations.path"}},
    {"unknown section",
     "[migration]\npath = db\n",
     {"migration.path", "migrations.path"}},
    {"unknown, nothing near", "[x]\ny = 1\n", {"x.y", "help config"}},
    {"the old server in the file",
     "[prod]\nurl = postgresql://u:hunter2@h/d\n",
     {"prod.url"}},
    {"value that is no duration",
     "[apply]\nlock-timeout = soon\n",
     {"apply.lock-timeout", "soon", "number"}},
    {"value that is no number", "[apply]\nwait = -1\n", {"apply.wait", "-1", "seconds"}},
    {"value that is neither", "[resync]\nafter-apply = 2\n", {"true or false"}},
    {"duration that no server takes",
     "[apply]\nlock-timeout = 2147483648\n",
     {"apply.lock-timeout", "2147483648", "at most"}},
    {"duration that no server takes, in a unit",
     "[apply]\nstatement-timeout = 1000h\n",
     {"apply.statement-timeout", "1000h", "at most"}},
    {"key that guards the commit",
     "[migrations]\nbranch = feature\n",
     {"migrations.branch", "--branch"}},
    {"path that leads out", "[migrations]\npath = ../../etc\n", {"migrations.path"}},
    {"absolute path", "[migrations]\npath = /etc\n", {"migrations.path"}},
    {"key of the machine",
     "[resync]\nbindir = /tmp/evil\n",
     {"resync.bindir", "--bindir"}},
    {"not git-config", "migrations.path = db\n", {"revtwin.conf:1"}},
    {"unclosed section", "[migrations]\npath = db\n[apply\n", {"revtwin.conf:3"}},
    {"include", "[include]\npath = /etc/passwd\n", {"revtwin.conf:1", "include"}},
    {"conditional include",
     "\n[includeIf \"gitdir:/\"]\npath = x\n",
     {"revtwin.conf:2", "include"}},
};

static void bad_configuration(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        repo_write(&s->repo, "revtwin.conf", settings[i].text);
        scene_step(s, "V1");
        scene_untouched(s, 2, "apply");
        assert_warned(s, "revtwin.conf");
        for (size_t j = 0; j < 3 && settings[i].said[j]; j++)
            assert_warned(s, settings[i].said[j]);
        assert_lacks(s->run.err, "hunter2");
        scene_untouched(s, 2, "plan");
    }
    repo_symlink(&s->repo, "revtwin.conf", "/etc/passwd");
    repo_commit(&s->repo, "a link");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "regular file");
    assert_log(s, "");
}

static void bad_environment(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_set(s, "REVTWIN_WAIT", "a while");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "REVTWIN_WAIT");
    assert_warned(s, "a while");
    scene_set(s, "REVTWIN_WAIT", NULL);
    scene_untouched(s, 2, "apply", "--wait", "1m");
    assert_warned(s, "--wait");
    scene_untouched(s, 2, "apply", "--ledgr");
    assert_warned(s, "--ledger");
    scene_untouched(s, 2, "aply");
    assert_warned(s, "apply");
    scene_untouched(s, 2, "baseline");
    scene_untouched(s, 2, "apply", "HEAD", "HEAD");
    assert_log(s, "");
}

/* A clone whose objects are not all there says so, and does not take a gap for an end. */
static void damaged_repository(void **state)
{
    struct scene *s = *state;
    struct rt_oid blob;
    char *path;

    scene_step(s, "V1");
    scene_step(s, "V2");
    blob = repo_resolve(&s->repo, "HEAD:migrations/V2.sql");
    path = check_printf(".git/objects/%.2s/%s", blob.hex, blob.hex + 2);
    repo_delete(&s->repo, path);
    scene_untouched(s, 1, "apply");
    assert_warned(s, blob.hex);
    assert_warned(s, "migrations/V2.sql");
    repo_write(&s->repo, path, "rubbish");
    scene_untouched(s, 1, "apply");
    assert_warned(s, blob.hex);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(no_repository),
        scene_test(unknown_revision),
        scene_test(unborn_head),
        scene_test(empty_range),
        scene_test(missing_migrations_folder),
        scene_test(bad_configuration),
        scene_test(bad_environment),
        scene_test(damaged_repository),
    };

    return cmocka_run_group_tests_name("repository input", tests, scene_start_server,
                                       scene_stop_server);
}
