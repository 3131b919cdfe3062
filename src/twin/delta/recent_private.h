/* What the files of recent share: what is known of each pair. */
#ifndef RT_TWIN_DELTA_RECENT_PRIVATE_H
#define RT_TWIN_DELTA_RECENT_PRIVATE_H

#include "twin/delta/recent.h"
#include "twin/delta/scan.h"

struct rt_recent_entry {
    struct rt_recent_table table;
    struct rt_scanned scanned;
    bool unable; /* to list the rows that may have changed */
};

struct rt_recent {
    struct rt_recent_setup setup;
    struct rt_since prod, twin;
    struct rt_recent_entry *entries; /* one a pair */
};

/* About how many pages of the twin will be written to for a changed pair, or more. */
int rt_recent_pages(double *pages, const struct rt_recent *recent, size_t pair,
                    struct rt_err *err) RT_CHECKED;

#endif
