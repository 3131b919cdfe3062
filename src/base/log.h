/* Progress and notes on standard error. Results go to standard output, by report/. */
#ifndef RT_BASE_LOG_H
#define RT_BASE_LOG_H

#include "base/attr.h"

enum rt_verbosity { RT_QUIET = -1, RT_NORMAL = 0, RT_VERBOSE = 1 };

/* The one setting of the process; set once by main, before anything is logged. */
void rt_log_level(enum rt_verbosity level);

/* One line on stderr: always but when quiet, or only when verbose. */
void rt_log(const char *fmt, ...) RT_PRINTF(1, 2);
void rt_log_verbose(const char *fmt, ...) RT_PRINTF(1, 2);

/* Have fn called before each line, with stderr locked: what is drawn there makes room.
 * NULL: no more. */
void rt_log_before(void (*fn)(void *context), void *context);

#endif
