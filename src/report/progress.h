/*
 * How far a resync is, on standard error: on a terminal a table, drawn again and again
 * and gone at the end; elsewhere a line every ten seconds.
 */
#ifndef RT_REPORT_PROGRESS_H
#define RT_REPORT_PROGRESS_H

#include "twin/progress.h"

struct rt_display;

/* Show this progress, which starts as {0}, whenever rt_progress_show is called. Lines of
 * rt_log go above the table. One at a time. */
struct rt_display *rt_display_open(struct rt_progress *progress);

/* Take the table off the screen; nothing is shown any more. NULL is fine. */
void rt_display_close(struct rt_display *display);

/* Append "1.2 of 2.0 GB", or where all is not more than done, "3.0 MB". */
struct rt_str;
void rt_display_bytes(struct rt_str *out, unsigned long long done,
                      unsigned long long all);

#endif
