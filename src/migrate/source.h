/* A migration that is about to run: its bytes, its statements, and how it runs. */
#ifndef RT_MIGRATE_SOURCE_H
#define RT_MIGRATE_SOURCE_H

#include "git/tree.h"
#include "sql/mode.h"
#include "sql/split.h"

struct rt_source {
    struct rt_blob blob; /* of a commit, or */
    char *checkout;      /* of an uncommitted file */
    struct rt_script script;
    struct rt_mode mode;
    bool one_by_one; /* has, or may have, COPY, which a pipeline cannot carry */
};

/*
 * Read, split, inspect and decide. The blob when oid is not empty, the file of the
 * checkout otherwise. Errors: -RT_EREFUSED with path, line, column and excerpt for what
 * the file cannot contain. out starts as {0}; clear it also after an error.
 */
int rt_source_load(struct rt_source *out, struct rt_repo *repo, const char *path,
                   const struct rt_oid *oid, struct rt_err *err) RT_CHECKED;
void rt_source_clear(struct rt_source *source);

#endif
