/*
 * Real git repositories in a temporary folder, made with the git program. Nothing of the
 * tester's git settings is visible, and names, dates and so the object names are the same
 * in every run. Whatever fails ends the test with git's output. The folder is gone when
 * the test program ends in whatever way (keeper.h).
 *
 *     struct repo r;
 *     repo_init(&r);
 *     repo_write(&r, "migrations/V1__users.sql", "CREATE TABLE users ();");
 *     struct rt_oid first = repo_commit(&r, "users");
 *     repo_branch(&r, "feature");
 *     ...
 *     repo_switch(&r, "main");
 *     struct rt_oid merge = repo_merge(&r, REPO_SQUASH, "feature");
 *     repo_clear(&r);
 */
#ifndef TEST_REPO_H
#define TEST_REPO_H

#include "git/repo.h"

struct repo {
    char *dir; /* the checkout, or the bare repository */
};

/* An empty repository on the unborn branch main. */
void repo_init(struct repo *r);

/* A clone over file://, with options of git clone ("--bare", "--depth=1") up to NULL. */
void repo_clone(struct repo *r, const struct repo *from, ...) __attribute__((sentinel));

/* Remove the repository before the end of the program. */
void repo_clear(struct repo *r);

/* Make a file of the checkout, and its folders; replaces what was there. */
void repo_write(const struct repo *r, const char *path, const char *text);
void repo_write_bytes(const struct repo *r, const char *path, const void *bytes,
                      size_t len);
void repo_symlink(const struct repo *r, const char *path, const char *target);
void repo_rename(const struct repo *r, const char *from, const char *to);
void repo_delete(const struct repo *r, const char *path); /* a folder with all in it */

/* Commit everything in the checkout, also when nothing changed. */
struct rt_oid repo_commit(const struct repo *r, const char *message);

void repo_branch(const struct repo *r,
                 const char *name); /* from here, and switch to it */
void repo_switch(const struct repo *r, const char *name);

/* The three ways in which a pull request is merged. */
enum repo_merge { REPO_MERGE, REPO_SQUASH, REPO_REBASE };

/* Merge the branch into the current one; returns the new tip. */
struct rt_oid repo_merge(const struct repo *r, enum repo_merge how, const char *branch);

struct rt_oid repo_resolve(const struct repo *r, const char *rev);

/* Any git command, with its arguments up to NULL. */
void repo_git(const struct repo *r, ...) __attribute__((sentinel));

/* The same; returns what it printed, for the caller to free. */
char *repo_git_output(const struct repo *r, ...) __attribute__((sentinel));

#endif
