/* revtwin.conf: entries as git has them, from the commit, and nothing from elsewhere. */
#include "base/str.h"
#include "fixture.h"
#include "git/config.h"

/* Commit the text as revtwin.conf; the checkout then has something else. */
static struct rt_oid commit_config(struct fixture *f, const char *text, size_t len)
{
    struct rt_oid commit;

    repo_write_bytes(&f->repo, RT_CONFIG_FILE, text, len);
    commit = repo_commit(&f->repo, "config");
    repo_write(&f->repo, RT_CONFIG_FILE, "[checkout]\nis = not read\n");
    return commit;
}

/* The entries as "name=value" lines. */
static void expect_entries(struct fixture *f, struct rt_oid commit, const char *wanted)
{
    struct rt_str got = {0};
    struct rt_config config;

    expect_ok(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err));
    for (size_t i = 0; i < config.count; i++)
        rt_str_addf(&got, "%s=%s\n", config.entries[i].name, config.entries[i].value);
    assert_text_equal(rt_str_text(&got), wanted);
    rt_str_clear(&got);
}

static void reads_entries_in_file_order(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *text, *entries;
    } files[] = {
        {"", ""},
        {"# only a comment\n; and another\n", ""},
        {"[a]\nz = 1\nb = 2\n[b]\na = 3\n[a]\ny = 4\n", "a.z=1\na.b=2\nb.a=3\na.y=4\n"},
        {"[Twin \"Sub.Section X\"]\nKeyName = V\n", "twin.Sub.Section X.keyname=V\n"},
        {"[a]\nk = 1\nk = 2\nk = 1\n", "a.k=1\na.k=2\na.k=1\n"},
        {"[a]\nk = \" x \\\"y\\\" \\t\" ; comment\n", "a.k= x \"y\" \t\n"},
        {"[a]\nk = one \\\n  two\n", "a.k=one   two\n"},
        {"[a]\nflag\nempty =\n", "a.flag=true\na.empty=\n"},
        {"\xEF\xBB\xBF[a]\r\nk = crlf\r\n", "a.k=crlf\n"},
        {"[a] k = same line", "a.k=same line\n"},
        {"[a]\nk = caf\xC3\xA9 \xFF\n", "a.k=caf\xC3\xA9 \xFF\n"},
        {"[a]\ninclude = x\n# [include] here\n  ; [includeIf] there\n", "a.include=x\n"},
    };

    for (size_t i = 0; i < RT_COUNT(files); i++)
        expect_entries(f, commit_config(f, files[i].text, strlen(files[i].text)),
                       files[i].entries);
}

static void no_file_is_no_entries(void **state)
{
    struct fixture *f = *state;
    struct rt_oid commit;

    repo_write(&f->repo, "below/" RT_CONFIG_FILE, "[a]\nk = 1\n");
    commit = repo_commit(&f->repo, "no config at the root");
    repo_write(&f->repo, RT_CONFIG_FILE, "[checkout]\nis = not read\n");
    expect_entries(f, commit, "");
}

static void the_users_settings_are_not_read(void **state)
{
    struct fixture *f = *state;

    repo_git(&f->repo, "config", "a.local", "1", NULL);
    fixture_open(f, &f->repo);
    expect_entries(f, commit_config(f, "[a]\nk = 1\n", 10), "a.k=1\n");
}

static void tells_the_line_of_a_mistake(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *text;
        unsigned long line;
        const char *message;
    } files[] = {
        {"[a\nk = 1\n", 1, "missing ']' in section header"},
        {"[a]\nk = 1\n\n=\n", 4, "invalid configuration key"},
        {"[a]\n[b x]\n", 2, "missing quotation marks"},
        {"[a]\nk = \\q\n", 0, "invalid escape"},
        {"[a]\nk_y = 1\n", 2, "invalid configuration key"},
    };

    for (size_t i = 0; i < RT_COUNT(files); i++) {
        struct rt_oid commit = commit_config(f, files[i].text, strlen(files[i].text));
        struct rt_config config;

        expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                     RT_EUSAGE, files[i].message);
        assert_lacks(f->err.message, "/proc");
        assert_string_equal(f->err.path, RT_CONFIG_FILE);
        assert_int_equal(f->err.line, files[i].line);
        assert_int_equal(config.count, 0);
    }
}

