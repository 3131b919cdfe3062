/* revtwin keygen makes a pair that nobody else can read, and overwrites nothing. */
#include "scene.h"

#include <sys/stat.h>
#include <unistd.h>

static char *file_at(const struct scene *s, const char *name)
{
    char *path = check_printf("%s/%s", s->repo.dir, name), *text = check_alloc(4096);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, 4095, file) : 0;

    if (!file)
        check_fail("there is no %s", path);
    text[len] = '\0';
    fclose(file);
    free(path);
    return text;
}

static void expect_mode(const struct scene *s, const char *name, unsigned mode)
{
    char *path = check_printf("%s/%s", s->repo.dir, name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
    free(path);
}

static bool exists(const struct scene *s, const char *name)
{
    char *path = check_printf("%s/%s", s->repo.dir, name);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

static void pair_is_made(void **state)
{
    struct scene *s = *state;
    char *secret, *public_key;

    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_run(s, 0, "keygen");
    assert_string_equal(s->run.err, "");
    secret = file_at(s, "revtwin.key");
    public_key = file_at(s, "revtwin.key.pub");
    assert_contains(secret, "revtwin-secret-key-1:");
    assert_contains(public_key, "revtwin-public-key-1:");
    expect_mode(s, "revtwin.key", 0600);
    expect_mode(s, "revtwin.key.pub", 0644);
    assert_said(s, "secret key: revtwin.key\n");
    assert_said(s, "public key: revtwin.key.pub\n");
    assert_said(s, public_key);
    assert_said(s, "REVTWIN_SIGNING_KEY");
    assert_said(s, "verify --public-key revtwin.key.pub");
    assert_lacks(s->run.out, "secret-key-1");
    free(secret);
    free(public_key);
}

static void file_and_folder_are_ours_to_name(void **state)
{
    struct scene *s = *state;
    char *public_key;

    repo_write(&s->repo, "keys/.keep", "");
    scene_run(s, 0, "keygen", "-C", "keys", "--json", "may key");
    expect_mode(s, "keys/may key", 0600);
    public_key = file_at(s, "keys/may key.pub");
    public_key[strcspn(public_key, "\n")] = '\0';
    assert_said(s, public_key);
    assert_said(s, "\"secret_key_file\": \"may key\"");
    assert_said(s, "\"public_key_file\": \"may key.pub\"");
    free(public_key);
    scene_run(s, 2, "keygen", "-C", "nowhere");
    assert_warned(s, "cannot enter \"nowhere\"");
}

static void nothing_is_overwritten(void **state)
{
    struct scene *s = *state;
    char *before, *after;

    scene_run(s, 0, "keygen");
    before = file_at(s, "revtwin.key");
    scene_run(s, 2, "keygen");
    assert_warned(s, "\"revtwin.key\" exists already");
    assert_warned(s, "revtwin keygen FILE");
    after = file_at(s, "revtwin.key");
    assert_text_equal(after, before);
    free(before);
    free(after);
    repo_delete(&s->repo, "revtwin.key");
    before = file_at(s, "revtwin.key.pub");
    scene_run(s, 2, "keygen");
    assert_warned(s, "\"revtwin.key.pub\" exists already");
    after = file_at(s, "revtwin.key.pub");
    assert_text_equal(after, before);
    assert_false(exists(s, "revtwin.key")); /* half a pair would be of no use */
    free(before);
    free(after);
    scene_run(s, 2, "keygen", "no/folder");
    assert_warned(s, "cannot make \"no/folder\": No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(pair_is_made),
        scene_test(file_and_folder_are_ours_to_name),
        scene_test(nothing_is_overwritten),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
