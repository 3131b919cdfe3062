/* The files of a commit's tree, and the new ones of the checkout. */
#include <sys/stat.h>

#include "base/str.h"
#include "fixture.h"

/* Paths in order, with "@" for a symbolic link and "#" for a submodule behind. */
static void expect_listing(const struct rt_listing *listing, const char *wanted)
{
    const char *marks[] = {"", "@", "#"};
    struct rt_str got = {0};

    for (size_t i = 0; i < listing->count; i++)
        rt_str_addf(&got, "%s%s%s", i ? " " : "", listing->entries[i].path,
                    marks[listing->entries[i].kind]);
    assert_text_equal(rt_str_text(&got), wanted);
    rt_str_clear(&got);
}

static struct rt_listing list_tree(struct fixture *f, const char *folder, bool must_exist)
{
    struct rt_oid head = repo_resolve(&f->repo, "HEAD");
    struct rt_listing listing;

    expect_ok(
        f, rt_tree_list(&listing, &f->arena, f->git, &head, folder, must_exist, &f->err));
    return listing;
}

static struct rt_listing list_uncommitted(struct fixture *f, const char *folder)
{
    struct rt_listing listing;

    expect_ok(f, rt_tree_uncommitted(&listing, &f->arena, f->git, folder, &f->err));
    return listing;
}

static void knows_sql_names(void **state)
{
    (void)state;
    assert_true(rt_is_sql("a.sql"));
    assert_true(rt_is_sql("a.SqL"));
    assert_true(rt_is_sql(".sql"));
    assert_false(rt_is_sql("sql"));
    assert_false(rt_is_sql(""));
    assert_false(rt_is_sql("a.sql.bak"));
    assert_false(rt_is_sql("a_sql"));
}

static void lists_in_natural_order(void **state)
{
    struct fixture *f = *state;
    struct rt_listing listing;
    struct rt_oid head, blob;

    repo_write(&f->repo, "m/V10.sql", "10");
    repo_write(&f->repo, "m/V9.SQL", "9");
    repo_write(&f->repo, "m/V9.txt", "no");
    repo_write(&f->repo, "m/V9/z.sql", "z");
    repo_write(&f->repo, "m.sql", "outside");
    repo_write(&f->repo, "m2/a.sql", "outside");
    repo_symlink(&f->repo, "m/link.sql", "V10.sql");
    repo_symlink(&f->repo, "m/dir", "../m2");
    head = repo_commit(&f->repo, "all");
    repo_git(&f->repo, "update-index", "--add", "--cacheinfo", "160000", head.hex,
             "m/sub.sql", NULL);
    repo_git(&f->repo, "commit", "-q", "-m", "submodule", NULL);
    listing = list_tree(f, "m", true);
    expect_listing(&listing, "m/V9/z.sql m/V9.SQL m/V10.sql m/link.sql@ m/sub.sql#");
    blob = repo_resolve(&f->repo, "HEAD:m/V10.sql");
    assert_string_equal(rt_listing_find(&listing, "m/V10.sql")->oid.hex, blob.hex);
    assert_string_equal(rt_listing_find(&listing, "m/sub.sql")->oid.hex, head.hex);
    assert_null(rt_listing_find(&listing, "m/V10"));
    assert_null(rt_listing_find(&listing, "m/V010.sql"));
}

static void takes_a_folder_in_any_spelling(void **state)
{
    struct fixture *f = *state;
    const char *below[] = {"a/b", "./a/b/", "/a/b", "a//b/.", ".//a/./b//"};
    const char *all[] = {"", ".", "./", "/"};

    repo_write(&f->repo, "a/b/1.sql", "");
    repo_write(&f->repo, "a/2.sql", "");
    repo_commit(&f->repo, "all");
    for (size_t i = 0; i < RT_COUNT(below); i++) {
        struct rt_listing listing = list_tree(f, below[i], true);

        expect_listing(&listing, "a/b/1.sql");
    }
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        struct rt_listing listing = list_tree(f, all[i], true);

        expect_listing(&listing, "a/2.sql a/b/1.sql");
    }
}

