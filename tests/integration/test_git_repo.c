/* Opening a repository, revisions, parents, messages, blobs; and each way to fail. */
#include <ftw.h>
#include <unistd.h>

#include "fixture.h"

static void refuses_a_folder_without_repository(void **state)
{
    struct fixture *f = *state;
    struct rt_repo *git = NULL;

    expect_error(f, rt_repo_open(&git, "/", &f->err), RT_EUSAGE,
                 "no git repository in \"/\" or above it");
    expect_error(f, rt_repo_open(&git, "/no such folder", &f->err), RT_EUSAGE,
                 "there is no folder \"/no such folder\"");
    assert_null(git);
}

static void opens_from_a_subfolder(void **state)
{
    struct fixture *f = *state;
    char *below = check_printf("%s/a/b", f->repo.dir);
    struct rt_repo *git = NULL;

    repo_write(&f->repo, "a/b/c", "");
    expect_ok(f, rt_repo_open(&git, below, &f->err));
    rt_repo_close(git);
    free(below);
}

static int give_to_nobody(const char *path, const struct stat *st, int type,
                          struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return lchown(path, 65534, 65534);
}

static void names_the_way_out_for_another_owner(void **state)
{
    struct fixture *f = *state;
    struct rt_repo *git = NULL;
    char *command;

    if (geteuid() != 0)
        skip(); /* only root can give a folder away */
    command = check_printf("git config --global --add safe.directory '%s'", f->repo.dir);
    assert_int_equal(nftw(f->repo.dir, give_to_nobody, 16, FTW_PHYS), 0);
    expect_error(f, rt_repo_open(&git, f->repo.dir, &f->err), RT_EINTERNAL,
                 "dubious ownership");
    assert_contains(f->err.message, f->repo.dir);
    assert_non_null(f->err.hint);
    assert_contains(f->err.hint, command);
    free(command);
}

static void opens_sparse_and_partial_clones(void **state)
{
    struct fixture *f = *state;
    struct rt_oid commit, found;

    repo_write(&f->repo, "a.sql", "");
    commit = repo_commit(&f->repo, "a");
    repo_git(&f->repo, "config", "core.repositoryFormatVersion", "1", NULL);
    repo_git(&f->repo, "config", "extensions.worktreeConfig", "true", NULL);
    repo_git(&f->repo, "config", "extensions.partialClone", "origin", NULL);
    fixture_open(f, &f->repo);
    expect_ok(f, rt_repo_resolve(&found, f->git, "HEAD", &f->err));
    assert_string_equal(found.hex, commit.hex);
}

static void resolves_what_names_a_commit(void **state)
{
    struct fixture *f = *state;
    struct rt_oid first = repo_commit(&f->repo, "first"), last, found;
    char *prefix;

    repo_git(&f->repo, "tag", "-a", "-m", "annotated", "v1", NULL);
    last = repo_commit(&f->repo, "last");
    prefix = check_printf("%.12s", first.hex);
    const struct {
        const char *rev;
        const struct rt_oid *oid;
    } revisions[] = {{"HEAD", &last},   {"main", &last},  {"refs/heads/main", &last},
                     {last.hex, &last}, {prefix, &first}, {"HEAD~1", &first},
                     {"HEAD^", &first}, {"v1", &first},   {"v1^{commit}", &first},
                     {"v1^{}", &first}, {"@{0}", &last}};

    for (size_t i = 0; i < RT_COUNT(revisions); i++) {
        expect_ok(f, rt_repo_resolve(&found, f->git, revisions[i].rev, &f->err));
        assert_string_equal(found.hex, revisions[i].oid->hex);
    }
    free(prefix);
}

static void refuses_what_does_not(void **state)
{
    struct fixture *f = *state;
    struct rt_oid found;
    const struct {
        const char *rev, *message;
    } revisions[] = {
        {"nothing", "unknown revision \"nothing\""},
        {"", "unknown revision \"\""},
        {"HEAD~5", "unknown revision \"HEAD~5\""},
        {"-x", "unknown revision \"-x\""},
        {"0123456789012345678901234567890123456789", "unknown revision \"0123456789"},
        {"HEAD^{tree}", "revision \"HEAD^{tree}\" is a tree, not a commit"},
        {"HEAD:a.sql", "revision \"HEAD:a.sql\" is a blob, not a commit"},
    };

    repo_write(&f->repo, "a.sql", "");
    repo_commit(&f->repo, "a");
    for (size_t i = 0; i < RT_COUNT(revisions); i++) {
        expect_error(f, rt_repo_resolve(&found, f->git, revisions[i].rev, &f->err),
                     RT_EUSAGE, revisions[i].message);
        assert_null(f->err.hint);
    }
}

