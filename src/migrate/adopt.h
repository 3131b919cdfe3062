/*
 * Choosing, for a baseline, the files that another tool's history says were applied.
 *
 * A file is chosen when exactly one file has the key of a row that says applied, and the
 * checksum that the tool kept fits; or when a row stands for all files up to it. Whatever
 * else the history says is a finding: a row without a file, a migration that failed or
 * never finished, a checksum that does not fit, several files of one key. Files that the
 * history does not name are not chosen, and no finding.
 */
#ifndef RT_MIGRATE_ADOPT_H
#define RT_MIGRATE_ADOPT_H

#include "migrate/baseline.h"
#include "migrate/foreign.h"

/* The findings are refusals, or with partial warnings. baseline->chosen is all false. */
int rt_baseline_adopt(struct rt_plan *out, struct rt_baseline *baseline,
                      struct rt_arena *arena, struct rt_repo *repo,
                      const struct rt_foreign *foreign, bool partial,
                      struct rt_err *err) RT_CHECKED;

#endif
