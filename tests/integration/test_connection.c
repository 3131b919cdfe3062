/* Promises 8 and 9: what servers are connected to and how, and no password anywhere. */
#include "scene.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "hunter@2/é:%?#& '\\"
#define SECRET_ESCAPED "hunter%402%2F%C3%A9%3A%25%3F%23%26%20%27%5C"

/* ------------------------------------------------------------------ helpers */

static void set_url(struct scene *s, const char *name, const char *login, const char *db)
{
    char *url =
        check_printf("postgresql://%s@127.0.0.1:%d/%s", login, scene_server.port, db);

    scene_set(s, name, url);
    free(url);
}

/* Nothing of the secret, in whatever form, is in the output. */
static void assert_secret_kept(const struct scene *s)
{
    assert_lacks(s->run.out, "hunter");
    assert_lacks(s->run.err, "hunter");
}

/* A database for the twin beside production, in DEV_DATABASE_URL. */
static char *make_twin(struct scene *s)
{
    char *db = check_printf("%s_twin", s->db), url[CLUSTER_URL_SIZE];

    cluster_createdb(&scene_server, db);
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&scene_server, db, url));
    return db;
}

static char *dump_of(const char *db)
{
    return cluster_dump(&scene_server, db, "--no-owner", "--no-acl",
                        "--exclude-table=revtwin.twin",
                        "--exclude-table=revtwin.receipt*", NULL);
}

static void assert_equal_databases(const char *twin, const char *prod)
{
    char *a = dump_of(twin), *b = dump_of(prod);

    assert_text_equal(a, b);
    free(a);
    free(b);
}

/* ------------------------------------------------------------------ connecting */

static void password_with_escapes_works(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    set_url(s, "PROD_DATABASE_URL", "tester:" SECRET_ESCAPED, s->db);
    scene_run(s, 0, "apply", "-v");
    assert_secret_kept(s);
    assert_log(s, "V1");
}

static void wrong_password_is_reported_and_not_shown(void **state)
{
    static const char *const commands[] = {"apply", "plan", "status", "verify"};
    struct scene *s = *state;

    scene_step(s, "V1");
    set_url(s, "PROD_DATABASE_URL", "tester:not" SECRET_ESCAPED, s->db);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        scene_run(s, 1, commands[i], "-v", "--json");
        assert_warned(s, "production (PROD_DATABASE_URL)");
        assert_warned(s, "password authentication failed");
        assert_said(s, "password authentication failed");
        assert_secret_kept(s);
    }
    scene_run(s, 1, "apply");
    assert_secret_kept(s);
    assert_log(s, "");
}

static void database_that_does_not_exist(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    set_url(s, "PROD_DATABASE_URL", "tester:" SECRET_ESCAPED, "no_such_database");
    scene_run(s, 1, "apply", "--json");
    assert_warned(s, "production (PROD_DATABASE_URL)");
    assert_warned(s, "\"no_such_database\" does not exist");
    assert_secret_kept(s);
}

/* A port of this machine on which nobody listens. */
static int deserted_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        check_fail("no free port");
    close(fd);
    return ntohs(addr.sin_port);
}

static void unreachable_server(void **state)
{
    struct scene *s = *state;
    char *url = check_printf("postgresql://tester:%s@127.0.0.1:%d/%s", SECRET_ESCAPED,
                             deserted_port(), s->db);

    scene_step(s, "V1");
    scene_set(s, "PROD_DATABASE_URL", url);
    scene_run(s, 1, "apply", "--json");
    assert_warned(s, "cannot connect to production (PROD_DATABASE_URL)");
    assert_warned(s, "Connection refused");
    assert_secret_kept(s);
    scene_set(s, "PROD_DATABASE_URL", "host=/no/such/folder user=tester dbname=x");
    scene_run(s, 1, "apply");
    assert_warned(s, "/no/such/folder");
    free(url);
}

/* ------------------------------------------------------------------ strings */

/* In all of these a piece of the password would end up elsewhere. */
static const char *const spilling[] = {
    "postgresql://tester:hunter@hunter@127.0.0.1:5432/db",
    "postgresql://tester:hunter/hunter@127.0.0.1:5432/db",
    "postgresql://tester:hunter@x/hunter@127.0.0.1:5432/db",
    "postgresql://tester:1234/hunter@127.0.0.1:5432/db",
    "postgresql://tester:hunter%zz@127.0.0.1:5432/db",
    "postgresql://tester:hunter%4@127.0.0.1:5432/db",
    "postgresql://tester:hunter%00hunter@127.0.0.1:5432/db",
    "postgresql://tester:hunter@[hunter@127.0.0.1:5432/db",
    "postgresql://tester:hunter@hunter?@127.0.0.1:5432/db",
    "postgres://tester:hunter@/hunter@127.0.0.1/db",
    "postgresql://tester:hunter@hunter:hunter@127.0.0.1/db",
    "postgresql://tester:x@127.0.0.1/db?hunter=hunter",
    "postgresql://tester:x@127.0.0.1/db?password=hunter&hunter",
    "host=127.0.0.1 user=tester password=hunter hunter dbname=db",
    "host=127.0.0.1 user=tester password='hunter'hunter' dbname=db",
    "host=127.0.0.1 user=tester password='hunter",
    "hunter",
};

