/* Names in a repository: which are migrations, and where they are looked for. */
#ifndef RT_GIT_PATH_H
#define RT_GIT_PATH_H

#include "base/arena.h"
#include "base/err.h"

/* Whether a file name is that of an SQL file: ends in ".sql", in any case. */
bool rt_is_sql(const char *path);

/*
 * The folder's name as rt_tree_lookup wants it: "./db//migrations/" is "db/migrations",
 * "." is "". -RT_EUSAGE when it leads out of the repository.
 */
int rt_folder_normalize(const char **out, struct rt_arena *arena, const char *folder,
                        struct rt_err *err) RT_CHECKED;

/* Whether the path is below a folder of such a name. */
bool rt_folder_has(const char *folder, const char *path);

#endif
