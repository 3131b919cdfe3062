/* This machine's clock for measuring: it never jumps, and means nothing elsewhere. */
#ifndef RT_BASE_CLOCK_H
#define RT_BASE_CLOCK_H

#include "base/err.h"

int64_t rt_clock_us(void); /* microseconds since some time before the program began */
int64_t rt_clock_ms(void);

/* Do nothing for this long. A signal ends it: -RT_EINT or -RT_ETERM. */
int rt_clock_pause(unsigned ms, struct rt_err *err) RT_CHECKED;

/*
 * How long to wait before a retry: about base_ms for the first (attempt 0), twice as long
 * for each further one, never over limit_ms; anything between half and the whole of that,
 * at random, so that those who collided do not meet again ("equal jitter":
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
unsigned rt_clock_backoff(unsigned attempt, unsigned base_ms, unsigned limit_ms);

#endif