static void unescaped_password_is_refused_without_leaking(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    for (size_t i = 0; i < sizeof(spilling) / sizeof(*spilling); i++) {
        print_message("           %s\n", spilling[i]);
        scene_set(s, "PROD_DATABASE_URL", spilling[i]);
        scene_run(s, 2, "apply", "--json", "-v");
        assert_secret_kept(s);
        assert_warned(s, "PROD_DATABASE_URL is not a valid connection");
        assert_warned(s, "%40");
        scene_set(s, "DEV_DATABASE_URL", spilling[i]);
        set_url(s, "PROD_DATABASE_URL", "tester:" SECRET_ESCAPED, s->db);
        scene_run(s, 2, "apply", "--json", "-v");
        assert_secret_kept(s);
        assert_warned(s, "DEV_DATABASE_URL is not a valid connection");
    }
    assert_log(s, "");
}

static void server_that_is_not_used_may_be_malformed(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_set(s, "DEV_DATABASE_URL", "postgresql://u:p@ss@host/db");
    scene_untouched(s, 0, "plan");
    scene_untouched(s, 0, "verify");
    scene_run(s, 0, "baseline", "HEAD");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "DEV_DATABASE_URL");
    scene_untouched(s, 2, "status");
    scene_untouched(s, 2, "resync");
    scene_set(s, "PROD_DATABASE_URL", "postgresql://u:p@ss@host/db");
    scene_run(s, 0, "version");
    scene_run(s, 0, "help");
    scene_run(s, 0, "help", "config");
    scene_run(s, 0, "apply", "--help");
    scene_run(s, 2, "plan");
    assert_warned(s, "PROD_DATABASE_URL is not a valid connection");
}

static void password_on_the_command_line_is_refused(void **state)
{
    static const char *const strings[] = {
        "postgresql://tester:hunter@127.0.0.1/db",
        "postgresql://tester@127.0.0.1/db?password=hunter",
        "host=127.0.0.1 password=hunter",
        "host=127.0.0.1 sslpassword=hunter",
        "postgresql://tester:hunter%zz@127.0.0.1/db",
    };
    struct scene *s = *state;

    scene_step(s, "V1");
    for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
        scene_run(s, 2, "apply", "--json", "--prod", strings[i]);
        assert_warned(s, "--prod carries a password");
        assert_warned(s, "PROD_DATABASE_URL");
        assert_secret_kept(s);
        scene_run(s, 2, "apply", "--json", "--twin", strings[i]);
        assert_warned(s, "--twin carries a password");
        assert_warned(s, "DEV_DATABASE_URL");
        assert_secret_kept(s);
    }
    assert_log(s, "");
}

static void empty_strings_are_none(void **state)
{
    struct scene *s = *state;
    char *url = check_printf("host=%s port=%d user=postgres dbname=%s", scene_server.dir,
                             scene_server.port, s->db);

    scene_step(s, "V1");
    scene_set(s, "PROD_DATABASE_URL", "");
    scene_set(s, "DEV_DATABASE_URL", "");
    scene_run(s, 2, "apply");
    assert_warned(s, "PROD_DATABASE_URL is not set");
    scene_run(s, 0, "plan");
    assert_said(s, "migrations/V1.sql");
    assert_said(s, "PROD_DATABASE_URL is not set");
    scene_run(s, 0, "apply", "--prod", url);
    assert_said(s, "DEV_DATABASE_URL is not set");
    assert_log(s, "V1");
    scene_run(s, 2, "resync", "--prod", url);
    assert_warned(s, "DEV_DATABASE_URL is not set");
    free(url);
}

/* Write a file that only its owner may read; libpq insists on that. */
static char *write_private(struct scene *s, const char *name, const char *text)
{
    char *path = check_printf("%s/.git/%s", s->repo.dir, name);
    char *inside = check_printf(".git/%s", name);

    repo_write(&s->repo, inside, text);
    if (chmod(path, 0600) != 0)
        check_fail("chmod %s", path);
    free(inside);
    return path;
}

static void service_and_password_files_work_for_both_servers(void **state)
{
    struct scene *s = *state;
    char *twin = make_twin(s);
    char *services =
        check_printf("[production]\nhost=127.0.0.1\nport=%d\nuser=tester\ndbname=%s\n"
                     "[twin]\nhost=127.0.0.1\nport=%d\nuser=tester\ndbname=%s\n",
                     scene_server.port, s->db, scene_server.port, twin);
    char *service_file = write_private(s, "services", services);
    char *password_file =
        write_private(s, "passwords", "127.0.0.1:*:*:tester:hunter@2/é\\:%?#& '\\\\\n");

    scene_step(s, "V1");
    scene_set(s, "PGSERVICEFILE", service_file);
    scene_set(s, "PGPASSFILE", password_file);
    scene_set(s, "PROD_DATABASE_URL", "service=production");
    scene_set(s, "DEV_DATABASE_URL", "postgresql://?service=twin");
    scene_run(s, 0, "apply", "--adopt", "-v");
    assert_secret_kept(s);
    assert_equal_databases(twin, s->db);
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_set(s, "DEV_DATABASE_URL", NULL);
    scene_step(s, "V2");
    scene_run(s, 0, "apply", "--prod", "service=production", "--twin", "service=twin");
    assert_log(s, "V1 V2");
    assert_equal_databases(twin, s->db);
    free(service_file);
    free(password_file);
    free(services);
    free(twin);
}

