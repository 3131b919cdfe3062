/* revtwin.conf of a commit: git-config syntax, read through libgit2. */
#ifndef RT_GIT_CONFIG_H
#define RT_GIT_CONFIG_H

#include "git/repo.h"

#define RT_CONFIG_FILE "revtwin.conf"

struct rt_config_entry {
    const char *name;  /* section and key in lower case, subsection as it stands */
    const char *value; /* "true" for a key without one, as git config has it */
};

struct rt_config {
    struct rt_config_entry *entries; /* in file order, in the arena */
    size_t count;
};

/*
 * Read revtwin.conf at the root of the commit's tree; no file is no entries. Errors:
 * -RT_EUSAGE with path (and line where libgit2 says it) for a file that cannot be
 * parsed, is not a regular file, or includes another file. Nothing but the blob is read.
 */
int rt_config_read(struct rt_config *out, struct rt_arena *arena, struct rt_repo *repo,
                   const struct rt_oid *commit, struct rt_err *err) RT_CHECKED;

/* The same for a text, while libgit2 is started (a repository is open). */
int rt_config_parse(struct rt_config *out, struct rt_arena *arena, const char *data,
                    size_t len, struct rt_err *err) RT_CHECKED;

#endif
