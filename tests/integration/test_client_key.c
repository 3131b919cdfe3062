/*
 * A server that knows its clients by their certificates, and a key with a password of its
 * own: it reaches pg_dump and pg_restore, for which libpq has no variable, and nobody
 * else.
 */
#include "scene.h"

#include <sys/stat.h>

#define KEY_PASSWORD "a 'key' = pass#word"

/* In the data folder, as the server's user: a certificate of its own, which also signs
 * the client's; and nobody gets in over TCP without one. */
static const char *const make_certificates =
    "COPY (SELECT) TO PROGRAM 'exec 2>&1 >/dev/null; umask 077;"
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    " -keyout server.key -out server.crt &&"
    "openssl req -newkey rsa:2048 -subj /CN=postgres -keyout client.key -out client.csr"
    " -passout file:password &&"
    "openssl x509 -req -in client.csr -days 2 -CA server.crt -CAkey server.key"
    " -CAcreateserial -out client.crt';"
    "COPY (VALUES ('local all all trust'), ('hostssl all all 127.0.0.1/32 cert'))"
    " TO PROGRAM 'cat >pg_hba.conf'";

static void start_tls(void)
{
    cluster_exec(&scene_server, "postgres",
                 "COPY (VALUES ($$" KEY_PASSWORD "$$)) TO PROGRAM 'cat >password'");
    cluster_exec(&scene_server, "postgres", make_certificates);
    cluster_exec(&scene_server, "postgres",
                 "ALTER SYSTEM SET ssl_ca_file = 'server.crt'");
    cluster_exec(&scene_server, "postgres", "ALTER SYSTEM SET ssl = on");
    cluster_exec(&scene_server, "postgres", "SELECT pg_reload_conf()");
    cluster_wait(&scene_server, "postgres", "SELECT current_setting('ssl')::bool");
}

/* A file of the server's data folder, for the client alone; returns its path. */
static char *take(struct scene *s, const char *name)
{
    char *sql = check_printf("SELECT pg_read_file('%s')", name);
    char *text = cluster_query(&scene_server, "postgres", sql);
    char *path = check_printf("%s/.git/%s", s->repo.dir, name);
    char *inside = check_printf(".git/%s", name);

    repo_write(&s->repo, inside, text);
    if (chmod(path, 0600) != 0)
        check_fail("chmod %s", path);
    free(inside);
    free(text);
    free(sql);
    return path;
}

static void set_server(struct scene *s, const char *name, const char *db,
                       const char *password)
{
    char *key = take(s, "client.key"), *certificate = take(s, "client.crt");
    char *conninfo = check_printf("host=127.0.0.1 port=%d user=postgres dbname=%s "
                                  "sslmode=require sslkey=%s sslcert=%s sslpassword='%s'",
                                  scene_server.port, db, key, certificate, password);

    scene_set(s, name, conninfo);
    free(conninfo);
    free(certificate);
    free(key);
}

static void password_of_the_key_reaches_the_children(void **state)
{
    struct scene *s = *state;
    char *twin = check_printf("%s_twin", s->db);

    cluster_createdb(&scene_server, twin);
    set_server(s, "PROD_DATABASE_URL", s->db, "a \\'key\\' = pass#word");
    set_server(s, "DEV_DATABASE_URL", twin, "a \\'key\\' = pass#word");
    scene_step(s, "V1");
    scene_run(s, 0, "apply", "-v");
    assert_said(s, "the twin is production as of");
    assert_query(&scene_server, twin, "SELECT string_agg(name, ' ') FROM log", "V1");
    assert_lacks(s->run.out, "pass#word");
    assert_lacks(s->run.err, "pass#word");
    free(twin);
}

static void wrong_password_of_the_key_is_told(void **state)
{
    struct scene *s = *state;

    set_server(s, "PROD_DATABASE_URL", s->db, "hunter");
    scene_step(s, "V1");
    scene_run(s, 1, "apply");
    assert_warned(s, "cannot connect to production");
    assert_warned(s, "client.key");
    assert_lacks(s->run.err, "hunter");
}

static int start_server(void **state)
{
    scene_server = (struct cluster){.tcp = true};
    scene_start_server(state);
    start_tls();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(password_of_the_key_reaches_the_children),
        scene_test(wrong_password_of_the_key_is_told),
    };

    return cmocka_run_group_tests_name("client key", tests, start_server,
                                       scene_stop_server);
}
