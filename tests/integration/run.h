/*
 * Running a program as a user would, in an environment made for the test: nothing of
 * the tester's own PG*, GITHUB_* or REVTWIN_* variables and settings files is visible.
 *
 *     struct run r = {0};
 *     run_revtwin(&r, repo, env, "apply", "--ledger", NULL);
 *     run_expect(&r, 0);
 *     assert_contains(r.out, "1 migration");
 *     run_clear(&r);
 */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include "check.h"

#include <stdbool.h>
#include <sys/types.h>

struct run {
    unsigned seconds; /* time limit, set before the start; 0 is a minute */

    int status;   /* exit status, or minus the signal that ended it */
    long peak_kb; /* the most memory that it had at once */
    char *out;    /* what it wrote to stdout and stderr, owned by the struct */
    char *err;

    char *command; /* for messages */
    pid_t pid;
    int outfd, errfd;
};

/*
 * Start argv[0] (found in PATH) in the folder cwd (NULL: the current one) with the
 * NULL-terminated "NAME=value" strings in env (may be NULL) added to the clean
 * environment, and stdin empty. It leads its own process group and dies with the test.
 */
void run_start(struct run *r, const char *cwd, const char *const *env,
               const char *const *argv);

/* Wait for the end; past the time limit, kill its process group and fail the test. */
void run_finish(struct run *r);

/* Start and finish. */
void run_program(struct run *r, const char *cwd, const char *const *env,
                 const char *const *argv);

/* The same for the revtwin under test, with its arguments up to NULL. */
void run_revtwin(struct run *r, const char *cwd, const char *const *env, ...)
    __attribute__((sentinel));

/* Start it only; run_finish waits for its end. */
void run_start_revtwin(struct run *r, const char *cwd, const char *const *env,
                       const char *const *args);

/* Fail the test, with the whole output, unless the program ended with this status. */
#define run_expect(r, wanted) run_check(r, wanted, __FILE__, __LINE__)
void run_check(const struct run *r, int wanted, const char *file, int line);

/* Whether it has ended, so that run_finish would not wait. */
bool run_has_ended(const struct run *r);

/* Wait until it has written this to stderr; fail after half a minute, or when it ends. */
void run_wait_said(const struct run *r, const char *part);

/* Seconds, for measuring time. */
double run_clock(void);

/* Free the output; r can be used for another run. */
void run_clear(struct run *r);

/* The server's programs: $PG_BINDIR_PROD, else $PG_BINDIR, else the newest of Debian's,
 * else pg_config's. The twin's: $PG_BINDIR_TWIN, of no older version, else the same. */
const char *run_pg_bindir(void);
const char *run_pg_bindir_twin(void);

#endif
