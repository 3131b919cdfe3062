/* A scene (scene.h) with a twin: a database of production's name on a server of its own.
 */
#ifndef TEST_TWIN_SCENE_H
#define TEST_TWIN_SCENE_H

#include "scene.h"

extern struct cluster twin_server;
int twin_scene_start_servers(void **state);
int twin_scene_stop_servers(void **state);

int twin_scene_open(void **state);
int twin_scene_close(void **state);

#define twin_scene_test(test) \
    cmocka_unit_test_setup_teardown(test, twin_scene_open, twin_scene_close)

#endif