static void refuses_what_is_no_folder(void **state)
{
    struct fixture *f = *state;
    struct rt_oid head;
    struct rt_listing listing;
    const struct {
        const char *folder, *message;
        bool always;
    } folders[] = {
        {"none", "there is no folder \"none\" in commit ", false},
        {"a/none", "there is no folder \"a/none\" in commit ", false},
        {"./a/1.sql/", "\"a/1.sql\" is not a folder in commit ", false},
        {"a/1.sql/x", "there is no folder \"a/1.sql/x\" in commit ", false},
        {"link", "\"link\" is not a folder in commit ", false},
        {"..", "the folder \"..\" is not below the repository's root", true},
        {"a/../../x", "is not below the repository's root", true},
    };

    repo_write(&f->repo, "a/1.sql", "");
    repo_symlink(&f->repo, "link", "a");
    head = repo_commit(&f->repo, "all");
    for (size_t i = 0; i < RT_COUNT(folders); i++) {
        const char *folder = folders[i].folder;
        int rc = rt_tree_list(&listing, &f->arena, f->git, &head, folder, true, &f->err);

        expect_error(f, rc, RT_EUSAGE, folders[i].message);
        rc = rt_tree_list(&listing, &f->arena, f->git, &head, folder, false, &f->err);
        if (folders[i].always)
            expect_error(f, rc, RT_EUSAGE, folders[i].message);
        else
            expect_ok(f, rc);
        assert_int_equal(listing.count, 0);
    }
}

static void lists_nothing_where_nothing_is(void **state)
{
    struct fixture *f = *state;
    struct rt_oid none = {""};
    struct rt_listing listing;

    expect_ok(f, rt_tree_list(&listing, &f->arena, f->git, &none, "m", true, &f->err));
    assert_int_equal(listing.count, 0);
    assert_null(rt_listing_find(&listing, "m/a.sql"));
    repo_commit(&f->repo, "empty");
    listing = list_tree(f, ".", true);
    assert_int_equal(listing.count, 0);
}

static void bounds_the_depth(void **state)
{
    struct fixture *f = *state;
    char *tree =
        repo_git_output(&f->repo, "hash-object", "-t", "tree", "-w", "/dev/null", NULL);
    char *commit;
    struct rt_listing listing;
    struct rt_oid oid = {""};

    /* Deeper than a path can be in a checkout: only hash-object makes it. */
    for (int i = 0; i < 600; i++) {
        char bytes[32];
        size_t len = (size_t)snprintf(bytes, sizeof bytes, "40000 d") + 1;

        for (size_t k = 0; k < 20; k++, len++) {
            char digits[] = {tree[2 * k], tree[2 * k + 1], '\0'};

            bytes[len] = (char)strtoul(digits, NULL, 16);
        }
        repo_write_bytes(&f->repo, "tree", bytes, len);
        free(tree);
        tree = repo_git_output(&f->repo, "hash-object", "-t", "tree", "-w", "tree", NULL);
    }
    tree[40] = '\0';
    commit = repo_git_output(&f->repo, "commit-tree", "-m", "deep", tree, NULL);
    snprintf(oid.hex, sizeof oid.hex, "%.40s", commit);
    expect_error(f, rt_tree_list(&listing, &f->arena, f->git, &oid, "", true, &f->err),
                 RT_EREFUSED, "folders are nested deeper than 512");
    free(tree);
    free(commit);
}

/* A commit of a tree object with these bytes. */
static struct rt_oid commit_raw_tree(struct fixture *f, const void *bytes, size_t len)
{
    struct rt_oid oid = {""};
    char *tree, *commit;