static void refuses_an_unborn_head(void **state)
{
    struct fixture *f = *state;
    struct rt_oid found;

    expect_error(f, rt_repo_resolve(&found, f->git, "HEAD", &f->err), RT_EUSAGE,
                 "the current branch has no commits yet");
    expect_error(f, rt_repo_resolve(&found, f->git, "HEAD~1", &f->err), RT_EUSAGE,
                 "the current branch has no commits yet");
    expect_error(f, rt_repo_resolve(&found, f->git, "main", &f->err), RT_EUSAGE,
                 "unknown revision \"main\"");
}

static void tells_the_first_parent(void **state)
{
    struct fixture *f = *state;
    struct rt_oid root, side, merge, parent;

    root = repo_commit(&f->repo, "root");
    expect_ok(f, rt_repo_first_parent(&parent, f->git, &root, &f->err));
    assert_string_equal(parent.hex, "");
    repo_branch(&f->repo, "side");
    side = repo_commit(&f->repo, "side");
    repo_switch(&f->repo, "main");
    merge = repo_merge(&f->repo, REPO_MERGE, "side");
    expect_ok(f, rt_repo_first_parent(&parent, f->git, &merge, &f->err));
    assert_string_equal(parent.hex, root.hex);
    assert_string_not_equal(parent.hex, side.hex);
}

static void a_missing_parent_is_no_root(void **state)
{
    struct fixture *f = *state;
    struct rt_oid older, newer, found;
    struct repo shallow;

    repo_commit(&f->repo, "root");
    older = repo_commit(&f->repo, "older");
    newer = repo_commit(&f->repo, "newer");
    repo_clone(&shallow, &f->repo, "--depth=2", NULL);
    fixture_open(f, &shallow);
    expect_ok(f, rt_repo_first_parent(&found, f->git, &newer, &f->err));
    assert_string_equal(found.hex, older.hex);
    expect_error(f, rt_repo_first_parent(&found, f->git, &older, &f->err), RT_EREFUSED,
                 "is missing from the repository");
    expect_shallow_hint(f);
    expect_error(f, rt_repo_resolve(&found, f->git, "HEAD~2", &f->err), RT_EUSAGE,
                 "unknown revision \"HEAD~2\"");
    expect_shallow_hint(f);
    repo_clear(&shallow);
}

static void knows_ancestors(void **state)
{
    struct fixture *f = *state;
    struct rt_oid root, side, main, merge,
        absent = {"01234567890123456789012345678901"
                  "23456789"};

    root = repo_commit(&f->repo, "root");
    repo_branch(&f->repo, "side");
    side = repo_commit(&f->repo, "side");
    repo_switch(&f->repo, "main");
    main = repo_commit(&f->repo, "main");
    merge = repo_merge(&f->repo, REPO_MERGE, "side");
    assert_int_equal(rt_repo_is_ancestor(f->git, &root, &merge, &f->err), 1);
    assert_int_equal(rt_repo_is_ancestor(f->git, &side, &merge, &f->err), 1);
    assert_int_equal(rt_repo_is_ancestor(f->git, &root, &root, &f->err), 1);
    assert_int_equal(rt_repo_is_ancestor(f->git, &merge, &root, &f->err), 0);
    assert_int_equal(rt_repo_is_ancestor(f->git, &side, &main, &f->err), 0);
    expect_error(f, rt_repo_is_ancestor(f->git, &absent, &root, &f->err), RT_EINTERNAL,
                 "cannot tell whether 0123456789");
}

static void a_shallow_clone_does_not_deny_an_ancestor(void **state)
{
    struct fixture *f = *state;
    struct rt_oid root, tip;
    struct repo shallow;

    root = repo_commit(&f->repo, "root");
    repo_commit(&f->repo, "middle");
    tip = repo_commit(&f->repo, "tip");
    repo_clone(&shallow, &f->repo, "--depth=1", NULL);
    fixture_open(f, &shallow);
    expect_error(f, rt_repo_is_ancestor(f->git, &root, &tip, &f->err), RT_EREFUSED,
                 "cannot tell whether");
    expect_shallow_hint(f);
    repo_clear(&shallow);
}

