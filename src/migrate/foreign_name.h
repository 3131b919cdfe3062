/*
 * How other migration tools pair a file with a row of their table. A key is made of
 * either, so that the keys of a pair are equal.
 *
 * Sources: prisma schema-engine, "migrations directory"; Flyway ResourceNameParser and
 * MigrationVersion; dbmate pkg/dbmate/db.go; golang-migrate source/parse.go; goose
 * NumericComponent; sqlx migrate/source.rs; node-pg-migrate and graphile-migrate, tried.
 */
#ifndef RT_MIGRATE_FOREIGN_NAME_H
#define RT_MIGRATE_FOREIGN_NAME_H

#include "base/arena.h"

enum rt_naming {
    RT_NAMING_FOLDER,    /* NAME/migration.sql */
    RT_NAMING_FLYWAY,    /* V1_2__NAME.sql, B1_2__NAME.sql, R__NAME.sql; rows are "V1.2",
                            "B1.2", and "R" and the description */
    RT_NAMING_DIGITS,    /* the digits that the name starts with, as text */
    RT_NAMING_NUMBER,    /* 0012_NAME.sql: the number before the underscore */
    RT_NAMING_NUMBER_UP, /* 0012_NAME.up.sql */
    RT_NAMING_STEM,      /* the name without .sql */
};

/* The key of a file, in the arena; NULL when it is not a migration by the rule. */
const char *rt_foreign_file_key(struct rt_arena *arena, enum rt_naming naming,
                                const char *path);

/* The key of a row by its name or version; a name that fits no rule is its own key. */
const char *rt_foreign_row_key(struct rt_arena *arena, enum rt_naming naming,
                               const char *name);

/* Whether a version is the other one or an earlier one. Keys that start with different
 * letters (Flyway's) are never. */
bool rt_foreign_at_most(const char *key, const char *limit);

#endif
