/*
 * Child processes: a pipeline of programs whose standard errors are collected. Arguments
 * are visible to every user of the machine, so secrets go into the environment. The
 * children are told to end when this process dies (PR_SET_PDEATHSIG).
 */
#ifndef RT_BASE_PROC_H
#define RT_BASE_PROC_H

#include "base/err.h"

struct rt_child {
    const char *const *argv;  /* NULL-terminated; argv[0] is looked up in PATH */
    char *const *environment; /* NULL: that of this process */
    /* results, for the caller to free with rt_child_clear: */
    int exit_status; /* 128 + signal when killed by one */
    char *errors;    /* what it wrote to standard error; the last 64 kB of it */
};

/*
 * Run the commands, each one's output into the next one's input, the first one's input
 * from /dev/null; the last one's output goes to *output (NULL: to /dev/null). Waits for
 * all of them. Returns 0 also when a command failed: look at exit_status. Errors:
 * -RT_EINTERNAL when a program cannot be started, -RT_EINT / -RT_ETERM after a signal
 * (the children are then ended).
 */
int rt_child_run(struct rt_child *commands, size_t count, char **output,
                 struct rt_err *err) RT_CHECKED;
void rt_child_clear(struct rt_child *command);

#endif
