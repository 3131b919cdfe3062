#include "scene.h"

/* Nothing but the tests may take transaction ids. */
static const char *const settings[] = {"autovacuum=off", NULL};

struct cluster scene_server;

int scene_start_server(void **state)
{
    (void)state;
    cluster_start(&scene_server, settings);
    return 0;
}

int scene_stop_server(void **state)
{
    (void)state;
    cluster_stop(&scene_server);
    return 0;
}

void scene_new_production(struct scene *s)
{
    static unsigned made;
    char url[CLUSTER_URL_SIZE];

    snprintf(s->db, sizeof(s->db), "prod%u", ++made);
    cluster_createdb(&scene_server, s->db);
    cluster_exec(&scene_server, s->db,
                 "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, name text)");
    scene_set(s, "PROD_DATABASE_URL", cluster_url(&scene_server, s->db, url));
}

int scene_open(void **state)
{
    struct scene *s = check_alloc(sizeof(*s));

    *s = (struct scene){0};
    *state = s;
    scene_new_production(s);
    repo_init(&s->repo);
    return 0;
}

int scene_close(void **state)
{
    struct scene *s = *state;

    run_clear(&s->run);
    repo_clear(&s->repo);
    for (size_t i = 0; s->env[i]; i++)
        free((char *)s->env[i]);
    free(s);
    return 0;
}

void scene_set(struct scene *s, const char *name, const char *value)
{
    size_t length = strlen(name), i = 0, last;

    while (s->env[i] &&
           (strncmp(s->env[i], name, length) != 0 || s->env[i][length] != '='))
        i++;
    for (last = i; s->env[last];)
        last++;
    free((char *)s->env[i]);
    if (value) {
        if (i == SCENE_ENV)
            check_fail("more than %d environment variables", SCENE_ENV);
        s->env[i] = check_printf("%s=%s", name, value);
    } else if (i < last) {
        s->env[i] = s->env[last - 1];
        s->env[last - 1] = NULL;
    }
}

void scene_set_port(struct scene *s, int port)
{
    char *url = check_printf("postgresql://" CLUSTER_USER "@127.0.0.1:%d/%s?"
                             "sslmode=disable&gssencmode=disable",
                             port, s->db);

    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
}

void scene_migration(const struct scene *s, const char *name)
{
    char *sql = check_printf("INSERT INTO log (name) VALUES ('%s');\n", name);

    scene_file(s, name, sql);
    free(sql);
}

void scene_file(const struct scene *s, const char *name, const char *sql)
{
    char *path = check_printf("migrations/%s.sql", name);

    repo_write(&s->repo, path, sql);
    free(path);
}

struct rt_oid scene_step(const struct scene *s, const char *name)
{
    scene_migration(s, name);
    return repo_commit(&s->repo, name);
}

void scene_run_at(struct scene *s, int status, const char *file, int line, ...)
{
    const char *args[8] = {NULL};
    size_t n = 0;
    va_list list;

    va_start(list, line);
    while ((args[n] = va_arg(list, const char *))) {
        if (++n == 8)
            check_fail("more than 7 arguments");
    }
    va_end(list);
    run_clear(&s->run);
    /* The first NULL ends the list. */
    run_revtwin(&s->run, s->repo.dir, s->env, args[0], args[1], args[2], args[3], args[4],
                args[5], args[6], NULL);
    run_check(&s->run, status, file, line);
}

void scene_start_args(struct scene *s, const char *const *args)
{
    run_clear(&s->run);
    run_start_revtwin(&s->run, s->repo.dir, s->env, args);
}

void scene_finish_at(struct scene *s, int status, const char *file, int line)
{
    run_finish(&s->run);
    run_check(&s->run, status, file, line);
}

void scene_tamper(const struct scene *s, const char *sql)
{
    char *all = check_printf("ALTER TABLE revtwin.ledger DISABLE TRIGGER USER; %s;"
                             "ALTER TABLE revtwin.ledger ENABLE TRIGGER USER",
                             sql);

    cluster_exec(&scene_server, s->db, all);
    free(all);
}

char *scene_next_xid(void)
{
    return cluster_query(&scene_server, "postgres",
                         "SELECT pg_snapshot_xmax(pg_current_snapshot())");
}

void scene_expect_xid(char *before, const char *file, int line)
{
    char *after = scene_next_xid();

    if (strcmp(before, after) != 0)
        check_fail("%s:%d: production was written to: %s transactions before, %s after",
                   file, line, before, after);
    free(before);
    free(after);
}