/* ------------------------------------------------------------------ which is which */

static void same_database_is_refused_before_any_change(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    set_url(s, "DEV_DATABASE_URL", "tester:" SECRET_ESCAPED, s->db);
    scene_untouched(s, 3, "apply", "--adopt");
    assert_warned(s, "same database");
    assert_secret_kept(s);
    scene_untouched(s, 3, "resync", "--adopt");
    assert_warned(s, "same database");
    assert_log(s, "");
}

static void swapped_servers_are_refused_before_any_change(void **state)
{
    struct scene *s = *state;
    char *twin = make_twin(s), url[CLUSTER_URL_SIZE];

    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--no-resync");
    scene_step(s, "V2");

    /* Nothing is marked yet, but the "twin" has the longer ledger. */
    scene_set(s, "PROD_DATABASE_URL", cluster_url(&scene_server, twin, url));
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&scene_server, s->db, url));
    scene_untouched(s, 3, "apply", "--base", "HEAD~1");
    assert_warned(s, "swapped");
    scene_untouched(s, 3, "resync", "--adopt");
    assert_warned(s, "swapped");

    scene_set(s, "PROD_DATABASE_URL", cluster_url(&scene_server, s->db, url));
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&scene_server, twin, url));
    scene_run(s, 0, "resync", "--adopt");
    scene_set(s, "PROD_DATABASE_URL", cluster_url(&scene_server, twin, url));
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&scene_server, s->db, url));
    scene_untouched(s, 3, "apply");
    assert_warned(s, "swapped");
    scene_untouched(s, 3, "resync", "--adopt");
    assert_warned(s, "swapped");
    assert_log(s, "V1");
    free(twin);
}

/* ------------------------------------------------------------------ the process list */

/* Look at the arguments of all processes; whether one of them is pg_dump. */
static bool look_at_arguments(const char *secret)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool seen = false;

    while (proc && (entry = readdir(proc))) {
        char *path = check_printf("/proc/%s/cmdline", entry->d_name), text[65536];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text);

        free(path);
        if (fd >= 0)
            close(fd);
        if (length <= 0 || strtol(entry->d_name, NULL, 10) == getpid())
            continue;
        if (memmem(text, (size_t)length, secret, strlen(secret)))
            check_fail("process %s has the password in its arguments", entry->d_name);
        seen = seen || memmem(text, (size_t)length, "/pg_dump", 8);
    }
    if (proc)
        closedir(proc);
    return seen;
}

static void passwords_are_in_no_process_list(void **state)
{
    struct scene *s = *state;
    char *twin = make_twin(s);
    siginfo_t ended = {0};
    bool dump_seen = false;

    scene_file(s, "V1",
               "INSERT INTO log (name) SELECT repeat('x', 1000) FROM generate_series(1, "
               "20000);\n");
    repo_commit(&s->repo, "rows");
    set_url(s, "PROD_DATABASE_URL", "tester:" SECRET_ESCAPED, s->db);
    set_url(s, "DEV_DATABASE_URL", "tester:" SECRET_ESCAPED, twin);
    scene_start(s, "apply", "--adopt", "-v");
    while (waitid(P_PID, (id_t)s->run.pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0)
        dump_seen = look_at_arguments("hunter") || dump_seen;
    scene_finish(s, 0);
    assert_true(dump_seen);
    assert_secret_kept(s);
    assert_equal_databases(twin, s->db);
    free(twin);
}

static int start_server(void **state)
{
    scene_server = (struct cluster){.tcp = true, .password = "not used"};
    scene_start_server(state);
    cluster_exec(&scene_server, "postgres",
                 "CREATE ROLE tester SUPERUSER LOGIN PASSWORD 'hunter@2/é:%?#& ''\\'");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(password_with_escapes_works),
        scene_test(wrong_password_is_reported_and_not_shown),
        scene_test(database_that_does_not_exist),
        scene_test(unreachable_server),
        scene_test(unescaped_password_is_refused_without_leaking),
        scene_test(server_that_is_not_used_may_be_malformed),
        scene_test(password_on_the_command_line_is_refused),
        scene_test(empty_strings_are_none),
        scene_test(service_and_password_files_work_for_both_servers),
        scene_test(same_database_is_refused_before_any_change),
        scene_test(swapped_servers_are_refused_before_any_change),
        scene_test(passwords_are_in_no_process_list),
    };

    return cmocka_run_group_tests(tests, start_server, scene_stop_server);
}