    repo_write_bytes(&f->repo, "tree", bytes, len);
    tree = repo_git_output(&f->repo, "hash-object", "--literally", "-t", "tree", "-w",
                           "tree", NULL);
    tree[40] = '\0';
    repo_write(&f->repo, "commit", "");
    commit = check_printf("tree %s\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nm\n",
                          tree);
    repo_write(&f->repo, "commit", commit);
    free(commit);
    commit = repo_git_output(&f->repo, "hash-object", "--literally", "-t", "commit", "-w",
                             "commit", NULL);
    snprintf(oid.hex, sizeof oid.hex, "%.40s", commit);
    free(tree);
    free(commit);
    return oid;
}

static void refuses_malformed_trees(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t len;
    } trees[] = {
        {"100644 a.sql", 12}, /* no end of the name */
        {"100644 a.sql\0"
         "1234567890123456789",
         32}, /* a byte too short */
        {"100644 \0"
         "12345678901234567890",
         28}, /* no name */
        {"a.sql\0"
         "12345678901234567890",
         26},          /* no mode */
        {"100644", 6}, /* nothing else */
        {"100644 ../a.sql\0"
         "12345678901234567890",
         36}, /* a path as a name */
        {"100644 a.sql\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
         33}, /* no object */
    };

    for (size_t i = 0; i < RT_COUNT(trees); i++) {
        struct rt_oid commit = commit_raw_tree(f, trees[i].bytes, trees[i].len);
        struct rt_listing listing;

        expect_error(
            f, rt_tree_list(&listing, &f->arena, f->git, &commit, "", true, &f->err),
            RT_EINTERNAL, "malformed");
    }
}

static void finds_new_files_of_the_checkout(void **state)
{
    struct fixture *f = *state;
    struct rt_listing listing;
    char *hash;

    repo_write(&f->repo, ".gitignore", "ignored*\n");
    repo_write(&f->repo, "m/old.sql", "old");
    repo_write(&f->repo, "m/kept.sql", "kept");
    repo_commit(&f->repo, "base");
    repo_write(&f->repo, "m/old.sql", "edited");
    repo_git(&f->repo, "rm", "-q", "--cached", "m/kept.sql", NULL);
    repo_write(&f->repo, "m/V10.sql", "SELECT 10;\r\n");
    repo_write(&f->repo, "m/V9.sql", "SELECT 9;");
    repo_write(&f->repo, "m/new/deep/1.sql", "");
    repo_write(&f->repo, "m/ignored.sql", "");
    repo_write(&f->repo, "m/note.txt", "");
    repo_write(&f->repo, "m/[x]*.sql", "");
    repo_write(&f->repo, "m2/other.sql", "");
    repo_write(&f->repo, "other.sql", "");
    repo_write(&f->repo, "m/gone.sql", "");
    repo_symlink(&f->repo, "m/link.sql", "/etc/passwd");
    repo_git(&f->repo, "add", "m/V9.sql", "m/gone.sql", NULL);
    repo_delete(&f->repo, "m/gone.sql");
    listing = list_uncommitted(f, "./m/");
    expect_listing(&listing,
                   "m/V9.sql m/V10.sql m/[x]*.sql m/link.sql@ m/new/deep/1.sql");
    for (size_t i = 0; i < 3; i++) {
        hash = repo_git_output(&f->repo, "hash-object", listing.entries[i].path, NULL);
        hash[40] = '\0';
        assert_string_equal(listing.entries[i].oid.hex, hash);
        free(hash);
    }
    listing = list_uncommitted(f, ".");
    expect_listing(&listing, "m/V9.sql m/V10.sql m/[x]*.sql m/link.sql@ m/new/deep/1.sql "
                             "m2/other.sql other.sql");
    listing = list_uncommitted(f, "none");
    assert_int_equal(listing.count, 0);
    repo_git(&f->repo, "add", "-A", NULL);
    listing = list_uncommitted(f, "m/new");
    expect_listing(&listing, "m/new/deep/1.sql");
}

