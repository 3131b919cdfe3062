/*
 * SIGINT and SIGTERM set a flag; whoever waits looks at it. Nothing is installed until
 * rt_cancel_install, so a library user keeps its own handlers.
 */
#ifndef RT_BASE_CANCEL_H
#define RT_BASE_CANCEL_H

#include "base/err.h"

/* Catch SIGINT and SIGTERM (system calls are then interrupted, not restarted). The same
 * signal again ends the process at once. SIGPIPE is ignored. */
void rt_cancel_install(void);

/* A descriptor for poll(): readable once a signal has come; -1 before the install. */
int rt_cancel_fd(void);

/* 0, or -RT_EINT / -RT_ETERM with err filled once a signal has come. */
int rt_cancel_check(struct rt_err *err) RT_CHECKED;

#endif
