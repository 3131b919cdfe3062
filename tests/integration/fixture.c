#include "fixture.h"

#include "base/str.h"

void fixture_open(struct fixture *f, const struct repo *repo)
{
    rt_repo_close(f->git);
    f->git = NULL;
    if (rt_repo_open(&f->git, repo->dir, &f->err) != 0)
        check_fail("%s", f->err.message);
}

int fixture_setup(void **state)
{
    struct fixture *f = check_alloc(sizeof *f);

    *f = (struct fixture){0};
    *state = f;
    repo_init(&f->repo);
    fixture_open(f, &f->repo);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    rt_repo_close(f->git);
    repo_clear(&f->repo);
    rt_arena_clear(&f->arena);
    rt_err_clear(&f->err);
    free(f);
    return 0;
}

void expect_ok(struct fixture *f, int rc)
{
    if (rc < 0)
        check_fail("status %d: %s", -rc, f->err.message);
}

void expect_error(struct fixture *f, int rc, enum rt_status status, const char *part)
{
    if (rc != -(int)status || f->err.status != status || !f->err.message)
        check_fail("returned %d with status %d: %s", rc, (int)f->err.status,
                   f->err.message ? f->err.message : "(no message)");
    assert_contains(f->err.message, part);
}

void expect_shallow_hint(struct fixture *f)
{
    assert_non_null(f->err.hint);
    assert_contains(f->err.hint, "fetch-depth: 0");
    assert_contains(f->err.hint, "git fetch --unshallow");
}

void lose_object(const struct fixture *f, struct rt_oid oid)
{
    char *path = check_printf(".git/objects/%.2s/%s", oid.hex, oid.hex + 2);

    repo_delete(&f->repo, path);
    free(path);
}

struct rt_range range_step(struct fixture *f, struct rt_oid commit)
{
    struct rt_range range;

    expect_ok(f, rt_range_step(&range, &f->arena, f->git, &commit, FOLDER, &f->err));
    return range;
}

struct rt_range range_since(struct fixture *f, struct rt_oid base)
{
    struct rt_oid tip = repo_resolve(&f->repo, "HEAD");
    struct rt_range range;

    expect_ok(f, rt_range_since(&range, &f->arena, f->git, &base, &tip, FOLDER, &f->err));
    return range;
}

void write_sql(struct fixture *f, const char *name)
{
    static unsigned serial;
    char *path = check_printf(FOLDER "/%s", name);
    char *text = check_printf("SELECT %u;\n", ++serial);

    repo_write(&f->repo, path, text);
    free(path);
    free(text);
}

struct rt_oid commit_sql(struct fixture *f, const char *name)
{
    write_sql(f, name);
    return repo_commit(&f->repo, name);
}

void move_sql(struct fixture *f, const char *from, const char *to)
{
    char *old = check_printf(FOLDER "/%s", from), *new = check_printf(FOLDER "/%s", to);

    repo_rename(&f->repo, old, new);
    free(old);
    free(new);
}

void delete_sql(struct fixture *f, const char *name)
{
    char *path = check_printf(FOLDER "/%s", name);

    repo_delete(&f->repo, path);
    free(path);
}

void expect_arrivals(struct rt_range range, const char *wanted)
{
    size_t skip = strlen(FOLDER "/");
    struct rt_str got = {0};

    for (size_t i = 0; i < range.count; i++) {
        const struct rt_arrival *a = &range.arrivals[i];

        rt_str_addf(&got, "%s%s", i ? " " : "", a->path + skip);
        if (strcmp(a->path, a->origin) != 0)
            rt_str_addf(&got, "<%s", a->origin + skip);
        rt_str_addf(&got, "%s%s", a->edited ? "!" : "", a->deleted ? "-" : "");
    }
    assert_text_equal(rt_str_text(&got), wanted);
    rt_str_clear(&got);
}
