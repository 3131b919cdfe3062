/*
 * SIGINT and SIGTERM set a flag; whoever waits looks at it. Nothing is installed until
 * rt_cancel_install, so a library user keeps its own handlers. A thread that works for
 * another one listens to an rt_stop instead, which the other raises.
 */
#ifndef RT_BASE_CANCEL_H
#define RT_BASE_CANCEL_H

#include <stdatomic.h>

#include "base/err.h"

/* Catch SIGINT and SIGTERM (system calls are then interrupted, not restarted). The same
 * signal again ends the process at once. SIGPIPE is ignored. */
void rt_cancel_install(void);

/* A descriptor for poll(): readable once a signal has come; -1 before the install. */
int rt_cancel_fd(void);

/* 0, or -RT_EINT / -RT_ETERM with err filled once a signal has come. */
int rt_cancel_check(struct rt_err *err) RT_CHECKED;

struct rt_stop {
    atomic_bool raised;
    int fd; /* readable from then on */
};

int rt_stop_open(struct rt_stop *stop, struct rt_err *err) RT_CHECKED;
void rt_stop_raise(struct rt_stop *stop); /* from any thread */
void rt_stop_close(struct rt_stop *stop);

/* From here on the two functions above are about stop for the calling thread; an error is
 * then -RT_EINTERNAL, which only says that something else has failed. NULL: about signals
 * again. */
void rt_cancel_listen(struct rt_stop *stop);

#endif
