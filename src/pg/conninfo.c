/* Connection strings: checked before use, because libpq's messages quote them. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "pg/private.h"

#define SERVICE "revtwin" /* in the service file of a child */

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val ? options->val : "";
    }
    return "";
}

static bool is_uri(const char *conninfo)
{
    return strncmp(conninfo, "postgres://", 11) == 0 ||
           strncmp(conninfo, "postgresql://", 13) == 0;
}

/* An unescaped '@', '/', ':' or '?' in a URI's password ends up in these three. */
static bool password_spilled(const PQconninfoOption *options)
{
    const char *port = option_value(options, "port");

    return strchr(option_value(options, "host"), '@') != NULL ||
           strchr(option_value(options, "dbname"), '@') != NULL ||
           strspn(port, "0123456789,") != strlen(port);
}

int rt_server_check(const struct rt_server *server, struct rt_err *err)
{
    const char *conninfo = server->conninfo.text;
    PQconninfoOption *options;
    char *message = NULL;
    int rc = 0;

    options = PQconninfoParse(conninfo, &message);
    PQfreemem(message);
    if (options == NULL) {
        rc = rt_err_set(err, RT_EUSAGE, "%s is not a valid connection string",
                        server->source);
        rt_err_hint(err,
                    "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with every "
                    "special character of the password percent-encoded (@ as %%40, / "
                    "as %%2F, %% as %%25), or host=... dbname=... user=....");
    } else if (is_uri(conninfo) && password_spilled(options)) {
        rc = rt_err_set(err, RT_EUSAGE,
                        "%s is not a valid connection URI: the password seems to contain "
                        "a character that must be percent-encoded",
                        server->source);
        rt_err_hint(err,
                    "In a password write @ as %%40, / as %%2F, : as %%3A, ? as %%3F, # "
                    "as %%23 and %% as %%25.");
    }
    PQconninfoFree(options);
    return rc;
}

bool rt_conninfo_has_password(const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    bool found = options == NULL;

    for (PQconninfoOption *o = options; o && o->keyword; o++)
        found |= o->dispchar[0] == '*' && o->val && o->val[0] != '\0';
    PQconninfoFree(options);
    return found;
}

/* Not for a child: other servers' settings, and what carries passwords and keys. */
static bool is_ours(const char *variable)
{
    return strncmp(variable, "PG", 2) == 0 || strncmp(variable, "REVTWIN_", 8) == 0 ||
           strncmp(variable, "PROD_DATABASE_URL=", 18) == 0 ||
           strncmp(variable, "DEV_DATABASE_URL=", 17) == 0;
}

int rt_service_file(const PQconninfoOption *options)
{
    const char *password = option_value(options, "sslpassword");
    int made, fd;

    if (*password == '\0')
        return 0;
    made = memfd_create("service", MFD_CLOEXEC);
    if (made < 0)
        return 0;
    fd = fcntl(made, F_DUPFD_CLOEXEC, 3); /* 0 means none */
    close(made);
    if (fd > 0)
        dprintf(fd, "[" SERVICE "]\nsslpassword=%s\n", password);
    return fd > 0 ? fd : 0;
}

/* A growing environment. */
struct variables {
    char **list;
    size_t count, cap;
};

static void add_variable(struct variables *v, char *variable)
{
    v->list = rt_grow(v->list, v->count, &v->cap, sizeof(*v->list));
    v->list[v->count++] = variable;
}

char **rt_environ_for(const PQconninfoOption *options, const char *database,
                      int service_file)
{
    struct variables v = {0};

    for (char **variable = environ; *variable; variable++) {
        if (!is_ours(*variable))
            add_variable(&v, rt_strdup(*variable));
    }
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        const char *value = strcmp(o->keyword, "dbname") == 0 ? database : o->val;

        if (o->envvar && value && strcmp(o->keyword, "service") != 0)
            add_variable(&v, rt_format("%s=%s", o->envvar, value));
    }
    if (service_file > 0) {
        add_variable(&v, rt_strdup("PGSERVICE=" SERVICE));
        add_variable(
            &v, rt_format("PGSERVICEFILE=/proc/%ld/fd/%d", (long)getpid(), service_file));
    }
    add_variable(&v, NULL);
    return v.list;
}

void rt_environ_free(char **environment)
{
    if (environment == NULL)
        return;
    for (char **variable = environment; *variable; variable++) {
        explicit_bzero(*variable, strlen(*variable));
        free(*variable);
    }
    free(environment);
}