static void gives_the_subject(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *message, *subject;
    } messages[] = {
        {"one line", "one line"},
        {"first\nsecond\n\nbody", "first"},
        {"\n\nafter blank lines\n", "after blank lines"},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
        {"caf\xE9!\xFF", "caf\xEF\xBF\xBD!\xEF\xBF\xBD"},
        {"", ""},
    };

    for (size_t i = 0; i < RT_COUNT(messages); i++) {
        struct rt_oid commit;
        const char *subject;

        repo_git(&f->repo, "-c", "i18n.commitEncoding=binary", "commit", "-q",
                 "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-m",
                 messages[i].message, NULL);
        commit = repo_resolve(&f->repo, "HEAD");
        expect_ok(f, rt_repo_subject(&subject, &f->arena, f->git, &commit, &f->err));
        assert_string_equal(subject, messages[i].subject);
    }
}

static void reads_blobs_raw(void **state)
{
    struct fixture *f = *state;
    const char bytes[] = "a\r\n\0\xFF";
    struct rt_blob blob = {0};
    struct rt_oid oid;

    repo_write_bytes(&f->repo, "a.sql", bytes, sizeof bytes);
    repo_commit(&f->repo, "a");
    oid = repo_resolve(&f->repo, "HEAD:a.sql");
    repo_write(&f->repo, "a.sql", "not what is committed");
    expect_ok(f, rt_blob_open(&blob, f->git, &oid, &f->err));
    assert_int_equal(blob.len, sizeof bytes);
    assert_memory_equal(blob.data, bytes, sizeof bytes);
    rt_blob_close(&blob);
    assert_null(blob.handle);
    rt_blob_close(&blob);
}

static void refuses_other_objects_as_blobs(void **state)
{
    struct fixture *f = *state;
    struct rt_oid commit = repo_commit(&f->repo, "a");
    struct rt_blob blob = {0};

    expect_error(f, rt_blob_open(&blob, f->git, &commit, &f->err), RT_EINTERNAL,
                 "is not a blob");
    rt_blob_close(&blob);
}

static void names_a_missing_blob(void **state)
{
    struct fixture *f = *state;
    struct rt_blob blob = {0};
    struct rt_oid oid;

    repo_write(&f->repo, "a.sql", "SELECT 1;");
    repo_commit(&f->repo, "a");
    oid = repo_resolve(&f->repo, "HEAD:a.sql");
    lose_object(f, oid);
    expect_error(f, rt_blob_open(&blob, f->git, &oid, &f->err), RT_EINTERNAL, oid.hex);
    assert_contains(f->err.message, "blob");
    assert_contains(f->err.message, "is missing from the repository");
}

/* Under a blob's name, the file of another one: zlib's checksum does not see that. */
static void refuses_a_blob_that_is_not_its_name(void **state)
{
    struct fixture *f = *state;
    struct rt_oid good, other;
    struct rt_blob blob = {0};
    char *from, *to;

    repo_write(&f->repo, "a.sql", "SELECT 1;");
    repo_write(&f->repo, "b.sql", "DROP TABLE users;");
    repo_commit(&f->repo, "a");
    good = repo_resolve(&f->repo, "HEAD:a.sql");
    other = repo_resolve(&f->repo, "HEAD:b.sql");
    from = check_printf(".git/objects/%.2s/%s", other.hex, other.hex + 2);
    to = check_printf(".git/objects/%.2s/%s", good.hex, good.hex + 2);
    repo_rename(&f->repo, from, to);
    expect_error(f, rt_blob_open(&blob, f->git, &good, &f->err), RT_EINTERNAL,
                 "is damaged");
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(refuses_a_folder_without_repository),
        fixture_test(opens_from_a_subfolder),
        fixture_test(names_the_way_out_for_another_owner),
        fixture_test(opens_sparse_and_partial_clones),
        fixture_test(resolves_what_names_a_commit),
        fixture_test(refuses_what_does_not),
        fixture_test(refuses_an_unborn_head),
        fixture_test(tells_the_first_parent),
        fixture_test(a_missing_parent_is_no_root),
        fixture_test(knows_ancestors),
        fixture_test(a_shallow_clone_does_not_deny_an_ancestor),
        fixture_test(gives_the_subject),
        fixture_test(reads_blobs_raw),
        fixture_test(refuses_other_objects_as_blobs),
        fixture_test(names_a_missing_blob),
        fixture_test(refuses_a_blob_that_is_not_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
