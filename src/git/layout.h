/*
 * Prisma's layout of a folder of migrations: for each a folder NAME with the file
 * migration.sql, exactly one level deep, and beside them migration_lock.toml, which names
 * the kind of database.
 *
 * Source: prisma listMigrations.ts; schema-engine migrations_directory.rs.
 */
#ifndef RT_GIT_LAYOUT_H
#define RT_GIT_LAYOUT_H

#include "git/tree.h"

#define RT_LAYOUT_LOCK "migration_lock.toml"

struct rt_layout {
    const char *folder;   /* as rt_folder_normalize gives it */
    bool has_lock;        /* RT_LAYOUT_LOCK is a file there */
    const char *provider; /* that it names; "" when it names none */
    size_t migrations;    /* folders with migration.sql, */
    const char **bare;    /* and paths of those without, in the tree's order */
    size_t bare_count;
};

/*
 * What the folder in the tree of a commit has of it; no folder has nothing. listing is
 * rt_tree_list of the same. The texts are in the arena.
 */
int rt_layout_read(struct rt_layout *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *commit, const char *folder,
                   const struct rt_listing *listing, struct rt_err *err) RT_CHECKED;

/* Whether the path is that of a migration in this layout: FOLDER/NAME/migration.sql. */
bool rt_layout_has(const struct rt_layout *layout, const char *path);

#endif