static void hashes_the_checkout_as_git_would(void **state)
{
    struct fixture *f = *state;
    struct rt_listing listing;
    struct rt_oid blob;

    repo_write(&f->repo, ".gitattributes", "*.sql text eol=crlf\n");
    repo_commit(&f->repo, "attributes");
    repo_write(&f->repo, "m/a.sql", "SELECT 1;\r\n");
    repo_symlink(&f->repo, "m/b.sql", "a.sql");
    listing = list_uncommitted(f, "m");
    repo_commit(&f->repo, "a");
    blob = repo_resolve(&f->repo, "HEAD:m/a.sql");
    assert_string_equal(listing.entries[0].oid.hex, blob.hex);
    blob = repo_resolve(&f->repo, "HEAD:m/b.sql");
    assert_string_equal(listing.entries[1].oid.hex, blob.hex);
}

static void an_unborn_branch_has_only_new_files(void **state)
{
    struct fixture *f = *state;
    struct rt_listing listing;

    repo_write(&f->repo, "m/a b.sql", "");
    repo_write(&f->repo, "m/\xFF\n.sql", "");
    listing = list_uncommitted(f, "m");
    expect_listing(&listing, "m/a b.sql m/\xFF\n.sql");
}

static void a_bare_repository_has_no_checkout(void **state)
{
    struct fixture *f = *state;
    struct rt_listing listing;
    struct repo bare;
    size_t len;
    char *text;

    repo_commit(&f->repo, "base");
    repo_clone(&bare, &f->repo, "--bare", NULL);
    fixture_open(f, &bare);
    listing = list_uncommitted(f, "");
    assert_int_equal(listing.count, 0);
    expect_error(f, rt_tree_read_checkout(&text, &len, f->git, "a.sql", &f->err),
                 RT_EINTERNAL, "cannot read \"a.sql\"");
    repo_clear(&bare);
}

static void reads_files_of_the_checkout(void **state)
{
    struct fixture *f = *state;
    const char bytes[] = "a\r\n\0\xFF";
    char *text, *pipe;
    size_t len;

    repo_write_bytes(&f->repo, "m/a.sql", bytes, sizeof bytes);
    expect_ok(f, rt_tree_read_checkout(&text, &len, f->git, "m/a.sql", &f->err));
    assert_int_equal(len, sizeof bytes);
    assert_memory_equal(text, bytes, len);
    free(text);
    repo_write(&f->repo, "empty.sql", "");
    expect_ok(f, rt_tree_read_checkout(&text, &len, f->git, "empty.sql", &f->err));
    assert_int_equal(len, 0);
    free(text);
    repo_symlink(&f->repo, "link.sql", "/etc/passwd");
    expect_error(f, rt_tree_read_checkout(&text, &len, f->git, "link.sql", &f->err),
                 RT_EREFUSED, "\"link.sql\" is not a regular file");
    expect_error(f, rt_tree_read_checkout(&text, &len, f->git, "m", &f->err), RT_EREFUSED,
                 "\"m\" is not a regular file");
    expect_error(f, rt_tree_read_checkout(&text, &len, f->git, "none.sql", &f->err),
                 RT_EINTERNAL, "cannot read \"none.sql\": No such file");
    pipe = check_printf("%s/pipe.sql", f->repo.dir);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    expect_error(f, rt_tree_read_checkout(&text, &len, f->git, "pipe.sql", &f->err),
                 RT_EREFUSED, "is not a regular file");
    free(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_sql_names),
        fixture_test(lists_in_natural_order),
        fixture_test(takes_a_folder_in_any_spelling),
        fixture_test(refuses_what_is_no_folder),
        fixture_test(lists_nothing_where_nothing_is),
        fixture_test(bounds_the_depth),
        fixture_test(refuses_malformed_trees),
        fixture_test(finds_new_files_of_the_checkout),
        fixture_test(hashes_the_checkout_as_git_would),
        fixture_test(an_unborn_branch_has_only_new_files),
        fixture_test(a_bare_repository_has_no_checkout),
        fixture_test(reads_files_of_the_checkout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
