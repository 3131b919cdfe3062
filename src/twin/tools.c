#include "twin/tools.h"

#include <glob.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"

/* pg_restore from here on sets transaction_timeout, which came with this version. */
enum { TRANSACTION_TIMEOUT = 17 };

struct search {
    struct rt_tools best; /* major is 0 before the first one */
    struct rt_arena *arena;
    char **environment; /* for the programs */
    int lowest;         /* production's version */
    int newest;         /* of all programs seen; 0: none */
};

/* The major version that "pg_dump --version" prints, or 0 when it does not run. */
static int ask_version(int *out, const char *pg_dump, char *const *environment,
                       struct rt_err *err)
{
    static const char before[] = "(PostgreSQL) ";
    const char *const argv[] = {pg_dump, "--version", NULL};
    struct rt_child command = {.argv = argv, .environment = environment};
    char *text, *number;
    int rc = rt_child_run(&command, 1, &text, err);

    *out = 0;
    if (rc == 0 && command.exit_status == 0 && (number = strstr(text, before)) != NULL)
        *out = (int)strtol(number + strlen(before), NULL, 10);
    if (rc ==
        -RT_EINTERNAL) { /* not a program for this machine: as if it were not there */
        rt_err_clear(err);
        rc = 0;
    }
    rt_child_clear(&command);
    free(text);
    return rc;
}

static int consider(struct search *s, const char *dir, int dir_len, struct rt_err *err)
{
    char *dump = rt_arena_format(s->arena, "%.*s/pg_dump", dir_len, dir);
    char *restore = rt_arena_format(s->arena, "%.*s/pg_restore", dir_len, dir);
    int major, rc;

    if (access(dump, X_OK) != 0 || access(restore, X_OK) != 0)
        return 0;
    rc = ask_version(&major, dump, s->environment, err);
    if (rc < 0)
        return rc;
    if (major > s->newest)
        s->newest = major;
    if (major >= s->lowest && (s->best.major == 0 || major < s->best.major))
        s->best = (struct rt_tools){dump, restore, major};
    return 0;
}

/* Production's own version is the best that there can be. */
static bool is_found(const struct search *s)
{
    return s->best.major == s->lowest;
}

/* Debian's folders come before PATH: there /usr/bin/pg_dump is a script that chooses. */
static int consider_installed(struct search *s, struct rt_err *err)
{
    const char *path = getenv("PATH");
    glob_t found;
    int rc = 0;

    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
        for (size_t i = 0; rc == 0 && !is_found(s) && i < found.gl_pathc; i++)
            rc = consider(s, found.gl_pathv[i], (int)strlen(found.gl_pathv[i]), err);
        globfree(&found);
    }
    while (rc == 0 && !is_found(s) && path && *path) {
        size_t len = strcspn(path, ":");

        if (len > 0)
            rc = consider(s, path, (int)len, err);
        path += len + (path[len] == ':');
    }
    return rc;
}

int rt_tools_find(struct rt_tools *out, struct rt_arena *arena, const char *bindir,
                  struct rt_conn *prod, const struct rt_conn *twin, struct rt_err *err)
{
    int version = rt_conn_version(prod), twin_version = rt_conn_version(twin);
    struct search s = {
        .arena = arena, .environment = rt_conn_environ(prod), .lowest = version / 10000};
    int rc = bindir ? consider(&s, bindir, (int)strlen(bindir), err)
                    : consider_installed(&s, err);

    rt_environ_free(s.environment);
    if (rc < 0)
        return rc;
    *out = s.best;
    if (s.newest == 0)
        rt_err_set(err, RT_EINTERNAL, "pg_dump and pg_restore are not in %s",
                   bindir ? bindir : "PATH");
    else if (s.best.major == 0)
        rt_err_set(err, RT_EINTERNAL, "pg_dump %d is older than production (%d.%d)",
                   s.newest, version / 10000, version % 10000);
    else if (s.best.major >= TRANSACTION_TIMEOUT &&
             twin_version / 10000 < TRANSACTION_TIMEOUT)
        rt_err_set(err, RT_EINTERNAL, "pg_restore %d is too new for the twin (%d.%d)",
                   s.best.major, twin_version / 10000, twin_version % 10000);
    else
        return 0;
    return rt_err_hint(err, "Install the package postgresql-client-%d.", version / 10000);
}
