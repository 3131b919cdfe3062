#include "base/keyfile.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

struct fixture {
    char dir[32];
    struct rt_arena arena;
    struct rt_err err;
    struct rt_secret secret; /* a pair's lines */
    const char *public_key;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct rt_signing_key *key = rt_signing_key_make();

    snprintf(f->dir, sizeof(f->dir), "/tmp/rt-keyfile-XXXXXX");
    rt_signing_key_text(&f->secret, key);
    f->public_key = rt_public_key_text(&f->arena, key);
    rt_signing_key_free(key);
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    rmdir(f->dir);
    rt_err_clear(&f->err);
    rt_secret_clear(&f->secret);
    rt_arena_clear(&f->arena);
    free(f);
    return 0;
}

static char *path_of(struct fixture *f, const char *name)
{
    return rt_arena_format(&f->arena, "%s/%s", f->dir, name);
}

static char *make_file(struct fixture *f, const void *bytes, size_t len, mode_t mode)
{
    char *path = path_of(f, "key");
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* Reading the value as a secret key (or public ones) fails with this, and no word of it
 * is a key's. */
static void refused(struct fixture *f, bool secret, const char *value,
                    const char *message)
{
    struct rt_signing_key *key = NULL;
    struct rt_public_keys keys;
    int rc = secret ? rt_signing_key_read(&key, value, "THE_KEY", &f->err)
                    : rt_public_keys_read(&keys, &f->arena, value, "THE_KEY", &f->err);

    assert_int_equal(rc, -RT_EUSAGE);
    assert_null(key);
    if (strstr(f->err.message, message) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", f->err.message, message);
    assert_null(strstr(f->err.message, f->secret.text + strlen(RT_SECRET_KEY_PREFIX)));
}

static void read_well(struct fixture *f, bool secret, const char *value)
{
    struct rt_signing_key *key;
    struct rt_public_keys keys;
    int rc;

    if (secret) {
        rc = rt_signing_key_read(&key, value, "THE_KEY", &f->err);
        if (rc == 0)
            assert_string_equal(rt_public_key_text(&f->arena, key), f->public_key);
        rt_signing_key_free(key);
    } else {
        rc = rt_public_keys_read(&keys, &f->arena, value, "THE_KEY", &f->err);
        assert_int_equal(keys.count, rc == 0);
    }
    if (rc < 0)
        fail_msg("%s", f->err.message);
}

static void test_files(void **state)
{
    struct fixture *f = *state;
    char *path = path_of(f, "made");
    struct stat st;

    assert_int_equal(rt_keyfile_create(path, f->secret.text, 0600, &f->err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, strlen(f->secret.text) + 1);
    read_well(f, true, path);
    chmod(path, 0400);
    read_well(f, true, path);
    refused(f, false, path, "THE_KEY holds a secret key");
    unlink(path);
    assert_int_equal(rt_keyfile_create(path, f->public_key, 0644, &f->err), 0);
    read_well(f, false, path);
    unlink(path);
}

/* As a workflow's secrets come; perhaps with the line end or comment of the file. */
static void test_values(void **state)
{
    struct fixture *f = *state;

    read_well(f, true, f->secret.text);
    read_well(f, true, rt_arena_format(&f->arena, "# of May\n%s\n", f->secret.text));
    read_well(f, false, f->public_key);
    refused(f, true, f->public_key, "THE_KEY holds a public key");
    refused(f, true, rt_arena_format(&f->arena, "x%s", f->secret.text), "not a key");
    refused(f, true, RT_SECRET_KEY_PREFIX "AAAA", "the key in THE_KEY is damaged");
}

static void test_open_to_others(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0777};
    struct fixture *f = *state;

    for (size_t i = 0; i < RT_COUNT(modes); i++) {
        char *path = make_file(f, f->secret.text, strlen(f->secret.text), modes[i]);

        refused(f, true, path, "open to other users");
        assert_non_null(strstr(f->err.message,
                               rt_arena_format(&f->arena, "%04o", (unsigned)modes[i])));
        assert_non_null(
            strstr(f->err.hint, rt_arena_format(&f->arena, "chmod 600 '%s'", path)));
    }
    unlink(path_of(f, "key"));
}

static void test_what_is_no_key_file(void **state)
{
    struct fixture *f = *state;
    char *large = rt_arena_alloc(&f->arena, RT_KEYFILE_MAX + 2);
    char *path = path_of(f, "fifo");

    refused(f, true, path_of(f, "none"), "THE_KEY names: No such file");
    assert_null(strstr(f->err.message, f->dir)); /* for all we know it is the key */
    assert_non_null(strstr(f->err.hint, RT_SECRET_KEY_PREFIX));
    refused(f, false, path_of(f, "none"), "THE_KEY names: No such file");
    assert_non_null(strstr(f->err.hint, RT_PUBLIC_KEY_PREFIX));
    refused(f, true, f->dir, "names a folder");
    refused(f, true, "/dev/null", "no regular file");
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(f, true, path, "no regular file"); /* and nobody waits for a writer */
    unlink(path);
    path = make_file(f, "", 0, 0600);
    refused(f, true, path, "holds no key");
    refused(f, false, path, "holds no key");
    path = make_file(f,
                     "\x7f"
                     "ELF\0\0",
                     6, 0600);
    refused(f, true, path, "not a key");
    refused(f, false, path, "not a key");
    memset(large, '#', RT_KEYFILE_MAX + 1);
    path = make_file(f, large, RT_KEYFILE_MAX + 1, 0600);
    refused(f, true, path, "not a key");
    path = make_file(f, large, RT_KEYFILE_MAX, 0600);
    refused(f, true, path, "holds no key"); /* a comment */
    unlink(path);
}

/* The one error of an open file that others' rights cannot make: root reads everything.
 */
static void test_unreadable_file(void **state)
{
    struct fixture *f = *state;
    char *path = make_file(f, f->secret.text, strlen(f->secret.text), 0);
    pid_t child;
    int status;

    assert_int_equal(chmod(f->dir, 0755), 0);
    child = fork();
    if (child == 0) {
        struct rt_signing_key *key;

        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        _exit(rt_signing_key_read(&key, path, "THE_KEY", &f->err) == -RT_EUSAGE &&
                      strstr(f->err.message, "Permission denied")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    unlink(path);
}

static void test_nothing_is_overwritten(void **state)
{
    struct fixture *f = *state;
    char *path = make_file(f, "kept", 4, 0600), *link = path_of(f, "link");
    struct stat st;

    assert_int_equal(rt_keyfile_create(path, "text", 0600, &f->err), -RT_EUSAGE);
    assert_non_null(strstr(f->err.message, "exists already"));
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(rt_keyfile_create(link, "text", 0600, &f->err), -RT_EUSAGE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    unlink(link);
    unlink(path);
    path = path_of(f, "no/folder");
    assert_int_equal(rt_keyfile_create(path, "text", 0600, &f->err), -RT_EUSAGE);
    assert_non_null(strstr(f->err.message, "No such file"));
}

static void test_half_a_file_is_removed(void **state)
{
    struct fixture *f = *state;
    char *path = path_of(f, "made");
    struct rlimit kept, none;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    none = (struct rlimit){.rlim_cur = 2, .rlim_max = kept.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(rt_keyfile_create(path, "text", 0600, &f->err), -RT_EINTERNAL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_non_null(strstr(f->err.message, strerror(EFBIG)));
    assert_int_equal(access(path, F_OK), -1);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_files),
        with_folder(test_values),
        with_folder(test_open_to_others),
        with_folder(test_what_is_no_key_file),
        with_folder(test_unreadable_file),
        with_folder(test_nothing_is_overwritten),
        with_folder(test_half_a_file_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