/* The included file is there, and would be seen if it were read. */
static void never_includes_another_file(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *text; /* %s is the other file */
        unsigned long line;
    } files[] = {
        {"[include]\npath = %s\n", 1},
        {"[a]\nk = 1\n[include]\npath = %s\n", 3},
        {"[InClUdE]\n\tPATH = %s\n", 1},
        {"[include] path = %s\n", 1},
        {"[a] [include] path = %s\n", 1},
        {"[a][include]path = %s", 1},
        {"  \t[include]\npath = %s\n", 1},
        {"\xEF\xBB\xBF[include]\npath = %s\n", 1},
        {"\r[include]\npath = %s\n", 1},
        {"\v\f[include]\npath = %s\n", 1},
        {"[includeIf \"gitdir:/**\"]\npath = %s\n", 1},
        {"[INCLUDEIF \"onbranch:main\"]\npath = %s\n", 1},
        {"[a]\nk = x\\\n# y\n[include]\npath = %s\n", 4},
        {"[a]\nk = \"x\\\n[include]\npath = %s\n", 3},
    };
    char *other = check_printf("%s/other", f->repo.dir);

    repo_write(&f->repo, "other", "[leaked]\nsecret = 1\n");
    for (size_t i = 0; i < RT_COUNT(files); i++) {
        struct rt_str text = {0};
        const char *hole = strstr(files[i].text, "%s");
        struct rt_oid commit;
        struct rt_config config;

        rt_str_addn(&text, files[i].text, (size_t)(hole - files[i].text));
        rt_str_add(&text, other);
        rt_str_add(&text, hole + 2);
        commit = commit_config(f, text.data, text.len);
        expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                     RT_EUSAGE, "the file may not include another one");
        assert_string_equal(f->err.path, RT_CONFIG_FILE);
        assert_int_equal(f->err.line, files[i].line);
        rt_str_clear(&text);
    }
    free(other);
}

static void refuses_nul_bytes(void **state)
{
    struct fixture *f = *state;
    struct rt_oid commit = commit_config(f, "[a]\n\0[include]\npath = x\n", 25);
    struct rt_config config;

    expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                 RT_EUSAGE, "the file contains a NUL byte");
}

static void refuses_what_is_no_file(void **state)
{
    struct fixture *f = *state;
    struct rt_config config;
    struct rt_oid commit;

    repo_write(&f->repo, "real.conf", "[a]\nk = 1\n");
    repo_symlink(&f->repo, RT_CONFIG_FILE, "real.conf");
    commit = repo_commit(&f->repo, "link");
    expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                 RT_EUSAGE, "not a regular file");
    assert_string_equal(f->err.path, RT_CONFIG_FILE);
    repo_delete(&f->repo, RT_CONFIG_FILE);
    repo_write(&f->repo, RT_CONFIG_FILE "/x", "");
    commit = repo_commit(&f->repo, "folder");
    expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                 RT_EUSAGE, "not a regular file");
}

static void names_a_missing_blob(void **state)
{
    struct fixture *f = *state;
    struct rt_oid commit = commit_config(f, "[a]\nk = 1\n", 10), blob;
    struct rt_config config;

    blob = repo_resolve(&f->repo, "HEAD:" RT_CONFIG_FILE);
    lose_object(f, blob);
    expect_error(f, rt_config_read(&config, &f->arena, f->git, &commit, &f->err),
                 RT_EINTERNAL, blob.hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(reads_entries_in_file_order),
        fixture_test(no_file_is_no_entries),
        fixture_test(the_users_settings_are_not_read),
        fixture_test(tells_the_line_of_a_mistake),
        fixture_test(never_includes_another_file),
        fixture_test(refuses_nul_bytes),
        fixture_test(refuses_what_is_no_file),
        fixture_test(names_a_missing_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
