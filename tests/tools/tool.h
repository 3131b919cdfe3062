/* Running another migration tool on the production of a scene. The programs are in
 * TOOLS_DIR, where ci/tools installs them. */
#ifndef TEST_TOOL_H
#define TEST_TOOL_H

#include "scene.h"

#define PROGRAM(name) TOOLS_DIR "/node_modules/.bin/" name

/* What a tool needs to know of production, besides NAME=value strings up to NULL. */
static inline void start_tool(const struct scene *s, struct run *run,
                              const char *const *argv)
{
    const char *url = strchr(s->env[0], '=') + 1;
    const char *env[] = {
        check_printf("DATABASE_URL=%s", url),
        check_printf("SHADOW_DATABASE_URL=postgres://%s@127.0.0.1:%d/%s_shadow",
                     CLUSTER_USER, scene_server.port, s->db),
        check_printf("ROOT_DATABASE_URL=postgres://%s@127.0.0.1:%d/postgres",
                     CLUSTER_USER, scene_server.port),
        check_printf("MIGRATIONS=%s/migrations", s->repo.dir),
        /* Never started: only asked whether they exist. */
        check_printf("PRISMA_QUERY_ENGINE_LIBRARY=/bin/true"),
        check_printf("PRISMA_SCHEMA_ENGINE_BINARY=/bin/true"),
        check_printf("CHECKPOINT_DISABLE=1"), NULL};

    run_clear(run);
    run_start(run, s->repo.dir, env, argv);
    for (size_t i = 0; env[i]; i++)
        free((char *)env[i]);
}

static inline void run_tool(struct scene *s, int status, const char *const *argv)
{
    start_tool(s, &s->run, argv);
    run_finish(&s->run);
    run_check(&s->run, status, __FILE__, __LINE__);
}

#define tool(s, status, ...) run_tool(s, status, (const char *const[]){__VA_ARGS__, NULL})

/* The tools do not know sockets by their folder. */
static inline int tool_open(void **state)
{
    struct scene *s;
    char *url;

    scene_open(state);
    s = *state;
    url = check_printf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", CLUSTER_USER,
                       scene_server.port, s->db);
    scene_set(s, "PROD_DATABASE_URL", url);
    free(url);
    return 0;
}

/* "prisma migrate" comes with these before and behind its command. */
#define PRISMA PROGRAM("prisma"), "migrate"
#define CONFIG "--config", TOOLS_DIR "/prisma.config.mjs"

static inline int tool_start_server(void **state)
{
    scene_server.tcp = true;
    return scene_start_server(state);
}

#define tool_test(test) cmocka_unit_test_setup_teardown(test, tool_open, scene_close)

#endif
