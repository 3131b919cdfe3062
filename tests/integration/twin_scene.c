#include "twin_scene.h"

struct cluster twin_server = {.twin = true};

int twin_scene_start_servers(void **state)
{
    scene_start_server(state);
    cluster_start(&twin_server, NULL);
    return 0;
}

int twin_scene_stop_servers(void **state)
{
    cluster_stop(&twin_server);
    return scene_stop_server(state);
}

int twin_scene_open(void **state)
{
    char url[CLUSTER_URL_SIZE];
    struct scene *s;

    scene_open(state);
    s = *state;
    cluster_createdb(&twin_server, s->db);
    scene_set(s, "DEV_DATABASE_URL", cluster_url(&twin_server, s->db, url));
    return 0;
}

int twin_scene_close(void **state)
{
    struct scene *s = *state;
    char *sql = check_printf("DROP DATABASE IF EXISTS %s WITH (FORCE)", s->db);

    cluster_exec(&twin_server, "postgres", sql);
    free(sql);
    return scene_close(state);
}
